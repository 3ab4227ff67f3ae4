//! What the engine's errors mean.

use std::fmt;

use super::line::Lost;
use super::server::{Failure, NoConnection};
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

/// What the engine said.
#[derive(Debug)]
struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}

/// What an error of the engine means.
pub(super) fn from_engine(text: &[u8]) -> StoreError {
    let said = Said(String::from_utf8_lossy(text).into_owned());
    if let Some(field) = said.0.strip_prefix("CORRUPT ") {
        return corrupt(field);
    }
    if says(text, "WRONGTYPE") {
        return corrupt("#h, of a key that is no hash").with_source(said);
    }
    let Some((_, kind, not_applied, message)) = CODES.iter().find(|(known, ..)| says(text, known)) else {
        return StoreError::new(StoreErrorKind::Other, "Redis could not do what it was asked to").with_source(said);
    };
    let meant = StoreError::new(*kind, *message).with_source(said);
    if *not_applied { meant.not_applied() } else { meant }
}

/// Why a server did not answer.
pub(super) fn from_failure(failure: Failure) -> StoreError {
    match failure {
        Failure::NoConnection(NoConnection::TimedOut) => StoreError::new(
            StoreErrorKind::TimedOut,
            "Redis could not be reached in time: check the address and the network, or raise the connection timeout",
        )
        .not_applied(),
        Failure::NoConnection(NoConnection::Refused(text)) => from_engine(&text).not_applied(),
        Failure::NoConnection(NoConnection::Failed(error)) => StoreError::new(
            StoreErrorKind::Unavailable,
            "Redis cannot be reached: check that it runs and that the address is right, and try again",
        )
        .with_source(error)
        .not_applied(),
        Failure::Lost(how) => lost(how),
    }
}

/// The connection was lost before the answer came.
pub(super) fn lost(lost: Lost) -> StoreError {
    match lost {
        Lost::Silent => StoreError::new(
            StoreErrorKind::TimedOut,
            "Redis did not answer in time; it may still do what it was asked: try again, or raise the response timeout",
        ),
        Lost::Closed => StoreError::new(StoreErrorKind::Unavailable, "the connection to Redis was lost: try again"),
        Lost::Garbled => StoreError::new(
            StoreErrorKind::Unavailable,
            "what answers at this address does not speak the protocol of Redis: check the address, and whether it is \
             to be reached over TLS",
        ),
    }
}

/// No node of a cluster holds the key.
pub(super) fn no_node() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "no node of the cluster can be reached: try again").not_applied()
}

/// Whether the engine says `known`. Redis 6 wraps the error of a command in a script into one with the code ERR.
///
/// A command that the user may not run in a script has words instead of a code, other ones before Redis 7.2 and since.
pub(super) fn says(text: &[u8], known: &str) -> bool {
    let text = String::from_utf8_lossy(text);
    let (code, detail) = text.split_once(' ').unwrap_or((&text, ""));
    let denied = known == "NOPERM"
        && ["user executing the script can't", "ACL failure in script"].iter().any(|words| detail.contains(words));
    code == known || denied || (code == "ERR" && detail.split([' ', '-', ':']).any(|word| word == known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_they_mean_on_every_version() {
        use StoreErrorKind::{Busy, Corrupt, Denied, Full, Other, ReadOnly};
        for (reply, kind, not_applied) in [
            ("OOM command not allowed when used memory > 'maxmemory'. script: ab, on @user_script:1.", Full, true),
            ("ERR Error running script (call to f_ab): @user_script:9: -OOM command not allowed", Full, true),
            ("READONLY You can't write against a read only replica.", ReadOnly, true),
            ("ERR Error running script (call to f_ab): @user_script:9: WRONGTYPE Operation", Corrupt, true),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", Corrupt, true),
            ("CORRUPT #c", Corrupt, true),
            ("NOPERM this user has no permissions to run the 'evalsha' command", Denied, false),
            ("ERR ACL failure in script: User x has no permissions to run the 'rename' command", Denied, false),
            ("ERR The user executing the script can't run this command or subcommand", Denied, false),
            ("LOADING Redis is loading the dataset in memory", Busy, true),
            ("ERR something new", Other, false),
        ] {
            let error = from_engine(reply.as_bytes());
            assert_eq!((error.kind(), error.is_not_applied()), (kind, not_applied), "{reply}");
        }
    }
}
