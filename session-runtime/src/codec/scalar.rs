//! Decodes a lone JSON scalar without a parser.
//!
//! Most fields are a number, a bool or a string. What their text looks like decides whether it can be read directly;
//! everything else, malformed text included, is left to `serde_json`, so that the outcome is always the same.

use serde::de::{Deserializer, Visitor};

/// The text of one field.
#[derive(Clone, Copy)]
pub(super) struct Scalar<'de>(pub(super) &'de [u8]);

impl<'de> Scalar<'de> {
    /// Leaves the text to `serde_json`.
    fn parse<V>(
        self,
        read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::SliceRead<'de>>) -> serde_json::Result<V>,
    ) -> serde_json::Result<V> {
        let mut parser = serde_json::Deserializer::from_slice(self.0);
        let value = read(&mut parser)?;
        parser.end()?;
        Ok(value)
    }

    /// A number without sign, fraction, exponent or leading zero that fits.
    fn digits(self) -> Option<u64> {
        // Nineteen digits always fit.
        if !(1..=19).contains(&self.0.len()) || (self.0[0] == b'0' && self.0.len() > 1) {
            return None;
        }
        self.0.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
    }

    /// A string without escapes.
    fn string(self) -> Option<&'de str> {
        let inside = self.0.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        // In chunks, because only a loop that looks at every byte of one becomes vector instructions.
        let plain = inside.chunks(64).all(|chunk| {
            let special = |byte: &u8| u8::from(*byte < b' ') | u8::from(*byte == b'"') | u8::from(*byte == b'\\');
            chunk.iter().fold(0, |any, byte| any | special(byte)) == 0
        });
        if plain { std::str::from_utf8(inside).ok() } else { None }
    }
}

macro_rules! parsed {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> serde_json::Result<V::Value> {
            self.parse(|parser| parser.$method($($argument,)* visitor))
        })*
    };
}

macro_rules! read {
    ($($method:ident: $read:ident, $visit:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
            match self.$read() {
                Some(value) => visitor.$visit(value),
                None => self.parse(|parser| parser.$method(visitor)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Scalar<'de> {
    type Error = serde_json::Error;

    read! {
        deserialize_u8: digits, visit_u64;
        deserialize_u16: digits, visit_u64;
        deserialize_u32: digits, visit_u64;
        deserialize_u64: digits, visit_u64;
        deserialize_i8: digits, visit_u64;
        deserialize_i16: digits, visit_u64;
        deserialize_i32: digits, visit_u64;
        deserialize_i64: digits, visit_u64;
        deserialize_str: string, visit_borrowed_str;
        deserialize_string: string, visit_borrowed_str;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        match self.0 {
            b"true" => visitor.visit_bool(true),
            b"false" => visitor.visit_bool(false),
            _ => self.parse(|parser| parser.deserialize_bool(visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        match self.0 {
            b"null" => visitor.visit_none(),
            // Only what cannot be a `null` with white space around it.
            [first, ..] if *first != b'n' && !first.is_ascii_whitespace() => visitor.visit_some(self),
            _ => self.parse(|parser| parser.deserialize_option(visitor)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> serde_json::Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    parsed! {
        deserialize_any();
        deserialize_i128();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;

    fn agrees<V: DeserializeOwned + PartialEq + Debug>(text: &[u8]) {
        let direct = V::deserialize(Scalar(text)).ok();
        assert_eq!(direct, serde_json::from_slice(text).ok(), "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn numbers_and_plain_strings_need_no_parser() {
        for number in [0, 7, 10, 1_234_567_890_123_456_789] {
            assert_eq!(Scalar(number.to_string().as_bytes()).digits(), Some(number));
        }
        for (text, string) in [(r#""""#, Some("")), (r#""a b~""#, Some("a b~")), (r#""a\"b""#, None)] {
            assert_eq!(Scalar(text.as_bytes()).string(), string, "{text}");
        }
    }

    #[test]
    fn every_text_decodes_as_serde_json_decodes_it() {
        let texts: &[&[u8]] = &[
            b"",
            b" ",
            b"0",
            b"7",
            b"00",
            b"01",
            b"-1",
            b"-0",
            b"+1",
            b"255",
            b"256",
            b"1e2",
            b"1.0",
            b" 1",
            b"1 ",
            b"1x",
            b"18446744073709551615",
            b"18446744073709551616",
            b"9999999999999999999",
            b"12345678901234567890123",
            b"true",
            b"false",
            b"true ",
            b" true",
            b"tru",
            b"null",
            b" null",
            b"null ",
            b"nul",
            b"nulll",
            b"\"\"",
            b"\"a\"",
            b"\"",
            b"\"a",
            b"a\"",
            b"\"a\"b\"",
            b"\"\\n\"",
            b"\"\\\"",
            b"\"\n\"",
            b"\"\x7f\"",
            b"\"\xff\"",
            "\"gr\u{fc}\u{df}e \u{1f600}\"".as_bytes(),
            b"\"a\" ",
            b" \"a\"",
            b"\"\\ud83d\\ude00\"",
            b"[1]",
            b"{}",
        ];
        for text in texts {
            agrees::<u8>(text);
            agrees::<i8>(text);
            agrees::<u64>(text);
            agrees::<i64>(text);
            agrees::<f64>(text);
            agrees::<bool>(text);
            agrees::<String>(text);
            agrees::<char>(text);
            agrees::<Option<String>>(text);
            agrees::<Option<u8>>(text);
            agrees::<Option<Option<u8>>>(text);
            agrees::<Option<()>>(text);
            agrees::<std::num::Wrapping<u16>>(text);
            agrees::<serde_json::Value>(text);
            agrees::<Vec<u8>>(text);
        }
        let long = format!("\"{}\\\"\"", "x".repeat(1000));
        agrees::<String>(long.as_bytes());
    }
}
