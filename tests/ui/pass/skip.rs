//! A skipped field has a method and an initial value, and is neither tracked nor encoded.

use session_runtime::{Session, Tracked};

struct Opaque(u8);

#[derive(Session)]
struct Visitor {
    visits: u32,
    #[session(skip, initial = Opaque(3))]
    opaque: Opaque,
    #[session(skip)]
    request: Option<u64>,
}

fn main() -> Result<(), session_runtime::Error> {
    let mut visitor = Tracked::<Visitor>::new()?;
    visitor.edit().opaque().0 += 1;
    *visitor.edit().request() = Some(1);
    assert_eq!((visitor.opaque.0, visitor.request), (4, Some(1)));
    assert!(visitor.dirty()?.is_empty());
    *visitor.edit().visits() += 1;
    assert_eq!(visitor.dirty()?.iter().collect::<Vec<_>>(), [VisitorField::Visits]);
    Ok(())
}
