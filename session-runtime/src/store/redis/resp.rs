//! The protocol: commands are arrays of byte strings, answers are values (RESP 2).

use bytes::{Buf, Bytes};

/// How deep answers nest: those of this store's commands have three levels.
const DEEPEST: u8 = 8;

/// Commands that travel together, written as the engine reads them.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) bytes: Vec<u8>,
    /// How many answers there will be.
    pub(super) commands: usize,
    /// Whether it runs a script, which keeps the engine busy for longer.
    pub(super) is_script: bool,
}

impl Request {
    /// One command of these words.
    pub(super) fn of(words: &[&[u8]]) -> Self {
        let mut request = Self::default();
        request.add(words);
        request
    }

    /// Adds a command of these words.
    pub(super) fn add(&mut self, words: &[&[u8]]) {
        self.begin(words.len());
        for word in words {
            self.word(word);
        }
    }

    /// Adds the commands of another request.
    pub(super) fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.commands += other.commands;
        self.is_script |= other.is_script;
    }

    /// Begins a command of so many words.
    pub(super) fn begin(&mut self, words: usize) {
        self.commands += 1;
        self.line(b'*', words);
    }

    /// Adds a word to the command that was begun.
    pub(super) fn word(&mut self, word: &[u8]) {
        self.bytes.reserve(word.len() + 16);
        self.line(b'$', word.len());
        self.bytes.extend_from_slice(word);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, kind: u8, number: usize) {
        self.bytes.push(kind);
        let mut digits = [0; 20];
        let (mut left, mut first) = (number, digits.len());
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (left % 10).to_le_bytes()[0];
            (left, first) = (left / 10, at);
            if left == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(digits.get(first..).unwrap_or_default());
        self.bytes.extend_from_slice(b"\r\n");
    }
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Nothing,
    Number(i64),
    Bytes(Bytes),
    List(Vec<Self>),
    /// The command failed, and this is what the engine says.
    Error(Bytes),
}

impl Value {
    /// What the engine says, if the command failed.
    pub(super) fn error(&self) -> Option<&[u8]> {
        if let Self::Error(text) = self { Some(text) } else { None }
    }

    pub(super) fn bytes(self) -> Option<Bytes> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(super) fn list(self) -> Option<Vec<Self>> {
        if let Self::List(list) = self { Some(list) } else { None }
    }
}

/// The bytes are not this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Garbled;

/// Finds where the next answers end, in bytes that come piece by piece.
#[derive(Debug, Default)]
pub(super) struct Cut {
    at: usize,
    left: usize,
}

impl Cut {
    /// Goes on until `answers` answers end; `None` until they do.
    pub(super) fn end(&mut self, bytes: &[u8], answers: usize) -> Result<Option<usize>, Garbled> {
        if self.at == 0 {
            self.left = answers;
        }
        while self.left > 0 {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let Some(Line { kind, text, mut len }) = Line::first(rest)? else { return Ok(None) };
            match kind {
                b'$' if text != b"-1" => {
                    len = len.checked_add(length(text)?).and_then(|len| len.checked_add(2)).ok_or(Garbled)?;
                    if rest.len() < len {
                        return Ok(None);
                    }
                }
                b'*' if text != b"-1" => self.left = self.left.checked_add(length(text)?).ok_or(Garbled)?,
                b'$' | b'*' | b'+' | b'-' | b':' => {}
                _ => return Err(Garbled),
            }
            self.at += len;
            self.left -= 1;
        }
        Ok(Some(std::mem::take(self).at))
    }
}

/// Takes the answers to `count` commands apart; they are complete.
pub(super) fn values(mut bytes: Bytes, count: usize) -> Result<Vec<Value>, Garbled> {
    list(&mut bytes, count, 0)
}

fn list(bytes: &mut Bytes, count: usize, depth: u8) -> Result<Vec<Value>, Garbled> {
    // No count is believed that the bytes cannot hold.
    let mut values = Vec::with_capacity(count.min(bytes.len()));
    for _ in 0..count {
        values.push(value(bytes, depth)?);
    }
    Ok(values)
}

