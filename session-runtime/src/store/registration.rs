//! The agreement on initial values, as a store keeps it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::error::StoreError;
use super::field_name::FieldName;
use super::field_value::FieldValue;
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

    /// Whether records may name it by this id: its own, or one that [`Registration::also_known_as`] added.
    #[must_use]
    pub fn answers_to(&self, id: RegistrationId) -> bool {
        self.id == id || self.field(&alias(id)).is_some()
    }

    /// A proposal to read records that name `id` by this registration too, because its initial values are the same.
    #[must_use]
    pub fn also_known_as(mut self, id: RegistrationId) -> Self {
        self.fields.push(RegisteredField { name: alias(id).into(), initial: None, sensitive: false });
        self
    }

    /// The fields of the session, without what else is noted.
    pub fn session_fields(&self) -> impl Iterator<Item = &RegisteredField> {
        // No field of a session has such a name.
        self.fields.iter().filter(|field| !field.name.starts_with('#'))
    }

    /// The type that registered it, by its path.
    #[must_use]
    pub fn session_type(&self) -> Option<&str> {
        std::str::from_utf8(self.field(TYPE)?.initial.as_ref()?).ok()
    }

    /// Whether this type registered it, or [took it over](Registration::taken_over_by).
    pub(crate) fn is_of(&self, session_type: &str) -> bool {
        self.session_type() == Some(session_type) || self.field(&format!("{TYPE} {session_type}")).is_some()
    }

    /// A proposal that notes the type that registers it.
    pub(crate) fn of(mut self, session_type: &str) -> Self {
        let initial = Some(session_type.into());
        self.fields.push(RegisteredField { name: TYPE.into(), initial, sensitive: false });
        self
    }

    /// A proposal that notes another type that it belongs to: the same one, called by another path.
    pub(crate) fn taken_over_by(mut self, session_type: &str) -> Self {
        let name = format!("{TYPE} {session_type}").into();
        self.fields.push(RegisteredField { name, initial: None, sensitive: false });
        self
    }

    /// Adds the fields of `other` that are not registered yet. What is registered stays as it is.
    pub fn add_missing(&mut self, other: &Self) {
        let known = self.by_name();
        let missing: Vec<_> = other.fields.iter().filter(|field| !known.contains_key(&*field.name)).cloned().collect();
        self.fields.extend(missing);
    }
}

/// The name of the entry that notes the type that registered it, and what those of the same type by other paths begin
/// with.
const TYPE: &str = "#type";

/// What the name of an entry begins with that gives the registration another id.
const ALIAS: &str = "#also ";

fn alias(id: RegistrationId) -> String {
    format!("{ALIAS}{:016x}", id.0)
}

/// All registrations of a store.
#[derive(Debug, Default)]
pub struct Registrations {
    /// Those that can be read.
    pub found: Vec<Registration>,
    /// Those that cannot, because they are not what a store wrote. They were left as they are.
    pub damaged: Vec<DamagedRegistration>,
}

#[cfg(any(feature = "postgres", feature = "redis"))]
impl Registrations {
    /// Adds one of this name and version; an error if it could not be asked for, and not because of what is stored.
    pub(crate) fn add(
        &mut self,
        name: &str,
        version: u32,
        read: Result<Option<Registration>, StoreError>,
    ) -> Result<(), StoreError> {
        match read {
            Ok(found) => self.found.extend(found),
            Err(error) if error.kind() == super::StoreErrorKind::Corrupt => {
                self.damaged.push(DamagedRegistration { name: name.into(), version, error });
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// A registration that cannot be read.
#[derive(Debug)]
pub struct DamagedRegistration {
    /// The session's name.
    pub name: Arc<str>,
    /// The session's version.
    pub version: u32,
    /// What is wrong with it.
    pub error: StoreError,
}

/// One field of a registration.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisteredField {
    /// The stored name.
    pub name: FieldName,
    /// The encoded initial value; `None` for a pinned field, which is outside the agreement.
    pub initial: Option<FieldValue>,
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
