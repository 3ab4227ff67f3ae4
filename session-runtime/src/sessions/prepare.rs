use std::pin::pin;
use std::sync::Arc;

use tracing::{Instrument, Span};

use super::agreed::Agreed;
use super::deadline::within;
use super::spans::{in_verb, span};
use super::{Inner, Sessions};
use crate::codec::Codec;
use crate::error::Error;
use crate::schema::{Schema, older};
use crate::session::Session;
use crate::store::{Commit, Head, Registration, check_name};

impl<T: Session, C: Codec> Sessions<T, C> {
    /// Checks the store, its schema, and that all instances agree on the initial state. Without it, the first load
    /// does.
    ///
    /// ```
    /// # use session_runtime::{MemoryStore, Session, Sessions};
    /// # #[derive(Session)]
    /// # struct Visitor { visits: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::Error> {
    /// let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    /// sessions.prepare().await?; // a program that cannot serve sessions ends here and not with the first request
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`] when the store is not usable, [`Error::InitialStateMismatch`], [`Error::RegisteredType`],
    /// [`Error::UnstableInitial`] and [`Error::OtherCodec`] when this program does not agree with the others,
    /// [`Error::NoMigration`] when it could not read what older versions stored, [`Error::NameTaken`] when another
    /// session type has registered the name, [`Error::InvalidName`] when it cannot be one,
    /// [`Error::NoIndexKey`] when a sensitive field is indexed without a key.
    pub async fn prepare(&self) -> Result<(), Error> {
        let agreed = pin!(self.inner.agreed());
        in_verb("prepare", &self.inner.name, within(self.inner.settings.deadline, &Span::none(), agreed))
            .await
            .map(drop)
    }
}

impl<T: Session, C: Codec> Inner<T, C> {
    /// What all instances agreed on; it is agreed on first if it has not been.
    pub(super) async fn agreed(&self) -> Result<&Arc<Agreed<T, C>>, Error> {
        // Looked at first, because the cell's future is large and nearly every call finds it filled.
        match self.agreed.get() {
            Some(agreed) => Ok(agreed),
            None => Box::pin(self.agreed.get_or_try_init(|| self.agree())).await,
        }
    }

    /// What this program knows of the session type before it agreed with others.
    pub(crate) fn schema(&self) -> Result<Schema<T, C>, Error> {
        Schema::new(self.codec.clone(), self.make.clone())
    }

    async fn agree(&self) -> Result<Arc<Agreed<T, C>>, Error> {
        check_name(&self.name)?;
        let span = span("prepare", &self.name);
        self.store.prepare().instrument(span.clone()).await?;
        let mut schema = self.schema()?;
        schema.reads_back = self.settings.read_back;
        schema.index_key.clone_from(&self.settings.index_key);
        if let Some(field) = schema.lacks_index_key() {
            return Err(Error::NoIndexKey { field: field.clone() });
        }
        let registration = self.register(&mut schema).instrument(span).await?;
        Ok(Arc::new(Agreed::new(schema, registration)))
    }

    /// Agrees with all other instances on the initial values, and returns the agreement.
    ///
    /// The first instance registers its values; fields that are not registered yet are added. A field that is
    /// registered under an alias keeps that name in the store, so that older builds go on seeing it.
    async fn register(&self, schema: &mut Schema<T, C>) -> Result<Registration, Error> {
        let (name, policy) = (&self.name, self.settings.agreement);
        let known = self.store.registration(name, T::CONTAINER.version).await?;
        match &known {
            Some(known) => {
                schema.belongs_to(known)?;
                schema.follow(known, policy)?;
                schema.warn_of_renames(name, known);
            }
            None => self.reaches_older().await?,
        }
        let proposal = schema.proposal(name, known.as_ref());
        match known {
            Some(known) if proposal.fields.is_empty() => return Ok(known),
            _ => {}
        }
        // Another instance may have been first: what the store answers counts.
        let agreed = self.store.register(&proposal).await?;
        schema.belongs_to(&agreed)?;
        schema.follow(&agreed, policy)?;
        Ok(agreed)
    }

    /// Makes the agreement again that this program has and the store has no more: with the same values, and under the
    /// same id. If another program was first and registered the same values under an id of its own, commits name that
    /// from now on, and records can be read that name either.
    pub(super) async fn agree_again(&self, agreed: &Agreed<T, C>) -> Result<Registration, Error> {
        let span = span("register", &self.name);
        let own = &agreed.registration;
        let mut found = self.store.register(own).instrument(span.clone()).await?;
        agreed.schema.compare(own, &found)?;
        for id in [own.id, agreed.current()] {
            if !found.answers_to(id) {
                found = self.store.register(&own.clone().also_known_as(id)).instrument(span.clone()).await?;
            }
        }
        agreed.follow(found.id);
        tracing::warn!(session = &*self.name, "the store had lost what instances agreed on; it is registered again");
        Ok(found)
    }

    /// Makes the agreement again that a commit was refused for, and lets the commit name it.
    pub(super) async fn agree_again_for(&self, agreed: &Agreed<T, C>, commit: &mut Commit) -> Result<(), Error> {
        self.agree_again(agreed).await?;
        if let Some(write) = commit.write_mut() {
            write.registration = agreed.current();
        }
        Ok(())
    }

    /// Whether a record of this version can be read: it names initial values that this program agreed on, if perhaps by
    /// an id that others gave them since.
    pub(super) async fn recognizes(&self, agreed: &Agreed<T, C>, head: &Head) -> Result<bool, Error> {
        if agreed.wrote(head) {
            return Ok(true);
        }
        let names_it = |found: &Registration| found.answers_to(head.registration);
        let found = self.store.registration(&self.name, head.version).await?;
        if !found.as_ref().is_some_and(names_it) || !names_it(&self.agree_again(agreed).await?) {
            return Ok(false);
        }
        agreed.learn(head.registration);
        Ok(true)
    }

    /// Makes sure that this version can read what the versions before it stored.
    async fn reaches_older(&self) -> Result<(), Error> {
        for stored in older::unreached::<T>() {
            if self.store.registration(&self.name, stored).await?.is_some() {
                return Err(Error::NoMigration { stored, supported: T::CONTAINER.version });
            }
        }
        Ok(())
    }
}
