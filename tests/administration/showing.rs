use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use session_runtime::codec::{Codec, CodecError, Json};
use session_runtime::expiry::ClockOffset;
use session_runtime::{Admin, Expiry, MemoryStore, MessagePack, Session};
use session_tests::{Kept, write};

use crate::place::{Item, Visitor, stores};

async fn fill<S: session_runtime::store::Store>(sessions: &Kept<Visitor, S>) {
    let change = |visitor: &mut session_runtime::Handle<Visitor>| {
        *visitor.edit().visits() = 3;
        "swordfish".clone_into(visitor.edit().token());
        visitor.edit().cart().push(Item { sku: "A1".to_owned() });
    };
    sessions.update("42", change).await.expect("a commit");
}

/// Takes out when it was created, which is about now.
fn without_creation(mut shown: Value) -> Value {
    let created = shown.as_object_mut().and_then(|shown| shown.remove("created")).expect("a date");
    let year = created.as_str().and_then(|date| date.split_once('-')).expect("a date").0;
    assert!(year.parse::<u32>().is_ok_and(|year| year >= 2025), "{created}");
    shown
}

#[tokio::test]
async fn a_session_is_shown_with_its_header_and_all_its_fields() {
    for store in stores().await {
        let sessions = Kept::<Visitor, _>::new(store.clone());
        fill(&sessions).await;
        let expected = json!({
            "name": "visitor",
            "key": "42",
            "expires": null,
            "own_lifetime_ms": null,
            "revision": 1,
            "version": 3,
            "codec": "json",
            "fields": {
                "visits": { "stored": true, "value": 3 },
                "theme": { "stored": false, "value": "light" },
                "token": { "stored": true, "redacted": true },
                "cart": { "stored": true, "value": [{ "sku": "A1" }] },
            },
        });
        let typed = sessions.inspect("42").await.expect("a look").expect("it is stored");
        assert_eq!(without_creation(typed), expected);
        let untyped = Admin::new(store).inspect("visitor", "42").await.expect("a look").expect("it is stored");
        assert!(!format!("{untyped:?}").contains("A1"), "{untyped:?}");
        assert_eq!(without_creation(untyped.to_json()), expected);
    }
}

#[tokio::test]
async fn what_is_not_stored_is_not_shown() {
    for store in stores().await {
        let sessions = Kept::<Visitor, _>::new(store);
        sessions.load("read").await.expect("a load").commit().await.expect("nothing to do");
        sessions.update("emptied", |visitor| *visitor.edit().visits() = 1).await.expect("a commit");
        sessions.update("emptied", |visitor| *visitor.edit().visits() = 0).await.expect("a commit");
        for key in ["never", "read", "emptied"] {
            assert_eq!(sessions.inspect(key).await.expect("a look"), None, "{key}");
        }
        assert!(sessions.inspect("").await.is_err(), "no key");
    }
}

#[tokio::test]
async fn to_look_at_a_session_is_no_activity() {
    let minute = Duration::from_secs(60);
    for store in stores().await {
        let sessions = Kept::<Visitor, _>::builder(store.clone()).expiry(Expiry::AfterInactivity(10 * minute)).build();
        fill(&sessions).await;
        let at = |minutes: i64| Admin::new(store.clone()).clock_offset(ClockOffset(minutes * 60_000));
        let expires = async |minutes| {
            let shown = at(minutes).inspect("visitor", "42").await.expect("a look")?;
            shown.head.expires_at
        };
        let before = expires(0).await.expect("a date");
        assert_eq!(expires(9).await, Some(before));
        assert_eq!(expires(11).await, None);
    }
}

#[tokio::test]
async fn the_date_that_a_handler_set_is_shown() {
    let store = MemoryStore::new();
    let sessions = Kept::<Visitor, _>::new(store);
    let mut visitor = sessions.load("42").await.expect("a load");
    *visitor.edit().visits() = 1;
    visitor.expire_at(SystemTime::UNIX_EPOCH + Duration::from_millis(4_102_444_800_250));
    visitor.commit().await.expect("a commit");
    let shown = sessions.inspect("42").await.expect("a look").expect("it is stored");
    assert_eq!(shown["expires"], "2100-01-01T00:00:00.250Z");
    visitor.expire_after(Duration::from_secs(30 * 24 * 3600));
    visitor.commit().await.expect("a commit");
    let shown = sessions.inspect("42").await.expect("a look").expect("it is stored");
    assert_eq!(shown["own_lifetime_ms"], 30_u64 * 24 * 3600 * 1000);
}

