//! Several mistakes are shown in one compile, and none causes others.

use session_runtime::Session;

#[derive(Session)]
#[session(version = "1", nam = "visitor")] //~ ERROR two
struct Visitor {
    #[session(skip, pin = 3, initial = 5 + , merge)] //~ ERROR three
    first: u32,
    second: String,
}

fn theme(visitor: &mut session_runtime::Tracked<Visitor>) {
    visitor.edit().second().push('x');
    *visitor.edit().first() += 1;
    let _ = [VisitorField::Second];
}

fn main() {}
