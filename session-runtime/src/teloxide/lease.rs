use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::sessions::{Committed, Handle, Once};
use crate::store::WorkId;

/// A session on loan to an update.
pub(super) struct Lease<T: Session, C: Codec> {
    pub(super) handle: Handle<T, C>,
    /// The update.
    work: WorkId,
    /// Whether it has a commit that is known by it.
    is_done: bool,
}

impl<T: Session, C: Codec> Lease<T, C> {
    pub(super) const fn new(handle: Handle<T, C>, work: WorkId) -> Self {
        Self { handle, work, is_done: false }
    }

    /// Commits as the work of the update, or what was changed after that was done.
    pub(super) async fn commit(&mut self) -> Result<Once<Committed<T>>, Error> {
        if self.is_done {
            return self.handle.commit().await.map(Once::Done);
        }
        let done = self.handle.commit_as(self.work).await?;
        self.is_done = self.handle.has_done(self.work);
        Ok(done)
    }

    /// Forgets what is not committed.
    pub(super) fn discard(self) {
        self.handle.discard();
    }
}
