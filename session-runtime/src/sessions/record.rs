//! What a stored record means: decoded, through older versions of the type if need be.

use tracing::Instrument;

use super::Inner;
use super::agreed::Agreed;
use super::known::Known;
use super::spans::span;
use crate::codec::Codec;
use crate::error::Error;
use crate::schema::migration;
use crate::session::Session;
use crate::store::Record;
use crate::store::rule::Commits;
use crate::tracked::Baseline;

/// A stored session, decoded.
pub(super) struct Decoded<T> {
    pub(super) known: Known,
    pub(super) commits: Commits,
    pub(super) value: T,
    pub(super) baseline: Baseline,
}

impl<T: Session, C: Codec> Inner<T, C> {
    /// Nearly every record can be read as it is. What other ones take is boxed, so that no load carries it.
    pub(super) async fn decode(&self, agreed: &Agreed<T, C>, record: Record) -> Result<Decoded<T>, Error> {
        // The header that an emptied session left holds nothing that another version could have meant otherwise.
        if !record.head.stored || agreed.wrote(&record.head) {
            return agreed.decode(record);
        }
        Box::pin(self.decode_of_others(agreed, record)).await
    }

    /// What another version stored, or this one under initial values that this process does not know yet.
    async fn decode_of_others(&self, agreed: &Agreed<T, C>, record: Record) -> Result<Decoded<T>, Error> {
        let (head, version) = (record.head, T::CONTAINER.version);
        if head.version > version {
            return Err(Error::NewerVersion { stored: head.version, supported: version });
        }
        if head.version == version {
            return if self.recognizes(agreed, &head).await? {
                agreed.decode(record)
            } else {
                Err(Error::RegistrationGone)
            };
        }
        let registration =
            self.store.registration(&self.name, head.version).instrument(span("registration", &self.name)).await?;
        let registration =
            registration.filter(|found| found.answers_to(head.registration)).ok_or(Error::RegistrationGone)?;
        let value: T = migration::migrate(&agreed.schema.codec, head.version, &record.fields, &registration)?;
        let baseline = Baseline::of(&agreed.schema, &value)?;
        Ok(Decoded { known: Known::record(head, true), commits: record.commits, value, baseline })
    }
}

impl<T: Session, C: Codec> Agreed<T, C> {
    /// A record of this version, by the initial values that were agreed on.
    fn decode(&self, record: Record) -> Result<Decoded<T>, Error> {
        let Record { head, commits, fields } = record;
        let known = Known::record(head, false);
        let (value, baseline) = if head.stored {
            let baseline = Baseline::place(&self.schema, fields);
            (baseline.decode(&self.schema)?, baseline)
        } else {
            (self.schema.initial()?, Baseline::initial())
        };
        Ok(Decoded { known, commits, value, baseline })
    }
}
