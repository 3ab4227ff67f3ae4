//! An enum or a union becomes a field of a session.

use session_runtime::Session;

#[derive(Session)]
enum Dialogue { //~ ERROR an enum
    Start,
    Asked { name: String },
}

#[derive(Session)]
union Number { //~ ERROR a union
    integer: u32,
    real: f32,
}

fn takes_a_session<T: Session>() {}

fn uses_them() {
    takes_a_session::<Dialogue>();
    takes_a_session::<Number>();
}

fn main() {}
