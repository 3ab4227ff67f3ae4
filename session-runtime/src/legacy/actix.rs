use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::LegacyError;

/// Reads what actix-session keeps of a session, in Redis for example: its entries, as a struct of yours.
///
/// Versions up to 0.11 store an object of texts, each of which is JSON again, later ones `{"v":1,"state":{…}}`.
///
/// ```
/// use session_runtime::legacy::actix_session;
///
/// #[derive(serde::Deserialize)]
/// struct OldVisitor {
///     user: Option<u64>,
///     #[serde(default)]
///     cart: Vec<String>,
/// }
///
/// let old: OldVisitor = actix_session(br#"{"user":"7","cart":"[\"tea\"]"}"#)?;
/// assert_eq!((old.user, old.cart), (Some(7), vec!["tea".to_owned()]));
/// # Ok::<(), session_runtime::legacy::LegacyError>(())
/// ```
///
/// # Errors
/// [`LegacyError::Damaged`].
pub fn actix_session<D: DeserializeOwned>(stored: &[u8]) -> Result<D, LegacyError> {
    let entries = entries(serde_json::from_slice(stored).map_err(LegacyError::damaged)?)?;
    D::deserialize(Value::Object(entries)).map_err(LegacyError::damaged)
}

fn entries(mut stored: Map<String, Value>) -> Result<Map<String, Value>, LegacyError> {
    match (stored.get("v").and_then(Value::as_u64), stored.get_mut("state")) {
        (Some(1), Some(Value::Object(state))) => return Ok(std::mem::take(state)),
        (Some(version), Some(Value::Object(_))) => {
            return Err(LegacyError::damaged(format!("version {version} of the format is not known")));
        }
        _ => {}
    }
    if !stored.values().all(Value::is_string) {
        return Ok(stored);
    }
    let value = |(name, text): (String, Value)| {
        let value = serde_json::from_str(text.as_str().unwrap_or_default()).map_err(LegacyError::damaged)?;
        Ok((name, value))
    };
    stored.into_iter().map(value).collect()
}
