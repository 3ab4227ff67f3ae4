//! What the check says of changes that the table does not have.

use std::any::type_name;
use std::collections::{BTreeSet, HashSet};

use session_runtime::check::{self, Difference, Rule, Snapshot};
use session_runtime::{Agreement, MemoryStore, MessagePack, Session, Sessions};

mod first {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "light".to_owned())]
        pub theme: String,
    }
}

mod pinned {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
        #[session(pin, initial = "light".to_owned())]
        pub theme: String,
    }
}

mod dark {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
        #[session(initial = "dark".to_owned())]
        pub theme: String,
    }
}

mod counting {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub visits: u32,
    }
}

mod renamed {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        #[session(alias = "visits")]
        pub requests: u32,
        #[session(initial = "light".to_owned())]
        pub theme: String,
    }
}

mod forgetful {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor")]
    pub struct Visitor {
        pub requests: u32,
        #[session(initial = "light".to_owned())]
        pub theme: String,
    }
}

mod later {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor", version = 4, from = super::first::Visitor)]
    pub struct Visitor {
        pub visits: u64,
    }

    impl From<super::first::Visitor> for Visitor {
        fn from(first: super::first::Visitor) -> Self {
            Self { visits: first.visits.into() }
        }
    }
}

mod forgetting {
    #[derive(session_runtime::Session)]
    #[session(name = "visitor", version = 4)]
    pub struct Visitor {
        pub visits: u64,
    }
}

fn sessions<T: Session>() -> Sessions<T> {
    Sessions::new(MemoryStore::new())
}

fn of<T: Session>() -> Snapshot {
    Snapshot::of(&sessions::<T>()).expect("a snapshot")
}

/// The same with the path of another type: builds of a type have one, which a process has only once.
fn moved<Old, New>(snapshot: &Snapshot) -> Snapshot {
    snapshot.to_string().replace(type_name::<Old>(), type_name::<New>()).parse().expect("a snapshot")
}

fn said<T: Session>(deployed: &Snapshot) -> Vec<Difference> {
    check::compare(deployed, &sessions::<T>()).expect("it can be served")
}

fn rules<Old: Session, New: Session>() -> Vec<Rule> {
    said::<New>(&moved::<Old, New>(&of::<Old>())).iter().map(Difference::rule).collect()
}

#[test]
fn a_session_by_another_name_leaves_the_stored_ones_behind() {
    let shop = Sessions::<first::Visitor>::builder(MemoryStore::new()).name("shop.visitor").build();
    let found = check::compare(&of::<first::Visitor>(), &shop).expect("it can be served");
    assert_eq!(found.iter().map(Difference::rule).collect::<Vec<_>>(), [Rule::Name]);
    assert_eq!(found[0].attribute(), Some("#[session(name = \"visitor\")]"));
    assert!(found[0].to_string().starts_with("the sessions are called `shop.visitor` and were called `visitor`: "));
}

#[test]
fn another_codec_is_refused_and_its_own_values_are_not() {
    let packed = Sessions::<first::Visitor>::builder(MemoryStore::new()).codec(MessagePack).build();
    let found = check::compare(&of::<first::Visitor>(), &packed).expect("it can be served");
    assert_eq!(found.iter().map(Difference::rule).collect::<Vec<_>>(), [Rule::Codec]);
    let snapshot = Snapshot::of(&packed).expect("a snapshot");
    assert!(snapshot.to_string().contains(r#""initial": "light""#), "values are readable with every codec");
    assert_eq!(check::compare(&snapshot, &packed).expect("it can be served"), []);
}

#[test]
fn a_type_that_moved_passes_and_one_that_changed_on_the_way_does_not() {
    let found = said::<dark::Visitor>(&of::<first::Visitor>());
    assert_eq!(found.iter().map(Difference::rule).collect::<Vec<_>>(), [Rule::Initial], "it has the same fields");
    let found = said::<counting::Visitor>(&of::<first::Visitor>());
    let has_moved = found.iter().find(|one| one.rule() == Rule::Type).expect("a store would refuse it").to_string();
    assert!(has_moved.contains("checked::counting::Visitor` and was `"), "{has_moved}");
}

#[test]
fn an_alias_has_to_stay_as_long_as_the_version() {
    assert_eq!(rules::<first::Visitor, renamed::Visitor>(), []);
    let found = said::<forgetful::Visitor>(&moved::<renamed::Visitor, forgetful::Visitor>(&of::<renamed::Visitor>()));
    assert_eq!(found.iter().map(Difference::rule).collect::<Vec<_>>(), [Rule::Alias]);
    assert_eq!((found[0].field(), found[0].attribute()), (Some("requests"), Some("#[session(alias = \"visits\")]")));
}

#[test]
fn a_version_is_not_lowered_and_is_raised_from_the_type_that_is_deployed() {
    assert_eq!(rules::<later::Visitor, first::Visitor>(), [Rule::Lowered]);
    assert_eq!(rules::<first::Visitor, later::Visitor>(), [Rule::Raised]);
    let found = said::<later::Visitor>(&of::<renamed::Visitor>());
    assert_eq!(found.iter().map(Difference::rule).collect::<Vec<_>>(), [Rule::Renamed, Rule::Raised]);
    let of_older = found[0].to_string();
    assert!(
        of_older.starts_with("the type of version 0 that `from` leads to is not the one that is deployed"),
        "{of_older}"
    );
}

#[test]
fn versions_that_are_still_stored_have_to_stay_readable() {
    assert_eq!(rules::<later::Visitor, forgetting::Visitor>(), [Rule::NoMigration]);
    assert_eq!(rules::<first::Visitor, forgetting::Visitor>(), [Rule::NoMigration]);
    assert_eq!(rules::<forgetting::Visitor, later::Visitor>(), []);
}

#[test]
fn a_registered_value_is_adopted_where_the_program_asks_for_it() {
    let deployed = moved::<first::Visitor, dark::Visitor>(&of::<first::Visitor>());
    let adopting = Sessions::<dark::Visitor>::builder(MemoryStore::new()).agreement(Agreement::Adopt).build();
    assert_eq!(check::compare(&deployed, &adopting).expect("it can be served"), []);
    assert_eq!(rules::<first::Visitor, dark::Visitor>(), [Rule::Initial]);
}

#[test]
fn pin_comes_and_goes() {
    assert_eq!(rules::<first::Visitor, pinned::Visitor>(), []);
    assert_eq!(rules::<pinned::Visitor, first::Visitor>(), []);
}

mod loud {
    #[derive(session_runtime::Session)]
    #[session(name = "player")]
    pub struct Player {
        #[session(initial = 200)]
        pub volume: u8,
    }
}

mod in_percent {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "u8")]
    pub struct Percent(u8);

    impl TryFrom<u8> for Percent {
        type Error = &'static str;

        fn try_from(number: u8) -> Result<Self, Self::Error> {
            if number <= 100 { Ok(Self(number)) } else { Err("more than all") }
        }
    }

    #[derive(session_runtime::Session)]
    #[session(name = "player")]
    pub struct Player {
        #[session(initial = Percent(100))]
        pub volume: Percent,
    }
}

