//! One expression for the whole struct: no field needs `Default`.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, Tracked};

#[derive(Serialize, Deserialize)]
struct Theme(String);

struct Clock(u8);

#[derive(Session)]
#[session(initial = Visitor::new(1, 2))]
struct Visitor {
    theme: Theme,
    visits: u32,
    #[session(skip)]
    clock: Clock,
}

impl Visitor {
    fn new(visits: u32, clock: u8) -> Self {
        Self { theme: Theme("light".to_owned()), visits, clock: Clock(clock) }
    }
}

fn main() -> Result<(), session_runtime::Error> {
    let visitor = Tracked::<Visitor>::new()?;
    assert_eq!((visitor.theme.0.as_str(), visitor.visits, visitor.clock.0), ("light", 1, 2));
    Ok(())
}
