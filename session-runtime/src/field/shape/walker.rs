//! A deserializer that goes along a path and notes what is asked for at its end.

use std::any::type_name;
use std::cell::Cell;

use serde::de::{DeserializeSeed, Deserializer, VariantAccess, Visitor};

use super::node::{Node, Seen, Stop};
use super::parts::{Chosen, Entries, Items, Pair};

/// How deep values are made up.
const DEEPEST: u8 = 64;

/// Goes to a part, or makes up a value of what the way leads past.
#[derive(Clone, Copy)]
pub(super) struct Walker<'a> {
    /// The way from here; `None` if a value is made up.
    path: Option<&'a [usize]>,
    seen: &'a Cell<Option<Seen>>,
    is_human_readable: bool,
    /// How many levels of it are made up.
    depth: u8,
}

impl<'a> Walker<'a> {
    pub(super) fn to(path: &'a [usize], seen: &'a Cell<Option<Seen>>, is_human_readable: bool) -> Self {
        Self { path: Some(path), seen, is_human_readable, depth: 0 }
    }

    /// Makes up a value.
    pub(super) fn aside(self) -> Self {
        Self { path: None, ..self }
    }

    /// Notes what is asked for if this is the end of the way. Else says which part the way leads to, if any, and who
    /// goes on.
    fn step<T>(self, node: Node) -> Result<(Option<usize>, Self), Stop> {
        match self.path {
            None if self.depth == DEEPEST => Err(Stop),
            None => Ok((None, Self { depth: self.depth + 1, ..self })),
            Some([]) => {
                self.seen.set(Some(Seen { node, by: type_name::<T>() }));
                Err(Stop)
            }
            Some([part, rest @ ..]) => Ok((Some(*part), Self { path: Some(rest), ..self })),
        }
    }

    fn tuple<'de, V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        let (part, next) = self.step::<V::Value>(Node::Tuple(len))?;
        visitor
            .visit_seq(part.map_or_else(|| Items::all(len, next.aside()), |part| Items::nth(part, next, next.aside())))
    }

    fn fields<'de, V: Visitor<'de>>(
        self,
        node: Node,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (part, next) = self.step::<V::Value>(node)?;
        visitor
            .visit_map(part.map_or_else(|| Entries::all(names, next.aside()), |part| Entries::nth(names, part, next)))
    }
}

macro_rules! scalars {
    ($($method:ident: $name:literal = $visit:ident($($value:expr)?);)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.step::<V::Value>(Node::Scalar($name))?;
            visitor.$visit($($value)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Walker<'_> {
    type Error = Stop;

    // What is made up passes as many checks as it can: it is not zero, and not empty.
    scalars! {
        deserialize_bool: "bool" = visit_bool(true);
        deserialize_i8: "i8" = visit_i8(1);
        deserialize_i16: "i16" = visit_i16(1);
        deserialize_i32: "i32" = visit_i32(1);
        deserialize_i64: "i64" = visit_i64(1);
        deserialize_i128: "i128" = visit_i128(1);
        deserialize_u8: "u8" = visit_u8(1);
        deserialize_u16: "u16" = visit_u16(1);
        deserialize_u32: "u32" = visit_u32(1);
        deserialize_u64: "u64" = visit_u64(1);
        deserialize_u128: "u128" = visit_u128(1);
        deserialize_f32: "f32" = visit_f32(1.0);
        deserialize_f64: "f64" = visit_f64(1.0);
        deserialize_char: "char" = visit_char('1');
        deserialize_str: "string" = visit_str("1");
        deserialize_string: "string" = visit_str("1");
        deserialize_bytes: "bytes" = visit_bytes(b"1");
        deserialize_byte_buf: "bytes" = visit_bytes(b"1");
        deserialize_unit: "null" = visit_unit();
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.step::<V::Value>(Node::Any)?;
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.step::<V::Value>(Node::Any)?;
        visitor.visit_str("1")
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.step::<V::Value>(Node::Option)? {
            (Some(_), next) => visitor.visit_some(next),
            (None, _) => visitor.visit_none(),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }

    /// It is stored as what it holds.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let (part, next) = self.step::<V::Value>(Node::List)?;
        visitor.visit_seq(part.map_or_else(|| Items::all(0, next.aside()), |part| Items::nth(part, next, next.aside())))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let (part, next) = self.step::<V::Value>(Node::Map)?;
        visitor.visit_map(Pair::to(part, next, next.aside()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.fields(Node::Struct(fields), fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (part, next) = self.step::<V::Value>(Node::Enum(variants))?;
        let name = variants.get(part.unwrap_or(0)).ok_or(Stop)?;
        visitor.visit_enum(Chosen { name, content: next })
    }

    fn is_human_readable(&self) -> bool {
        self.is_human_readable
    }
}

/// The content of a variant.
impl<'de> VariantAccess<'de> for Walker<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        self.step::<()>(Node::Scalar("null")).map(drop)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Stop> {
        let (_, next) = self.step::<S::Value>(Node::Content)?;
        seed.deserialize(next)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Stop> {
        self.fields(Node::Fields(fields), fields, visitor)
    }
}
