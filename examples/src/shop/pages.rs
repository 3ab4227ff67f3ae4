//! The pages of the shop: plain HTML, whose forms work without scripts.

use std::time::{Duration, SystemTime};

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;
use session_runtime::{FoundSession, Stats};

use super::goods::{TEAS, Tea, euros};
use super::panel::{self, Panel};
use super::{Shopper, Theme};

/// A page of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Page {
    #[serde(rename = "/")]
    Front,
    #[serde(rename = "/basket")]
    Basket,
    #[serde(rename = "/devices")]
    Devices,
    #[serde(rename = "/login")]
    Login,
}

impl Page {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Front => "/",
            Self::Basket => "/basket",
            Self::Devices => "/devices",
            Self::Login => "/login",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Front => "Teas",
            Self::Basket => "Basket",
            Self::Devices => "Your devices",
            Self::Login => "Log in",
        }
    }
}

pub(super) fn front(panel: &Panel, shopper: Option<&Shopper>) -> Markup {
    let in_basket = |tea: &Tea| shopper.and_then(|shopper| shopper.basket.get(tea.sku)).copied().unwrap_or_default();
    page(
        panel,
        shopper,
        Page::Front,
        &html! {
            h1 { "Good tea, from a small shop" }
            ul.teas {
                @for tea in &TEAS {
                    li {
                        (cup(tea))
                        h2 { (tea.name) }
                        p { (tea.about) }
                        div.buy {
                            span.price { (euros(tea.price)) small { " / 100 g" } }
                            form method="post" action="/basket/add" {
                                button.main name="sku" value=(tea.sku) { "Add" @if in_basket(tea) > 0 { " (" (in_basket(tea)) ")" } }
                            }
                        }
                    }
                }
            }
        },
    )
}

pub(super) fn basket(panel: &Panel, shopper: Option<&Shopper>) -> Markup {
    let lines: Vec<_> = shopper.map(|shopper| lines(shopper).collect()).unwrap_or_default();
    let total = lines.iter().map(|(tea, count)| tea.price * count).sum();
    page(
        panel,
        shopper,
        Page::Basket,
        &html! {
            h1 { "Basket" }
            @if lines.is_empty() {
                p { "It is empty. " a href=(Page::Front.path()) { "Have a look around." } }
            } @else {
                table {
                    thead { tr { th { "Tea" } th.number { "100 g bags" } th.number { "Price" } th {} } }
                    tbody {
                        @for (tea, count) in lines {
                            tr {
                                td { (tea.name) }
                                td.number { (count) }
                                td.number { (euros(tea.price * count)) }
                                td.number {
                                    form method="post" action="/basket/remove" {
                                        button name="sku" value=(tea.sku) { "Take out" }
                                    }
                                }
                            }
                        }
                    }
                    tfoot { tr { th { "Total" } td {} td.number { (euros(total)) } td {} } }
                }
                p.note { "This is an example of sessions, so there is no till." }
            }
        },
    )
}

pub(super) fn login(panel: &Panel, shopper: Option<&Shopper>, complaint: Option<&str>) -> Markup {
    page(
        panel,
        shopper,
        Page::Login,
        &html! {
            h1 { "Log in" }
            form.login method="post" action="/login" {
                label { "Your name" input name="name" autocomplete="username" maxlength="40" required autofocus; }
                label.box { input type="checkbox" name="remember" value="yes"; " Remember me for 30 days" }
                @if let Some(complaint) = complaint { p.complaint role="alert" { (complaint) } }
                button.main { "Log in" }
            }
            p.note {
                "This is an example: any name will do, nobody asks for a password, and whoever gives the same name is the "
                "same user. A real shop finds out who it is first."
            }
        },
    )
}

pub(super) fn devices(
    panel: &Panel,
    shopper: &Shopper,
    own: Option<&str>,
    devices: &[(FoundSession, Shopper)],
) -> Markup {
    let now = SystemTime::now();
    page(
        panel,
        Some(shopper),
        Page::Devices,
        &html! {
            h1 { "Your devices" }
            p { "Where you are logged in as " b { (shopper.user.as_deref().unwrap_or_default()) } "." }
            ul.devices {
                @for (device, there) in devices {
                    @let is_own = Some(device.key()) == own;
                    li.own[is_own] {
                        div {
                            b { (there.device) }
                            @if is_own { span.tag { "this one" } }
                            p.note {
                                "Since " (ago(now, device.created_at()))
                                @if let Some(used) = device.last_used() { ", last used " (ago(now, used)) }
                                ", " (there.basket.values().sum::<u32>()) " in the basket"
                            }
                        }
                        @if !is_own {
                            form method="post" action="/devices/end" {
                                button name="key" value=(device.key()) { "Log out there" }
                            }
                        }
                    }
                }
            }
            form method="post" action="/logout-everywhere" { button.danger { "Log out everywhere" } }
        },
    )
}

