//! Commits as a session would send them, for tests at the level of the store.

use bytes::Bytes;
use session_runtime::expiry::{ClockOffset, Lifetime};
use session_runtime::store::{
    Action, Applied, Base, Change, Commit, CommitId, Found, Head, Incarnation, Key, Load, Loaded, Record,
    RegistrationId, Reply, Store,
};

/// Half an hour after the last activity, touched after three minutes, kept for an hour.
pub const HALF_AN_HOUR: Lifetime =
    Lifetime { inactivity: Some(1_800_000), creation: None, touch_after: 180_000, retention: 3_600_000 };

/// Never.
pub const FOREVER: Lifetime = Lifetime { inactivity: None, creation: None, touch_after: 1, retention: 3_600_000 };

/// A key of the session type `Visitor`.
///
/// # Panics
/// When `id` is no key.
#[must_use]
pub fn key(id: &str) -> Key {
    Key::new("Visitor".into(), id).expect("a key")
}

/// A load without a moved clock.
#[must_use]
pub fn load(lifetime: Lifetime) -> Load {
    Load { lifetime, clock: ClockOffset(0) }
}

/// Sets a field.
#[must_use]
pub fn set(name: &str, value: impl Into<Bytes>) -> Change {
    Change { name: name.into(), value: Some(value.into()) }
}

/// Removes a field.
#[must_use]
pub fn unset(name: &str) -> Change {
    Change { name: name.into(), value: None }
}

/// A commit of these changes, under a new id.
#[must_use]
pub fn write(base: Base, changes: Vec<Change>) -> Commit {
    Commit {
        id: CommitId::random(),
        base,
        action: Action::Write,
        changes,
        replace: false,
        creates: Incarnation::random(),
        version: 1,
        registration: RegistrationId(7),
        keep_empty: false,
        lifetime: HALF_AN_HOUR,
        until: None,
        valid_until: None,
        clock: ClockOffset(0),
    }
}

/// A base of plain absence.
pub const NOTHING: Base = Base::Absent { saw: None };

/// What an applied commit did.
///
/// # Panics
/// When it was not applied.
#[expect(clippy::must_use_candidate, reason = "it also checks")]
pub fn applied(reply: Reply) -> Applied {
    match reply {
        Reply::Applied(applied) => applied,
        other => panic!("not applied: {other:?}"),
    }
}

/// The record that is there.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn record(loaded: Loaded) -> Record {
    match loaded.found {
        Found::Record(record) => record,
        absent @ Found::Absent { .. } => panic!("no record: {absent:?}"),
    }
}

/// Creates a session with these fields.
///
/// # Panics
/// When the store fails.
pub async fn create(store: &impl Store, key: &Key, changes: Vec<Change>) -> Head {
    let reply = store.commit(key, &write(NOTHING, changes)).await.expect("a store that works");
    applied(reply).head.expect("a created record")
}

/// The value of a field.
#[must_use]
pub fn value(record: &Record, name: &str) -> Option<Bytes> {
    record.fields.iter().find(|field| &*field.name == name).map(|field| field.value.clone())
}
