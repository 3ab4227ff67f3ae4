//! All instances agree on the initial state, or say so instead of serving it.

use std::any::type_name;
use std::sync::Arc;

use super::difference::{Build, Difference, differences};
use super::{Leaf, Schema};
use crate::codec::Codec;
use crate::error::{Error, Mismatch};
use crate::session::Session;
use crate::store::{FieldName, FieldValue, RegisteredField, Registration, RegistrationId};

/// What to do when this program's initial values differ from those that all instances agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Agreement {
    /// Refuse to serve sessions: [`Error::InitialStateMismatch`].
    #[default]
    Refuse,
    /// Use the registered values instead of this program's.
    Adopt,
}

impl<T: Session, C: Codec> Schema<T, C> {
    /// The fields of this program that are not registered, as a proposal to register them.
    pub(crate) fn proposal(&self, name: &Arc<str>, known: Option<&Registration>) -> Registration {
        let proposal = Registration {
            id: RegistrationId::random(),
            name: name.clone(),
            version: T::CONTAINER.version,
            codec: C::NAME.into(),
            fields: self.unregistered(known).collect(),
        };
        match known {
            None => proposal.of(type_name::<T>()),
            // Where no type is noted, another one cannot be told apart.
            Some(known) if known.session_type().is_none() || known.is_of(type_name::<T>()) => proposal,
            Some(_) => proposal.taken_over_by(type_name::<T>()),
        }
    }

    /// Makes sure that this program's session type is the one that is registered: it is the same by its path, or by
    /// its fields, since a type can have moved.
    pub(crate) fn belongs_to(&self, known: &Registration) -> Result<(), Error> {
        for difference in differences(self, known) {
            if let Difference::Type(registered) = difference {
                let name = known.name.clone();
                return Err(Error::NameTaken { name, registered: registered.into(), own: type_name::<T>() });
            }
        }
        Ok(())
    }

    /// Warns of fields that nobody of this program knows any more, where others are new: one may be the other renamed,
    /// and then its values are lost to this program.
    pub(crate) fn warn_of_renames(&self, session: &str, known: &Registration) {
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for difference in differences(self, known) {
            match difference {
                Difference::Gone(field) => gone.push(&*field.name),
                Difference::New(index) => new.push(&self.leaves[index].name),
                _ => {}
            }
        }
        if let ([gone, ..], [first, ..]) = (&gone[..], &new[..]) {
            tracing::warn!(
                session,
                no_longer_known = ?gone,
                new = ?new,
                "the registered field `{gone}` is not known to this program, and `{first}` is new; \
                 if it was renamed, write #[session(alias = \"{gone}\")] on `{first}` to keep its values"
            );
        }
    }

    fn unregistered(&self, known: Option<&Registration>) -> impl Iterator<Item = RegisteredField> {
        let known = known.map(Registration::by_name).unwrap_or_default();
        self.leaves.iter().filter(move |leaf| !known.contains_key(&*leaf.name)).map(|leaf| RegisteredField {
            name: leaf.name.clone(),
            initial: (!leaf.def.pin).then(|| leaf.initial.clone()),
            sensitive: leaf.def.sensitive,
        })
    }

    /// Takes over the names and values that are registered.
    pub(crate) fn follow(&mut self, agreed: &Registration, policy: Agreement) -> Result<(), Error> {
        let mut mismatches = Vec::new();
        for difference in differences(self, agreed) {
            match difference {
                Difference::Codec => {
                    return Err(Error::OtherCodec { stored: agreed.codec.clone(), own: C::NAME });
                }
                Difference::Renamed(index, field) => self.rename(index, &field.name),
                // Records differ from no common value of a field that is registered as pinned, so it stays that.
                Difference::Unpinned(index) => self.pin(index),
                Difference::Pinned(index, registered) => {
                    self.take_over(index, registered)?;
                    if !self.elided.contains(&index) {
                        self.elided.push(index);
                    }
                }
                Difference::Initial(index, _, registered) if policy == Agreement::Adopt => {
                    self.take_over(index, registered).map_err(Error::into_type_change)?;
                    self.adopted.push(index);
                }
                Difference::Initial(index, field, registered) => {
                    mismatches.push(self.mismatch(index, field, registered));
                }
                Difference::New(_) | Difference::Gone(_) | Difference::Type(_) => {}
            }
        }
        self.name();
        if mismatches.is_empty() { Ok(()) } else { Err(Error::InitialStateMismatch { fields: mismatches }) }
    }

