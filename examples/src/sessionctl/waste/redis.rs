//! Watches a Redis server with `MONITOR`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use indicatif::ProgressBar;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use super::watch::{LONGEST_LINE, Watch, take_line};
use super::{Options, WasteError, Watched};

/// How long the server has for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes that wait to be looked at. What comes beyond is dropped: the server must not have to keep it.
const MOST_WAITING: usize = 64 << 20;
/// From so many commands a second on, nobody is watched who was not asked for.
const BUSY: u64 = 5_000;

const COST: &str = "\
MONITOR makes the server send a copy of every command it carries out, whatever the keys: its network traffic about \
doubles, and a command takes it several times the processor time while this runs.";

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Link {
    stream: BufReader<Box<dyn Stream>>,
}

/// A server that repeats its commands to us.
pub(super) struct Monitored {
    link: Link,
    /// The only database that is of interest.
    database: Option<u64>,
}

impl Monitored {
    pub(super) async fn begin(url: &str, options: &Options) -> Result<Self, WasteError> {
        if url.starts_with("rediss:") || url.starts_with("valkeys:") {
            return Err(WasteError::Encrypted);
        }
        let info = url.into_connection_info().map_err(|error| WasteError::Url(error.to_string()))?;
        let mut link = open(&info).await?;
        let rate = link.commands_per_second().await?;
        eprintln!("{COST}\n{}", rate_line(rate));
        if !options.yes && rate.is_some_and(|rate| rate > BUSY) {
            return Err(WasteError::Busy);
        }
        link.ask(&["MONITOR"]).await?;
        eprintln!("watching for {:?}; Ctrl-C ends it earlier, with a report", options.time);
        let database = u64::try_from(info.redis_settings().db()).ok().filter(|number| *number > 0);
        Ok(Self { link, database })
    }

    /// Watches until then, or until the time is over.
    pub(super) async fn watch(
        mut self,
        options: &Options,
        bar: &ProgressBar,
        end: impl Future<Output = ()>,
    ) -> Result<Watched, WasteError> {
        let watch = Watch::new(&options.prefix, self.database, options.keys);
        let (sender, lines) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let looking = {
            let (waiting, bar) = (Arc::clone(&waiting), bar.clone());
            tokio::task::spawn_blocking(move || look(watch, &lines, &waiting, &bar))
        };
        let mut queue = Queue { sender, waiting, lost: 0, line: Vec::new() };
        let gone = tokio::select! {
            read = self.link.lines(&mut queue) => Some(read),
            () = end => None,
            () = sleep(options.time) => None,
        };
        let ended_early = match gone {
            Some(Ok(())) => Some("the server closed the connection".to_owned()),
            Some(Err(error)) => Some(error.to_string()),
            None => {
                self.link.finish(&mut queue).await;
                None
            }
        };
        queue.flush_lost();
        drop(queue);
        let mut watch = looking.await.map_err(|_| WasteError::Stopped)?;
        let unreadable = watch.unreadable();
        Ok(Watched { unreadable, ended_early, ..Watched::of(watch.figures()) })
    }
}

fn rate_line(rate: Option<u64>) -> String {
    rate.map_or_else(
        || "how busy it is cannot be told: INFO is not allowed".to_owned(),
        |rate| format!("it carries out {rate} commands a second now"),
    )
}

async fn open(info: &ConnectionInfo) -> Result<Link, WasteError> {
    let connect = async {
        Ok::<Box<dyn Stream>, WasteError>(match info.addr() {
            ConnectionAddr::Tcp(host, port) => {
                Box::new(TcpStream::connect((host.as_str(), *port)).await.map_err(WasteError::Connection)?)
            }
            ConnectionAddr::Unix(path) => Box::new(UnixStream::connect(path).await.map_err(WasteError::Connection)?),
            _ => return Err(WasteError::Encrypted),
        })
    };
    let stream = timeout(PATIENCE, connect).await.map_err(|_| WasteError::Slow)??;
    let mut link = Link { stream: BufReader::with_capacity(64 << 10, stream) };
    let settings = info.redis_settings();
    match (settings.username(), settings.password()) {
        (Some(user), Some(password)) => drop(link.ask(&["AUTH", user, password]).await?),
        (None, Some(password)) => drop(link.ask(&["AUTH", password]).await?),
        _ => {}
    }
    Ok(link)
}

