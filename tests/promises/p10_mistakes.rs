//! Mistakes that would start silently and end in lost access are told when a program starts, or when they can be seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use session_runtime::store::{Housekeeping, LogStore};
use session_runtime::{Agreement, Error, MemoryStore, Session};
use session_tests::{Events, FaultyStore, Kept, now};

mod first {
    use session_runtime::Session;

    #[derive(Session)]
    #[session(name = "mistakes")]
    pub struct Visitor {
        pub visits: u32,
        #[session(sensitive, initial = "swordfish".to_owned())]
        pub token: String,
    }
}

mod raised {
    use session_runtime::Session;

    #[derive(Session)]
    #[session(name = "mistakes", version = 3)]
    pub struct Visitor {
        pub visits: u64,
    }
}

mod migrating {
    use session_runtime::Session;

    #[derive(Session)]
    #[session(name = "mistakes-migrating", version = 3, from = super::first::Visitor)]
    pub struct Visitor {
        pub visits: u64,
    }

    impl From<super::first::Visitor> for Visitor {
        fn from(first: super::first::Visitor) -> Self {
            Self { visits: first.visits.into() }
        }
    }
}

type TestStore = LogStore<FaultyStore<MemoryStore>>;

/// A store that the first build has used.
fn used() -> TestStore {
    let store = LogStore::new(FaultyStore::new(MemoryStore::new()));
    let sessions = Kept::<first::Visitor, _>::new(session_tests::Shared::new(store.clone(), "mistakes"));
    now(sessions.update("42", |visitor| *visitor.edit().visits() += 1)).expect("a commit");
    store
}

fn refused<T: Session>(store: &TestStore) -> Error {
    now(Kept::<T, _>::new(store.clone()).prepare()).expect_err("a mistake")
}

#[test]
fn p10_a_raised_version_that_cannot_read_the_older_one_is_refused_at_the_start() {
    let store = used();
    let error = refused::<raised::Visitor>(&store);
    assert!(matches!(error, Error::NoMigration { stored: 0, supported: 3 }), "{error}");
    assert!(error.to_string().contains("`from = TheOlderType`"), "{error}");
    assert_eq!(now(store.registrations()).expect("registrations").found.len(), 1, "it registered nothing");

    let shared = session_tests::Shared::new(store.clone(), "mistakes");
    now(Kept::<migrating::Visitor, _>::new(shared).prepare()).expect("this one reads the older version");
    assert_eq!(now(store.registrations()).expect("registrations").found.len(), 2);
}

#[test]
fn p10_a_raised_version_starts_where_the_older_one_never_was_or_was_withdrawn() {
    let fresh = LogStore::new(FaultyStore::new(MemoryStore::new()));
    now(Kept::<raised::Visitor, _>::new(fresh).prepare()).expect("nothing is lost");

    let store = used();
    assert!(now(store.withdraw("mistakes", 0)).expect("an answer"));
    now(Kept::<raised::Visitor, _>::new(store).prepare()).expect("nobody needs the older sessions");
}

#[derive(Session)]
#[session(name = "p10-renamed-badly")]
struct Before {
    lang: String,
    visits: u32,
}

mod after {
    use session_runtime::Session;

    #[derive(Session)]
    #[session(name = "p10-renamed-badly-after")]
    pub struct Renamed {
        pub language: String,
        pub visits: u32,
    }
}

#[test]
fn p10_a_field_that_seems_renamed_without_an_alias_is_told_with_the_attribute_to_paste() {
    let (events, _guard) = Events::capture();
    let store = MemoryStore::new();
    let shared = || session_tests::Shared::new(store.clone(), "p10-renamed-badly");
    now(Kept::<Before, _>::new(shared()).prepare()).expect("the first");
    assert_eq!(events.take_warnings(), [""; 0], "nothing to warn of");
    now(Kept::<after::Renamed, _>::new(shared()).prepare()).expect("it may be meant");
    let warnings = events.take_warnings();
    let [warning] = &warnings[..] else { panic!("one warning was expected: {warnings:?}") };
    assert!(warning.contains("`lang`") && warning.contains("`language`"), "{warning}");
    assert!(warning.contains(r#"#[session(alias = "lang")]"#), "{warning}");
}

#[derive(Session)]
#[session(name = "p10-clock")]
struct Clocked {
    visits: u32,
    started: u64,
}

#[test]
fn p10_an_initial_value_that_reads_a_clock_in_seconds_is_found_with_a_later_session() {
    let faulty = FaultyStore::new(MemoryStore::new());
    let seconds = Arc::new(AtomicU64::new(1_700_000_000));
    let clock = seconds.clone();
    let initial = move || Clocked { visits: 0, started: clock.load(Ordering::Relaxed) };
    let sessions = Kept::<Clocked, _>::builder(faulty.clone()).initial(initial).build();
    now(sessions.load("42")).expect("it looks the same twice within a second");

    seconds.fetch_add(2, Ordering::Relaxed);
    faulty.pass(Duration::from_secs(2));
    let error = now(sessions.load("43")).expect_err("another value than was agreed on");
    assert!(matches!(&error, Error::UnstableInitial { field } if **field == *"started"), "{error}");
    assert!(error.to_string().contains("#[session(pin)]"), "{error}");
    now(sessions.load("44")).expect_err("and so it stays, whatever the clock says");
}

mod other {
    use session_runtime::Session;

    #[derive(Session)]
    #[session(name = "mistakes-other")]
    pub struct Visitor {
        #[session(initial = 7)]
        pub visits: u32,
        #[session(sensitive, initial = "sesame".to_owned())]
        pub token: String,
    }
}

mod retyped {
    use session_runtime::Session;

    #[derive(Session)]
    #[session(name = "mistakes-retyped")]
    pub struct Visitor {
        #[session(initial = "none".to_owned())]
        pub visits: String,
    }
}

#[test]
fn p10_a_mismatch_names_fields_values_and_each_way_out_and_no_secret() {
    let shared = session_tests::Shared::new(used(), "mistakes");
    let error = now(Kept::<other::Visitor, _>::new(shared).prepare()).expect_err("other values");
    let text = error.to_string();
    for expected in ["`visits` (registered 0, here 7)", "`token` (registered [redacted]", "`version`", "pin", "Adopt"] {
        assert!(text.contains(expected), "{expected} is missing in: {text}");
    }
    assert!(!text.contains("swordfish") && !text.contains("sesame"), "{text}");
}

#[test]
fn p10_adopting_after_a_change_of_type_says_that_the_type_changed() {
    let shared = session_tests::Shared::new(used(), "mistakes");
    let adopting = Kept::<retyped::Visitor, _>::builder(shared).agreement(Agreement::Adopt).build();
    let error = now(adopting.prepare()).expect_err("a number is no text");
    assert!(matches!(&error, Error::RegisteredType { field, .. } if **field == *"visits"), "{error}");
    assert!(error.to_string().contains("the type of the field `visits` changed"), "{error}");
}
