//! What the engine's errors mean.

use redis::{ErrorKind, RedisError, Value};

use crate::store::{StoreError, StoreErrorKind};

/// What is stored in this field was not written by this crate.
pub(super) fn corrupt(field: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        format!(
            "what Redis holds under a key of this store was not written by it (field {field}); it was left as it is: \
             look at it with redis-cli, and remove it or choose another prefix"
        ),
    )
    .not_applied()
}

/// An answer that no script of this build gives.
pub(super) fn unexpected() -> StoreError {
    StoreError::new(StoreErrorKind::Other, "Redis gave an answer that is not one of this store's scripts")
}

/// No answer came in time.
pub(super) fn timed_out() -> StoreError {
    StoreError::new(
        StoreErrorKind::TimedOut,
        "Redis did not answer in time; it may still do what it was asked: try again, or raise the response timeout",
    )
}

/// What each error code of the engine means. An engine that answers with one of these has written nothing, except
/// where a user may run the script but not all commands in it.
const CODES: &[(&str, StoreErrorKind, bool, &str)] = &[
    ("OOM", StoreErrorKind::Full, true, "Redis has reached its maxmemory: raise it, or remove what is not needed"),
    ("READONLY", StoreErrorKind::ReadOnly, true, "this Redis is a read-only replica: connect to its primary"),
    ("MISCONF", StoreErrorKind::ReadOnly, true, "Redis takes no writes because it cannot save to disk: see its log"),
    (
        "NOREPLICAS",
        StoreErrorKind::ReadOnly,
        true,
        "Redis takes no writes because too few replicas are connected (min-replicas-to-write)",
    ),
    ("NOAUTH", StoreErrorKind::Denied, true, "Redis wants a password: put it in the URL"),
    ("WRONGPASS", StoreErrorKind::Denied, true, "Redis refuses this user name and password"),
    (
        "NOPERM",
        StoreErrorKind::Denied,
        false,
        "this Redis user may not run the commands that sessions need: see the documentation of RedisStore",
    ),
    ("LOADING", StoreErrorKind::Busy, true, "Redis is still loading its data: try again"),
    ("BUSY", StoreErrorKind::Busy, true, "Redis is busy with a script: try again"),
    ("TRYAGAIN", StoreErrorKind::Busy, true, "the cluster is moving these keys: try again"),
    ("MOVED", StoreErrorKind::Unavailable, true, "the node that holds this key cannot be reached: try again"),
    ("ASK", StoreErrorKind::Unavailable, true, "the node that this key moved to cannot be reached: try again"),
    ("CLUSTERDOWN", StoreErrorKind::Unavailable, true, "the cluster does not serve this key: try again"),
    ("MASTERDOWN", StoreErrorKind::Unavailable, true, "this Redis has lost its primary: try again"),
    (
        "CROSSSLOT",
        StoreErrorKind::CrossSlot,
        true,
        "the two keys of a renewal live in different slots of the cluster: choose `Slots` that keep them together",
    ),
];

/// What an error of the engine or of the connection means.
pub(super) fn from_redis(error: RedisError) -> StoreError {
    // What refuses a pipeline is the first of its commands that failed; a connection begins with one.
    let first = error.clone().into_server_errors().and_then(|errors| errors.first().cloned());
    let error = first.map_or(error, |(_, first)| first.into());
    let code = error.code().unwrap_or_default();
    let detail = error.detail().unwrap_or_default();
    if code == "CORRUPT" {
        return corrupt(detail);
    }
    if says(code, detail, "WRONGTYPE") {
        return corrupt("#h, of a key that is no hash").with_source(error);
    }
    if let Some((_, kind, not_applied, message)) = CODES.iter().find(|(known, ..)| says(code, detail, known)) {
        let meant = StoreError::new(*kind, *message).with_source(error);
        return if *not_applied { meant.not_applied() } else { meant };
    }
    if error.is_timeout() {
        return timed_out().with_source(error);
    }
    let refused = error.is_connection_refusal();
    let meant = match error.kind() {
        ErrorKind::AuthenticationFailed => {
            StoreError::new(StoreErrorKind::Denied, "Redis refuses this user name and password").not_applied()
        }
        ErrorKind::InvalidClientConfig | ErrorKind::RESP3NotSupported => {
            StoreError::new(StoreErrorKind::Configuration, "Redis cannot be reached with these settings").not_applied()
        }
        ErrorKind::ClusterConnectionNotFound => {
            StoreError::new(StoreErrorKind::Unavailable, "no node of the cluster can be reached: try again")
                .not_applied()
        }
        ErrorKind::Io if refused => StoreError::new(
            StoreErrorKind::Unavailable,
            "Redis cannot be reached: check that it runs and that the address is right, and try again",
        )
        .not_applied(),
        ErrorKind::Io => StoreError::new(StoreErrorKind::Unavailable, "the connection to Redis was lost: try again"),
        _ => StoreError::new(StoreErrorKind::Other, "Redis could not do what it was asked to"),
    };
    meant.with_source(error)
}

/// Whether an error is `known`. Redis 6 wraps the error of a command in a script into one with the code ERR.
///
/// A command that the user may not run in a script has words instead of a code, other ones before Redis 7.2 and since.
fn says(code: &str, detail: &str, known: &str) -> bool {
    let denied = known == "NOPERM"
        && ["user executing the script can't", "ACL failure in script"].iter().any(|words| detail.contains(words));
    code == known || denied || (code == "ERR" && detail.split([' ', '-', ':']).any(|word| word == known))
}

/// The elements of an array.
pub(super) fn array(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(elements) => Ok(elements),
        _ => Err(unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(reply: &str) -> StoreError {
        let value = redis::parse_redis_value(reply.as_bytes()).unwrap();
        from_redis(value.extract_error().unwrap_err())
    }

    #[test]
    fn errors_say_what_they_mean_on_every_version() {
        use StoreErrorKind::{Busy, Corrupt, Denied, Full, Other, ReadOnly};
        for (reply, kind, not_applied) in [
            ("-OOM command not allowed when used memory > 'maxmemory'. script: ab, on @user_script:1.\r\n", Full, true),
            ("-ERR Error running script (call to f_ab): @user_script:9: -OOM command not allowed\r\n", Full, true),
            ("-READONLY You can't write against a read only replica.\r\n", ReadOnly, true),
            ("-ERR Error running script (call to f_ab): @user_script:9: WRONGTYPE Operation\r\n", Corrupt, true),
            ("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", Corrupt, true),
            ("-CORRUPT #c\r\n", Corrupt, true),
            ("-NOPERM this user has no permissions to run the 'evalsha' command\r\n", Denied, false),
            ("-ERR ACL failure in script: User x has no permissions to run the 'rename' command\r\n", Denied, false),
            ("-ERR The user executing the script can't run this command or subcommand\r\n", Denied, false),
            ("-LOADING Redis is loading the dataset in memory\r\n", Busy, true),
            ("-ERR something new\r\n", Other, false),
        ] {
            let error = meant(reply);
            assert_eq!((error.kind(), error.is_not_applied()), (kind, not_applied), "{reply}");
        }
    }
}