fn value(bytes: &mut Bytes, depth: u8) -> Result<Value, Garbled> {
    let Line { kind, text, len } = Line::first(bytes)?.ok_or(Garbled)?;
    let (start, end) = (1, 1 + text.len());
    match kind {
        b'$' | b'*' if text == b"-1" => {
            bytes.advance(len);
            Ok(Value::Nothing)
        }
        b'$' => {
            let size = length(text)?;
            if bytes.len() - len < size.checked_add(2).ok_or(Garbled)? {
                return Err(Garbled);
            }
            bytes.advance(len);
            let value = bytes.split_to(size);
            bytes.advance(2);
            Ok(Value::Bytes(value))
        }
        b'*' => {
            let count = length(text)?;
            bytes.advance(len);
            if depth == DEEPEST { Err(Garbled) } else { list(bytes, count, depth + 1).map(Value::List) }
        }
        b':' => {
            let number = number(text)?;
            bytes.advance(len);
            Ok(Value::Number(number))
        }
        b'+' | b'-' => {
            let text = bytes.slice(start..end);
            bytes.advance(len);
            Ok(if kind == b'+' { Value::Bytes(text) } else { Value::Error(text) })
        }
        _ => Err(Garbled),
    }
}

/// A line: its first byte, what follows, and how long it is with its end.
struct Line<'a> {
    kind: u8,
    text: &'a [u8],
    len: usize,
}

impl<'a> Line<'a> {
    /// The first line, if it is complete.
    fn first(bytes: &'a [u8]) -> Result<Option<Self>, Garbled> {
        let Some((kind, rest)) = bytes.split_first() else { return Ok(None) };
        let Some(end) = rest.iter().position(|byte| *byte == b'\r') else { return Ok(None) };
        let (text, ending) = rest.split_at(end);
        match ending {
            [_, b'\n', ..] => Ok(Some(Self { kind: *kind, text, len: end + 3 })),
            [_] => Ok(None),
            _ => Err(Garbled),
        }
    }
}

fn length(text: &[u8]) -> Result<usize, Garbled> {
    number(text)?.try_into().map_err(|_| Garbled)
}

/// A decimal number.
pub(super) fn number(text: &[u8]) -> Result<i64, Garbled> {
    let (negative, digits) = text.strip_prefix(b"-").map_or((false, text), |digits| (true, digits));
    if digits.is_empty() {
        return Err(Garbled);
    }
    digits.iter().try_fold(0_i64, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10).ok_or(Garbled)?;
        let digit = if negative { -i64::from(digit) } else { i64::from(digit) };
        value.checked_mul(10).and_then(|value| value.checked_add(digit)).ok_or(Garbled)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: &[u8] = b"*2\r\n$10\r\n1234567890\r\n$-1\r\n+OK\r\n-ERR no\r\n:-5\r\n*1\r\n*-1\r\n$0\r\n\r\n";

    #[test]
    fn answers_that_come_byte_by_byte_end_where_they_end() {
        let mut cut = Cut::default();
        for len in 0..ANSWERS.len() {
            assert_eq!(cut.end(&ANSWERS[..len], 6), Ok(None), "{len}");
        }
        let more = [ANSWERS, b"+next"].concat();
        assert_eq!(cut.end(&more, 6), Ok(Some(ANSWERS.len())));
        assert_eq!(cut.end(b"+next\r\n", 1), Ok(Some(7)));
    }

    #[test]
    fn answers_are_taken_apart() {
        let text = |text: &'static str| Value::Bytes(Bytes::from_static(text.as_bytes()));
        let expected = vec![
            Value::List(vec![text("1234567890"), Value::Nothing]),
            text("OK"),
            Value::Error(Bytes::from_static(b"ERR no")),
            Value::Number(-5),
            Value::List(vec![Value::Nothing]),
            text(""),
        ];
        assert_eq!(values(Bytes::from_static(ANSWERS), 6), Ok(expected));
    }

    #[test]
    fn what_is_not_this_protocol_is_refused() {
        for garbled in ["HTTP/1.1 400\r\n", "$x\r\n", "$-2\r\n", "*99999999999999999999\r\n", ":\r\n", "$1\r \n"] {
            let cut = Cut::default().end(garbled.as_bytes(), 1);
            assert!(cut == Err(Garbled) || values(garbled.as_bytes().into(), 1) == Err(Garbled), "{garbled}");
        }
        let deep = "*1\r\n".repeat(100_000);
        assert_eq!(values(deep.into(), 1), Err(Garbled));
    }

    #[test]
    fn a_command_is_written_as_the_engine_reads_it() {
        let mut request = Request::of(&[b"GET", b""]);
        request.add(&[&[b'x'; 123]]);
        assert_eq!(request.commands, 2);
        assert_eq!(
            request.bytes,
            format!("*2\r\n$3\r\nGET\r\n$0\r\n\r\n*1\r\n$123\r\n{}\r\n", "x".repeat(123)).into_bytes()
        );
    }
}
