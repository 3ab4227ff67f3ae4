use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use crate::error::LegacyError;

/// What a store of tower-sessions holds of a session.
pub struct TowerSession<D> {
    /// Its entries.
    pub data: D,
    /// When it was to end.
    pub expires_at: SystemTime,
}

/// How deep values may be nested.
const DEPTH: usize = 128;

/// The record of tower-sessions: an array, or a map with these names.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "id")]
    _id: IgnoredAny,
    data: Map<String, Value>,
    expiry_date: Date,
}

/// Year, day of the year, hour, minute, second, nanosecond, and the hours, minutes and seconds of the offset.
type Date = (i32, u16, u8, u8, u8, u32, i8, i8, i8);

/// Reads what the Redis and SQL stores of tower-sessions hold of a session: its entries, as a struct of yours, and when
/// it was to end. Its key there is what stands in the cookie, so with the feature `axum` a `Legacy` of a layer finds it
/// by the key that it is asked for.
///
/// ```no_run
/// # async fn get(key: &str) -> std::io::Result<Option<Vec<u8>>> { Ok(None) }
/// use std::time::SystemTime;
///
/// use session_runtime::Session;
/// use session_runtime::legacy::{Legacy, LegacyError, Old, tower_sessions};
///
/// #[derive(Session)]
/// struct Visitor {
///     user: Option<u64>,
///     theme: String,
/// }
///
/// #[derive(serde::Deserialize)]
/// struct OldVisitor {
///     user: Option<u64>,
/// }
///
/// let end = SystemTime::UNIX_EPOCH; // a date in some weeks
/// let legacy = Legacy::until(end, |key| async move {
///     let Some(stored) = get(&key).await.map_err(LegacyError::unavailable)? else { return Ok(None) };
///     let old = tower_sessions::<OldVisitor>(&stored)?;
///     let visitor = Visitor { user: old.data.user, ..Visitor::initial() };
///     Ok(Some(Old::new(visitor).expire_at(old.expires_at)))
/// });
/// # drop(legacy);
/// ```
///
/// # Errors
/// [`LegacyError::Damaged`].
pub fn tower_sessions<D: DeserializeOwned>(stored: &[u8]) -> Result<TowerSession<D>, LegacyError> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(stored);
    reader.set_max_depth(DEPTH);
    let record = Record::deserialize(&mut reader).map_err(LegacyError::damaged)?;
    let data = D::deserialize(Value::Object(record.data)).map_err(LegacyError::damaged)?;
    let expires_at = instant(record.expiry_date).ok_or_else(|| LegacyError::damaged("its expiry is no date"))?;
    Ok(TowerSession { data, expires_at })
}

fn instant((year, day, hour, minute, second, nanosecond, hours, minutes, seconds): Date) -> Option<SystemTime> {
    let past = i64::from(year) - 1;
    let days = past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400) + i64::from(day) - 1;
    let time = [(hour, hours), (minute, minutes), (second, seconds)];
    let of_day = time.iter().fold(0, |sum, (time, offset)| sum * 60 + i64::from(*time) - i64::from(*offset));
    // Days are counted from the first of the first year.
    let since = u64::try_from((days - 719_162) * 86_400 + of_day).ok()?;
    let whole = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since))?;
    whole.checked_add(Duration::from_nanos(nanosecond.into()))
}

/// Shows no entry: they can be secret.
impl<D> fmt::Debug for TowerSession<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerSession").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_counted_with_its_offset() {
        let at = |date| instant(date).and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        assert_eq!(at((1970, 1, 0, 0, 0, 0, 0, 0, 0)), Some(Duration::ZERO));
        // 2024-12-31T23:59:59.000000005+01:30
        assert_eq!(at((2024, 366, 23, 59, 59, 5, 1, 30, 0)), Some(Duration::new(1_735_684_199, 5)));
        assert_eq!(at((1969, 365, 0, 0, 0, 0, 0, 0, 0)), None);
        assert_eq!(at((i32::MIN, 0, 0, 0, 0, 0, 127, 127, 127)), None);
        assert!(at((i32::MAX, u16::MAX, 255, 255, 255, u32::MAX, -128, -128, -128)).is_some());
    }
}
