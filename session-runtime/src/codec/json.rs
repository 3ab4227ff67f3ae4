use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::{CompactFormatter, Formatter};

use super::scalar::Scalar;
use super::{Codec, CodecError, finite};

/// JSON, readable in every store's shell; the default codec.
///
/// JSON cannot tell `None` from `Some(None)`, and has no `NaN` or infinity: those are errors, not `null`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Codec for Json {
    const NAME: &'static str = "json";
    const POSITION_FREE: bool = true;

    #[inline]
    fn encode<V: Serialize + ?Sized>(&self, value: &V, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = out.len();
        value
            .serialize(&mut serde_json::Serializer::with_formatter(Short(out), Small))
            .map_err(|error| CodecError::with_source("the value has no form in JSON", error))?;
        // serde_json writes `null` for a float that JSON cannot hold. Only an encoding that has a `null` can hide
        // one, so only then the value is walked a second time.
        if has_null(&out[start..]) { finite::check(value) } else { Ok(()) }
    }

    #[inline]
    fn decode<V: DeserializeOwned>(&self, bytes: &[u8]) -> Result<V, CodecError> {
        V::deserialize(Scalar(bytes))
            .map_err(|error| CodecError::with_source("the bytes are no JSON of the field's type", error))
    }
}

/// Writes to a vector. `serde_json` writes brackets, quotes and commas one at a time, and to push one byte takes no call.
struct Short<'a>(&'a mut Vec<u8>);

impl io::Write for Short<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match *bytes {
            [one] => self.0.push(one),
            _ => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes numbers below a hundred, which most numbers in sessions are, without formatting them in a buffer first.
struct Small;

macro_rules! numbers {
    ($($method:ident: $number:ty;)*) => {
        $(#[inline]
        fn $method<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: $number) -> io::Result<()> {
            match u8::try_from(value) {
                Ok(digit @ 0..10) => writer.write_all(&[b'0' + digit]),
                Ok(number @ 10..100) => writer.write_all(&[b'0' + number / 10, b'0' + number % 10]),
                _ => CompactFormatter.$method(writer, value),
            }
        })*
    };
}

impl Formatter for Small {
    numbers! {
        write_u8: u8;
        write_u16: u16;
        write_u32: u32;
        write_u64: u64;
        write_i8: i8;
        write_i16: i16;
        write_i32: i32;
        write_i64: i64;
    }
}

/// Whether the text `null` is somewhere in `json`.
fn has_null(json: &[u8]) -> bool {
    has_n(json) && json.windows(4).any(|window| window == b"null")
}

/// Whether it can be: most have no such letter. Looking for one byte in chunks becomes vector instructions.
#[inline]
fn has_n(json: &[u8]) -> bool {
    json.chunks(64).any(|chunk| chunk.iter().fold(0, |any, byte| any | u8::from(*byte == b'n')) != 0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn encode(value: impl Serialize) -> Result<String, CodecError> {
        let mut out = Vec::new();
        Json.encode(&value, &mut out)?;
        Ok(String::from_utf8(out).expect("JSON is UTF-8"))
    }

    #[derive(Serialize)]
    struct Meters(f64);

    #[derive(Serialize)]
    enum Size {
        Tall(f64),
        Wide(f64, u8),
        Both { tall: f64 },
    }

    #[test]
    fn whole_numbers_are_written_as_serde_json_writes_them() {
        fn agrees<N: Serialize>(number: N) {
            assert_eq!(encode(&number).expect("a number"), serde_json::to_string(&number).expect("a number"));
        }
        for number in [0, 1, 9, 10, 11, 42, 99, 100, 101, i8::MAX] {
            agrees(number);
            agrees(-number);
            agrees(number.unsigned_abs());
            agrees((i16::from(number), i32::from(number), i64::from(number)));
            agrees((-i16::from(number), -i32::from(number), -i64::from(number)));
            let number = number.unsigned_abs();
            agrees((u16::from(number), u32::from(number), u64::from(number)));
        }
        agrees((u8::MAX, u16::MAX, u32::MAX, u64::MAX));
        agrees((i8::MIN, i16::MIN, i32::MIN, i64::MIN));
    }

    #[test]
    fn floats_that_json_cannot_hold_are_errors_at_any_depth() {
        assert!(encode(f64::NAN).is_err());
        assert!(encode(vec![Some((1, f32::INFINITY))]).is_err());
        assert!(encode(Meters(f64::NAN)).is_err());
        for size in [Size::Tall(f64::NAN), Size::Wide(f64::NAN, 1), Size::Both { tall: f64::NAN }] {
            assert!(encode(size).is_err());
        }
        assert!(encode(BTreeMap::from([("tall", f64::NAN)])).is_err());
        assert_eq!(encode((None::<f64>, 1.5, "null")).expect("finite"), r#"[null,1.5,"null"]"#);
    }

    #[test]
    fn floats_come_back_bit_for_bit() {
        for value in [0.1 + 0.2, f64::MIN_POSITIVE, 1e308, -0.0, 9_007_199_254_740_993.0] {
            let decoded: f64 = Json.decode(encode(value).expect("finite").as_bytes()).expect("a float");
            assert_eq!(decoded.to_bits(), value.to_bits());
        }
    }

    #[test]
    fn trailing_bytes_are_an_error() {
        assert!(Json.decode::<u8>(b"1 2").is_err());
    }
}
