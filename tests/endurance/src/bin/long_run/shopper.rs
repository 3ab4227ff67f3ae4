//! What a visitor's session has to be, and what a page shows of it.

use std::collections::BTreeMap;

/// A visitor's session, as its pages show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) user: Option<String>,
    /// How many of each tea, by the name of the tea.
    pub(crate) basket: BTreeMap<&'static str, u32>,
    pub(crate) dark: bool,
}

/// What is sold: what a form calls it, and what a page does.
pub(crate) const TEAS: [(&str, &str); 6] = [
    ("sencha", "Sencha"),
    ("assam", "Assam"),
    ("oolong", "Oolong"),
    ("rooibos", "Rooibos"),
    ("mint", "Peppermint"),
    ("hibiscus", "Hibiscus"),
];

/// What a visitor does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Puts a tea in the basket: its place among [`TEAS`].
    Add(usize),
    Remove(usize),
    Theme(bool),
    Login(String),
    Logout,
}

impl Act {
    /// The path and the form.
    pub(crate) fn request(&self) -> (&'static str, String) {
        match self {
            Self::Add(tea) => ("/basket/add", format!("sku={}", TEAS[*tea].0)),
            Self::Remove(tea) => ("/basket/remove", format!("sku={}", TEAS[*tea].0)),
            Self::Theme(dark) => ("/theme", format!("theme={}&from=%2Fbasket", if *dark { "dark" } else { "light" })),
            Self::Login(name) => ("/login", format!("name={name}")),
            Self::Logout => ("/logout", String::new()),
        }
    }

    /// What the session is after it.
    pub(crate) fn on(&self, shown: &Shown) -> Shown {
        let mut shown = shown.clone();
        match self {
            Self::Add(tea) => {
                let count = shown.basket.entry(TEAS[*tea].1).or_default();
                *count = 99.min(*count + 1);
            }
            Self::Remove(tea) => drop(shown.basket.remove(TEAS[*tea].1)),
            Self::Theme(dark) => shown.dark = *dark,
            Self::Login(name) => shown.user = Some(name.clone()),
            Self::Logout => shown = Shown::default(),
        }
        shown
    }

    /// What the session can be for the holder of the old token when nobody answered. One whose answer with the new
    /// token got lost is logged out.
    pub(crate) fn in_doubt(&self, shown: &Shown) -> Vec<Shown> {
        let done = match self {
            Self::Login(_) | Self::Logout => Shown::default(),
            _ => self.on(shown),
        };
        vec![shown.clone(), done]
    }
}

impl Shown {
    /// Reads the page of the basket.
    pub(crate) fn read(page: &str) -> Option<Self> {
        let between = |text: &str, begin: &str, end: &str| {
            let (_, rest) = text.split_once(begin)?;
            Some(rest.split_once(end)?.0.to_owned())
        };
        let dark = between(page, "data-theme=\"", "\"")? == "dark";
        let user = between(page, "<button>Log out ", "</button>");
        let mut basket = BTreeMap::new();
        for (_, name) in TEAS {
            if let Some(count) = between(page, &format!("<td>{name}</td><td class=\"number\">"), "</td>") {
                basket.insert(name, count.parse().ok()?);
            }
        }
        // The sum at the top counts teas of any name.
        let all: u32 = between(page, ">Basket (", ")")?.parse().ok()?;
        (all == basket.values().sum::<u32>()).then_some(Self { user, basket, dark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_user_basket_and_theme() {
        let page = "<html lang=\"en\" data-theme=\"dark\">…<a href=\"/basket\">Basket (3)</a><button>Log out v1</button>\
                    <tr><td>Sencha</td><td class=\"number\">3</td><td class=\"number\">20.70 €</td>";
        let shown = Shown { user: Some("v1".to_owned()), basket: [("Sencha", 3)].into(), dark: true };
        assert_eq!(Shown::read(page), Some(shown));
        assert_eq!(Shown::read(&page.replace("(3)", "(4)")), None);
    }

    #[test]
    fn what_is_in_doubt_was_done_once_or_not() {
        let one = Act::Add(0).on(&Shown::default());
        let two = Act::Add(0).on(&one);
        assert_eq!(Act::Add(0).in_doubt(&one), [one.clone(), two]);
        assert_eq!(Act::Login("v".to_owned()).in_doubt(&one), [one, Shown::default()]);
    }
}
