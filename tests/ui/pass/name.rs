//! A session's name, which a generic struct needs.

use session_runtime::{Session, Tracked};

#[derive(Session)]
#[session(name = "visitor-2_x")]
struct Visitor {
    visits: u32,
}

#[derive(Session)]
#[session(name = "pair")]
struct Pair<A, const N: usize> {
    first: Option<A>,
    #[session(initial = N)]
    second: usize,
}

fn main() -> Result<(), session_runtime::Error> {
    assert_eq!(Tracked::<Visitor>::new()?.visits, 0);
    let pair = Tracked::<Pair<String, 3>>::new()?;
    assert_eq!((&pair.first, pair.second), (&None, 3));
    Ok(())
}