#[tokio::test]
async fn a_registered_value_that_a_type_refuses_is_adopted_by_nobody() {
    let (store, deployed) = (MemoryStore::new(), of::<loud::Player>());
    Sessions::<loud::Player>::new(store.clone()).prepare().await.expect("the first");
    for agreement in [Agreement::Refuse, Agreement::Adopt] {
        let coming = Sessions::<in_percent::Player>::builder(store.clone()).agreement(agreement).build();
        let found = check::compare(&moved::<loud::Player, in_percent::Player>(&deployed), &coming).expect("a check");
        assert_eq!(found.iter().map(Difference::rule).collect::<Vec<_>>(), [Rule::Initial]);
        let refusal = found[0].to_string();
        assert!(refusal.starts_with("the field `volume` cannot hold 200, which is its registered"), "{refusal}");
        assert!(coming.prepare().await.is_err(), "it does not start either");
    }
}

mod sets {
    use super::*;

    #[derive(Session)]
    #[session(name = "sets")]
    pub struct Visitor {
        #[session(initial = (0..20).collect())]
        pub free: HashSet<u8>,
        #[session(initial = (0..20).collect())]
        pub sorted: BTreeSet<u8>,
        #[session(initial = u128::MAX)]
        pub large: u128,
        #[session(initial = 0.1)]
        pub share: f64,
        #[session(initial = None)]
        pub nothing: Option<u8>,
        #[session(sensitive, initial = "swordfish".to_owned())]
        pub secret: String,
    }
}

mod other_secret {
    use super::*;

    #[derive(Session)]
    #[session(name = "sets")]
    pub struct Visitor {
        #[session(initial = (0..20).rev().collect())]
        pub free: HashSet<u8>,
        #[session(initial = (0..20).collect())]
        pub sorted: BTreeSet<u8>,
        #[session(initial = u128::MAX - 1)]
        pub large: u128,
        #[session(initial = 0.1)]
        pub share: f64,
        #[session(initial = None)]
        pub nothing: Option<u8>,
        #[session(sensitive, initial = "hunter2".to_owned())]
        pub secret: String,
    }
}

#[test]
fn values_of_any_type_are_compared_as_values_and_secrets_are_not_shown() {
    let snapshot = of::<sets::Visitor>();
    assert!(!snapshot.to_string().contains("swordfish"), "{snapshot}");
    let read: Snapshot = snapshot.to_string().parse().expect("a snapshot");
    assert_eq!(read, snapshot);
    assert_eq!(said::<sets::Visitor>(&read), []);
    let found = said::<other_secret::Visitor>(&moved::<sets::Visitor, other_secret::Visitor>(&snapshot));
    assert_eq!(found.iter().map(Difference::field).collect::<Vec<_>>(), [Some("large"), Some("secret")]);
    assert!(found.iter().all(|one| one.rule() == Rule::Initial));
    let secret = found[1].to_string();
    assert!(secret.starts_with("the initial value of `secret` is [redacted] and was [redacted]: "), "{secret}");
}

#[test]
fn what_is_no_snapshot_is_told_with_the_reason() {
    let reason = |text: &str| {
        let error = text.parse::<Snapshot>().expect_err("no snapshot");
        assert_eq!(error.to_string(), "this is no snapshot of a session type");
        std::error::Error::source(&error).expect("a reason").to_string()
    };
    assert_eq!(reason("[workspace]"), "expected value at line 1 column 2");
    let text = of::<first::Visitor>().to_string();
    assert!(reason(&text.replace("\"version\"", "\"vision\"")).contains("unknown field `vision`"));
    assert!(reason(&text.replace("\"session_snapshot\": 1", "\"session_snapshot\": 2")).starts_with("it has form 2"));
    assert!(reason(&text[..text.len() / 2]).contains("EOF"));
}

#[test]
fn a_damaged_file_does_no_harm() {
    let text = of::<sets::Visitor>().to_string();
    for (at, _) in text.char_indices() {
        for with in ["", "9", "[", "\"", "null"] {
            let damaged = [&text[..at], with, &text[at + 1..]].concat();
            if let Ok(snapshot) = damaged.parse() {
                _ = said::<sets::Visitor>(&snapshot);
            }
        }
    }
}
