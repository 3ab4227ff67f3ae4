//! The example that introduces the toolkit, as its users write it.

use serde::{Deserialize, Serialize};
use session_runtime::{Outcome, Session, SqliteStore};
use session_tests::Kept;

#[derive(Session)]
#[session(name = "example-visitor")]
struct Visitor {
    visits: u32,
    #[session(initial = "light".to_owned())]
    theme: String,
    cart: Vec<Item>,
    #[session(skip)]
    request_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    sku: String,
    quantity: u32,
}

#[tokio::test]
async fn example_does_what_it_says() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let sessions = Kept::<Visitor, _>::new(SqliteStore::open(folder.path().join("sessions.db")).await?);

    let mut visitor = sessions.load("42").await?;
    assert_eq!(visitor.theme, "light");
    *visitor.edit().visits() += 1;
    visitor.edit().cart().push(Item { sku: "A1".into(), quantity: 2 });
    *visitor.edit().theme() = "dark".to_owned();
    *visitor.edit().theme() = "light".to_owned();

    assert!(visitor.dirty()?.contains(VisitorField::Cart));
    let committed = visitor.commit().await?;
    assert_eq!(committed.outcome(), Outcome::Created);
    assert_eq!(committed.fields().iter().count(), 2);
    assert_eq!(visitor.commit().await?.outcome(), Outcome::Unchanged);

    // Two fields at once, and a field that is not stored.
    let all = visitor.edit_all();
    all.cart.iter_mut().for_each(|item| item.quantity += all.visits);
    *visitor.edit().request_id() = Some("r1".to_owned());
    assert_eq!(visitor.commit().await?.fields().iter().collect::<Vec<_>>(), [VisitorField::Cart]);

    sessions.update("42", |visitor| *visitor.edit().visits() += 1).await?;
    let mut visitor = sessions.load("42").await?;
    assert_eq!((visitor.visits, visitor.cart[0].sku.as_str(), visitor.cart[0].quantity), (2, "A1", 3));
    assert_eq!(visitor.request_id, None);

    visitor.renew("43").await?;
    assert!(sessions.load("42").await?.is_new());
    assert_eq!(visitor.destroy().await?, Outcome::Removed);
    Ok(())
}
