//! Finds floats that JSON has no word for.

use std::fmt;

use serde::Serialize;
use serde::ser::{
    self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};

use super::CodecError;

/// Walks `value` and fails on the first float that is `NaN` or infinite.
pub(super) fn check<V: Serialize + ?Sized>(value: &V) -> Result<(), CodecError> {
    value.serialize(Finite)
}

/// Serializes into nothing.
struct Finite;

impl ser::Error for CodecError {
    fn custom<M: fmt::Display>(message: M) -> Self {
        Self::new(message.to_string())
    }
}

macro_rules! nothing {
    ($($method:ident($($argument:ty),*);)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<(), CodecError> { Ok(()) })*
    };
}

macro_rules! compound {
    ($($method:ident($($argument:ty),*);)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Self, CodecError> { Ok(self) })*
    };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn serialize_f32(self, value: f32) -> Result<(), CodecError> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), CodecError> {
        if value.is_finite() {
            return Ok(());
        }
        Err(CodecError::new(format!("JSON cannot hold the float {value}; use an Option, or the MessagePack codec")))
    }

    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Result<(), CodecError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<V: Serialize + ?Sized>(self, _: &'static str, value: &V) -> Result<(), CodecError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &V,
    ) -> Result<(), CodecError> {
        value.serialize(self)
    }

    nothing! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    compound! {
        serialize_seq(Option<usize>);
        serialize_tuple(usize);
        serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_map(Option<usize>);
        serialize_struct(&'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }
}

macro_rules! elements {
    ($($compound:ident::$method:ident($($name:ty)?);)*) => {
        $(impl $compound for Finite {
            type Ok = ();
            type Error = CodecError;

            fn $method<V: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &V) -> Result<(), CodecError> {
                check(value)
            }

            fn end(self) -> Result<(), CodecError> {
                Ok(())
            }
        })*
    };
}

elements! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(&'static str);
    SerializeStructVariant::serialize_field(&'static str);
}

impl SerializeMap for Finite {
    type Ok = ();
    type Error = CodecError;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), CodecError> {
        check(key)
    }

    fn serialize_value<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), CodecError> {
        check(value)
    }

    fn end(self) -> Result<(), CodecError> {
        Ok(())
    }
}
