//! The view under another name, beside a type that has the default one.

use session_runtime::{Session, Tracked};

struct VisitorEdit(u8);

#[derive(Session)]
#[session(edit = VisitorView)]
struct Visitor {
    visits: u32,
}

fn count(visitor: VisitorView<'_>) {
    *visitor.visits() += 1;
}

fn main() -> Result<(), session_runtime::Error> {
    let mut visitor = Tracked::<Visitor>::new()?;
    count(visitor.edit());
    assert_eq!(visitor.visits, u32::from(VisitorEdit(1).0));
    Ok(())
}
