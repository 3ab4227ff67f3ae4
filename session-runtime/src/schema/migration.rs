//! Reads sessions that older versions of their type stored.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{Agreement, Schema};
use crate::codec::Codec;
use crate::error::Error;
use crate::session::{Previous, Session};
use crate::store::{Registration, StoredField};

/// When a session that an older version of its type stored is stored in the new form.
///
/// Until then it serves both versions; from then on the older answers [`Error::NewerVersion`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WriteMigrated {
    /// With its next change: a handler that only reads writes nothing.
    #[default]
    WithNextChange,
    /// With its next commit, also when nothing changed.
    WithNextCommit,
}

/// Decodes a record of an older version into `T`, through each type that came in between.
///
/// Fields that are not stored have the values that were registered for that version.
pub(crate) fn migrate<T: Session, C: Codec>(
    codec: &C,
    stored: u32,
    fields: &[StoredField],
    registration: &Registration,
) -> Result<T, Error> {
    T::previous(Step { codec, stored, fields, registration, supported: T::CONTAINER.version, session: PhantomData })
}

struct Step<'a, T, C> {
    codec: &'a C,
    stored: u32,
    fields: &'a [StoredField],
    registration: &'a Registration,
    supported: u32,
    session: PhantomData<fn() -> T>,
}

impl<T: Session, C: Codec> Previous<T> for Step<'_, T, C> {
    type Output = Result<T, Error>;

    fn from<Old: Session>(self) -> Self::Output
    where
        T: From<Old>,
    {
        let version = Old::CONTAINER.version;
        // Versions must fall on the way back, which also ends a chain of types that leads in a circle.
        if version < self.stored || version >= T::CONTAINER.version {
            return self.none();
        }
        if version > self.stored {
            return migrate::<Old, C>(self.codec, self.stored, self.fields, self.registration).map(T::from);
        }
        let mut schema = Schema::new(self.codec.clone(), Arc::new(Old::initial))?;
        schema.follow(self.registration, Agreement::Adopt)?;
        schema.stored(self.fields).map(T::from)
    }

    fn none(self) -> Self::Output {
        Err(Error::NoMigration { stored: self.stored, supported: self.supported })
    }
}
