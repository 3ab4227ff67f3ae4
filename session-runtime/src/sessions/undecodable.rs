//! Records that cannot be decoded: set aside, where they are in nobody's way and kept for whoever repairs them.
//!
//! A record is set aside by a renewal to the same key in a namespace of its own. The store makes it in one step, only
//! if the record is still the one that could not be decoded, and never onto another record.

use super::Inner;
use super::agreed::Agreed;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::store::{Commit, Head, Key, KeyHash, Reply};

impl<T: Session, C: Codec> Inner<T, C> {
    /// Sets a record aside. Returns whether the key is worth another look: not if a record is kept aside already.
    pub(super) async fn set_aside(&self, agreed: &Agreed<T, C>, key: &Key, head: &Head) -> Result<bool, Error> {
        let head = Head { registration: agreed.current(), ..*head };
        let mut commit = Commit::relocation(&head, key.aside(), self.settings.lifetime.retention, self.settings.clock);
        let mut reply = self.store.commit(key, &commit).await?;
        if reply == Reply::Unregistered {
            self.agree_again_for(agreed, &mut commit).await?;
            reply = self.store.commit(key, &commit).await?;
        }
        let is_aside = match reply {
            Reply::Applied(_) => true,
            Reply::Occupied => return Ok(false),
            // Somebody else changed it or set it aside just now.
            Reply::Conflict(_) | Reply::Ended(_) | Reply::Unregistered => false,
        };
        tracing::warn!(session = key.name(), key = %KeyHash::of(key), is_aside, "set an undecodable record aside");
        Ok(true)
    }
}
