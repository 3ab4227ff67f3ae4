use super::commit::Verb;
use super::committed::Committed;
use super::handle::Handle;
use super::progress::Progress;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::store::Key;

impl<T: Session, C: Codec> Handle<T, C> {
    /// Commits the session and moves it to the key `to`, in one step; the old key is dead from then on. Use it when
    /// rights change, with a fresh random key.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { user: Option<u64> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// # let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// let mut visitor = sessions.load("42").await?;
    /// *visitor.edit().user() = Some(7);
    /// visitor.renew("43").await?;
    /// assert_eq!(sessions.load("43").await?.user, Some(7));
    /// assert_eq!(sessions.load("42").await?.user, None);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::Occupied`] when a session is stored under the new key, and those of
    /// [`commit`](Handle::commit). It can be tried again.
    pub async fn renew(&mut self, to: &str) -> Result<Committed<T>, Error> {
        let to = Key::new(self.sessions.inner.name.clone(), to)?;
        let mut progress = Progress::new();
        self.run_within(&Verb::Renew(to), &mut progress).await?;
        Ok(progress.committed)
    }
}
