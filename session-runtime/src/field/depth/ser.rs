//! Encoding within the limit.

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{Level, Limited};

impl<V: Serialize> Serialize for Limited<V> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.inner.serialize(Limited { inner: serializer, level: self.level })
    }
}

macro_rules! leaves {
    ($($method:ident($($argument:ident: $ty:ty),*);)*) => {
        $(#[inline]
        fn $method(self, $($argument: $ty),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($argument),*)
        })*
    };
}

macro_rules! wrappers {
    ($($step:ident: $method:ident($($argument:ident: $ty:ty),*);)*) => {
        $(#[inline]
        fn $method<V: Serialize + ?Sized>(self, $($argument: $ty,)* value: &V) -> Result<S::Ok, S::Error> {
            let level = self.level.$step().map_err(Error::custom)?;
            self.inner.$method($($argument,)* &Limited { inner: value, level })
        })*
    };
}

macro_rules! containers {
    ($($compound:ident: $method:ident($($argument:ident: $ty:ty),*) in $levels:expr;)*) => {
        $(#[inline]
        fn $method(self, $($argument: $ty),*) -> Result<Self::$compound, S::Error> {
            let level = ($levels)(self.level).map_err(Error::custom)?;
            self.inner.$method($($argument),*).map(|inner| Limited { inner, level })
        })*
    };
}

impl<S: Serializer> Serializer for Limited<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Limited<S::SerializeSeq>;
    type SerializeTuple = Limited<S::SerializeTuple>;
    type SerializeTupleStruct = Limited<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Limited<S::SerializeTupleVariant>;
    type SerializeMap = Limited<S::SerializeMap>;
    type SerializeStruct = Limited<S::SerializeStruct>;
    type SerializeStructVariant = Limited<S::SerializeStructVariant>;

    leaves! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_f32(value: f32);
        serialize_f64(value: f64);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    wrappers! {
        wrap: serialize_some();
        wrap: serialize_newtype_struct(name: &'static str);
        enter: serialize_newtype_variant(name: &'static str, index: u32, variant: &'static str);
    }

    containers! {
        SerializeSeq: serialize_seq(len: Option<usize>) in Level::enter;
        SerializeTuple: serialize_tuple(len: usize) in Level::enter;
        SerializeTupleStruct: serialize_tuple_struct(name: &'static str, len: usize) in Level::enter;
        SerializeMap: serialize_map(len: Option<usize>) in Level::enter;
        SerializeStruct: serialize_struct(name: &'static str, len: usize) in Level::enter;
        SerializeTupleVariant:
            serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) in variant_level;
        SerializeStructVariant:
            serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) in variant_level;
    }

    #[inline]
    fn collect_str<V: std::fmt::Display + ?Sized>(self, value: &V) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// A variant with fields is a container in a container: `{"Variant": {…}}`.
#[inline]
fn variant_level(level: Level) -> Result<Level, super::TooDeep> {
    level.enter()?.enter()
}

macro_rules! parts {
    ($($compound:ident: $($method:ident($($name:ident: $ty:ty)?)),* $(=> $skip:ident)?;)*) => {
        $(impl<S: $compound> $compound for Limited<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            $(#[inline]
            fn $method<V: Serialize + ?Sized>(&mut self, $($name: $ty,)? value: &V) -> Result<(), S::Error> {
                self.inner.$method($($name,)? &Limited { inner: value, level: self.level })
            })*

            $(#[inline]
            fn $skip(&mut self, name: &'static str) -> Result<(), S::Error> {
                self.inner.$skip(name)
            })?

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })*
    };
}

parts! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(name: &'static str) => skip_field;
    SerializeStructVariant: serialize_field(name: &'static str) => skip_field;
}
