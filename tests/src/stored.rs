use session_runtime::expiry::{ClockOffset, Lifetime};
use session_runtime::store::{
    Action, Base, Change, Commit, FieldValue, Found, Housekeeping, Key, Load, Record, Reply, Store, Write,
};

/// A session that does not expire.
const FOREVER: Lifetime = Lifetime { inactivity: None, creation: None, touch_after: 1, retention: 3_600_000 };

/// What a store holds under a key: a session, or the header that an emptied one left; past the runtime.
///
/// # Panics
/// When the store fails.
pub async fn record(store: &impl Store, name: &str, id: &str) -> Option<Record> {
    let key = Key::new(name.into(), id).expect("a key");
    let loaded = store.load(&key, Load::look(ClockOffset::default())).await.expect("a load");
    match loaded.found {
        Found::Record(record) => Some(record),
        Found::Absent { .. } => None,
    }
}

/// The stored fields of a session and their values as text, sorted by name; nothing if it is not stored.
pub async fn stored(store: &impl Store, name: &str, id: &str) -> Vec<(String, String)> {
    let fields = record(store, name, id).await.map(|record| record.fields).unwrap_or_default();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let mut fields: Vec<_> = fields.iter().map(|field| (field.name.to_string(), text(&field.value))).collect();
    fields.sort();
    fields
}

/// The sessions of a name that are stored, up to a hundred: their keys, and what [`stored`] tells of each.
///
/// # Panics
/// When the store fails.
pub async fn all_stored(store: &impl Housekeeping, name: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut sessions = Vec::new();
    for key in store.keys(name, None, 100, ClockOffset::default()).await.expect("a listing").keys {
        sessions.push((key.id().to_owned(), stored(store, name, key.id()).await));
    }
    sessions
}

/// Whether a session is stored under a key.
pub async fn is_stored(store: &impl Store, name: &str, id: &str) -> bool {
    record(store, name, id).await.is_some_and(|record| record.head.stored)
}

/// Sets and removes fields of a stored session past the runtime, as another build or another program does.
///
/// # Panics
/// When the session is not stored, or the store fails.
pub async fn write(store: &impl Store, name: &str, id: &str, changes: &[(&str, Option<&str>)]) {
    let head = record(store, name, id).await.expect("a stored session").head;
    let change =
        |(name, value): &(&str, Option<&str>)| Change { name: (*name).into(), value: value.map(FieldValue::from) };
    let write = Write::new(head.version, head.registration, changes.iter().map(change).collect());
    let commit = Commit::new(Base::from(&head), Action::Write(write), FOREVER, ClockOffset::default());
    let reply = store.commit(&Key::new(name.into(), id).expect("a key"), &commit).await.expect("a commit");
    assert!(matches!(reply, Reply::Applied(_)), "nobody came in between, but the answer was {reply:?}");
}
