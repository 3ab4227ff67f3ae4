//! Sessions that are as large or as odd as they may be.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::fixture::{Fixture, are};
use super::odd::odd_keys;
use super::visiting::{Logged, committing, load, loading, with_a_visitor};
use crate::codec::{Codec, CodecError, Json};
use crate::store::{Call, Key};
use crate::{Error, Limits, Outcome, Session};

/// A session that is larger than the limits allow is refused before anything is sent, and one that is as large is not.
pub(super) async fn p13_a_session_that_is_too_large_is_not_sent(fixture: Fixture) {
    let id = fixture.id("42");
    with_a_visitor(&fixture, &id).await;
    let limits = Limits { field: 20, record: 30 };
    let sessions = fixture.sessions_with::<super::visiting::Visitor, _>(|builder| builder.limits(limits));
    let mut visitor = load(&sessions, &id).await;

    *visitor.edit().theme() = "x".repeat(19);
    let refused = visitor.commit().await.expect_err("21 bytes with the quotes");
    assert!(matches!(&refused, Error::TooLarge { field: Some(field), size: 21, limit: 20 } if **field == *"theme"));
    // One visit more, seven bytes of a cart and twenty of a theme are 28; the cart grows to eleven.
    *visitor.edit().theme() = "x".repeat(18);
    *visitor.edit().cart() = vec!["tea leaf".to_owned()];
    let refused = visitor.commit().await.expect_err("33 bytes");
    assert!(matches!(refused, Error::TooLarge { field: None, size: 33, limit: 30 }), "{refused:?}");
    assert_eq!(sessions.calls(), [loading(&id)], "nothing was sent");
    assert_eq!(fixture.stored(&id).await, are(&[("visits", "2"), ("cart", r#"["tea"]"#)]));

    let theme = format!("\"{}\"", "x".repeat(18));
    *visitor.edit().cart() = vec!["green".to_owned()];
    visitor.commit().await.expect("as large as it may be");
    let set = [("theme", theme.as_str()), ("cart", r#"["green"]"#)];
    assert_eq!(sessions.calls(), [committing(&id, &set, &[])]);
}

/// A field of a mebibyte, the default limit, comes back as it was; one byte more is refused.
pub(super) async fn p13_a_field_of_a_mebibyte_comes_back(fixture: Fixture) {
    let (sessions, id) = (fixture.visitors(), fixture.id("large"));
    // The quotes of JSON are two bytes of it.
    let theme: String = ('a'..='z').cycle().take((1 << 20) - 2).collect();
    let mut visitor = load(&sessions, &id).await;
    visitor.edit().theme().clone_from(&theme);
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Created);
    let mut visitor = load(&sessions, &id).await;
    assert!(visitor.theme == theme, "a large field came back changed");
    visitor.edit().theme().push('z');
    assert!(matches!(visitor.commit().await, Err(Error::TooLarge { field: Some(_), size: 1_048_577, .. })));
    visitor.edit().theme().clear();
    assert_eq!(visitor.commit().await.expect("a commit").outcome(), Outcome::Updated);
    assert_eq!(fixture.stored(&id).await, are(&[("theme", r#""""#)]), "an empty value differs from the initial one");
    assert_eq!(load(&sessions, &id).await.theme, "");
}

macro_rules! test_store {
    ($($field:ident)*) => {
        /// Twenty fields.
        #[derive(Session)]
        #[session(crate = crate)]
        struct Row {
            $($field: u32,)*
        }

        impl Row {
            fn fields(&mut self) -> [&mut u32; 20] {
                [$(&mut self.$field),*]
            }
        }
    };
}

macro_rules! library {
    ($($row:ident)*) => {
        /// Two hundred fields.
        #[derive(Session)]
        #[session(crate = crate, name = "conformance-library")]
        struct Library {
            $(#[session(nested)] $row: Row,)*
        }

        impl Library {
            fn fields(&mut self) -> Vec<&mut u32> {
                [$(self.$row.fields()),*].into_iter().flatten().collect()
            }
        }
    };
}

test_store! { a b c d e f g h i j k l m n o p q r s t }
library! { r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 }

/// How many fields a commit sets and removes.
fn size(call: &Call) -> (usize, usize) {
    match call {
        Call::Commit { set, unset, .. } => (set.len(), unset.len()),
        other => panic!("a commit was expected, not {other:?}"),
    }
}

/// Two hundred fields are stored, changed in part, and removed, by one commit each.
pub(super) async fn p04_two_hundred_fields_of_a_session_are_one_commit(fixture: Fixture) {
    let (sessions, id) = (fixture.sessions::<Library>(), fixture.id("library"));
    let mut library = load(&sessions, &id).await;
    for (value, field) in (1..).zip(library.edit_all().fields()) {
        *field = value;
    }
    assert_eq!(library.commit().await.expect("a commit").fields().len(), 200);
    let calls = sessions.calls();
    assert_eq!(calls.iter().skip(1).map(size).collect::<Vec<_>>(), [(200, 0)]);

    let mut library = load(&sessions, &id).await;
    let values: Vec<u32> = library.edit_all().fields().into_iter().map(|field| *field).collect();
    assert_eq!(values, (1..=200).collect::<Vec<_>>());
    library.edit_all().fields().into_iter().step_by(20).for_each(|field| *field += 1_000);
    library.edit_all().fields().into_iter().skip(1).step_by(20).for_each(|field| *field = 0);
    assert_eq!(library.commit().await.expect("a commit").outcome(), Outcome::Updated);
    let calls = sessions.calls();
    assert_eq!(calls.iter().skip(1).map(size).collect::<Vec<_>>(), [(10, 10)]);

    let mut library = load(&sessions, &id).await;
    library.edit_all().fields().into_iter().for_each(|field| *field = 0);
    assert_eq!(library.commit().await.expect("a commit").outcome(), Outcome::Removed);
    let calls = sessions.calls();
    assert_eq!(calls.iter().skip(1).map(size).collect::<Vec<_>>(), [(0, 190)]);
    assert!(load(&sessions, &id).await.is_new());
}

/// Odd keys name sessions of their own, from their first commit to their end.
pub(super) async fn p13_odd_keys_name_sessions_of_their_own(fixture: Fixture) {
    let sessions = fixture.visitors();
    assert!(matches!(sessions.load("").await, Err(Error::InvalidKey(_))));
    assert!(matches!(sessions.load(&"k".repeat(Key::MAX_LEN + 1)).await, Err(Error::InvalidKey(_))));
    let room = Key::MAX_LEN - fixture.id("").len();
    let fits = |id: &String| id.len() <= room;
    let longest = ["x", "y"].map(|end| "k".repeat(room - 1) + end);
    let ids: Vec<String> = odd_keys().into_iter().filter(fits).chain(longest).map(|id| fixture.id(&id)).collect();
    for id in &ids {
        let change = |visitor: &mut crate::Handle<super::visiting::Visitor>| {
            assert!(visitor.is_new(), "{id:?} is mixed up with another key");
            visitor.edit().theme().clone_from(id);
        };
        sessions.update(id, change).await.expect("a commit");
    }
    for id in &ids {
        let mut visitor = load(&sessions, id).await;
        assert_eq!((visitor.key(), visitor.theme.as_str()), (id.as_str(), id.as_str()));
        assert_eq!(visitor.destroy().await.expect("a removal"), Outcome::Removed);
        fixture.is_not_stored(id).await;
    }
}

/// JSON with all its bits turned over, so that what is stored is never UTF-8.
#[derive(Debug, Clone, Copy)]
struct Negative;

impl Codec for Negative {
    const NAME: &'static str = "negative";

    fn encode<V: Serialize + ?Sized>(&self, value: &V, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = out.len();
        Json.encode(value, out)?;
        out.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
        Ok(())
    }

    fn decode<V: DeserializeOwned>(&self, bytes: &[u8]) -> Result<V, CodecError> {
        Json.decode(&bytes.iter().map(|byte| !byte).collect::<Vec<_>>())
    }
}

/// Values that encodings have tripped over.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
struct Oddities {
    bytes: Vec<u8>,
    text: String,
    perhaps: Option<i64>,
    map: BTreeMap<String, Vec<i64>>,
    least: i64,
    most: u64,
    float: f64,
}

impl Oddities {
    fn all() -> Self {
        Self {
            bytes: (0..=255).collect(),
            text: "\0\r\n\u{7f}\u{feff}\u{10ffff}{}'\"\\".to_owned(),
            perhaps: Some(0),
            map: BTreeMap::from([(String::new(), Vec::new()), ("\0".to_owned(), vec![-1])]),
            least: i64::MIN,
            most: u64::MAX,
            float: -0.1,
        }
    }
}

#[derive(Session)]
#[session(crate = crate, name = "conformance-negative")]
struct Negatives {
    oddities: Oddities,
}

#[cfg(feature = "msgpack")]
#[derive(Session)]
#[session(crate = crate, name = "conformance-packed")]
struct Packed {
    oddities: Oddities,
}

async fn come_back<T: Session, C: Codec>(sessions: Logged<T, C>, id: &str, oddities: fn(&mut T) -> &mut Oddities) {
    let load = || async { sessions.load(id).await.expect("a load") };
    let mut session = load().await;
    *oddities(session.edit_all()) = Oddities::all();
    assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Created);
    let mut session = load().await;
    assert_eq!(*oddities(session.edit_all()), Oddities::all());
    assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Unchanged);
    *oddities(session.edit_all()) = Oddities::default();
    assert_eq!(session.commit().await.expect("a commit").outcome(), Outcome::Removed);
    assert!(load().await.is_new());
}

/// Values come back as they were when their encoding is not text.
pub(super) async fn p13_odd_values_come_back_from_a_codec_that_is_not_text(fixture: Fixture) {
    let sessions = fixture.sessions_with::<Negatives, _>(|builder| builder.codec(Negative));
    come_back(sessions, &fixture.id("negative"), |session| &mut session.oddities).await;
    #[cfg(feature = "msgpack")]
    {
        let sessions = fixture.sessions_with::<Packed, _>(|builder| builder.codec(crate::codec::MessagePack));
        come_back(sessions, &fixture.id("packed"), |session| &mut session.oddities).await;
    }
}
