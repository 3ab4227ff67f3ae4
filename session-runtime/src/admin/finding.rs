//! Finding sessions by a value, without their type.

use serde_json::Value;
use tracing::Instrument;

use super::tool::Admin;
use crate::codec::{Codec, Json};
use crate::error::Error;
use crate::sessions::span;
use crate::store::{Find, Housekeeping, Key, Registration, StoreError, StoreErrorKind, Term};

impl<S: Housekeeping> Admin<S> {
    /// The keys of the sessions of this name that have `value` in an indexed field, as they are at one moment.
    ///
    /// ```
    /// # use session_runtime::{Admin, MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { #[session(index)] user: Option<u64> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let store = MemoryStore::new();
    /// # let sessions = Sessions::<Visitor>::new(store.clone());
    /// sessions.update("42", |visitor| *visitor.edit().user() = Some(7)).await?;
    /// let found = Admin::new(store).find("Visitor", "user", &7.into()).await?;
    /// assert_eq!(found.first().expect("a session").id(), "42");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`]: of the kind [`Configuration`](StoreErrorKind::Configuration) when no such session or field is
    /// registered, or when the field is sensitive, since only programs that know the key can look for its values.
    pub async fn find(&self, name: &str, field: &str, value: &Value) -> Result<Vec<Key>, Error> {
        let find = self.search(name, field, value).await?;
        let page = self.store.find(&find).instrument(span("find", name)).await?;
        Ok(page.sessions.into_iter().map(|(key, _)| key).collect())
    }

    /// What the store is to be asked for.
    pub(super) async fn search(&self, name: &str, field: &str, value: &Value) -> Result<Find, Error> {
        let registered = self.newest(name).await?;
        check_field(&registered, field)?;
        let encoded = encode(&registered, field, value)?;
        Ok(Find::all(name.into(), field.into(), encoded.clone().into(), Term::of(&encoded), self.clock))
    }

    /// The newest version of the sessions with this name.
    pub(super) async fn newest(&self, name: &str) -> Result<Registration, Error> {
        let found = self.registrations().await?.found.into_iter().filter(|found| &*found.name == name);
        found
            .max_by_key(|found| found.version)
            .ok_or_else(|| refusal(format!("no session called `{name}` is registered")))
    }
}

/// Refuses a field whose values a tool cannot look for.
pub(super) fn check_field(registered: &Registration, field: &str) -> Result<(), Error> {
    let Some(known) = registered.session_fields().find(|known| &*known.name == field) else {
        let fields: Vec<_> = registered.session_fields().map(|field| format!("`{}`", field.name)).collect();
        return Err(refusal(format!(
            "`{}` has no field `{field}`; its fields are {}",
            registered.name,
            fields.join(", ")
        )));
    };
    if known.sensitive {
        let key = "only programs that know the key of the index can look for its values";
        return Err(refusal(format!("the field `{field}` is sensitive, and {key}")));
    }
    Ok(())
}

/// The value as programs store it in this field.
fn encode(registered: &Registration, field: &str, value: &Value) -> Result<Vec<u8>, Error> {
    let mut encoded = Vec::new();
    let done = match &*registered.codec {
        Json::NAME => Json.encode(value, &mut encoded),
        #[cfg(feature = "msgpack")]
        crate::codec::MessagePack::NAME => crate::codec::MessagePack.encode(value, &mut encoded),
        codec => return Err(refusal(format!("this tool does not know the codec `{codec}` of these sessions"))),
    };
    done.map(|()| encoded).map_err(|source| Error::Encode { field: field.into(), source })
}

fn refusal(message: String) -> Error {
    StoreError::new(StoreErrorKind::Configuration, message).not_applied().into()
}
