//! The parts of a value: the one that a way leads to, and those before it, which are made up.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess};

use super::node::Stop;

/// The parts of a list or tuple.
pub(super) struct Items<W> {
    /// How many are made up first.
    before: usize,
    made_up: W,
    /// Who reads the last.
    last: Option<W>,
}

impl<W> Items<W> {
    /// So many, made up.
    pub(super) fn all(len: usize, made_up: W) -> Self {
        Self { before: len, made_up, last: None }
    }

    /// The one at this place, and those before it.
    pub(super) fn nth(place: usize, reader: W, made_up: W) -> Self {
        Self { before: place, made_up, last: Some(reader) }
    }
}

impl<'de, W: Deserializer<'de, Error = Stop> + Copy> SeqAccess<'de> for Items<W> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        let reader = if self.before > 0 { Some(self.made_up) } else { self.last.take() };
        self.before = self.before.saturating_sub(1);
        reader.map(|reader| seed.deserialize(reader)).transpose()
    }
}

/// The fields of a struct, by their names.
pub(super) struct Entries<W> {
    names: &'static [&'static str],
    reader: W,
}

impl<W> Entries<W> {
    /// All, made up.
    pub(super) fn all(names: &'static [&'static str], made_up: W) -> Self {
        Self { names, reader: made_up }
    }

    /// The one at this place alone.
    pub(super) fn nth(names: &'static [&'static str], place: usize, reader: W) -> Self {
        Self { names: names.get(place..=place).unwrap_or_default(), reader }
    }
}

impl<'de, W: Deserializer<'de, Error = Stop> + Copy> MapAccess<'de> for Entries<W> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        let Some((name, rest)) = self.names.split_first() else { return Ok(None) };
        self.names = rest;
        name_of(name, seed).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(self.reader)
    }
}

/// The one entry of a map, or none.
pub(super) struct Pair<W> {
    key: Option<W>,
    value: W,
}

impl<W: Copy> Pair<W> {
    /// The way leads to the key, to the value, or past the map.
    pub(super) fn to(part: Option<usize>, reader: W, made_up: W) -> Self {
        Self { key: part.map(|part| if part == 0 { reader } else { made_up }), value: reader }
    }
}

impl<'de, W: Deserializer<'de, Error = Stop> + Copy> MapAccess<'de> for Pair<W> {
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

impl<'de, W: VariantAccess<'de, Error = Stop>> EnumAccess<'de> for Chosen<W> {
    type Error = Stop;
    type Variant = W;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, W), Stop> {
        Ok((name_of(self.name, seed)?, self.content))
    }
}

fn name_of<'de, S: DeserializeSeed<'de>>(name: &'static str, seed: S) -> Result<S::Value, Stop> {
    let name: StrDeserializer<'_, Stop> = name.into_deserializer();
    seed.deserialize(name)
}
