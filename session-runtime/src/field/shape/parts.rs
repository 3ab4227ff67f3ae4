//! The parts of a value: the one that a way leads to, and those before it, which are made up.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess};

use super::walker::{Stop, Walker};

/// What the parts of a value are read through.
pub(super) struct Items<W> {
    /// How many are made up first.
    before: usize,
    /// Who reads the last.
    last: Option<W>,
    made_up: W,
}

impl<'a> Items<Walker<'a>> {
    /// So many that are made up.
    pub(super) fn all(len: usize, next: Walker<'a>) -> Self {
        Self { before: len, last: None, made_up: next.aside() }
    }

    /// The one at this place, and those before it.
    pub(super) fn nth(place: usize, next: Walker<'a>) -> Self {
        Self { before: place, last: Some(next), made_up: next.aside() }
    }
}

impl<'de> SeqAccess<'de> for Items<Walker<'_>> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        let reader = if self.before > 0 {
            self.before -= 1;
            self.made_up
        } else {
            let Some(last) = self.last.take() else { return Ok(None) };
            last
        };
        seed.deserialize(reader).map(Some)
    }
}

/// The fields of a struct, by their names.
pub(super) struct Entries<W> {
    names: &'static [&'static str],
    reader: W,
}

impl<'a> Entries<Walker<'a>> {
    /// All, made up.
    pub(super) fn all(names: &'static [&'static str], next: Walker<'a>) -> Self {
        Self { names, reader: next.aside() }
    }

    /// The one at this place alone.
    pub(super) fn nth(names: &'static [&'static str], place: usize, next: Walker<'a>) -> Self {
        Self { names: names.get(place..=place).unwrap_or_default(), reader: next }
    }
}

impl<'de> MapAccess<'de> for Entries<Walker<'_>> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        let Some((name, rest)) = self.names.split_first() else { return Ok(None) };
        self.names = rest;
        let name: StrDeserializer<'_, Stop> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(self.reader)
    }
}

/// The key and the value of the one entry of a map; or none.
pub(super) struct Pair<W> {
    key: Option<W>,
    value: W,
}

impl<'a> Pair<Walker<'a>> {
    /// The way leads to the key, to the value, or past the map.
    pub(super) fn to(part: Option<usize>, next: Walker<'a>) -> Self {
        let key = part.map(|part| if part == 0 { next } else { next.aside() });
        Self { key, value: next }
    }
}

impl<'de> MapAccess<'de> for Pair<Walker<'_>> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        self.key.take().map(|key| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(self.value)
    }
}

/// A variant of an enum.
pub(super) struct Chosen<W> {
    pub(super) name: &'static str,
    pub(super) content: W,
}

impl<'de, 'a> EnumAccess<'de> for Chosen<Walker<'a>> {
    type Error = Stop;
    type Variant = Walker<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Walker<'a>), Stop> {
        let name: StrDeserializer<'_, Stop> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self.content))
    }
}
