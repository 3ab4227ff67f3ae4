//! The agreement on initial values, as a store keeps it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::id::RegistrationId;

/// The initial values that all instances agreed on for a session name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Records name it.
    pub id: RegistrationId,
    /// The session's name.
    pub name: Arc<str>,
    /// The session's version.
    pub version: u32,
    /// How values are encoded.
    pub codec: Arc<str>,
    /// Each field.
    pub fields: Vec<RegisteredField>,
}

impl Registration {
    /// The field that is registered under this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&RegisteredField> {
        self.fields.iter().find(|field| &*field.name == name)
    }

    /// All fields by their names, for whoever asks for many.
    pub(crate) fn by_name(&self) -> HashMap<&str, &RegisteredField> {
        self.fields.iter().map(|field| (&*field.name, field)).collect()
    }

    /// Adds the fields of `other` that are not registered yet. What is registered stays as it is.
    pub fn add_missing(&mut self, other: &Self) {
        let known = self.by_name();
        let missing: Vec<_> = other.fields.iter().filter(|field| !known.contains_key(&*field.name)).cloned().collect();
        self.fields.extend(missing);
    }
}

/// One field of a registration.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisteredField {
    /// The stored name.
    pub name: Arc<str>,
    /// The encoded initial value; `None` for a pinned field, which is outside the agreement.
    pub initial: Option<Bytes>,
    /// Whether values must not be shown.
    pub sensitive: bool,
}

/// Shows the initial value's length only: it can be secret.
impl fmt::Debug for RegisteredField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.initial {
            Some(initial) => write!(f, "{}: {} bytes", self.name, initial.len()),
            None => write!(f, "{}: pinned", self.name),
        }
    }
}
