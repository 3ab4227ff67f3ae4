//! A field whose value is shown nowhere; a nested session's attribute holds for all its fields.

use session_runtime::{Session, Tracked};

#[derive(Session)]
struct Visitor {
    #[session(sensitive)]
    token: String,
    #[session(nested, sensitive)]
    payment: Payment,
}

#[derive(Session)]
struct Payment {
    card: String,
}

fn main() -> Result<(), session_runtime::Error> {
    let mut visitor = Tracked::<Visitor>::new()?;
    *visitor.edit().token() = "secret".to_owned();
    *visitor.edit().payment().card() = "4111".to_owned();
    let shown = format!("{:?}", visitor.patch()?);
    assert!(!shown.contains("secret") && !shown.contains("4111"), "{shown}");
    Ok(())
}
