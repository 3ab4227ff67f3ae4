use serde_json::Value;

use super::{Codec, Json};

/// What a codec, by its name, encoded, if it is known and it can be shown as JSON.
pub(crate) fn to_json(codec: &str, bytes: &[u8]) -> Option<Value> {
    match codec {
        Json::NAME => Json.decode(bytes).ok(),
        #[cfg(feature = "msgpack")]
        super::MessagePack::NAME => super::MessagePack.decode(bytes).ok(),
        _ => None,
    }
}
