//! What the shop sells.

/// A tea.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tea {
    /// What the basket keeps of it.
    pub(super) sku: &'static str,
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// In cents.
    pub(super) price: u32,
    /// The colour in the cup.
    pub(super) colour: &'static str,
}

pub(super) const TEAS: [Tea; 6] = [
    tea("sencha", "Sencha", "Green, grassy, a little sweet", 690, "#a9b665"),
    tea("assam", "Assam", "Black, malty, takes milk", 540, "#8a3b12"),
    tea("oolong", "Oolong", "Half green, half black, all flowers", 920, "#c58b3b"),
    tea("rooibos", "Rooibos", "Red, and no reason to lie awake", 480, "#b1451f"),
    tea("mint", "Peppermint", "Leaves from the garden", 390, "#8fae5d"),
    tea("hibiscus", "Hibiscus", "Sour, and as red as it gets", 450, "#a3123a"),
];

const fn tea(sku: &'static str, name: &'static str, about: &'static str, price: u32, colour: &'static str) -> Tea {
    Tea { sku, name, about, price, colour }
}

impl Tea {
    pub(super) fn of(sku: &str) -> Option<&'static Self> {
        TEAS.iter().find(|tea| tea.sku == sku)
    }
}

/// A price as people read it.
pub(super) fn euros(cents: u32) -> String {
    format!("{}.{:02} €", cents / 100, cents % 100)
}
