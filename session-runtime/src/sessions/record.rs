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
    pub(super) async fn decode(&self, agreed: &Agreed<T, C>, record: Record) -> Result<Decoded<T>, Error> {
        let Record { head, commits, fields } = record;
        if !head.stored {
            // The header that an emptied session left holds nothing that another version could have meant otherwise.
            let (value, baseline) = (agreed.schema.initial()?, Baseline::initial());
            return Ok(Decoded { known: Known::record(head, false), commits, value, baseline });
        }
        let version = T::CONTAINER.version;
        if head.version > version {
            return Err(Error::NewerVersion { stored: head.version, supported: version });
        }
        if head.version == version {
            if !agreed.wrote(&head) && !Box::pin(self.recognizes(agreed, &head)).await? {
                return Err(Error::RegistrationGone);
            }
            let baseline = Baseline::place(&agreed.schema, fields);
            let value = baseline.decode(&agreed.schema)?;
            return Ok(Decoded { known: Known::record(head, false), commits, value, baseline });
        }
        let registration =
            self.store.registration(&self.name, head.version).instrument(span("registration", &self.name)).await?;
        let registration =
            registration.filter(|found| found.answers_to(head.registration)).ok_or(Error::RegistrationGone)?;
        let value: T = migration::migrate(&agreed.schema.codec, head.version, &fields, &registration)?;
        let baseline = Baseline::of(&agreed.schema, &value)?;
        Ok(Decoded { known: Known::record(head, true), commits, value, baseline })
    }
}
