//! No `unsafe` in any crate, no panic on any input from a store or a client.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proptest::prelude::*;
use session_runtime::expiry::Timestamp;
use session_runtime::store::rule::Commits;
use session_runtime::store::{
    Applied, Commit, CommitId, Ended, FieldName, FieldValue, Find, Found, FoundPage, Head, Incarnation, Key, Load,
    Loaded, Past, Record, RegisteredField, Registration, RegistrationId, Reply, Store, StoreError, StoreErrorKind,
    StoredField,
};
use session_runtime::{Agreement, Expiry, Limits, Session, merge};
use session_tests::{Kept, now};

use crate::visitor::{Item, Visitor, sessions};

fn manifests(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository").map(|entry| entry.expect("an entry")) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            manifests(&path, found);
        } else if name == "Cargo.toml" {
            found.push(path);
        }
    }
}

#[test]
fn p13_every_crate_forbids_unsafe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut found = Vec::new();
    manifests(root, &mut found);
    assert!(found.len() >= 5, "{found:?}");
    for path in found {
        let manifest = std::fs::read_to_string(&path).expect("a manifest");
        let forbids =
            manifest.contains("\nunsafe_code = \"forbid\"\n") || manifest.contains("[lints]\nworkspace = true");
        assert!(forbids, "{}", path.display());
    }
}

/// A store that answers whatever it was told to.
#[derive(Debug, Clone)]
struct Liar(Arc<Mutex<Lies>>);

#[derive(Debug, Clone)]
struct Lies {
    registration: Option<Registration>,
    loads: Vec<Loaded>,
    replies: Vec<Reply>,
}

fn done<T>() -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Unavailable, "no more lies"))
}

