//! The session of all measurements: ten fields of the kinds that bots and shops keep.

use serde::{Deserialize, Serialize};
use session_runtime::Session;

/// Ten small fields, of which one can be made large.
#[derive(Session, Serialize, Deserialize, Clone, Default, Debug, PartialEq)]
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
    /// The untouched data of the measurements with 10 KB and more.
    pub notes: String,
}

/// A line of a cart.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Item {
    pub sku: String,
    pub quantity: u32,
}

/// What every session starts from, with so many bytes of notes.
pub fn filled(notes: usize) -> Visitor {
    const LINE: &str = "All work and no play. ";
    let mut text = LINE.repeat(notes / LINE.len() + 1);
    text.truncate(notes);
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
        notes: text,
    }
}
