//! All instances agree on the initial state, or say so instead of serving it.

use std::any::type_name;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::{Leaf, Schema};
use crate::codec::Codec;
use crate::error::{Error, Mismatch};
use crate::session::Session;
use crate::store::{RegisteredField, Registration, RegistrationId};

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
        let own = type_name::<T>();
        let Some(registered) = known.session_type().filter(|_| !known.is_of(own)) else { return Ok(()) };
        let fields = known.by_name();
        let is_registered = |leaf: &Leaf| names(leaf).any(|name| fields.contains_key(name));
        if known.session_fields().count() == self.leaves.len() && self.leaves.iter().all(is_registered) {
            return Ok(());
        }
        Err(Error::NameTaken { name: known.name.clone(), registered: registered.into(), own })
    }

    /// Warns of fields that nobody of this program knows any more, where others are new: one may be the other renamed,
    /// and then its values are lost to this program.
    pub(crate) fn warn_of_renames(&self, session: &str, known: &Registration) {
        let names: HashSet<&str> = self.leaves.iter().flat_map(names).collect();
        let is_known = |name: &str| names.contains(name);
        let gone: Vec<_> = known.session_fields().map(|field| &*field.name).filter(|name| !is_known(name)).collect();
        let new: Vec<_> = self.unregistered(Some(known)).map(|field| field.name).collect();
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
        if &*agreed.codec != C::NAME {
            return Err(Error::OtherCodec { stored: agreed.codec.clone(), own: C::NAME });
        }
        let (value, agreed) = (self.initial()?, agreed.by_name());
        let mut mismatches = Vec::new();
        for index in 0..self.leaves.len() {
            let Some(field) = self.registered(&agreed, index) else { continue };
            let Some(registered) = field.initial.clone() else {
                // Records differ from no common value of a field that is registered as pinned, so it stays that.
                self.pin(index);
                continue;
            };
            if self.leaves[index].def.pin {
                self.decode(&mut self.initial()?, index, &registered)?;
                self.leaves[index].initial = registered;
                if !self.elided.contains(&index) {
                    self.elided.push(index);
                }
                continue;
            }
            // A registered value that this build cannot even decode differs as well.
            let same = self.same(&value, index, &registered, &self.leaves[index].initial).unwrap_or(false);
            if same {
                continue;
            }
            match policy {
                Agreement::Adopt => {
                    self.decode(&mut self.initial()?, index, &registered).map_err(Error::into_type_change)?;
                    self.leaves[index].initial = registered;
                    self.adopted.push(index);
                }
                Agreement::Refuse => mismatches.push(Mismatch {
                    field: field.name.clone(),
                    registered: field.show(&registered, self.leaves[index].def.sensitive),
                    own: field.show(&self.leaves[index].initial, self.leaves[index].def.sensitive),
                }),
            }
        }
        self.name();
        if mismatches.is_empty() { Ok(()) } else { Err(Error::InitialStateMismatch { fields: mismatches }) }
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

    /// The registration of a field, which can stand under an alias: then that stays its stored name.
    fn registered<'a>(
        &mut self,
        agreed: &HashMap<&str, &'a RegisteredField>,
        index: usize,
    ) -> Option<&'a RegisteredField> {
        let leaf = &mut self.leaves[index];
        if let Some(field) = agreed.get(&*leaf.name) {
            return Some(field);
        }
        let field = leaf.aliases.iter().find_map(|alias| agreed.get(&**alias))?;
        let newer = std::mem::replace(&mut leaf.name, field.name.clone());
        leaf.aliases.push(newer);
        Some(field)
    }
}

/// All names under which a field can be registered.
fn names(leaf: &Leaf) -> impl Iterator<Item = &str> {
    std::iter::once(&leaf.name).chain(&leaf.aliases).map(|name| &**name)
}

impl RegisteredField {
    /// How this field differs from the one that a program agreed on.
    fn mismatch(&self, own: &Self) -> Mismatch {
        let show = |initial: &Option<Bytes>| match initial {
            Some(initial) => self.show(initial, own.sensitive),
            None => "[pinned]".to_owned(),
        };
        Mismatch { field: self.name.clone(), registered: show(&self.initial), own: show(&own.initial) }
    }

    /// A value of this field as text.
    fn show(&self, value: &[u8], sensitive: bool) -> String {
        if self.sensitive || sensitive { "[redacted]".to_owned() } else { String::from_utf8_lossy(value).into_owned() }
    }
}
