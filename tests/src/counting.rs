use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use session_runtime::codec::{Codec, CodecError, Json};

/// JSON that counts how often it encodes and decodes.
#[derive(Debug, Clone, Default)]
pub struct CountingCodec {
    encoded: Arc<AtomicUsize>,
    decoded: Arc<AtomicUsize>,
}

impl CountingCodec {
    /// How many values were encoded and decoded since the last time.
    #[must_use]
    pub fn take(&self) -> (usize, usize) {
        (self.encoded.swap(0, Ordering::Relaxed), self.decoded.swap(0, Ordering::Relaxed))
    }
}

impl Codec for CountingCodec {
    const NAME: &'static str = "counted json";
    const POSITION_FREE: bool = Json::POSITION_FREE;

    fn encode<V: Serialize + ?Sized>(&self, value: &V, out: &mut Vec<u8>) -> Result<(), CodecError> {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        Json.encode(value, out)
    }

    fn decode<V: DeserializeOwned>(&self, bytes: &[u8]) -> Result<V, CodecError> {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        Json.decode(bytes)
    }
}