/// The panel alone, and what the sessions counted themselves. It needs no session.
pub(super) fn panel(panel: &Panel, stats: &Stats) -> Markup {
    document(
        "What sessions cost",
        Theme::Light,
        &html! {
            main.alone {
                p { a href=(Page::Front.path()) { "← to the shop" } }
                h1 { "What sessions cost" }
                (panel::counted(stats))
                (panel::panel(panel))
            }
        },
    )
}

/// For a visitor whose session ended while a request was under way.
pub(super) fn ended_meanwhile() -> Markup {
    document(
        "You are logged out",
        Theme::Light,
        &html! {
            main.alone {
                h1 { "You are logged out" }
                p { "Your session ended while this page was on its way, so what it was to change is not stored." }
                p { a href=(Page::Front.path()) { "To the shop" } }
            }
        },
    )
}

/// A page of the shop, with its head and the panel beside.
fn page(panel: &Panel, shopper: Option<&Shopper>, at: Page, content: &Markup) -> Markup {
    let theme = shopper.map_or(Theme::Light, |shopper| shopper.theme);
    document(
        at.title(),
        theme,
        &html! {
            header {
                a.brand href=(Page::Front.path()) { "Leaf & Cup" }
                nav { (links(shopper, at)) }
                form.theme method="post" action="/theme" {
                    input type="hidden" name="from" value=(at.path());
                    @for (value, name, choice) in [("light", "Light", Theme::Light), ("dark", "Dark", Theme::Dark)] {
                        button name="theme" value=(value) aria-pressed=(theme == choice) { (name) }
                    }
                }
            }
            div.beside {
                main { (content) }
                aside {
                    h2 { "Behind the counter" a href="/panel" { "on its own" } }
                    p.note { "What each request asked of the session store: of all visitors, names and sizes of fields, no values." }
                    (panel::panel(panel))
                }
            }
        },
    )
}

fn links(shopper: Option<&Shopper>, at: Page) -> Markup {
    let count: u32 = shopper.map_or(0, |shopper| shopper.basket.values().sum());
    let user = shopper.and_then(|shopper| shopper.user.as_deref());
    let link = |page: Page, text: &str| html! { a href=(page.path()) aria-current=[(page == at).then_some("page")] { (text) } };
    html! {
        (link(Page::Front, "Teas"))
        (link(Page::Basket, &format!("Basket ({count})")))
        @match user {
            Some(user) => {
                (link(Page::Devices, "Devices"))
                form method="post" action="/logout" { button { "Log out " (user) } }
            }
            None => (link(Page::Login, "Log in")),
        }
    }
}

fn document(title: &str, theme: Theme, content: &Markup) -> Markup {
    let theme = match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    html! {
        (DOCTYPE)
        html lang="en" data-theme=(theme) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                link rel="icon" href="data:,";
                title { (title) " · Leaf & Cup" }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body { (content) }
        }
    }
}

/// What is in the basket and still sold.
fn lines(shopper: &Shopper) -> impl Iterator<Item = (&'static Tea, u32)> {
    shopper.basket.iter().filter_map(|(sku, count)| Some((Tea::of(sku)?, *count)))
}

fn cup(tea: &Tea) -> Markup {
    html! {
        svg viewBox="0 0 120 80" aria-hidden="true" {
            path.steam d="M48 22c-5-6 5-9 0-16M60 22c-5-6 5-9 0-16M72 22c-5-6 5-9 0-16" {}
            path.porcelain d="M26 30h68c0 26-12 40-34 40S26 56 26 30z" {}
            path.handle d="M93 36c18-4 18 22-5 20" {}
            path d="M31 35h58c-1 9-3 15-7 20H38c-4-5-6-11-7-20z" fill=(tea.colour) {}
            path.saucer d="M22 74h76" {}
        }
    }
}

/// A time as people say it.
fn ago(now: SystemTime, then: SystemTime) -> String {
    // A store's clock can be ahead.
    let minutes = now.duration_since(then).unwrap_or(Duration::ZERO).as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..1440 => format!("{} h ago", minutes / 60),
        _ => format!("{} d ago", minutes / 1440),
    }
}
