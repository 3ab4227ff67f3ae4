//! Describes a value by the calls of its `Serialize`: as a print, which is quick, or as a tree.

use std::any::type_name;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::hash;
use super::names::Order;
use super::tree::{Form, Node, Tree};
use crate::codec::CodecError;

/// What becomes of a value.
pub(super) struct Description {
    /// A hash of all calls, blind to the order of entries. It takes names by their address, so that equal prints are
    /// the same calls, and different ones may be.
    pub(super) print: u64,
    key: u64,
    is_human_readable: bool,
    pub(super) tree: Option<Tree>,
}

impl Description {
    pub(super) const fn new(key: u64, is_human_readable: bool, tree: Option<Tree>) -> Self {
        Self { print: key, key, is_human_readable, tree }
    }

    #[inline]
    fn print(&mut self, word: u64) {
        self.print = hash::fold(self.print, word);
    }

    #[inline]
    fn print_name(&mut self, name: &'static str) {
        // Where a name is and how long it is says what it is.
        self.print((name.as_ptr().addr() as u64).rotate_left(16) ^ name.len() as u64);
    }
}

/// Describes one value.
pub(super) struct Describe<'d> {
    pub(super) out: &'d mut Description,
    /// The name of the value's type.
    pub(super) ty: &'static str,
    /// The name of the field it stands in, or empty.
    pub(super) field: &'static str,
    pub(super) is_unordered: bool,
}

/// A call: its kind, and the names in it.
#[derive(Clone, Copy)]
struct Call {
    kind: &'static str,
    of: &'static str,
    name: &'static str,
}

impl Call {
    const fn plain(kind: &'static str) -> Self {
        Self { kind, of: "", name: "" }
    }
}

impl<'d> Describe<'d> {
    /// Notes a call, and tells where it is in the tree.
    #[inline]
    fn push(&mut self, call: Call, value: u64, form: Form) -> usize {
        self.out.print(value);
        self.out.print_name(call.kind);
        if !call.name.is_empty() {
            self.out.print_name(call.of);
            self.out.print_name(call.name);
        }
        match &mut self.out.tree {
            Some(tree) => plant(tree, call, self.field, hash::fold(self.out.key, value), form),
            None => 0,
        }
    }

    #[inline]
    fn leaf(mut self, call: Call, value: u64) {
        self.push(call, value, Form::Fixed);
    }

    #[inline]
    fn open(mut self, call: Call, form: Form) -> Parts<'d> {
        let at = self.push(call, 0, form);
        let before = self.out.print;
        Parts { out: self.out, at, before, sum: 0 }
    }

    /// A node with one value under it.
    #[inline]
    fn around<V: Serialize + ?Sized>(mut self, call: Call, is_unordered: bool, value: &V) -> Result<(), CodecError> {
        let at = self.push(call, 0, Form::Fixed);
        value.serialize(Describe { out: &mut *self.out, ty: type_name::<V>(), field: "", is_unordered })?;
        close(self.out, at);
        Ok(())
    }

    /// Whether a collection here has an order. Only a tree asks.
    #[inline]
    fn order(&mut self) -> Order {
        match &mut self.out.tree {
            Some(_) if self.is_unordered => Order::Free,
            Some(tree) => tree.order_of(self.ty),
            None => Order::Unknown,
        }
    }
}

/// What a print takes in where parts end: how many there are can depend on the value.
const END: u64 = u64::MAX;

#[cold]
fn plant(tree: &mut Tree, call: Call, field: &'static str, value: u64, form: Form) -> usize {
    let names = [call.kind, call.of, call.name, field];
    let hash = names.iter().fold(value, |hash, name| hash::bytes(hash, name.as_bytes()));
    tree.push(Node { hash, form, end: 0, kind: call.kind, name: call.name, field })
}

#[inline]
fn close(out: &mut Description, at: usize) {
    if let Some(tree) = &mut out.tree {
        tree.close(at);
    }
}

macro_rules! leaves {
    ($($method:ident($($argument:ident: $ty:ty),*) => $kind:literal, $value:expr;)*) => {
        $(#[inline]
        fn $method(self, $($argument: $ty),*) -> Result<(), CodecError> {
            self.leaf(Call::plain($kind), $value);
            Ok(())
        })*
    };
}

macro_rules! texts {
    ($($method:ident($value:ident: $ty:ty) => $kind:literal, $bytes:expr;)*) => {
        $(fn $method(self, $value: $ty) -> Result<(), CodecError> {
            let hash = hash::bytes(self.out.key, $bytes);
            self.leaf(Call::plain($kind), hash);
            Ok(())
        })*
    };
}

