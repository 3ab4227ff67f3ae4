//! An old session's first load here, and what becomes of it.

use std::sync::Arc;

use super::agreed::Agreed;
use super::handle::Handle;
use super::known::Known;
use super::{Inner, Sessions};
use crate::codec::Codec;
use crate::error::Error;
use crate::expiry::Timestamp;
use crate::session::Session;
use crate::stats::Count;
use crate::store::{Key, KeyHash};
use crate::tracked::{Baseline, Tracked};

impl<T: Session, C: Codec> Sessions<T, C> {
    /// The old session of a key of which nothing is known here, if there is one.
    ///
    /// Its fields are the baseline, as if they were stored: so two instances that take it over at the same time agree on
    /// what it was before either changed it, and a merge adds nothing twice.
    pub(super) async fn move_in(
        &self,
        agreed: &Arc<Agreed<T, C>>,
        key: &Key,
        now: Timestamp,
    ) -> Result<Option<Handle<T, C>>, Error> {
        let inner = &self.inner;
        let Some(legacy) = &inner.legacy else { return Ok(None) };
        let name = || KeyHash::of(key).to_string();
        let found = legacy.find(key, now).await.map_err(|source| Error::Legacy { key: name(), source });
        let Some(old) = found.inspect_err(|_| inner.counters.add(Count::LoadFailures, 1))? else { return Ok(None) };
        let baseline = Baseline::of(&agreed.schema, &old.value)?;
        if baseline.is_initial() {
            // There is nothing that would be stored.
            return Ok(None);
        }
        let tracked = Tracked::from_parts(old.value, baseline, agreed.schema.clone())?;
        let known = Known::moved_in(&inner.settings.lifetime, now);
        let mut handle = Handle::new(self.clone(), agreed.clone(), key.clone(), tracked, known, now);
        handle.expiry = old.expiry;
        tracing::debug!(session = key.name(), key = %KeyHash::of(key), "took over an old session");
        Ok(Some(handle))
    }
}

impl<T: Session, C: Codec> Handle<T, C> {
    /// Whether this load took the session over from [another library](crate::legacy::Legacy) and no commit has stored it
    /// yet: the next one does, whether or not anything is changed.
    pub fn is_moved_in(&self) -> bool {
        self.known.is_moved_in()
    }
}

impl<T: Session, C: Codec> Inner<T, C> {
    /// Says that the old session of a key is stored.
    pub(super) fn has_moved_in(&self, key: &Key) {
        if let Some(legacy) = &self.legacy {
            legacy.moved(key.id());
        }
    }
}
