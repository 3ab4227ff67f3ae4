//! Chats with the bot. Each knows what the bot has to answer.
//!
//! An answer is sent before what it changed is stored, so only the next answer shows that it was. Where a fault came
//! between, an update can be lost: its process took it from Telegram and died, or could not store what it did.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use session_examples::bot::BotApi;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::chat::Chat;
use crate::ledger::Ledger;

/// How long an answer is waited for, before the update counts as in doubt: less than the deadline of a store, which what
/// takes longer can have met without a fault of ours.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long one is waited for in the end.
const LONG_PATIENCE: Duration = Duration::from_secs(120);

/// What chats share.
#[derive(Debug)]
pub(crate) struct Chats {
    ledger: Arc<Ledger>,
    api: BotApi,
    /// Where what the bot writes in a chat is waited for.
    listening: Mutex<HashMap<i64, UnboundedSender<String>>>,
    left: Mutex<Vec<Left>>,
    ids: AtomicI64,
}

/// A chat to look at when all is over, with what the bot can know of it.
#[derive(Debug)]
struct Left {
    line: Line,
    possible: Vec<Chat>,
}

/// What the bot writes in a chat.
#[derive(Debug)]
struct Line {
    chat: i64,
    answers: UnboundedReceiver<String>,
}

/// A message, and when and between which faults it was sent.
struct Sent {
    before: Chat,
    text: String,
    quiet: Option<u64>,
    at: Instant,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Chats {
    pub(crate) fn new(ledger: Arc<Ledger>, api: BotApi) -> Arc<Self> {
        let (listening, left) = (Mutex::default(), Mutex::default());
        Arc::new(Self { ledger, api, listening, left, ids: AtomicI64::new(1) })
    }

    /// Passes on what the bot writes, for ever.
    pub(crate) async fn pass_on(self: Arc<Self>) {
        let mut count = 0;
        loop {
            let replies = self.api.replies_after(count).await;
            count += replies.len();
            let listening = open(&self.listening);
            for reply in replies {
                if let Some(listener) = listening.get(&reply.chat) {
                    let _ = listener.send(reply.text);
                }
            }
        }
    }

    /// Chats come one after the other until the run is over.
    pub(crate) async fn come(self: Arc<Self>, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        while !self.ledger.is_over() {
            let chat = self.ids.fetch_add(1, Ordering::Relaxed);
            let (sender, answers) = unbounded_channel();
            open(&self.listening).insert(chat, sender);
            let line = Line { chat, answers };
            let left = self.talk(line, &mut random).await;
            open(&self.left).push(left);
        }
    }

    /// Talks until something is in doubt, or the run is over.
    async fn talk(&self, mut line: Line, random: &mut StdRng) -> Left {
        let mut known = Chat::default();
        let mut before: Option<Sent> = None;
        let counts = random.random_bool(0.5);
        for _ in 0..random.random_range(50..500) {
            sleep(Duration::from_millis(random.random_range(300..900))).await;
            if self.ledger.is_over() {
                break;
            }
            let text = say(&known, counts, random);
            let (wanted, after) = known.hear(&text);
            let sent = Sent { before: known.clone(), text, quiet: self.ledger.quiet(), at: Instant::now() };
            self.ledger.count("messages to the bot");
            match self.ask(&mut line, &sent.text, PATIENCE).await {
                Some(answer) if answer == wanted => known = after,
                other => {
                    self.judge(&line, before.as_ref(), &sent, &wanted, other);
                    return Left { line, possible: possible(before.as_ref(), &sent) };
                }
            }
            before = Some(sent);
        }
        // Nothing has shown yet that the last message was stored.
        let possible = before.into_iter().map(|sent| sent.before).chain([known]).collect();
        Left { line, possible }
    }

    async fn ask(&self, line: &mut Line, text: &str, patience: Duration) -> Option<String> {
        let began = Instant::now();
        self.api.say(line.chat, text);
        let answer = timeout(patience, line.answers.recv()).await.ok().flatten()?;
        self.ledger.bot_answered(began.elapsed());
        Some(answer)
    }

    /// Another answer than the right one has a reason if there was a fault since the message before was sent.
    fn judge(&self, line: &Line, before: Option<&Sent>, sent: &Sent, wanted: &str, answer: Option<String>) {
        self.ledger.count("chats in doubt");
        let first = before.unwrap_or(sent);
        let is_quiet = first.quiet.is_some() && first.quiet == self.ledger.quiet();
        if let Some(answer) = answer.filter(|_| is_quiet && first.at.elapsed() < PATIENCE) {
            let text = &sent.text;
            self.ledger.wrong(format!("chat {}: {text:?} was answered with {answer:?}, and not {wanted:?}", line.chat));
        }
    }

    /// Asks in every chat what the bot knows: in how many.
    pub(crate) async fn check(self: Arc<Self>) -> usize {
        let left = std::mem::take(&mut *open(&self.left));
        let (count, turns) = (left.len(), Arc::new(Semaphore::new(8)));
        let mut asks = JoinSet::new();
        for left in left {
            let (all, turns) = (Arc::clone(&self), Arc::clone(&turns));
            asks.spawn(async move {
                let _turn = turns.acquire().await;
                all.check_one(left).await;
            });
        }
        asks.join_all().await;
        count
    }

    async fn check_one(&self, Left { mut line, possible }: Left) {
        while line.answers.try_recv().is_ok() {}
        for text in LAST {
            self.api.say(line.chat, text);
        }
        let mut answers = Vec::new();
        while answers.len() < LAST.len() + TWICE {
            let patience = if answers.len() < LAST.len() { LONG_PATIENCE } else { PATIENCE };
            let Ok(Some(answer)) = timeout(patience, line.answers.recv()).await else { break };
            answers.push(answer);
            if agree(&possible, &answers) {
                return;
            }
        }
        self.ledger.wrong(format!("chat {}: {answers:?} to {LAST:?} in the end, with {possible:?}", line.chat));
    }
}

/// Whatever the bot waits for, these messages show all that it knows.
const LAST: [&str; 4] = ["99", "9", "/count", "hello"];

/// How many answers can come before those, which the bot gave a second time after it was killed.
const TWICE: usize = 2;

/// Whether the last answers are those of a chat that is possible.
fn agree(possible: &[Chat], answers: &[String]) -> bool {
    let Some(first) = answers.len().checked_sub(LAST.len()) else { return false };
    possible.iter().any(|chat| {
        let mut chat = chat.clone();
        LAST.iter().zip(&answers[first..]).all(|(text, answer)| {
            let (wanted, after) = chat.hear(text);
            chat = after;
            wanted == *answer
        })
    })
}

/// What is written next in a chat.
fn say(known: &Chat, counts: bool, random: &mut StdRng) -> String {
    match known.hear("").0.as_str() {
        "At which hour may I write to you?" => format!("language {}", random.random_range(0..1000)),
        "An hour is a number below 24." => random.random_range(0..24_u8).to_string(),
        _ if counts => "/count".to_owned(),
        _ => match random.random_range(0..100) {
            0..40 => "/settings".to_owned(),
            40..70 => "/count".to_owned(),
            70..73 => "/forget".to_owned(),
            _ => "hello".to_owned(),
        },
    }
}

/// Of the last message and the one before it each was stored once, or not.
fn possible(before: Option<&Sent>, sent: &Sent) -> Vec<Chat> {
    let begin = before.map_or(&sent.before, |before| &before.before);
    let once = |chats: Vec<Chat>, text: &str| -> Vec<Chat> {
        chats.into_iter().flat_map(|chat| [chat.hear(text).1, chat]).collect()
    };
    let first = before.map_or_else(|| vec![begin.clone()], |before| once(vec![begin.clone()], &before.text));
    once(first, &sent.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the bot answers to the last messages.
    fn answers(chat: &Chat) -> Vec<String> {
        let mut chat = chat.clone();
        LAST.iter()
            .map(|text| {
                let (answer, after) = chat.hear(text);
                chat = after;
                answer
            })
            .collect()
    }

    #[test]
    fn the_last_messages_tell_all_chats_apart() {
        let hear = |chat: &Chat, text: &str| chat.hear(text).1;
        let mut chats = vec![Chat::default()];
        for text in ["/count", "/settings", "Rust", "9", "/count", "/settings", "language 7", "9"] {
            chats.push(hear(&chats[chats.len() - 1], text));
        }
        for chat in &chats {
            for other in &chats {
                assert_eq!(agree(std::slice::from_ref(other), &answers(chat)), chat == other, "{chat:?} {other:?}");
            }
        }
        let stale = [vec!["That is 7.".to_owned()], answers(&chats[1])].concat();
        assert!(agree(&chats[..2], &stale) && !agree(&chats[..1], &stale));
    }

    #[test]
    fn of_two_messages_in_doubt_each_was_stored_once_or_not() {
        let sent =
            |before: &Chat| Sent { before: before.clone(), text: "/count".to_owned(), quiet: None, at: Instant::now() };
        let one = Chat::default().hear("/count").1;
        let two = one.hear("/count").1;
        let possible = possible(Some(&sent(&Chat::default())), &sent(&one));
        for chat in [&Chat::default(), &one, &two] {
            assert!(possible.contains(chat));
        }
        assert!(!possible.contains(&two.hear("/count").1));
    }
}
