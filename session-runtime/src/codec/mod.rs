//! How a field becomes the bytes that a store keeps.

use std::error::Error;

use serde::Serialize;
use serde::de::DeserializeOwned;

mod finite;
mod json;
#[cfg(feature = "msgpack")]
mod msgpack;
mod scalar;
mod shown;

pub use json::Json;
#[cfg(feature = "msgpack")]
pub use msgpack::MessagePack;
pub(crate) use shown::to_json;

/// Turns fields into bytes and back.
///
/// A codec must give equal bytes for equal values of one process as far as the type allows it (a `HashMap` does not);
/// whatever it cannot carry without loss it must refuse with an error.
pub trait Codec: Clone + Send + Sync + 'static {
    /// The name that a store's registration keeps, so that two codecs never read each other's bytes.
    const NAME: &'static str;

    /// Whether an entry of a collection has the same bytes wherever in it it stands, so that another order of entries is
    /// another order of the same bytes. It makes commits of large fields cheaper. A codec that compresses, encrypts or
    /// chains leaves it `false`.
    const POSITION_FREE: bool = false;

    /// Appends the encoding of `value` to `out`.
    ///
    /// # Errors
    /// When the value cannot be encoded, or not without loss. What `out` then holds is unspecified.
    fn encode<V: Serialize + ?Sized>(&self, value: &V, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Decodes a value from all of `bytes`.
    ///
    /// # Errors
    /// When the bytes are not a complete encoding of a `V`, and nothing else.
    fn decode<V: DeserializeOwned>(&self, bytes: &[u8]) -> Result<V, CodecError>;
}

/// A value could not be encoded or decoded.
///
/// Its message and its source can show a part of the value; errors about fields marked `sensitive` are redacted.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CodecError {
    message: Box<str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl CodecError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into().into_boxed_str(), source: None }
    }

    /// An error with this message that another one caused.
    pub fn with_source(message: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..Self::new(message) }
    }

    /// The same error without what it could show of the value.
    pub(crate) fn redacted() -> Self {
        Self::new("[redacted: the field is marked `sensitive`]")
    }
}
