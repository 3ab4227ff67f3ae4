//! A module has two functions of the right types.

use session_runtime::Session;

mod wrong {
    pub fn serialize<S: serde::Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(*value)
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

mod half {
    pub fn serialize<S: serde::Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(*value)
    }
}

#[derive(Session)]
struct Visitor {
    #[session(with = wrong)] //~ ERROR another type
    a: u32,
    #[session(with = half)] //~ ERROR one function
    b: u32,
    #[session(with = missing)] //~ ERROR unknown
    c: u32,
}

fn main() {}
