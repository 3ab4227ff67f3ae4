//! Serde's attributes on a session are for another use of it.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, Tracked};

#[derive(Session, Serialize, Deserialize)]
#[session(serde = "ignored")]
#[serde(rename_all = "camelCase")]
struct Visitor {
    visit_count: u32,
    #[serde(rename = "items", default)]
    #[session(serde = "ignored")]
    cart: Vec<String>,
    #[serde(skip)]
    #[session(skip)]
    token: String,
}

fn main() -> Result<(), session_runtime::Error> {
    let mut visitor = Tracked::<Visitor>::new()?;
    *visitor.edit().visit_count() += 1;
    visitor.edit().cart().push("tea".to_owned());
    visitor.edit().token().push('x');
    assert_eq!(format!("{:?}", visitor.dirty()?), "{visit_count, cart}");
    assert_eq!((visitor.visit_count, visitor.cart.len(), visitor.token.len()), (1, 1, 1));
    Ok(())
}
