//! Commits as a session would send them, for tests at the level of the store.

use session_runtime::expiry::{ClockOffset, Lifetime};
use session_runtime::store::{
    Action, Applied, Base, Change, Commit, FieldValue, Found, Head, Key, Load, Loaded, Record, Registration,
    RegistrationId, Reply, Store, Write,
};

/// Half an hour after the last activity, touched after three minutes, kept for an hour.
pub const HALF_AN_HOUR: Lifetime =
    Lifetime { inactivity: Some(1_800_000), creation: None, touch_after: 180_000, retention: 3_600_000 };

/// Never.
pub const FOREVER: Lifetime = Lifetime { inactivity: None, creation: None, touch_after: 1, retention: 3_600_000 };

/// What these commits name; [`agree`] lets a store have it.
pub const REGISTRATION: RegistrationId = RegistrationId(7);

/// Lets a store have the registration of `Visitor` that commits name.
///
/// # Panics
/// When the store fails.
pub async fn agree(store: &impl Store) {
    for version in [1, 2] {
        let (id, name, codec) = (REGISTRATION, "Visitor".into(), "json".into());
        let registration = Registration { id, name, version, codec, fields: Vec::new() };
        store.register(&registration).await.expect("a store that works");
    }
}

/// A key of the session type `Visitor`.
///
/// # Panics
/// When `id` is no key.
#[must_use]
pub fn key(id: &str) -> Key {
    Key::new("Visitor".into(), id).expect("a key")
}

/// A load without a moved clock, which touches the session when that is due.
#[must_use]
pub fn load(lifetime: Lifetime) -> Load {
    Load::touch(lifetime, ClockOffset(0))
}

/// Sets a field.
#[must_use]
pub fn set(name: &str, value: impl Into<FieldValue>) -> Change {
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
    let write = Write::new(1, REGISTRATION, changes);
    Commit::new(base, Action::Write(write), HALF_AN_HOUR, ClockOffset(0))
}

/// The same commit, which renews the session to another key.
///
/// # Panics
/// When it destroys the session.
#[must_use]
pub fn renewing(mut commit: Commit, to: &Key) -> Commit {
    let write = commit.write().expect("a commit that writes").clone();
    commit.action = Action::Renew { to: to.clone(), write };
    commit
}

/// The same commit, which destroys the session instead.
#[must_use]
pub fn destroying(mut commit: Commit) -> Commit {
    commit.action = Action::Destroy;
    commit
}

/// The same commit for sessions that live this long.
#[must_use]
pub fn living(mut commit: Commit, lifetime: Lifetime) -> Commit {
    commit.lifetime = lifetime;
    commit
}

/// The same commit, when the store's clock is moved by this.
#[must_use]
pub fn at(mut commit: Commit, clock: ClockOffset) -> Commit {
    commit.clock = clock;
    commit
}

/// A base of plain absence.
pub const NOTHING: Base = Base::Absent { saw: None, valid_until: None };

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
pub fn value(record: &Record, name: &str) -> Option<FieldValue> {
    record.fields.iter().find(|field| &*field.name == name).map(|field| field.value.clone())
}
