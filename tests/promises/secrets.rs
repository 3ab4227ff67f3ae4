//! Keys and values are not shown where they do not belong.

use std::error::Error as _;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use session_runtime::expiry::ClockOffset;
use session_runtime::legacy::{Legacy, Old};
use session_runtime::store::{Housekeeping, RegisteredField, Registration, RegistrationId, Store};
use session_runtime::{Agreement, Error, Outcome, PostgresOptions, RedisOptions, Session};
use session_tests::{Events, Fault, Kept, now, write};

use crate::visitor::{Item, Visitor, builder, sessions, test_store};

const KEY: &str = "key-of-a-chat";
const OTHER_KEY: &str = "key-of-another-chat";
const VALUE: &str = "value-of-a-field";

#[tokio::test]
async fn secrets_no_event_shows_a_key_or_a_value() {
    let (events, _guard) = Events::capture();
    let sessions = builder::<Visitor>().build();
    sessions.update(KEY, |visitor| *visitor.edit().theme() = VALUE.to_owned()).await.expect("a commit");
    let mut one = sessions.load(KEY).await.expect("a load");
    let mut other = sessions.load(KEY).await.expect("a load");
    one.edit().cart().push(Item::new(VALUE, 1));
    *other.edit().theme() = format!("{VALUE} again");
    one.commit().await.expect("a commit");
    other.commit().await.expect("a commit");
    sessions.store().inner().fail_commit(Fault::LostAfter);
    other.edit().theme().push('!');
    other.commit().await.expect_err("the answer is lost");
    drop(other);
    one.renew(OTHER_KEY).await.expect("a renewal");
    one.destroy().await.expect("a removal");

    let lines = events.take();
    for word in ["loaded", "committed", "rebasing", "dropped with uncommitted changes"] {
        assert!(lines.iter().any(|line| line.contains(word)), "no event says `{word}`: {lines:#?}");
    }
    for line in &lines {
        for secret in [KEY, OTHER_KEY, VALUE] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[tokio::test]
async fn secrets_events_tell_keys_apart_by_a_hash() {
    let (events, _guard) = Events::capture();
    let sessions = sessions::<Visitor>();
    for key in [KEY, OTHER_KEY, KEY] {
        sessions.load(key).await.expect("a load");
    }
    let mut lines = events.take();
    lines.retain(|line| line.contains("message=loaded"));
    let hashes: Vec<_> =
        lines.iter().filter_map(|line| line.split(' ').find_map(|word| word.strip_prefix("key="))).collect();
    let [one, other, again] = hashes.as_slice() else { panic!("{lines:?}") };
    assert_eq!(one, again);
    assert_ne!(one, other);
}

/// A value whose errors show it, as those of many types do.
#[derive(Debug, Default, Clone)]
struct Loud(String);

impl Serialize for Loud {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.starts_with("bad") {
            return Err(serde::ser::Error::custom(format!("cannot encode {}", self.0)));
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Loud {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.starts_with("bad") {
            return Err(serde::de::Error::custom(format!("cannot decode {text}")));
        }
        Ok(Self(text))
    }
}

#[derive(Session, Debug)]
#[session(name = "secrets-patient")]
struct Patient {
    #[session(sensitive)]
    diagnosis: Loud,
    remark: Loud,
}

#[derive(Session)]
#[session(name = "secrets-ward")]
struct Ward {
    #[session(nested, sensitive)]
    patient: Remarks,
}

#[derive(Session)]
#[session(name = "secrets-remarks")]
struct Remarks {
    remark: Loud,
}

#[test]
fn secrets_every_field_of_a_sensitive_nested_session_is_sensitive() {
    let sessions = sessions::<Ward>();
    let mut ward = now(sessions.load("42")).expect("a load");
    *ward.edit().patient().remark() = Loud("bad luck".to_owned());
    let error = now(ward.commit()).expect_err("it cannot be encoded");
    assert!(!shown(&error).contains("bad luck"), "{}", shown(&error));
    ward.discard();
}

/// Everything that an error shows, with its sources.
fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text.extend([error.to_string(), format!("{error:?}")]);
        source = error.source();
    }
    text
}

#[tokio::test]
async fn secrets_an_encode_error_shows_no_sensitive_value() {
    let sessions = sessions::<Patient>();
    let mut patient = sessions.load("42").await.expect("a load");
    *patient.edit().remark() = Loud("bad luck".to_owned());
    let error = patient.commit().await.expect_err("it cannot be encoded");
    assert!(shown(&error).contains("bad luck"), "an ordinary field's error tells why");
    *patient.edit().remark() = Loud::default();
    *patient.edit().diagnosis() = Loud("bad luck".to_owned());
    let error = patient.commit().await.expect_err("it cannot be encoded");
    assert!(matches!(&error, Error::Encode { field, .. } if &**field == "diagnosis"));
    assert!(!shown(&error).contains("bad luck"), "{}", shown(&error));
    patient.discard();
}

#[tokio::test]
async fn secrets_a_decode_error_shows_no_sensitive_value() {
    let store = test_store();
    let sessions = Kept::<Patient, _>::new(store.clone());
    let sick = |patient: &mut session_runtime::Handle<Patient>| patient.edit().diagnosis().0 = "flu".to_owned();
    sessions.update("42", sick).await.expect("a commit");
    write(&store, "secrets-patient", "42", &[("remark", Some(r#""bad luck""#))]).await;
    let error = sessions.load("42").await.expect_err("it cannot be decoded");
    assert!(shown(&error).contains("bad luck"), "an ordinary field's error tells why");
    let hidden = [("remark", None), ("diagnosis", Some(r#""bad luck""#))];
    write(&store, "secrets-patient", "42", &hidden).await;
    let error = sessions.load("42").await.expect_err("it cannot be decoded");
    assert!(matches!(&error, Error::Decode { field, .. } if &**field == "diagnosis"));
    assert!(!shown(&error).contains("bad luck"), "{}", shown(&error));
}

fn registered(sensitive: bool) -> Registration {
    let field = |name: &str, initial: &'static str, sensitive| RegisteredField {
        name: name.into(),
        initial: Some(initial.into()),
        sensitive,
    };
    Registration {
        id: RegistrationId(7),
        name: "secrets-patient".into(),
        version: 0,
        codec: "json".into(),
        fields: vec![field("diagnosis", r#""flu""#, sensitive), field("remark", r#""tall""#, false)],
    }
}

#[tokio::test]
async fn secrets_a_mismatch_shows_no_sensitive_value() {
    // Whether the field is sensitive in this build, or in the one that registered it.
    for sensitive in [true, false] {
        let store = test_store();
        store.register(&registered(sensitive)).await.expect("a registration");
        let initial = || Patient { diagnosis: Loud("cold".to_owned()), remark: Loud("small".to_owned()) };
        let sessions = Kept::<Patient, _>::builder(store).initial(initial).agreement(Agreement::Refuse).build();
        let error = sessions.prepare().await.expect_err("both values differ");
        let text = shown(&error);
        for (word, is_shown) in [("tall", true), ("small", true), ("flu", false), ("cold", false)] {
            assert_eq!(text.contains(word), is_shown, "{word}: {text}");
        }
    }
}

#[tokio::test]
async fn secrets_debug_shows_no_sensitive_initial_value() {
    let text = format!("{:?}", registered(true));
    // However the bytes are written.
    let bytes = format!("{:?}", Bytes::from_static(br#""flu""#));
    assert!(!text.contains("flu") && !text.contains(&bytes), "{text}");
    let store = session_runtime::MemoryStore::new();
    store.register(&registered(true)).await.expect("a registration");
    assert!(!format!("{store:?}").contains("flu"), "{store:?}");
}

#[tokio::test]
async fn secrets_debug_shows_neither_keys_nor_values_of_what_the_runtime_hands_out() {
    let sessions = Kept::<Visitor, _>::new(session_runtime::MemoryStore::new());
    let mut visitor = sessions.load(KEY).await.expect("a load");
    *visitor.edit().theme() = VALUE.to_owned();
    let committed = visitor.commit().await.expect("a commit");
    assert_eq!(committed.outcome(), Outcome::Created);
    let mut tracked = session_runtime::Tracked::<Visitor>::new().expect("a session");
    *tracked.edit().theme() = VALUE.to_owned();
    let patch = tracked.patch().expect("a patch");
    let all = Kept::<Visitor, _>::builder(sessions.store().clone());
    for (text, names) in [
        (format!("{:?}", *sessions), &["Sessions", "visitor"][..]),
        (format!("{all:?}"), &["SessionsBuilder", "visitor"]),
        (format!("{committed:?}"), &["Created", "theme"]),
        (format!("{:?}", committed.fields()), &["theme"]),
        (format!("{patch:?}"), &["theme"]),
        (format!("{tracked:?}"), &["Tracked", "marks: true"]),
        (format!("{visitor:?}"), &["Handle"]),
        (format!("{:?}", sessions.store()), &["MemoryStore"]),
    ] {
        assert!(!text.contains(KEY) && !text.contains(VALUE), "{text}");
        assert!(names.iter().all(|name| text.contains(name)), "{names:?} help to tell what it is: {text}");
    }
}

#[test]
fn secrets_an_error_about_a_key_does_not_show_it() {
    let sessions = sessions::<Visitor>();
    let long = KEY.repeat(100);
    let error = now(sessions.load(&long)).expect_err("too long");
    assert!(!shown(&error).contains(KEY));
}

#[tokio::test]
async fn secrets_no_search_and_no_old_session_shows_a_key_or_a_value() {
    #[derive(Session)]
    #[session(name = "secret-member")]
    struct Member {
        #[session(index)]
        user: String,
    }
    let sessions = sessions::<Member>();
    let member = || Member { user: VALUE.to_owned() };
    sessions.update(KEY, |member| *member.edit().user() = VALUE.to_owned()).await.expect("a login");
    let user = VALUE.to_owned();
    let mut search = sessions.find(MemberIndex::User(&user));
    let began = format!("{search:?}");
    let found = search.next().await.expect("a session").expect("a search");
    let old = Old::new(member());
    let legacy = Legacy::until(SystemTime::now(), |_| async { Ok(None::<Old<Member>>) });
    let shown = [began, format!("{search:?}"), format!("{found:?}"), format!("{old:?}"), format!("{legacy:?}")];
    for (shown, name) in shown.iter().zip(["FoundSessions", "FoundSessions", "FoundSession", "Old", "Legacy"]) {
        assert!(shown.starts_with(name) && !shown.contains(KEY) && !shown.contains(VALUE), "{shown}");
    }
}

#[test]
fn secrets_no_options_and_no_store_show_a_password() {
    let redis = RedisOptions::new("redis://app:hunter2@db").prefix("shop:");
    let shown =
        format!("{redis:?} {:?} {:?}", redis.clone().build(), PostgresOptions::new("postgres://app:hunter2@db"));
    assert!(shown.contains("shop:") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn secrets_a_listing_of_keys_shows_none() {
    let store = test_store();
    Kept::<Visitor, _>::new(store.clone())
        .update(KEY, |visitor| visitor.edit().theme().push('!'))
        .await
        .expect("a commit");
    let listed = store.keys("visitor", None, 1, ClockOffset(0)).await.expect("a listing");
    assert!(listed.keys[0].id() == KEY && listed.next.is_some());
    assert!(!format!("{listed:?}").contains(&format!("{:?}", KEY.as_bytes())[1..20]), "{listed:?}");
    assert!(!format!("{listed:?}").contains(KEY), "{listed:?}");
}
