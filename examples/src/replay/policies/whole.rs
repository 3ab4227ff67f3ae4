//! The policies to compare with: a session is one value, and is written as a whole.
//!
//! They go straight to the same store through the same trait, with the same round trips as the runtime (one load, one
//! commit that names its base), and keep a client's state as the JSON of a plain struct.

use std::sync::Arc;

use session_runtime::Error;
use session_runtime::expiry::ClockOffset;
use session_runtime::store::{
    Action, Base, Change, Commit, Found, Key, Load, Registration, RegistrationId, Reply, Store, Write,
};

use super::{LIFETIME, Server};
use crate::replay::error::ReplayError;
use crate::replay::model::State;
use crate::replay::rule::Effect;

/// The name of the only field of a whole record.
pub(in crate::replay) const RECORD: &str = "record";

/// When a whole record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Always; so it is loaded always, too.
    EveryRequest,
    /// When the handler borrowed the session mutably.
    Borrowed,
}

/// Keeps each session as one value.
#[derive(Debug, Clone)]
pub(super) struct WholeRecords<S> {
    store: S,
    name: Arc<str>,
    registration: RegistrationId,
    when: When,
}

impl<S: Store> Server for WholeRecords<S> {
    async fn serve(&self, key: &str, effect: Effect<'_>, at: i64) -> Result<(), ReplayError> {
        let always = self.when == When::EveryRequest;
        if !always && !effect.uses() {
            return Ok(());
        }
        let key = Key::new(self.name.clone(), key).map_err(Error::from)?;
        let (base, mut state) = self.load(&key).await?;
        state.apply(effect, at);
        if always || effect.touches() { self.save(&key, base, &state).await } else { Ok(()) }
    }
}

impl<S: Store> WholeRecords<S> {
    /// The sessions of this name. They are registered as the runtime does, though no field has an initial value.
    pub(super) async fn new(store: S, name: &'static str, when: When) -> Result<Self, ReplayError> {
        store.prepare().await?;
        let (id, codec, fields) = (RegistrationId::random(), "json".into(), Vec::new());
        let registration = store.register(&Registration { id, name: name.into(), version: 0, codec, fields }).await?.id;
        Ok(Self { store, name: name.into(), registration, when })
    }

    async fn load(&self, key: &Key) -> Result<(Base, State), ReplayError> {
        let load = Load::look(ClockOffset::default());
        Ok(match self.store.load(key, load).await?.found {
            Found::Absent { saw } => {
                (Base::Absent { saw: saw.map(|past| past.incarnation), valid_until: None }, State::default())
            }
            Found::Record(record) => {
                let value = record.fields.iter().find(|field| &*field.name == RECORD);
                let state = value.map(|field| serde_json::from_slice(&field.value)).transpose()?;
                (Base::from(&record.head), state.unwrap_or_default())
            }
        })
    }

    async fn save(&self, key: &Key, base: Base, state: &State) -> Result<(), ReplayError> {
        let commit = commit_of(serde_json::to_vec(state)?, base, self.registration);
        match self.store.commit(key, &commit).await? {
            Reply::Applied(_) => Ok(()),
            Reply::Conflict(_) | Reply::Ended(_) | Reply::Occupied | Reply::Unregistered => Err(ReplayError::Disturbed),
        }
    }
}

/// Writes a whole record.
pub(in crate::replay) fn commit_of(record: Vec<u8>, base: Base, registration: RegistrationId) -> Commit {
    let write = Write::new(0, registration, vec![Change { name: RECORD.into(), value: Some(record.into()) }]);
    Commit::new(base, Action::Write(write), LIFETIME, ClockOffset::default())
}