#[expect(clippy::cast_sign_loss, reason = "a hash takes the bits")]
impl<'d> Serializer for Describe<'d> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Elements<'d>;
    type SerializeTuple = Parts<'d>;
    type SerializeTupleStruct = Parts<'d>;
    type SerializeTupleVariant = Parts<'d>;
    type SerializeMap = Elements<'d>;
    type SerializeStruct = Parts<'d>;
    type SerializeStructVariant = Parts<'d>;

    leaves! {
        serialize_bool(value: bool) => "bool", value.into();
        serialize_i8(value: i8) => "i8", value as u64;
        serialize_i16(value: i16) => "i16", value as u64;
        serialize_i32(value: i32) => "i32", value as u64;
        serialize_i64(value: i64) => "i64", value as u64;
        serialize_u8(value: u8) => "u8", value.into();
        serialize_u16(value: u16) => "u16", value.into();
        serialize_u32(value: u32) => "u32", value.into();
        serialize_u64(value: u64) => "u64", value;
        serialize_f32(value: f32) => "f32", value.to_bits().into();
        serialize_f64(value: f64) => "f64", value.to_bits();
        serialize_char(value: char) => "char", u32::from(value).into();
        serialize_none() => "None", 0;
        serialize_unit() => "()", 0;
    }

    texts! {
        serialize_i128(value: i128) => "i128", &value.to_le_bytes();
        serialize_u128(value: u128) => "u128", &value.to_le_bytes();
        serialize_str(value: &str) => "string", value.as_bytes();
        serialize_bytes(value: &[u8]) => "bytes", value;
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), CodecError> {
        self.leaf(Call { kind: "unit struct", of: "", name }, 0);
        Ok(())
    }

    fn serialize_unit_variant(self, of: &'static str, _: u32, name: &'static str) -> Result<(), CodecError> {
        self.leaf(Call { kind: "variant", of, name }, 0);
        Ok(())
    }

    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Result<(), CodecError> {
        let is_unordered = self.is_unordered;
        self.around(Call::plain("Some"), is_unordered, value)
    }

    fn serialize_newtype_struct<V: Serialize + ?Sized>(self, name: &'static str, value: &V) -> Result<(), CodecError> {
        let is_unordered = self.is_unordered;
        self.around(Call { kind: "struct", of: "", name }, is_unordered, value)
    }

    fn serialize_newtype_variant<V: Serialize + ?Sized>(
        self,
        of: &'static str,
        _: u32,
        name: &'static str,
        value: &V,
    ) -> Result<(), CodecError> {
        self.around(Call { kind: "variant", of, name }, false, value)
    }

    fn serialize_seq(mut self, _: Option<usize>) -> Result<Elements<'d>, CodecError> {
        let form = Form::Seq(self.order());
        Ok(Elements(self.open(Call::plain("sequence"), form)))
    }

    fn serialize_map(mut self, _: Option<usize>) -> Result<Elements<'d>, CodecError> {
        let form = Form::Map(self.order());
        Ok(Elements(self.open(Call::plain("map"), form)))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'d>, CodecError> {
        Ok(self.open(Call::plain("tuple"), Form::Fixed))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Parts<'d>, CodecError> {
        Ok(self.open(Call { kind: "struct", of: "", name }, Form::Fixed))
    }

    fn serialize_tuple_variant(
        self,
        of: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts<'d>, CodecError> {
        Ok(self.open(Call { kind: "variant", of, name }, Form::Fixed))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Parts<'d>, CodecError> {
        Ok(self.open(Call { kind: "struct", of: "", name }, Form::Fixed))
    }

    fn serialize_struct_variant(
        self,
        of: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts<'d>, CodecError> {
        Ok(self.open(Call { kind: "variant", of, name }, Form::Fixed))
    }

    fn is_human_readable(&self) -> bool {
        self.out.is_human_readable
    }
}

/// Describes parts whose places their type says.
pub(super) struct Parts<'d> {
    out: &'d mut Description,
    at: usize,
    /// The print up to the first entry, and the sum of the entries' own prints.
    before: u64,
    sum: u64,
}

/// Describes the entries of a sequence or map.
pub(super) struct Elements<'d>(Parts<'d>);

impl Parts<'_> {
    #[inline]
    fn part<V: Serialize + ?Sized>(&mut self, field: &'static str, value: &V) -> Result<(), CodecError> {
        value.serialize(Describe { out: &mut *self.out, ty: type_name::<V>(), field, is_unordered: false })
    }

    #[inline]
    fn field<V: Serialize + ?Sized>(&mut self, field: &'static str, value: &V) -> Result<(), CodecError> {
        self.out.print_name(field);
        self.part(field, value)
    }

    #[inline]
    fn finish(self) {
        self.out.print(END);
        close(self.out, self.at);
    }
}

impl Elements<'_> {
    #[inline]
    fn first<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), CodecError> {
        self.0.out.print = self.0.out.key;
        self.0.part("", value)
    }

    #[inline]
    fn last<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), CodecError> {
        self.0.part("", value)?;
        self.0.sum = self.0.sum.wrapping_add(hash::spread(self.0.out.print));
        Ok(())
    }

    #[inline]
    fn element<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), CodecError> {
        self.0.out.print = self.0.out.key;
        self.last(value)
    }

    #[inline]
    fn finish(self) {
        self.0.out.print = hash::fold(self.0.before, self.0.sum);
        self.0.finish();
    }
}

macro_rules! parts {
    ($($target:ident, $compound:ident: $($method:ident($($field:ident)?) => $how:ident),*;)*) => {
        $(impl $compound for $target<'_> {
            type Ok = ();
            type Error = CodecError;

            $(#[inline]
            fn $method<V: Serialize + ?Sized>(
                &mut self,
                $($field: &'static str,)?
                value: &V,
            ) -> Result<(), CodecError> {
                self.$how($($field,)? value)
            })*

            #[inline]
            fn end(self) -> Result<(), CodecError> {
                self.finish();
                Ok(())
            }
        })*
    };
}

impl Parts<'_> {
    #[inline]
    fn place<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), CodecError> {
        self.part("", value)
    }
}

parts! {
    Elements, SerializeSeq: serialize_element() => element;
    Elements, SerializeMap: serialize_key() => first, serialize_value() => last;
    Parts, SerializeTuple: serialize_element() => place;
    Parts, SerializeTupleStruct: serialize_field() => place;
    Parts, SerializeTupleVariant: serialize_field() => place;
    Parts, SerializeStruct: serialize_field(field) => field;
    Parts, SerializeStructVariant: serialize_field(field) => field;
}
