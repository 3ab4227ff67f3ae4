//! The session that most tests use, and the store they keep it in.

use serde::{Deserialize, Serialize};
use session_runtime::store::LogStore;
use session_runtime::{MemoryStore, Session};
use session_tests::{FaultyStore, Kept, KeptBuilder};

/// A store that logs its calls and fails when it is told to.
pub type TestStore = LogStore<FaultyStore<MemoryStore>>;

#[derive(Session, Debug)]
#[session(name = "visitor")]
pub struct Visitor {
    pub visits: u32,
    #[session(initial = "light".to_owned())]
    pub theme: String,
    pub cart: Vec<Item>,
    #[session(skip)]
    pub request_id: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Item {
    pub sku: String,
    pub quantity: u32,
}

impl Item {
    pub fn new(sku: &str, quantity: u32) -> Self {
        Self { sku: sku.to_owned(), quantity }
    }
}

/// An empty store.
pub fn test_store() -> TestStore {
    LogStore::new(FaultyStore::new(MemoryStore::new()))
}

/// The sessions of a type in a store of their own.
pub fn sessions<T: Session>() -> Kept<T, TestStore> {
    Kept::new(test_store())
}

/// The same, with settings.
pub fn builder<T: Session>() -> KeptBuilder<T, TestStore> {
    Kept::builder(test_store())
}

/// Fields as `stored` and the log of calls show them.
pub fn fields(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Names as the log of calls shows them.
pub fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
