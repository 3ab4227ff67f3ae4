//! The session that all benchmarks use: ten fields of the kinds that bots and shops keep.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use session_runtime::Session;
use tower_sessions::{MemoryStore as TowerStore, Session as TowerSession, SessionStore};

/// Ten small fields.
#[derive(Session, Serialize, Deserialize, Clone, Default)]
pub struct Visitor {
    pub visits: u32,
    pub theme: String,
    pub locale: String,
    pub cart: Vec<Item>,
    pub last_page: String,
    pub user: Option<u64>,
    pub flash: Option<String>,
    pub step: u8,
    pub score: f64,
    /// Where the benchmarks with a large field have 10 KB.
    pub notes: String,
}

/// A line of a cart.
#[derive(Serialize, Deserialize, Clone)]
pub struct Item {
    pub sku: String,
    pub quantity: u32,
}

/// The fields that the benchmarks start from.
pub fn filled(notes: usize) -> Visitor {
    Visitor {
        visits: 41,
        theme: "dark".to_owned(),
        locale: "en-GB".to_owned(),
        cart: vec![Item { sku: "A-1001".to_owned(), quantity: 2 }, Item { sku: "B-7".to_owned(), quantity: 1 }],
        last_page: "/products/tea-pots?page=2".to_owned(),
        user: Some(7_340_981),
        flash: None,
        step: 3,
        score: 12.5,
        notes: "All work and no play. ".repeat(notes / 22 + 1)[..notes].to_owned(),
    }
}

/// What somebody who writes the tracking by hand would write: the limit that the derive is held to.
pub struct ByHand {
    visitor: Visitor,
    mask: u16,
}

impl ByHand {
    pub fn new(visitor: Visitor) -> Self {
        Self { visitor, mask: 0 }
    }

    #[inline]
    pub fn set_visits(&mut self, visits: u32) {
        self.mask |= 1;
        self.visitor.visits = visits;
    }

    #[inline]
    pub fn set_score(&mut self, score: f64) {
        self.mask |= 1 << 8;
        self.visitor.score = score;
    }

    pub fn mask(&self) -> u16 {
        self.mask
    }

    pub fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}

/// Stores the same fields, one key each, as the documentation of tower-sessions shows.
pub async fn fill_tower(store: &Arc<TowerStore>, notes: usize) -> tower_sessions::session::Id {
    let visitor = serde_json::to_value(filled(notes)).expect("encodes");
    let data = visitor.as_object().expect("a struct").clone().into_iter().collect();
    let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::weeks(2);
    let mut record = tower_sessions::session::Record { id: tower_sessions::session::Id::default(), data, expiry_date };
    store.create(&mut record).await.expect("creates");
    record.id
}

/// Loads with tower-sessions, changes one field, saves.
pub async fn tower_cycle(store: &Arc<TowerStore>, id: tower_sessions::session::Id) {
    let session = TowerSession::new(Some(id), store.clone(), None);
    let visits: u32 = session.get("visits").await.expect("loads").unwrap_or_default();
    session.insert("visits", visits + 1).await.expect("encodes");
    session.save().await.expect("saves");
}

/// Reads every field with tower-sessions, as this project's load does.
pub async fn tower_visitor(session: &TowerSession) -> Visitor {
    Visitor {
        visits: session.get("visits").await.expect("loads").unwrap_or_default(),
        theme: session.get("theme").await.expect("loads").unwrap_or_default(),
        locale: session.get("locale").await.expect("loads").unwrap_or_default(),
        cart: session.get("cart").await.expect("loads").unwrap_or_default(),
        last_page: session.get("last_page").await.expect("loads").unwrap_or_default(),
        user: session.get("user").await.expect("loads").unwrap_or_default(),
        flash: session.get("flash").await.expect("loads").unwrap_or_default(),
        step: session.get("step").await.expect("loads").unwrap_or_default(),
        score: session.get("score").await.expect("loads").unwrap_or_default(),
        notes: session.get("notes").await.expect("loads").unwrap_or_default(),
    }
}
