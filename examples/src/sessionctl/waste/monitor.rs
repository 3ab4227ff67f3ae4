//! What Redis tells a client that asked for `MONITOR`: a line for each command of anybody.

/// A command that somebody sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// When, in microseconds since 1970.
    pub at: u64,
    /// The number of the database.
    pub database: u64,
    /// Where it came from: an address, or `lua` for what a script does.
    pub client: String,
    /// The command's name and its arguments.
    pub words: Vec<Vec<u8>>,
    /// Whether the line ended within a word, which is left out.
    pub cut: bool,
}

/// Reads a line such as `1700000000.123456 [0 127.0.0.1:50000] "SET" "key" "a\x00b"`, with or without the `+` of the
/// protocol before it. `None` for any other line.
#[must_use]
pub fn parse(line: &[u8]) -> Option<Command> {
    let line = line.strip_prefix(b"+").unwrap_or(line);
    let (time, rest) = split(line, b' ')?;
    let at = micros(time)?;
    let (database, rest) = split(rest.strip_prefix(b"[")?, b' ')?;
    let database = std::str::from_utf8(database).ok()?.parse().ok()?;
    // An address of IPv6 has brackets, and no quotes.
    let end = rest.windows(3).position(|bytes| bytes == b"] \"")?;
    let client = String::from_utf8_lossy(&rest[..end]).into_owned();
    let (mut words, mut cut, mut rest) = (Vec::new(), false, &rest[end + 2..]);
    while let Some(quoted) = rest.strip_prefix(b"\"") {
        let Some((word, after)) = unquote(quoted) else {
            cut = true;
            break;
        };
        words.push(word);
        rest = after.strip_prefix(b" ").unwrap_or(after);
    }
    Some(Command { at, database, client, words, cut })
}

fn split(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn micros(time: &[u8]) -> Option<u64> {
    let (seconds, micros) = std::str::from_utf8(time).ok()?.split_once('.')?;
    let (seconds, micros): (u64, u64) = (seconds.parse().ok()?, micros.parse().ok()?);
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}

/// The word that goes on until the next quote that is not escaped, and what follows it.
pub(super) fn unquote(quoted: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (mut word, mut rest) = (Vec::new(), quoted);
    loop {
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        word.extend_from_slice(&rest[..plain]);
        if rest[plain] == b'"' {
            return Some((word, &rest[plain + 1..]));
        }
        let (byte, length) = match rest[plain + 1..] {
            [b'x', high, low, ..] => (hex(high)? << 4 | hex(low)?, 3),
            [b'n', ..] => (b'\n', 1),
            [b'r', ..] => (b'\r', 1),
            [b't', ..] => (b'\t', 1),
            [b'a', ..] => (7, 1),
            [b'b', ..] => (8, 1),
            [byte, ..] => (byte, 1),
            [] => return None,
        };
        word.push(byte);
        rest = &rest[plain + 1 + length..];
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(line: &str) -> Option<Vec<Vec<u8>>> {
        parse(line.as_bytes()).map(|command| command.words)
    }

    #[test]
    fn a_line_is_a_command_of_somebody() {
        let command = parse(br#"+1700000000.000001 [3 127.0.0.1:50000] "SET" "a" "\x00\xff\"\\\n\r\t\a\b""#);
        let words = vec![b"SET".to_vec(), b"a".to_vec(), b"\0\xff\"\\\n\r\t\x07\x08".to_vec()];
        let client = "127.0.0.1:50000".to_owned();
        assert_eq!(command, Some(Command { at: 1_700_000_000_000_001, database: 3, client, words, cut: false }));
        let client = |line: &str| parse(line.as_bytes()).map(|command| command.client);
        assert_eq!(client(r#"1.000000 [0 [::1]:5] "get" "a] \"b""#).as_deref(), Some("[::1]:5"));
        assert_eq!(client(r#"1.000000 [0 lua] "get" "a""#).as_deref(), Some("lua"));
        assert_eq!(client(r#"1.000000 [0 unix:/run/redis.sock] "get" "a""#).as_deref(), Some("unix:/run/redis.sock"));
    }

    #[test]
    fn a_line_that_was_cut_says_so_and_keeps_what_is_whole() {
        let command = parse(br#"1.000000 [0 lua] "SET" "key" "long va"#).expect("a command");
        assert!(command.cut && command.words == [b"SET".to_vec(), b"key".to_vec()]);
        assert!(parse(br#"1.000000 [0 lua] "SET" "key" "\x0"#).expect("a command").cut);
    }

    #[test]
    fn other_lines_are_none() {
        for line in ["", "OK", "+OK", "-ERR no", "1.0", "1.0 [", "1.0 [x y] \"a\"", "x [0 lua] \"a\"", "1.0 [0 lua]"] {
            assert_eq!(words(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_ends_the_program(line: Vec<u8>, text in r#"[0-9]{1,20}\.[0-9]{1,20} \[[0-9]{1,20} .{0,9}\] "[\\x"a-f ]{0,30}"#) {
            let _ = parse(&line);
            let _ = parse(text.as_bytes());
        }

        /// As the server escapes.
        #[test]
        fn every_word_comes_back(words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5)) {
            let quoted: Vec<_> = words.iter().map(|word| format!("\"{}\"", word.escape_ascii())).collect();
            let line = format!("1.000000 [0 a:1] {}", quoted.join(" "));
            // Rust escapes a quote that the server leaves alone.
            let line = line.replace(r"\'", "'");
            prop_assert_eq!(parse(line.as_bytes()).map(|command| command.words), Some(words));
        }
    }
}
