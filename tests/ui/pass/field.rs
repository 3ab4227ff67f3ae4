//! The enum under another name, beside a type that has the default one.

use session_runtime::{Session, Tracked};

struct VisitorField(u8);

#[derive(Session)]
#[session(field = Name)]
struct Visitor {
    visits: u32,
}

fn main() -> Result<(), session_runtime::Error> {
    use Name::Visits;

    let mut visitor = Tracked::<Visitor>::new()?;
    *visitor.edit().visits() += u32::from(VisitorField(1).0);
    assert!(visitor.dirty()?.contains(Visits));
    match visitor.dirty()?.iter().next() {
        Some(Name::Visits) => Ok(()),
        None => panic!("the field is dirty"),
    }
}