impl Liar {
    fn with<T>(&self, tell: impl FnOnce(&mut Lies) -> T) -> T {
        tell(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for Liar {
    async fn prepare(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn load(&self, _: &Key, _: Load) -> Result<Loaded, StoreError> {
        self.with(|lies| lies.loads.pop()).map_or_else(done, Ok)
    }

    async fn commit(&self, _: &Key, _: &Commit) -> Result<Reply, StoreError> {
        self.with(|lies| lies.replies.pop()).map_or_else(done, Ok)
    }

    async fn find(&self, _: &Find) -> Result<FoundPage, StoreError> {
        done()
    }

    async fn registration(&self, _: &str, _: u32) -> Result<Option<Registration>, StoreError> {
        Ok(self.with(|lies| lies.registration.clone()))
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        Ok(self.with(|lies| lies.registration.clone()).unwrap_or_else(|| proposal.clone()))
    }
}

#[derive(Session)]
#[session(name = "p13-target", version = 2, from = Before)]
struct Target {
    #[session(merge = merge::add)]
    count: i8,
    #[session(alias = "list", merge = merge::union)]
    items: Vec<Item>,
    #[session(conflict = "reject")]
    ratio: f64,
    #[session(pin)]
    id: Option<String>,
    #[session(nested)]
    inner: Inner,
}

#[derive(Session)]
#[session(name = "p13-inner")]
struct Inner {
    flags: std::collections::HashMap<String, bool>,
}

#[derive(Session)]
#[session(name = "p13-target", version = 1)]
struct Before {
    count: i8,
}

impl From<Before> for Target {
    fn from(before: Before) -> Self {
        Self { count: before.count, ..Self::initial() }
    }
}

const ID: RegistrationId = RegistrationId(1);

fn name() -> impl Strategy<Value = FieldName> {
    prop_oneof![
        8 => proptest::sample::select(vec!["count", "items", "list", "ratio", "id", "inner.flags"]).prop_map(Into::into),
        1 => ".{0,12}".prop_map(|name: String| name.into()),
    ]
}

fn value() -> impl Strategy<Value = FieldValue> {
    let valid =
        ["0", "5", "-128", "127", "[]", r#"[{"sku":"A","quantity":1}]"#, "0.5", "1e999", "null", r#""x""#, "{}"];
    prop_oneof![
        8 => proptest::sample::select(valid.to_vec()).prop_map(FieldValue::from),
        1 => proptest::collection::vec(any::<u8>(), 0..24).prop_map(Into::into),
        1 => Just("[".repeat(200_000).into()),
    ]
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN), 1_700_000_000_000..3_000_000_000_000_i64]
        .prop_map(Timestamp::from_millis)
}

fn head() -> impl Strategy<Value = Head> {
    let versions = prop_oneof![8 => Just(2), 2 => Just(1), 1 => any::<u32>()];
    let numbers = (0..3_u64, prop_oneof![0..3_u64, any::<u64>()], any::<u64>(), versions, 0..8_u64);
    let times = (time(), proptest::option::of(time()), proptest::option::of(time()), any::<bool>());
    (numbers, times).prop_map(|((incarnation, revision, commit, version, registration), times)| Head {
        incarnation: Incarnation(incarnation),
        revision,
        last_commit: CommitId(commit),
        version,
        registration: if registration == 0 { RegistrationId(9) } else { ID },
        created_at: times.0,
        fixed_end: times.1,
        sliding: times.3.then_some(registration.cast_signed()),
        expires_at: times.2,
        stored: times.3,
    })
}

fn record() -> impl Strategy<Value = Record> {
    let field = (name(), value()).prop_map(|(name, value)| StoredField { name, value });
    (head(), proptest::collection::vec(field, 0..5)).prop_map(|(head, fields)| Record {
        head,
        commits: Commits::default(),
        fields,
    })
}

fn loaded() -> impl Strategy<Value = Loaded> {
    let absent = proptest::option::of(0..3_u64).prop_map(|saw| Found::Absent {
        saw: saw.map(|id| Past { incarnation: Incarnation(id), ended: Ended::Destroyed, commits: Commits::default() }),
    });
    let found = prop_oneof![absent, record().prop_map(Found::Record), record().prop_map(Found::Record)];
    (time(), any::<bool>(), found).prop_map(|(now, touched, found)| Loaded { now, touched, found })
}

fn reply() -> impl Strategy<Value = Reply> {
    let applied = (proptest::option::of(head()), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(head, was_stored, is_stored, repeated)| Reply::Applied(Applied { head, was_stored, is_stored, repeated }),
    );
    let gone = proptest::sample::select(vec![Ended::Destroyed, Ended::Renewed, Ended::Expired, Ended::Unknown]);
    prop_oneof![
        3 => applied,
        3 => record().prop_map(Reply::Conflict),
        1 => gone.prop_map(Reply::Ended),
        1 => Just(Reply::Occupied),
        1 => Just(Reply::Unregistered),
    ]
}

fn registration() -> impl Strategy<Value = Option<Registration>> {
    let field = (name(), proptest::option::of(value()), any::<bool>())
        .prop_map(|(name, initial, sensitive)| RegisteredField { name, initial, sensitive });
    let some = (proptest::collection::vec(field, 0..4), 0..8).prop_map(|(fields, odd)| Registration {
        id: ID,
        name: "p13-target".into(),
        version: 2,
        codec: if odd == 0 { "xml" } else { "json" }.into(),
        fields,
    });
    prop_oneof![1 => Just(None), 1 => some.prop_map(Some)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p13_no_answer_of_a_store_makes_a_session_panic(
        registration in registration(),
        loads in proptest::collection::vec(loaded(), 1..4),
        replies in proptest::collection::vec(reply(), 0..12),
        calls in proptest::collection::vec(0..8_u8, 1..12),
    ) {
        let liar = Liar(Arc::new(Mutex::new(Lies { registration, loads, replies })));
        let expiry = Expiry::AfterEither { inactivity: Duration::MAX, creation: Duration::from_secs(1)};
        let sessions = Kept::<Target, _>::builder(liar)
            .expiry(expiry)
            .retention(Duration::MAX)
            .agreement(Agreement::Adopt)
            .limits(Limits { field: 100, record: 200 })
            .build();
        while let Ok(mut session) = now(sessions.load("42")) {
            for &call in &calls {
                match call {
                    0 => *session.edit().count() = session.count.wrapping_add(100),
                    1 => session.edit().items().push(Item::new("B", 2)),
                    2 => *session.edit().ratio() = f64::NAN,
                    3 => *session.edit_all() = Target::initial(),
                    4 => drop(now(session.destroy())),
                    5 => drop(now(session.renew("43"))),
                    6 => session.expire_at(std::time::SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
                    _ => drop(now(session.commit())),
                }
                let _ = (session.dirty().map(|dirty| dirty.len()), session.expires_at(), session.is_new());
            }
            if calls.len() % 2 == 0 {
                session.discard();
            }
        }
    }

    #[test]
    fn p13_no_key_and_no_value_of_a_client_makes_a_session_panic(key in ".{0,300}", theme in ".{0,100}") {
        let sessions = sessions::<Visitor>();
        let updated = now(sessions.update(&key, |visitor| visitor.edit().theme().clone_from(&theme)));
        prop_assert_eq!(updated.is_ok(), (1..=512).contains(&key.len()));
        if updated.is_ok() {
            prop_assert_eq!(&now(sessions.load(&key)).expect("a load").theme, &theme);
        }
    }
}
