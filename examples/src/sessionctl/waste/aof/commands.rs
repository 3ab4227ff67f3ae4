//! Commands as a client sends them to Redis, one after the other.

use std::io::{self, BufRead, Read};
use std::path::Path;

/// The most that is kept of a command, in bytes.
const LONGEST: usize = 1 << 20;
/// What a word takes beside its bytes.
const WORD: usize = size_of::<Vec<u8>>();
/// The longest line that tells a length or a time.
const LONGEST_LINE: u64 = 1024;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Command {
        words: Vec<Vec<u8>>,
        /// Whether words are missing at the end, because it is too long.
        cut: bool,
    },
    /// What follows was written at this time, in seconds since 1970.
    Time(u64),
}

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Broken {
    /// It ends within a command.
    Torn,
    /// Something else follows.
    Garbled,
    Unreadable(io::Error),
}

impl Broken {
    /// A sentence on it.
    pub(super) fn of(&self, file: &Path, at: u64) -> String {
        let file = file.display();
        match self {
            Self::Torn => format!("{file} ends within a command, which begins at byte {at} and is left out"),
            Self::Garbled => format!("what begins at byte {at} of {file} is no command"),
            Self::Unreadable(error) => error.to_string(),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Torn } else { Self::Unreadable(error) }
    }
}

pub(super) struct Commands<R> {
    reader: R,
    /// How many bytes were read.
    at: u64,
    /// Where the last command begins.
    last: u64,
}

impl<R: BufRead> Commands<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, at: 0, last: 0 }
    }

    /// Where the command begins that was read last, or could not be.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The next command or time. `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Broken> {
        loop {
            self.last = self.at;
            if self.reader.fill_buf()?.is_empty() {
                return Ok(None);
            }
            let line = self.line()?;
            match line.split_first() {
                Some((b'*', count)) => return self.command(number(count)?).map(Some),
                Some((b'#', note)) => {
                    if let Some(time) = note.strip_prefix(b"TS:") {
                        return Ok(Some(Entry::Time(number(time)?)));
                    }
                }
                _ => return Err(Broken::Garbled),
            }
        }
    }

    fn command(&mut self, count: u64) -> Result<Entry, Broken> {
        let (mut words, mut cut, mut kept) = (Vec::new(), false, 0);
        for _ in 0..count {
            let line = self.line()?;
            let length = number(line.strip_prefix(b"$").ok_or(Broken::Garbled)?)?;
            let room = LONGEST.checked_sub(kept + WORD).filter(|room| length <= *room as u64);
            cut |= room.is_none();
            if cut {
                self.skip(length)?;
            } else {
                // No longer than what is kept.
                let mut word = vec![0; usize::try_from(length).map_err(|_| Broken::Garbled)?];
                self.reader.read_exact(&mut word)?;
                self.at += length;
                kept += word.len() + WORD;
                words.push(word);
            }
            if !self.line()?.is_empty() {
                return Err(Broken::Garbled);
            }
        }
        Ok(Entry::Command { words, cut })
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<Vec<u8>, Broken> {
        let mut line = Vec::new();
        self.at += (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut line)? as u64;
        match line.strip_suffix(b"\r\n") {
            Some(whole) => Ok(whole.to_vec()),
            None if line.len() as u64 == LONGEST_LINE || line.ends_with(b"\n") => Err(Broken::Garbled),
            None => Err(Broken::Torn),
        }
    }

    fn skip(&mut self, length: u64) -> Result<(), Broken> {
        let skipped = io::copy(&mut (&mut self.reader).take(length), &mut io::sink())?;
        self.at += skipped;
        if skipped < length { Err(Broken::Torn) } else { Ok(()) }
    }
}

fn number(digits: &[u8]) -> Result<u64, Broken> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_number);
    text.and_then(|text| text.parse().ok()).ok_or(Broken::Garbled)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the commands, and why it ended.
    fn read(bytes: &[u8]) -> (Vec<Entry>, Option<String>) {
        let (mut commands, mut entries) = (Commands::new(bytes), Vec::new());
        loop {
            match commands.next() {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => return (entries, None),
                Err(broken) => return (entries, Some(broken.of(Path::new("f"), commands.last()))),
            }
        }
    }

    fn command(words: &[&str]) -> Entry {
        Entry::Command { words: words.iter().map(|word| word.as_bytes().to_vec()).collect(), cut: false }
    }

    #[test]
    fn commands_and_times_follow_each_other() {
        let bytes = b"#TS:1700000000\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n#another note\r\n*1\r\n$0\r\n\r\n";
        assert_eq!(read(bytes), (vec![Entry::Time(1_700_000_000), command(&["SELECT", "0"]), command(&[""])], None));
    }

    #[test]
    fn a_torn_command_is_left_out_wherever_it_was_torn() {
        let whole = b"*1\r\n$4\r\nPING\r\n";
        for end in 1..whole.len() {
            let (entries, ended) = read(&[whole, &whole[..end]].concat());
            let expected = "f ends within a command, which begins at byte 14 and is left out";
            assert_eq!((entries, ended.as_deref()), (vec![command(&["PING"])], Some(expected)), "{end}");
        }
    }

    #[test]
    fn what_is_no_command_ends_it() {
        for garbled in [
            "x",
            "PING\r\n",
            "*x\r\n",
            "*1\r\nPING\r\n",
            "*1\r\n$-1\r\n",
            "*1\r\n$1\r\nab\r\n",
            "*1\n$1\na\n",
            "#TS:\r\n",
        ] {
            let (entries, ended) = read(format!("*1\r\n$1\r\na\r\n{garbled}\r\n").as_bytes());
            let expected = "what begins at byte 11 of f is no command";
            assert_eq!((entries, ended.as_deref()), (vec![command(&["a"])], Some(expected)), "{garbled}");
        }
        assert!(read(&[b'*'; 5000]).1.is_some());
    }

    #[test]
    fn of_a_long_command_only_the_beginning_is_kept() {
        let long = "x".repeat(LONGEST);
        let text = format!("*4\r\n$3\r\nSET\r\n$1\r\nk\r\n${LONGEST}\r\n{long}\r\n$2\r\nNX\r\n*1\r\n$1\r\na\r\n");
        let words = vec![b"SET".to_vec(), b"k".to_vec()];
        assert_eq!(read(text.as_bytes()), (vec![Entry::Command { words, cut: true }, command(&["a"])], None));
        assert!(read(b"*1\r\n$18446744073709551615\r\na").1.is_some_and(|ended| ended.contains("within a command")));
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_there_has_an_end(bytes: Vec<u8>, text in r"(\*[0-9]{1,3}\r\n|\$[0-9]\r\n|[a-c]{0,3}\r\n|#TS:[0-9]\r\n){0,9}") {
            let _ = (read(&bytes), read(text.as_bytes()));
        }
    }
}
