//! Compares collections whose entries have no order.

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::codec::{Codec, CodecError};

/// Whether two collections have the same entries, each as often; `false` when either is not a collection.
///
/// Entries are compared by their encodings, sorted: a comparison of multisets in `n log n`.
pub(super) fn same<C: Codec>(codec: &C, one: &impl Serialize, other: &impl Serialize) -> bool {
    match (of(codec, one), of(codec, other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn of<C: Codec>(codec: &C, collection: &impl Serialize) -> Result<Vec<Vec<u8>>, CodecError> {
    let mut entries = collection.serialize(Entries { codec, entries: Vec::new() })?;
    entries.sort_unstable();
    Ok(entries)
}

/// Serializes each entry of a sequence or map by itself.
struct Entries<'a, C> {
    codec: &'a C,
    entries: Vec<Vec<u8>>,
}

impl<C: Codec> SerializeSeq for Entries<'_, C> {
    type Ok = Vec<Vec<u8>>;
    type Error = CodecError;

    fn serialize_element<V: Serialize + ?Sized>(&mut self, element: &V) -> Result<(), CodecError> {
        let mut entry = Vec::new();
        self.codec.encode(element, &mut entry)?;
        self.entries.push(entry);
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, CodecError> {
        Ok(self.entries)
    }
}

impl<C: Codec> SerializeMap for Entries<'_, C> {
    type Ok = Vec<Vec<u8>>;
    type Error = CodecError;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), CodecError> {
        // The key's length goes first, so that `1` and `23` is another entry than `12` and `3`.
        let mut entry = vec![0; size_of::<usize>()];
        self.codec.encode(key, &mut entry)?;
        let len = entry.len().to_ne_bytes();
        entry[..len.len()].copy_from_slice(&len);
        self.entries.push(entry);
        Ok(())
    }

    fn serialize_value<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), CodecError> {
        match self.entries.last_mut() {
            Some(entry) => self.codec.encode(value, entry),
            None => Err(no_collection()),
        }
    }

    fn end(self) -> Result<Self::Ok, CodecError> {
        Ok(self.entries)
    }
}

#[cold]
fn no_collection() -> CodecError {
    CodecError::new("not a collection")
}

macro_rules! no_collection {
    ($($method:ident($($argument:ty),*) -> $output:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$output, CodecError> { Err(no_collection()) })*
    };
}

impl<C: Codec> Serializer for Entries<'_, C> {
    type Ok = Vec<Vec<u8>>;
    type Error = CodecError;
    type SerializeSeq = Self;
    type SerializeMap = Self;
    type SerializeTuple = Impossible<Self::Ok, CodecError>;
    type SerializeTupleStruct = Impossible<Self::Ok, CodecError>;
    type SerializeTupleVariant = Impossible<Self::Ok, CodecError>;
    type SerializeStruct = Impossible<Self::Ok, CodecError>;
    type SerializeStructVariant = Impossible<Self::Ok, CodecError>;

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, CodecError> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, CodecError> {
        Ok(self)
    }

    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Result<Self::Ok, CodecError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &V,
    ) -> Result<Self::Ok, CodecError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &V,
    ) -> Result<Self::Ok, CodecError> {
        Err(no_collection())
    }

    no_collection! {
        serialize_bool(bool) -> Self::Ok;
        serialize_i8(i8) -> Self::Ok;
        serialize_i16(i16) -> Self::Ok;
        serialize_i32(i32) -> Self::Ok;
        serialize_i64(i64) -> Self::Ok;
        serialize_i128(i128) -> Self::Ok;
        serialize_u8(u8) -> Self::Ok;
        serialize_u16(u16) -> Self::Ok;
        serialize_u32(u32) -> Self::Ok;
        serialize_u64(u64) -> Self::Ok;
        serialize_u128(u128) -> Self::Ok;
        serialize_f32(f32) -> Self::Ok;
        serialize_f64(f64) -> Self::Ok;
        serialize_char(char) -> Self::Ok;
        serialize_str(&str) -> Self::Ok;
        serialize_bytes(&[u8]) -> Self::Ok;
        serialize_none() -> Self::Ok;
        serialize_unit() -> Self::Ok;
        serialize_unit_struct(&'static str) -> Self::Ok;
        serialize_unit_variant(&'static str, u32, &'static str) -> Self::Ok;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
