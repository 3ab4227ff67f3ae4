//! What was stored is read as it was meant, and goes on from there.

use session_runtime::expiry::{ClockOffset, Timestamp};
use session_runtime::store::{
    Action, Base, Commit, CommitId, Ended, Found, Head, Housekeeping, Incarnation, Key, Load, Record, Reply,
};
use session_tests::commits::{key, set};

use super::script::{
    CENTURY, End, FIXED_END, KEPT, Kept, REGISTRATION, State, VERSION, absent, based, commit, registration, write,
};

/// The year 2020. What is no date in milliseconds is far from it.
const EARLIEST: i64 = 1_577_836_800_000;

const NOW: ClockOffset = ClockOffset(0);

/// Reads all that [`KEPT`] lists, and commits to each.
pub(super) async fn check(store: &impl Housekeeping) {
    store.prepare().await.unwrap();
    let registered = store.registration("Visitor", VERSION).await.unwrap();
    assert_eq!(registered, Some(registration()));
    assert_eq!(store.registrations().await.unwrap().found, [registration()]);
    let stored = KEPT.iter().filter(|kept| matches!(kept.state, State::Record { stored: true, .. })).count();
    assert_eq!(store.count("Visitor", NOW).await.unwrap(), stored as u64);

    for kept in KEPT {
        match &kept.state {
            State::Record { .. } => check_record(store, kept).await,
            State::Ended(ended) => check_ended(store, kept, *ended).await,
        }
    }
}

async fn check_record(store: &impl Housekeeping, kept: &Kept) {
    let State::Record { stored, revision, commits, fields, end, origin } = &kept.state else { return };
    let (key, name) = (key(kept.key), kept.key);
    let record = record(store, &key).await;
    let head = record.head;
    let created_at = head.created_at;
    assert!((EARLIEST..FIXED_END).contains(&created_at.as_millis()), "{name}: {head:?}");
    let fixed_end = (*end == End::Fixed).then(|| Timestamp::from_millis(FIXED_END));
    let expected = Head {
        incarnation: kept.incarnation,
        revision: *revision,
        last_commit: CommitId(commits[0]),
        version: VERSION,
        registration: REGISTRATION,
        created_at,
        fixed_end,
        sliding: None,
        expires_at: if *end == End::Sliding { Some(created_at.plus(CENTURY)) } else { fixed_end },
        stored: *stored,
    };
    assert_eq!(head, expected, "{name}");
    let expected: Vec<_> = fields.iter().map(|(field, value)| ((*field).to_owned(), value.to_vec())).collect();
    assert_eq!(sorted(&record), expected, "{name}");

    // A commit whose answer was lost is known by its id.
    for id in *commits {
        let reply = store.commit(&key, &mark(*id, based(kept.incarnation, revision - 1, 1), *end)).await.unwrap();
        assert!(matches!(&reply, Reply::Applied(applied) if applied.repeated), "{name}: {reply:?}");
    }
    // Who saw the same absence as the creator is to rebase, and nobody else.
    for (saw, may_rebase) in [(*origin, true), (Some(Incarnation(77)), false)] {
        let reply = store.commit(&key, &mark(1000, Base::Absent { saw, valid_until: None }, *end)).await.unwrap();
        let rebases = matches!(&reply, Reply::Conflict(there) if there.head == head && sorted(there) == expected);
        assert_eq!((rebases, reply == Reply::Ended(Ended::Replaced)), (may_rebase, !may_rebase), "{name}");
    }

    let reply = store.commit(&key, &mark(1001, Base::from(&head), *end)).await.unwrap();
    let Reply::Applied(applied) = reply else { panic!("{name}: {reply:?}") };
    assert_eq!((applied.was_stored, applied.repeated), (*stored, false), "{name}");
    let after = self::record(store, &key).await;
    assert_eq!(Some(after.head), applied.head, "{name}");
    let next = Head { revision: revision + 1, last_commit: CommitId(1001), stored: true, ..head };
    assert_eq!(Head { expires_at: head.expires_at, ..after.head }, next, "{name}");
    let mut expected = expected;
    expected.push(("mark".to_owned(), b"\"later\"".to_vec()));
    expected.sort();
    assert_eq!(sorted(&after), expected, "{name}");
}

async fn check_ended(store: &impl Housekeeping, kept: &Kept, ended: Ended) {
    let (key, name, saw) = (key(kept.key), kept.key, kept.incarnation);
    let loaded = store.load(&key, Load::look(NOW)).await.unwrap();
    let Found::Absent { saw: past } = loaded.found else { panic!("{name}: {loaded:?}") };
    assert_eq!(past.map(|past| past.incarnation), Some(saw), "{name}");
    let reply = store.commit(&key, &mark(1000, based(saw, 1, 1), End::Never)).await.unwrap();
    assert_eq!(reply, Reply::Ended(ended), "{name}");
    let reply = store.commit(&key, &mark(1001, absent(saw), End::Never)).await.unwrap();
    assert!(matches!(reply, Reply::Applied(_)), "{name}: {reply:?}");
    let after = record(store, &key).await;
    assert_eq!((after.head.incarnation, after.head.revision), (Incarnation(99), 1), "{name}");
    assert_eq!(sorted(&after), [("mark".to_owned(), b"\"later\"".to_vec())], "{name}");
}

/// A commit that says it was there.
fn mark(id: u64, base: Base, end: End) -> Commit {
    commit(id, base, Action::Write(write(Incarnation(99), vec![set("mark", "\"later\"")])), end)
}

async fn record(store: &impl Housekeeping, key: &Key) -> Record {
    match store.load(key, Load::look(NOW)).await.unwrap().found {
        Found::Record(record) => record,
        absent @ Found::Absent { .. } => panic!("{}: {absent:?}", key.id()),
    }
}

/// The fields by name.
fn sorted(record: &Record) -> Vec<(String, Vec<u8>)> {
    let mut fields: Vec<_> = record.fields.iter().map(|field| (field.name.to_string(), field.value.to_vec())).collect();
    fields.sort();
    fields
}
