use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::schema::Schema;
use crate::session::{Container, Session};
use crate::store::{Head, Registration, RegistrationId};

/// What all instances agreed on: the initial state, and the registration that records name.
pub(crate) struct Agreed<T, C> {
    pub(super) schema: Arc<Schema<T, C>>,
    /// The registration as it was agreed on, to be made again where a store has lost it.
    pub(super) registration: Registration,
    /// The id by which the store has it.
    current: AtomicU64,
    /// All ids by which records name these initial values.
    known: Mutex<Vec<RegistrationId>>,
}

impl<T: Session, C> Agreed<T, C> {
    pub(super) fn new(schema: Schema<T, C>, registration: Registration) -> Self {
        let id = registration.id;
        Self { schema: Arc::new(schema), registration, current: AtomicU64::new(id.0), known: Mutex::new(vec![id]) }
    }

    /// The registration that commits name.
    pub(super) fn current(&self) -> RegistrationId {
        RegistrationId(self.current.load(Ordering::Relaxed))
    }

    /// Whether a record is of this program's version, and differs from the initial values that it agreed on.
    pub(super) fn wrote(&self, head: &Head) -> bool {
        let Container { version, .. } = T::CONTAINER;
        head.version == version && (head.registration == self.current() || self.known().contains(&head.registration))
    }

    /// From now on records name the same values by this id too.
    pub(super) fn learn(&self, id: RegistrationId) {
        let mut known = self.known();
        if !known.contains(&id) {
            known.push(id);
        }
    }

    /// From now on commits name this registration, which has the same values.
    pub(super) fn follow(&self, id: RegistrationId) {
        self.learn(id);
        self.current.store(id.0, Ordering::Relaxed);
    }

    fn known(&self) -> MutexGuard<'_, Vec<RegistrationId>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
