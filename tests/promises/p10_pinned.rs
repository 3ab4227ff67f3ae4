//! Fields that one build pins and another does not.

use session_runtime::Session;
use session_tests::{Kept, Shared, stored};

use crate::visitor::{TestStore, fields, test_store};

const NAME: &str = "p10-pinned";

#[derive(Session)]
#[session(name = "p10-pinned-not")]
struct Plain {
    visits: u32,
    #[session(initial = "light".to_owned())]
    theme: String,
}

#[derive(Session)]
#[session(name = "p10-pinned-light")]
struct Light {
    visits: u32,
    #[session(initial = "light".to_owned(), pin)]
    theme: String,
}

#[derive(Session)]
#[session(name = "p10-pinned-dark")]
struct Dark {
    visits: u32,
    #[session(initial = "dark".to_owned(), pin)]
    theme: String,
}

#[derive(Session)]
#[session(name = "p10-pinned-no-longer")]
struct NoLonger {
    visits: u32,
    #[session(initial = "dark".to_owned())]
    theme: String,
}

fn instance<T: Session>(store: &TestStore) -> Kept<T, Shared<TestStore>> {
    Kept::new(Shared::new(store.clone(), NAME))
}

#[tokio::test]
async fn p10_a_field_that_becomes_pinned_keeps_what_stored_sessions_showed() {
    let store = test_store();
    instance::<Plain>(&store).update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
    let dark = instance::<Dark>(&store);
    let mut visitor = dark.load("42").await.expect("a load");
    assert_eq!(visitor.theme, "light", "it was light when it was stored");
    assert!(visitor.dirty().expect("it can be encoded").is_empty());
    *visitor.edit().visits() += 1;
    visitor.commit().await.expect("a commit");
    assert_eq!(stored(&store, NAME, "42").await, fields(&[("theme", r#""light""#), ("visits", "2")]));
    assert_eq!(instance::<Plain>(&store).load("42").await.expect("a load").theme, "light");

    assert_eq!(dark.load("43").await.expect("a load").theme, "dark", "a session that is not stored is new");
    dark.update("43", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
    assert_eq!(instance::<Plain>(&store).load("43").await.expect("a load").theme, "dark", "and then both agree");
}

#[tokio::test]
async fn p10_a_field_that_was_pinned_goes_on_being_stored_until_the_next_version() {
    let store = test_store();
    let light = instance::<Light>(&store);
    light.prepare().await.expect("the first");
    let no_longer = instance::<NoLonger>(&store);
    no_longer.update("42", |visitor| *visitor.edit().visits() += 1).await.expect("a commit");
    let kept = [("theme", r#""dark""#), ("visits", "1")];
    assert_eq!(stored(&store, NAME, "42").await, fields(&kept), "no instance could tell what was left out");
    assert_eq!(light.load("42").await.expect("a load").theme, "dark");
}