    /// How the registered initial value of a field differs from this program's.
    fn mismatch(&self, index: usize, field: &RegisteredField, registered: &[u8]) -> Mismatch {
        let Leaf { initial, def, .. } = &self.leaves[index];
        Mismatch {
            field: field.name.clone(),
            registered: field.show(registered, def.sensitive),
            own: field.show(initial, def.sensitive),
        }
    }

    /// Makes a registered value the initial one of a field, which has to be able to hold it.
    fn take_over(&mut self, index: usize, registered: &FieldValue) -> Result<(), Error> {
        self.decode(&mut self.initial()?, index, registered)?;
        self.leaves[index].initial = registered.clone();
        Ok(())
    }

    /// Stores a field under a name that was one of its aliases.
    fn rename(&mut self, index: usize, name: &FieldName) {
        let leaf = &mut self.leaves[index];
        let newer = std::mem::replace(&mut leaf.name, name.clone());
        leaf.aliases.push(newer);
    }

    /// Makes sure that a registration which was made anew has the values of the one that this program agreed on.
    pub(crate) fn compare(&self, own: &Registration, found: &Registration) -> Result<(), Error> {
        if found.codec != own.codec {
            return Err(Error::OtherCodec { stored: found.codec.clone(), own: C::NAME });
        }
        let (value, own) = (self.initial()?, own.by_name());
        let mismatch = |field: &RegisteredField| {
            let known = own.get(&*field.name)?;
            let same = || {
                let (index, _) = self.look_up(&field.name, &mut 0).filter(|(_, is_alias)| !is_alias)?;
                self.same(&value, index, field.initial.as_ref()?, known.initial.as_ref()?).ok()
            };
            let differs = known.initial != field.initial && !same().unwrap_or(false);
            differs.then(|| field.mismatch(known))
        };
        let fields: Vec<_> = found.session_fields().filter_map(mismatch).collect();
        if fields.is_empty() { Ok(()) } else { Err(Error::InitialStateMismatch { fields }) }
    }

    fn pin(&mut self, index: usize) {
        self.leaves[index].def.pin = true;
        if let Err(place) = self.pinned.binary_search(&index) {
            self.pinned.insert(place, index);
        }
    }
}

impl<T: Session, C: Codec> Build for Schema<T, C> {
    fn codec(&self) -> &str {
        C::NAME
    }

    fn session_type(&self) -> &str {
        type_name::<T>()
    }

    fn len(&self) -> usize {
        self.leaves.len()
    }

    fn names(&self, index: usize) -> impl Iterator<Item = &str> {
        let leaf = &self.leaves[index];
        std::iter::once(&leaf.name).chain(&leaf.aliases).map(|name| &**name)
    }

    fn is_pinned(&self, index: usize) -> bool {
        self.leaves[index].def.pin
    }

    fn begins_with(&self, index: usize, encoded: &[u8]) -> bool {
        // A registered value that this build cannot even decode differs as well.
        let same = |value| self.same(&value, index, encoded, &self.leaves[index].initial);
        self.initial().and_then(same).unwrap_or(false)
    }

    fn reads(&self, index: usize, encoded: &[u8]) -> bool {
        self.initial().and_then(|mut value| self.decode(&mut value, index, encoded)).is_ok()
    }
}

impl RegisteredField {
    /// How this field differs from the one that a program agreed on.
    fn mismatch(&self, own: &Self) -> Mismatch {
        let show = |initial: &Option<FieldValue>| match initial {
            Some(initial) => self.show(initial, own.sensitive),
            None => "[pinned]".to_owned(),
        };
        Mismatch { field: self.name.clone(), registered: show(&self.initial), own: show(&own.initial) }
    }

    /// A value of this field as text.
    pub(crate) fn show(&self, value: &[u8], sensitive: bool) -> String {
        if self.sensitive || sensitive { "[redacted]".to_owned() } else { String::from_utf8_lossy(value).into_owned() }
    }
}
