use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Codec, CodecError};

/// How deep the codec itself reads, whoever calls it: any stack bears that.
const DEPTH: usize = 128;

/// MessagePack with field names: smaller than JSON, and carries every float and byte string.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessagePack;

impl Codec for MessagePack {
    const NAME: &'static str = "msgpack";
    const POSITION_FREE: bool = true;

    #[inline]
    fn encode<V: Serialize + ?Sized>(&self, value: &V, out: &mut Vec<u8>) -> Result<(), CodecError> {
        rmp_serde::encode::write_named(out, value)
            .map_err(|error| CodecError::with_source("the value has no form in MessagePack", error))
    }

    #[inline]
    fn decode<V: DeserializeOwned>(&self, bytes: &[u8]) -> Result<V, CodecError> {
        let mut rest = bytes;
        let mut decoder = rmp_serde::Deserializer::new(&mut rest);
        decoder.set_max_depth(DEPTH);
        let value = V::deserialize(&mut decoder)
            .map_err(|error| CodecError::with_source("the bytes are no MessagePack of the field's type", error))?;
        if rest.is_empty() { Ok(value) } else { Err(CodecError::new("bytes follow the encoded value")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_refuses_comes_back_whole() {
        let mut out = Vec::new();
        MessagePack.encode(&(f64::NAN, Some(None::<u8>)), &mut out).expect("MessagePack holds any float");
        let (float, _): (f64, Option<Option<u8>>) = MessagePack.decode(&out).expect("its own bytes");
        assert!(float.is_nan());
    }

    #[test]
    fn trailing_bytes_are_an_error() {
        assert!(MessagePack.decode::<u8>(&[1, 2]).is_err());
    }
}
