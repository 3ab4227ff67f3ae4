//! Text that does nothing to a terminal.

use std::fmt::Write;

/// Shows text from a store: characters that would move a terminal's cursor, colour it, or turn the order of what
/// follows are written `\u{1b}`, and a backslash `\\`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => shown.push_str(r"\\"),
            // Writing to a string cannot fail.
            _ if is_harmful(character) => _ = write!(shown, r"\u{{{:x}}}", u32::from(character)),
            _ => shown.push(character),
        }
    }
    shown
}

/// As [`escape`], for JSON, which stays the same JSON: only in its strings are such characters left.
#[must_use]
pub fn escape_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_harmful(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                _ = write!(shown, r"\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Takes back [`escape`], so that what was printed can be given as an argument.
///
/// # Errors
/// When a backslash begins nothing that `escape` writes.
pub fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let (character, after) =
            unescape_one(after).ok_or_else(|| r"write `\\` for a backslash, `\u{1b}` for a character".to_owned())?;
        plain.push(character);
        rest = after;
    }
    plain.push_str(rest);
    Ok(plain)
}

/// The character that an escape stands for, which begins after its backslash, and what follows it.
fn unescape_one(text: &str) -> Option<(char, &str)> {
    if let Some(rest) = text.strip_prefix('\\') {
        return Some(('\\', rest));
    }
    let (number, rest) = text.strip_prefix("u{")?.split_once('}')?;
    let character = char::from_u32(u32::from_str_radix(number, 16).ok()?)?;
    Some((character, rest))
}

/// Control characters, and those that Unicode has for the order of what follows and for nothing to be seen.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_terminal_is_escaped_and_all_else_is_shown() {
        assert_eq!(escape("\u{1b}[2J\r\n\0\u{7f}\u{9b}31m"), r"\u{1b}[2J\u{d}\u{a}\u{0}\u{7f}\u{9b}31m");
        assert_eq!(escape("a\u{202e}b\u{2066}c\u{200b}d\u{e0041}"), r"a\u{202e}b\u{2066}c\u{200b}d\u{e0041}");
        assert_eq!(escape(r"C:\key"), r"C:\\key");
        assert_eq!(escape("Zoë 🦀 42"), "Zoë 🦀 42");
    }

    #[test]
    fn what_was_escaped_can_be_given_back() {
        for text in ["", "42", r"\", r"\u{41}", "\u{1b}[0m\0", "Zoë\u{202e}🦀"] {
            assert_eq!(unescape(&escape(text)).as_deref(), Ok(text));
        }
        for wrong in [r"\", r"a\b", r"\u{110000}", r"\u{}", r"\u{41", r"\u41"] {
            assert!(unescape(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn escaped_json_is_the_same_json() {
        let value = serde_json::json!({ "a\u{9b}": ["\u{202e}\u{e0041}\u{1b}", "Zoë\\\n"] });
        let shown = escape_json(&format!("{value:#}"));
        assert!(shown.chars().all(|character| character == '\n' || !is_harmful(character)), "{shown}");
        assert!(shown.contains(r#""\u202e\udb40\udc41\u001b""#), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
    }
}
