//! A tracked field is stored, so its type is encoded and decoded.

use session_runtime::Session;

#[derive(Default)]
struct Opaque;

#[derive(Default, serde::Serialize)]
struct OneWay;

#[derive(Session)]
struct Visitor {
    visits: u32,
    opaque: Opaque, //~ ERROR neither
    one_way: OneWay, //~ ERROR no `Deserialize`
    many: Vec<Option<Opaque>>, //~ ERROR inside
}

fn main() {}
