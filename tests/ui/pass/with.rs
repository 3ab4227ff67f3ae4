//! A module encodes a field whose type does not, or not so.

use session_runtime::{Session, Tracked};

#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Colour(u8, u8, u8);

mod hex {
    pub mod colour {
        use serde::{Deserialize, Deserializer, Serializer};

        use crate::Colour;

        pub fn serialize<S: Serializer>(colour: &Colour, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u32(u32::from_be_bytes([0, colour.0, colour.1, colour.2]))
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Colour, D::Error> {
            let [_, red, green, blue] = u32::deserialize(deserializer)?.to_be_bytes();
            Ok(Colour(red, green, blue))
        }
    }
}

/// A type may stand for a module.
struct As<T>(std::marker::PhantomData<T>);

impl<T: Into<u64> + TryFrom<u64>> As<T> {
    pub fn serialize<S: serde::Serializer>(value: &String, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.len() as u64)
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        let length: u64 = serde::Deserialize::deserialize(deserializer)?;
        Ok("x".repeat(length as usize))
    }
}

#[derive(Session)]
struct Visitor {
    #[session(with = As::<u32>)]
    length: String,
    #[session(with = As<u64>)]
    other_length: String,
    #[session(with = hex::colour)]
    colour: Colour,
    #[session(with = crate::hex::colour, merge = first)]
    other: Colour,
}

fn first(_base: &Colour, mine: Colour, _theirs: Colour) -> Colour {
    mine
}

fn main() -> Result<(), session_runtime::Error> {
    let mut visitor = Tracked::<Visitor>::new()?;
    *visitor.edit().colour() = Colour(0, 1, 2);
    *visitor.edit().other() = Colour::default();
    assert_eq!((visitor.length.as_str(), visitor.other_length.as_str()), ("", ""));
    assert_eq!(visitor.dirty()?.iter().collect::<Vec<_>>(), [VisitorField::Colour]);
    assert_eq!(visitor.patch()?.changes().len(), 1);
    Ok(())
}
