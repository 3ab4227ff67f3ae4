use serde::Serialize;
use serde::de::DeserializeOwned;

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
        serde_json::to_writer(&mut *out, value)
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

/// Whether the text `null` is somewhere in `json`.
fn has_null(json: &[u8]) -> bool {
    // Most have no such letter, and looking for one byte in chunks becomes vector instructions.
    let has_n = json.chunks(64).any(|chunk| chunk.iter().fold(0, |any, byte| any | u8::from(*byte == b'n')) != 0);
    has_n && json.windows(4).any(|window| window == b"null")
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
