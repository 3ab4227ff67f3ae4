//! In what a build's session type differs from what is registered: one list, on which a program that starts acts and of
//! which the check of a snapshot makes sentences.

use std::collections::HashSet;

use crate::store::{FieldValue, RegisteredField, Registration};

/// A session type as a build has it: the type itself, or what was written down of it.
pub(crate) trait Build {
    /// How values are encoded.
    fn codec(&self) -> &str;

    /// The type's path.
    fn session_type(&self) -> &str;

    /// How many fields there are.
    fn len(&self) -> usize;

    /// The name of a field, then its aliases.
    fn names(&self, index: usize) -> impl Iterator<Item = &str>;

    /// Whether each program has an initial value of its own.
    fn is_pinned(&self, index: usize) -> bool;

    /// Whether this encoding stands for the initial value of a field.
    fn begins_with(&self, index: usize, encoded: &[u8]) -> bool;

    /// Whether this encoding stands for a value of a field at all, as far as that can be told.
    fn reads(&self, index: usize, encoded: &[u8]) -> bool;
}

/// One thing in which a build differs from what is registered. Fields of the build are named by their index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Difference<'a> {
    /// Another type, by its path and its fields.
    Type(&'a str),
    /// Another encoding, with which initial values cannot be compared.
    Codec,
    /// A field that is not registered.
    New(usize),
    /// A field that is registered under one of its aliases.
    Renamed(usize, &'a RegisteredField),
    /// A pinned field that is registered with a value.
    Pinned(usize, &'a FieldValue),
    /// A field that is registered as pinned and is not.
    Unpinned(usize),
    /// Another initial value.
    Initial(usize, &'a RegisteredField, &'a FieldValue),
    /// A registered field that the build does not know.
    Gone(&'a RegisteredField),
}

/// In what a build differs from what is registered.
pub(crate) fn differences<'a>(build: &impl Build, known: &'a Registration) -> Vec<Difference<'a>> {
    let registered = known.by_name();
    let same_codec = &*known.codec == build.codec();
    let mut found = Vec::new();
    found.extend((!same_codec).then_some(Difference::Codec));
    for index in 0..build.len() {
        let Some(field) = build.names(index).find_map(|name| registered.get(name).copied()) else {
            found.push(Difference::New(index));
            continue;
        };
        if build.names(index).next() != Some(&*field.name) {
            found.push(Difference::Renamed(index, field));
        }
        match &field.initial {
            None if !build.is_pinned(index) => found.push(Difference::Unpinned(index)),
            Some(initial) if build.is_pinned(index) => found.push(Difference::Pinned(index, initial)),
            Some(initial) if same_codec && !build.begins_with(index, initial) => {
                found.push(Difference::Initial(index, field, initial));
            }
            _ => {}
        }
    }
    let names: HashSet<_> = (0..build.len()).flat_map(|index| build.names(index)).collect();
    let gone = known.session_fields().filter(|field| !names.contains(&*field.name));
    found.extend(gone.map(Difference::Gone));
    found.extend(other_type(build, known, &found).map(Difference::Type));
    found
}

/// The type that registered, if it is another: by its path, and by its fields, since a type can have moved.
fn other_type<'a>(build: &impl Build, known: &'a Registration, found: &[Difference<'_>]) -> Option<&'a str> {
    let registered = known.session_type().filter(|_| !known.is_of(build.session_type()))?;
    let has_new = found.iter().any(|difference| matches!(difference, Difference::New(_)));
    (has_new || known.session_fields().count() != build.len()).then_some(registered)
}