impl Link {
    /// Sends a command, and returns the answer: a line, or the text whose length the line tells.
    async fn ask(&mut self, words: &[&str]) -> Result<String, WasteError> {
        timeout(PATIENCE, self.ask_patiently(words)).await.map_err(|_| WasteError::Slow)?
    }

    async fn ask_patiently(&mut self, words: &[&str]) -> Result<String, WasteError> {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            for line in [format!("${}", word.len()).as_str(), word] {
                request.push_str(line);
                request.push_str("\r\n");
            }
        }
        self.stream.write_all(request.as_bytes()).await.map_err(WasteError::Connection)?;
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LONGEST_LINE as u64);
        limited.read_until(b'\n', &mut line).await.map_err(WasteError::Connection)?;
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Some(error) = line.strip_prefix('-') {
            return Err(WasteError::Refused { command: words[0].to_owned(), answer: error.to_owned() });
        }
        let Some(length) = line.strip_prefix('$') else { return Ok(line) };
        let length: Option<usize> = length.parse().ok();
        let length = length.filter(|length| *length <= LONGEST_LINE).ok_or(WasteError::NoRedis)?;
        let mut text = vec![0; length + 2];
        self.stream.read_exact(&mut text).await.map_err(WasteError::Connection)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// How busy the server is, if it tells.
    async fn commands_per_second(&mut self) -> Result<Option<u64>, WasteError> {
        let info = match self.ask(&["INFO", "stats"]).await {
            Err(WasteError::Refused { answer, .. }) if answer.starts_with("NOPERM") => return Ok(None),
            answer => answer?,
        };
        let rate = info.lines().find_map(|line| line.strip_prefix("instantaneous_ops_per_sec:"));
        Ok(rate.and_then(|rate| rate.trim().parse().ok()))
    }

    /// Passes on lines until the connection ends.
    async fn lines(&mut self, queue: &mut Queue) -> std::io::Result<()> {
        loop {
            let chunk = self.stream.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(());
            }
            let (taken, is_whole) = take_line(chunk, &mut queue.line);
            self.stream.consume(taken);
            if is_whole {
                queue.put();
            }
        }
    }

    /// Reads what was sent until now: the server closes the connection behind it.
    async fn finish(&mut self, queue: &mut Queue) {
        // What does not come any more is not waited for: the report is about what came.
        let _ = timeout(Duration::from_secs(2), async {
            self.stream.write_all(b"*1\r\n$4\r\nQUIT\r\n").await?;
            self.lines(queue).await
        })
        .await;
    }
}

/// Lines on their way to where they are looked at.
struct Queue {
    sender: Sender<(u64, Vec<u8>)>,
    waiting: Arc<AtomicUsize>,
    /// How many lines were dropped since the last that was not.
    lost: u64,
    /// What has come of the next line.
    line: Vec<u8>,
}

impl Queue {
    fn put(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.waiting.load(Ordering::Relaxed) + line.len() > MOST_WAITING {
            self.lost += 1;
            return;
        }
        self.send(line);
    }

    fn flush_lost(&mut self) {
        if self.lost > 0 {
            self.send(Vec::new());
        }
    }

    fn send(&mut self, line: Vec<u8>) {
        self.waiting.fetch_add(line.len(), Ordering::Relaxed);
        // Who looks does so until nothing is sent any more.
        let _ = self.sender.send((std::mem::take(&mut self.lost), line));
    }
}

fn look(mut watch: Watch, lines: &Receiver<(u64, Vec<u8>)>, waiting: &AtomicUsize, bar: &ProgressBar) -> Watch {
    while let Ok((lost, line)) = lines.recv() {
        watch.lost(lost);
        watch.line(&line);
        waiting.fetch_sub(line.len(), Ordering::Relaxed);
        bar.set_position(watch.writes());
    }
    watch
}
