use super::Sessions;
use super::handle::Handle;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::store::Store;

impl<T: Session + Send + 'static, S: Store, C: Codec> Sessions<T, S, C> {
    /// Loads the session of `key`, changes it, commits it, and returns what `change` returned.
    ///
    /// When a field that rejects conflicts was changed by another commit in between, `change` runs again on a fresh
    /// load, until the deadline. It is no async function for that reason: await what it needs before.
    ///
    /// # Errors
    /// Those of [`Sessions::load`] and [`Handle::commit`].
    pub async fn update<R>(&self, key: &str, mut change: impl FnMut(&mut Handle<T, S, C>) -> R) -> Result<R, Error> {
        self.try_update(key, |session| Ok(change(session))).await
    }

    /// Like [`Sessions::update`], but an error of `change` is returned and nothing is stored.
    ///
    /// # Errors
    /// What `change` returns, and those of [`Sessions::load`] and [`Handle::commit`].
    pub async fn try_update<R, E: From<Error>>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut Handle<T, S, C>) -> Result<R, E>,
    ) -> Result<R, E> {
        let started = std::time::Instant::now();
        loop {
            let mut session = self.load(key).await?;
            let result = match change(&mut session) {
                Ok(result) => result,
                Err(error) => {
                    session.discard();
                    return Err(error);
                }
            };
            match session.commit_surely().await {
                Ok(()) => return Ok(result),
                Err(Error::Conflict { .. }) if started.elapsed() < self.inner.deadline => session.discard(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl<T: Session + Send + 'static, S: Store, C: Codec> Handle<T, S, C> {
    /// Commits, and once more if the answer was lost: nobody else could, since the handle ends here.
    async fn commit_surely(&mut self) -> Result<(), Error> {
        match self.commit().await {
            Err(Error::Store(_)) if self.pending.is_some() => self.commit().await.map(drop),
            committed => committed.map(drop),
        }
    }
}
