use std::pin::pin;

use tracing::Instrument;

use super::deadline::within;
use super::known::Known;
use super::settings::OnUndecodable;
use super::spans::{key_span, key_verb_span, tell_loaded};
use super::{Handle, Inner, Sessions};
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::stats::{Count, Operation};
use crate::store::{Found, Head, Key, KeyHash, Load, Loaded};
use crate::tracked::Tracked;

impl<T: Session, C: Codec> Sessions<T, C> {
    /// Loads the session of `key`, known or new, in one read.
    ///
    /// With a sliding expiry this counts as activity.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let visitor = sessions.load("42").await?;
    /// assert_eq!(visitor.visits, 0); // nobody has been here yet
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidKey`]; [`Error::Store`] when the store fails, which is never taken for a new session;
    /// [`Error::Legacy`] when an old session cannot be [taken over](crate::legacy::Legacy);
    /// [`Error::Decode`], [`Error::NewerVersion`], [`Error::NoMigration`] and [`Error::RegistrationGone`] when what is
    /// stored cannot be read by this program: it is left as it is. Before the first load, those of
    /// [`Sessions::prepare`].
    pub async fn load(&self, key: &str) -> Result<Handle<T, C>, Error> {
        let key = Key::new(self.inner.name.clone(), key)?;
        let span = key_verb_span("load", &key);
        let loaded = within(self.inner.settings.deadline, &span, pin!(self.load_key(key))).await;
        tell_loaded(&span, loaded.as_ref());
        loaded
    }

    /// The same, for who hands the handle on: a box is cheaper to move.
    #[cfg(feature = "_web")]
    pub(crate) async fn load_boxed(&self, key: &str) -> Result<Box<Handle<T, C>>, Error> {
        let key = Key::new(self.inner.name.clone(), key)?;
        let span = key_verb_span("load", &key);
        let load = async { self.load_key(key).await.map(Box::new) };
        let loaded = within(self.inner.settings.deadline, &span, pin!(load)).await;
        tell_loaded(&span, loaded.as_deref());
        loaded
    }

    pub(super) async fn load_key(&self, key: Key) -> Result<Handle<T, C>, Error> {
        let inner = &self.inner;
        let agreed = inner.agreed().await?;
        let mut sets_aside = inner.settings.on_undecodable == OnUndecodable::SetAside;
        loop {
            let Loaded { now, touched, found } = inner.fetch(&key).await?;
            let handle = |key, tracked, known| Handle::new(self.clone(), agreed.clone(), key, tracked, known, now);
            let record = match found {
                Found::Absent { saw } => {
                    if saw.is_none()
                        && inner.legacy.is_some()
                        && let Some(handle) = Box::pin(self.move_in(agreed, &key, now)).await?
                    {
                        return Ok(handle);
                    }
                    let known = Known::absent(saw, &inner.settings.lifetime, now);
                    let tracked = Tracked::initial(agreed.schema.clone())?;
                    agreed.schema.watch(&tracked, now)?;
                    let mut handle = handle(key, tracked, known);
                    handle.commits = saw.map(|past| past.commits).unwrap_or_default();
                    return Ok(handle);
                }
                Found::Record(record) => record,
            };
            let head = record.head;
            inner.count_touch(&head, touched);
            let error = match inner.decode(agreed, record).await {
                Ok(decoded) => {
                    let tracked = Tracked::from_parts(decoded.value, decoded.baseline, agreed.schema.clone())?;
                    let mut handle = handle(key, tracked, decoded.known);
                    (handle.touched, handle.commits) = (touched, decoded.commits);
                    return Ok(handle);
                }
                Err(error) => error,
            };
            inner.counters.add(Count::LoadFailures, 1);
            let is_set_aside = matches!(error, Error::Decode { .. })
                && agreed.wrote(&head)
                && std::mem::take(&mut sets_aside)
                && Box::pin(inner.set_aside(agreed, &key, &head)).await?;
            // Looked at once more, whatever became of it, and only once.
            if !is_set_aside {
                return Err(error);
            }
        }
    }
}

impl<T: Session, C: Codec> Inner<T, C> {
    /// Reads what the store holds.
    async fn fetch(&self, key: &Key) -> Result<Loaded, Error> {
        let load = self.store.load(key, Load::touch(self.settings.lifetime, self.settings.clock));
        let loaded = {
            let _timing = self.counters.time(Operation::Load);
            load.instrument(key_span("load", key)).await
        };
        let loaded = loaded.inspect_err(|_| self.counters.add(Count::LoadFailures, 1))?;
        self.counters.add(Count::Loads, 1);
        let known = matches!(loaded.found, Found::Record(_));
        tracing::debug!(session = key.name(), key = %KeyHash::of(key), known, touched = loaded.touched, "loaded");
        Ok(loaded)
    }

    /// Counts whether a load moved the sliding expiry of a stored session.
    fn count_touch(&self, head: &Head, touched: bool) {
        if touched {
            self.counters.add(Count::TouchesSent, 1);
        } else if head.stored
            && head.fixed_end.is_none()
            && self.settings.lifetime.sliding(head.sliding).inactivity.is_some()
        {
            self.counters.add(Count::TouchesSkipped, 1);
        }
    }
}
