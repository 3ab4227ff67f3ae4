use std::sync::Arc;

use crate::schema::Schema;
use crate::session::{Container, Session};
use crate::store::{Head, RegistrationId};

/// What all instances agreed on: the initial state, and the registration that records name.
pub(crate) struct Agreed<T, C> {
    pub(super) schema: Arc<Schema<T, C>>,
    pub(super) registration: RegistrationId,
}

impl<T: Session, C> Agreed<T, C> {
    /// Whether a record is of this program's version, and differs from the initial values that it agreed on.
    pub(super) fn wrote(&self, head: &Head) -> bool {
        let Container { version, .. } = T::CONTAINER;
        (head.version, head.registration) == (version, self.registration)
    }
}
