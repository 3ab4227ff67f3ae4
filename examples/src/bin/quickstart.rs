//! `quickstart [FILE]`: a session is loaded, changed and committed, and each commit says what it did.
//!
//! The sessions are kept in the SQLite database FILE, or in memory. Run it twice with a file: the second run finds
//! what the first one stored.

use serde::{Deserialize, Serialize};
use session_runtime::{Error, Handle, Session, Sessions, SqliteStore};

#[derive(Session)]
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

#[tokio::main]
async fn main() -> Result<(), Error> {
    let store = match std::env::args_os().nth(1) {
        Some(file) => SqliteStore::open(file).await?,
        None => SqliteStore::memory().await?,
    };
    let sessions = Sessions::<Visitor>::new(store);

    let mut visitor = sessions.load("42").await?; // one read, known or new
    println!("visitor 42 was here {} times and likes it {}", visitor.visits, visitor.theme);
    *visitor.edit().request_id() = Some("a skipped field is never stored".to_owned());
    commit("only read", &mut visitor).await?;

    *visitor.edit().visits() += 1;
    visitor.edit().cart().push(Item { sku: "A1".to_owned(), quantity: 2 });
    *visitor.edit().theme() = "dark".into();
    *visitor.edit().theme() = "light".into();
    println!("visits are dirty: {}", visitor.dirty()?.contains(VisitorField::Visits));
    commit("a visit, an item, a theme and back", &mut visitor).await?;
    commit("nothing since", &mut visitor).await?;

    let (mut here, mut there) = (sessions.load("42").await?, sessions.load("42").await?);
    *here.edit().theme() = "dark".into();
    commit("one request changes the theme", &mut here).await?;
    *there.edit().visits() += 1;
    commit("one that overlaps counts a visit", &mut there).await?;
    println!("both are kept: {} visits, and it is {}", there.visits, there.theme);

    *there.edit().theme() = Visitor::initial().theme;
    there.edit().cart().clear();
    commit("back to the initial theme and cart", &mut there).await?;

    let stats = sessions.stats();
    println!(
        "in all: {} reads, {} writes of {} fields, and {} commits that had nothing to write",
        stats.loads,
        stats.commits_created + stats.commits_updated,
        stats.fields_written,
        stats.avoided_unmarked
    );
    Ok(())
}

/// Commits, and prints what that did: what became of the record, and which fields were written.
async fn commit(what: &str, visitor: &mut Handle<Visitor>) -> Result<(), Error> {
    let committed = visitor.commit().await?;
    let fields: Vec<_> = committed.fields().iter().collect();
    println!("    {what:36} {:?} {fields:?}", committed.outcome());
    Ok(())
}
