use super::tool::Admin;
use crate::check::{self, Difference, Snapshot};
use crate::error::Error;
use crate::store::{Housekeeping, Registrations};

/// What [`Admin::check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checked {
    /// Nothing is registered under the session's name: there is nothing to get on with.
    New,
    /// The build gets on with what is registered.
    Fine,
    /// It does not.
    Different(Vec<Difference>),
}

impl<S: Housekeeping> Admin<S> {
    /// Compares a session type, as a build that is about to go out has it, with what the store has registered.
    ///
    /// A store knows of a type its name, its versions, its codec, and its fields with their initial values; it does not
    /// know their types. So this tells what would keep the build from starting, and values that it would no longer find;
    /// what the types of fields mean for stored values tells [`check::snapshot`](crate::check::snapshot).
    ///
    /// ```
    /// # use session_runtime::{Admin, MemoryStore, Session, Sessions};
    /// use session_runtime::admin::Checked;
    /// use session_runtime::check::Snapshot;
    ///
    /// # #[derive(Session)]
    /// # #[session(name = "visitor")]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// let store = MemoryStore::new();
    /// let sessions = Sessions::<Visitor>::new(store.clone());
    /// let snapshot = Snapshot::of(&sessions)?; // or the text of a file, with `parse`
    /// assert_eq!(Admin::new(store.clone()).check(&snapshot).await?, Checked::New);
    /// sessions.prepare().await?;
    /// assert_eq!(Admin::new(store).check(&snapshot).await?, Checked::Fine);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`]; also when a registration of the session is damaged.
    pub async fn check(&self, snapshot: &Snapshot) -> Result<Checked, Error> {
        let Registrations { found, damaged } = self.registrations().await?;
        if let Some(damaged) = damaged.into_iter().find(|damaged| &*damaged.name == snapshot.name()) {
            return Err(damaged.error.into());
        }
        let known: Vec<_> = found.into_iter().filter(|known| &*known.name == snapshot.name()).collect();
        if known.is_empty() {
            return Ok(Checked::New);
        }
        let differences = check::registered(snapshot, &known);
        Ok(if differences.is_empty() { Checked::Fine } else { Checked::Different(differences) })
    }
}
