//! A field is stored under another name.

use session_runtime::{Session, Tracked};

#[derive(Session)]
struct Visitor {
    #[session(rename = "seen how often?")]
    visits: u32,
}

fn main() -> Result<(), session_runtime::Error> {
    let mut visitor = Tracked::<Visitor>::new()?;
    *visitor.edit().visits() += 1;
    assert_eq!(format!("{:?}", visitor.dirty()?), "{seen how often?}");
    Ok(())
}