#[tokio::test]
async fn values_are_redacted_when_it_is_not_known_whether_they_are_sensitive() {
    for store in stores().await {
        let sessions = Kept::<Visitor, _>::new(store.clone());
        fill(&sessions).await;
        write(&store, "visitor", "42", &[("of_another_build", Some("\"secret\""))]).await;
        let shown = sessions.inspect("42").await.expect("a look").expect("it is stored");
        assert_eq!(shown["fields"]["of_another_build"], json!({ "stored": true, "redacted": true }));
        assert_eq!(shown["fields"]["visits"], json!({ "stored": true, "value": 3 }));

        Admin::new(store).withdraw("visitor", 3).await.expect("an answer");
        let shown = sessions.inspect("42").await.expect("a look").expect("it is stored");
        assert_eq!(shown["codec"], Value::Null);
        let redacted = json!({ "stored": true, "redacted": true });
        let names = ["visits", "token", "cart", "of_another_build"];
        let all: serde_json::Map<_, _> = names.into_iter().map(|name| (name.to_owned(), redacted.clone())).collect();
        assert_eq!(shown["fields"], Value::Object(all));
    }
}

/// A build that came later and knows better what is sensitive. It only looks, so it claims no name.
#[derive(Session)]
#[session(name = "visitor", version = 3)]
struct Careful {
    #[session(sensitive)]
    visits: u32,
    #[session(sensitive, alias = "theme", initial = "light".to_owned())]
    look: String,
}

#[tokio::test]
async fn what_the_type_marks_as_sensitive_is_redacted_whatever_the_registration_says() {
    let store = MemoryStore::new();
    fill(&Kept::<Visitor, _>::new(store.clone())).await;
    let careful = Kept::<Careful, _>::new(store);
    let shown = careful.inspect("42").await.expect("a look").expect("it is stored");
    assert_eq!(shown["fields"]["visits"], json!({ "stored": true, "redacted": true }));
    assert_eq!(shown["fields"]["theme"], json!({ "stored": false, "redacted": true }));
    assert_eq!(shown["fields"]["cart"]["value"], json!([{ "sku": "A1" }]));
}

#[derive(Session)]
#[session(name = "pinned")]
struct Pinned {
    #[session(pin, initial = 7)]
    number: u32,
    visits: u32,
}

#[tokio::test]
async fn a_pinned_field_that_is_not_stored_has_no_value_to_show() {
    let store = MemoryStore::new();
    let sessions = Kept::<Pinned, _>::new(store.clone());
    sessions.update("42", |pinned| *pinned.edit().visits() = 1).await.expect("a commit");
    let shown = sessions.inspect("42").await.expect("a look").expect("it is stored");
    assert_eq!(shown["fields"]["number"], json!({ "stored": true, "value": 7 }));
    write(&store, "pinned", "42", &[("number", None)]).await;
    let shown = sessions.inspect("42").await.expect("a look").expect("it is stored");
    assert_eq!(shown["fields"]["number"], json!({ "stored": false }));
}

#[tokio::test]
async fn values_in_messagepack_are_shown_as_json() {
    let sessions = Kept::<Visitor, _>::builder(MemoryStore::new()).codec(MessagePack).build();
    let change = |visitor: &mut session_runtime::Handle<Visitor, MessagePack>| {
        *visitor.edit().visits() = 12;
        visitor.edit().cart().push(Item { sku: "A1".to_owned() });
    };
    sessions.update("42", change).await.expect("a commit");
    let shown = sessions.inspect("42").await.expect("a look").expect("it is stored");
    assert_eq!(shown["codec"], "msgpack");
    assert_eq!(shown["fields"]["visits"], json!({ "stored": true, "value": 12 }));
    assert_eq!(shown["fields"]["theme"], json!({ "stored": false, "value": "light" }));
    assert_eq!(shown["fields"]["cart"], json!({ "stored": true, "value": [{ "sku": "A1" }] }));
}

/// JSON, back to front.
#[derive(Debug, Clone)]
struct Backwards;

impl Codec for Backwards {
    const NAME: &'static str = "backwards";

    fn encode<V: Serialize + ?Sized>(&self, value: &V, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = out.len();
        Json.encode(value, out)?;
        out[start..].reverse();
        Ok(())
    }

    fn decode<V: DeserializeOwned>(&self, bytes: &[u8]) -> Result<V, CodecError> {
        Json.decode(&bytes.iter().rev().copied().collect::<Vec<_>>())
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_shown_as_json_is_shown_in_hex() {
    let store = MemoryStore::new();
    let sessions = Kept::<Visitor, _>::builder(store.clone()).codec(Backwards).build();
    sessions.update("42", |visitor| *visitor.edit().visits() = 12).await.expect("a commit");
    let shown = sessions.inspect("42").await.expect("a look").expect("it is stored");
    assert_eq!(shown["codec"], "backwards");
    assert_eq!(shown["fields"]["visits"], json!({ "stored": true, "hex": "3231" }));
    assert_eq!(shown["fields"]["token"], json!({ "stored": false, "redacted": true }));

    let store = MemoryStore::new();
    let sessions = Kept::<Visitor, _>::new(store.clone());
    sessions.update("42", |visitor| *visitor.edit().visits() = 12).await.expect("a commit");
    write(&store, "visitor", "42", &[("visits", Some("1 2"))]).await;
    let shown = sessions.inspect("42").await.expect("a look").expect("it is stored");
    assert_eq!(shown["fields"]["visits"], json!({ "stored": true, "hex": "312032" }));
}
