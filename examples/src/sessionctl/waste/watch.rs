//! Makes of the lines of `MONITOR` what happened to keys.

use super::event::By;
use super::figures::Figures;
use super::tally::Tally;
use super::tree::hash_of;
use super::{command, monitor};

/// The longest line that is looked at as a whole, in bytes.
pub const LONGEST_LINE: usize = 1 << 20;

/// Reads lines, one after the other, and keeps count.
#[derive(Debug)]
pub struct Watch {
    tally: Tally,
    /// What the keys begin with that are of interest.
    prefix: Vec<u8>,
    /// The only database that is of interest.
    database: Option<u64>,
    /// Who ran a script last: what follows from `lua` is theirs.
    caller: u64,
    /// When the first command was sent, and when the last.
    span: Option<(u64, u64)>,
    /// How many lines are no commands.
    unreadable: u64,
}

impl Watch {
    /// Watches keys of this prefix in this database, or in all, and remembers as many keys as this.
    #[must_use]
    pub fn new(prefix: &str, database: Option<u64>, keys: usize) -> Self {
        let (tally, prefix) = (Tally::new(keys), prefix.as_bytes().to_vec());
        Self { tally, prefix, database, caller: 0, span: None, unreadable: 0 }
    }

    /// Takes note of a line.
    pub fn line(&mut self, line: &[u8]) {
        let Some(command) = monitor::parse(line) else {
            // What precedes the first command is an answer to `MONITOR`.
            self.unreadable += u64::from(!matches!(line, b"" | b"OK" | b"+OK"));
            return;
        };
        self.span = Some((self.span.map_or(command.at, |(first, _)| first), command.at));
        let client = if command.client == "lua" { self.caller } else { hash_of(&command.client) };
        if command.client != "lua" {
            self.tally.end_together();
        }
        if runs_a_script(&command.words) {
            self.caller = client;
            self.tally.begin_together();
        }
        if self.database.is_some_and(|database| database != command.database) {
            return;
        }
        let by = By { client, at: command.at };
        for what in command::meaning(command.database, &command.words, command.cut, &self.prefix) {
            self.tally.note(by, what);
        }
    }

    /// Takes note that some lines are missing here.
    pub fn lost(&mut self, lines: u64) {
        if lines > 0 {
            self.tally.lost(lines);
        }
    }

    /// How many lines could not be read.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// How much time lies between the first command and the last, in microseconds.
    #[must_use]
    pub fn micros(&self) -> u64 {
        self.span.map_or(0, |(first, last)| last.saturating_sub(first))
    }

    /// What was counted so far.
    #[must_use]
    pub fn figures(&mut self) -> Figures {
        self.tally.figures()
    }

    /// How many writes were seen so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.tally.writes()
    }
}

/// Takes from what has come what belongs to the line that begins it: of a line that is too long, no more than is looked
/// at. Returns how much that was, and whether the line is whole.
pub(super) fn take_line(chunk: &[u8], line: &mut Vec<u8>) -> (usize, bool) {
    let end = chunk.iter().position(|byte| *byte == b'\n');
    let length = end.unwrap_or(chunk.len());
    line.extend_from_slice(&chunk[..length.min(LONGEST_LINE.saturating_sub(line.len()))]);
    if end.is_some() && line.last() == Some(&b'\r') {
        line.pop();
    }
    (end.map_or(length, |end| end + 1), end.is_some())
}

fn runs_a_script(words: &[Vec<u8>]) -> bool {
    let is = |name: &str| words.first().is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()));
    ["eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro"].into_iter().any(is)
}
