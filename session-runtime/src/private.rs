//! What generated code names. Not part of the public interface.

pub use core::prelude::v1::{Clone, Copy, Default, Eq, From, Into, None, Option, PartialEq, Result, Some};
pub use core::{default, fmt, hash, marker};

pub use serde::de::Deserializer;
pub use serde::ser::Serializer;

pub use crate::session::{
    Container, Field, FieldDef, Flags, Merge, Nesting, Plain, Previous, ReadField, Rule, Session, Touched, WriteField,
};
