//! What each page and each form does.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;
use session_runtime::Error;
use session_runtime::axum::WebSession;

use super::goods::Tea;
use super::pages::{self, Page};
use super::{REMEMBERED, Shop, Shopper, ShopperIndex, Theme};

/// The longest name, in characters.
const LONGEST_NAME: usize = 40;

/// How many of one tea fit into a basket.
const MOST: u32 = 99;

/// Of a visitor without a session the store is not asked.
type Visitor = Option<WebSession<Shopper>>;

pub(super) async fn front(State(shop): State<Shop>, visitor: Visitor) -> Markup {
    pages::front(&shop.panel, visitor.as_deref())
}

pub(super) async fn basket(State(shop): State<Shop>, visitor: Visitor) -> Markup {
    pages::basket(&shop.panel, visitor.as_deref())
}

pub(super) async fn panel(State(shop): State<Shop>) -> Markup {
    pages::panel(&shop.panel, &shop.sessions.stats())
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    sku: String,
}

pub(super) async fn add(mut visitor: WebSession<Shopper>, Form(Chosen { sku }): Form<Chosen>) -> Response {
    let Some(tea) = Tea::of(&sku) else { return StatusCode::NOT_FOUND.into_response() };
    let count = visitor.basket.get(tea.sku).copied().unwrap_or_default();
    visitor.edit().basket().insert(sku, MOST.min(count + 1));
    Redirect::to(Page::Front.path()).into_response()
}

pub(super) async fn remove(mut visitor: WebSession<Shopper>, Form(Chosen { sku }): Form<Chosen>) -> Redirect {
    visitor.edit().basket().remove(&sku);
    Redirect::to(Page::Basket.path())
}

#[derive(Deserialize)]
pub(super) struct Look {
    theme: Theme,
    /// The page it was chosen on.
    from: Page,
}

/// Choosing the theme that is there already is no change, and nothing is written.
pub(super) async fn theme(mut visitor: WebSession<Shopper>, Form(Look { theme, from }): Form<Look>) -> Redirect {
    *visitor.edit().theme() = theme;
    Redirect::to(from.path())
}

#[derive(Deserialize)]
pub(super) struct Login {
    name: String,
    /// There if the box was ticked.
    remember: Option<String>,
}

pub(super) async fn login_form(State(shop): State<Shop>, visitor: Visitor) -> Markup {
    pages::login(&shop.panel, visitor.as_deref(), None)
}

pub(super) async fn login(
    State(shop): State<Shop>,
    mut visitor: WebSession<Shopper>,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Result<Response, Error> {
    let name = login.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let page = pages::login(&shop.panel, Some(&visitor), Some("A name has 1 to 40 characters."));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    *visitor.edit().user() = Some(name.to_owned());
    *visitor.edit().device() = device(agent);
    match login.remember {
        Some(_) => visitor.expire_after(REMEMBERED),
        None => visitor.expire_by_rule(),
    }
    visitor.renew().await?; // who knew the token before has no session of this user
    Ok(Redirect::to(Page::Front.path()).into_response())
}

pub(super) async fn logout(mut visitor: WebSession<Shopper>) -> Result<Redirect, Error> {
    visitor.destroy().await?;
    Ok(Redirect::to(Page::Front.path()))
}

/// This session first, so that its cookie goes whatever happens to the others.
pub(super) async fn logout_everywhere(
    State(shop): State<Shop>,
    mut visitor: WebSession<Shopper>,
) -> Result<Redirect, Error> {
    let user = visitor.user.clone();
    visitor.destroy().await?;
    if user.is_some() {
        shop.sessions.destroy_found(ShopperIndex::User(&user)).await?;
    }
    Ok(Redirect::to(Page::Front.path()))
}

pub(super) async fn devices(State(shop): State<Shop>, visitor: Visitor) -> Result<Response, Error> {
    let Some(visitor) = visitor.filter(|visitor| visitor.user.is_some()) else {
        return Ok(Redirect::to(Page::Login.path()).into_response());
    };
    let devices = shop.sessions.list_found(ShopperIndex::User(&visitor.user)).await?;
    Ok(pages::devices(&shop.panel, &visitor, visitor.key(), &devices).into_response())
}

#[derive(Deserialize)]
pub(super) struct Device {
    key: String,
}

/// Ends a session of the same user, and of nobody else.
pub(super) async fn end_device(
    State(shop): State<Shop>,
    visitor: WebSession<Shopper>,
    Form(Device { key }): Form<Device>,
) -> Result<Redirect, Error> {
    if visitor.user.is_some() {
        let devices = shop.sessions.list_found(ShopperIndex::User(&visitor.user)).await?;
        if devices.iter().any(|(device, _)| device.key() == key) {
            shop.sessions.destroy(&key).await?;
        }
    }
    Ok(Redirect::to(Page::Devices.path()))
}

/// A browser in the words of its user.
fn device(agent: &str) -> String {
    let first = |names: &[(&str, &'static str)], otherwise| {
        names.iter().find(|(sign, _)| agent.contains(sign)).map_or(otherwise, |(_, name)| *name)
    };
    // Most browsers claim to be others too, so those that are claimed come last.
    let browsers =
        [("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari")];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    format!("{} on {}", first(&browsers, "A browser"), first(&systems, "some system"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_what_its_user_calls_it() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on an iPhone",
            ),
            ("curl/8.5", "A browser on some system"),
        ] {
            assert_eq!(device(agent), name);
        }
    }
}
