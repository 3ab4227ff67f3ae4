//! Who it is, and for how long.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use session_runtime::store::Call;
use thirtyfour::{Cookie, SameSite};

use crate::chromedriver::Scripts;
use crate::scene::play;

const MONTH: i64 = 30 * 24 * 3600;

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time of today");
    i64::try_from(since.as_secs()).expect("a time of today")
}

#[tokio::test]
async fn who_only_looks_has_no_cookie_and_no_session() {
    play(async |scene| {
        let browser = scene.visitor("ada").await;
        browser.go("/basket").await;
        browser.go("/login").await;
        assert_eq!(browser.menu().await, "Teas | Basket (0) | Log in");
        assert!(browser.cookies().await.is_empty());
        assert_eq!(scene.calls(), []);
        browser.go("/devices").await;
        browser.sees("form.login").await;
        assert_eq!(scene.calls(), [], "who has no devices is asked to log in");
        browser.quit().await;
    })
    .await;
}

#[tokio::test]
async fn a_login_gives_a_new_token_that_no_script_sees_and_the_store_does_not_have() {
    play(async |scene| {
        let browser = scene.visitor("ada").await;
        browser.buy("mint").await;
        let before = browser.cookie().await;
        browser.log_in("Ada", false).await;
        assert_eq!(browser.menu().await, "Teas | Basket (1) | Devices | Log out Ada");
        let cookie = browser.cookie().await;
        assert_ne!(cookie.value, before.value);
        assert_eq!((&*cookie.name, cookie.path.as_deref()), ("shopper", Some("/")));
        assert_eq!((cookie.http_only, cookie.same_site), (Some(true), Some(SameSite::Lax)));
        assert_eq!((cookie.secure, cookie.expiry), (Some(false), None), "for plain http, until the browser ends");
        assert_eq!(browser.run("return document.cookie").await, json!(""));

        let (key, fields) = scene.session().await;
        assert!(!key.contains(&cookie.value[4..]) && !format!("{fields:?}").contains(&cookie.value[4..]));
        let [basket, device, user] = &*fields else { panic!("three fields, and not {fields:?}") };
        assert_eq!((&*basket.1, &*device.1, &*user.1), (r#"{"mint":1}"#, r#""Chrome on Linux""#, r#""Ada""#));

        let old = scene.visitor("somebody with the token of before").await;
        old.plant(Cookie::new("shopper", before.value)).await;
        old.reload().await;
        assert_eq!(old.menu().await, "Teas | Basket (0) | Log in");
        old.quit().await;
        browser.quit().await;
    })
    .await;
}

#[tokio::test]
async fn who_is_remembered_is_known_after_the_browser_was_closed() {
    play(async |scene| {
        for (who, remember, menu) in
            [("ada", true, "Teas | Basket (1) | Devices | Log out ada"), ("bob", false, "Teas | Basket (0) | Log in")]
        {
            let browser = scene.visitor(who).await;
            browser.buy("mint").await;
            browser.log_in(who, remember).await;
            let left = browser.cookie().await.expiry.map(|end| end - now());
            assert_eq!(left.is_some(), remember);
            assert!(left.is_none_or(|left| (MONTH - 60..=MONTH).contains(&left)), "{left:?}");
            browser.quit().await;
            let browser = scene.visitor(who).await;
            assert_eq!(browser.menu().await, menu);
            browser.quit().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_basket_is_filled_and_emptied_by_writes_of_the_basket_alone() {
    play(async |scene| {
        let browser = scene.visitor("ada").await;
        browser.press("button[value=dark]").await;
        browser.buy("mint").await;
        browser.buy("assam").await;
        browser.buy("mint").await;
        let commits = |calls: Vec<Call>| {
            let set = calls.into_iter().filter_map(|call| match call {
                Call::Commit { set, unset, .. } => Some((set, unset)),
                _ => None,
            });
            set.collect::<Vec<_>>()
        };
        let set = |field: &str, value: &str| (vec![(field.to_owned(), value.to_owned())], Vec::new());
        assert_eq!(
            commits(scene.calls()),
            [
                set("theme", r#""dark""#),
                set("basket", r#"{"mint":1}"#),
                set("basket", r#"{"assam":1,"mint":1}"#),
                set("basket", r#"{"assam":1,"mint":2}"#),
            ]
        );
        browser.go("/basket").await;
        assert_eq!(
            browser.texts("tbody td:not(:last-child)").await,
            ["Assam", "1", "5.40 €", "Peppermint", "2", "7.80 €"]
        );
        assert_eq!(browser.texts("tfoot .number").await, ["13.20 €"]);
        browser.press("button[value=assam]").await;
        browser.press("button[value=mint]").await;
        assert_eq!(browser.menu().await, "Teas | Basket (0) | Log in");
        let gone = (Vec::new(), vec!["basket".to_owned()]);
        assert_eq!(commits(scene.calls()), [set("basket", r#"{"mint":2}"#), gone]);
        assert_eq!(scene.session().await.1, [("theme".to_owned(), r#""dark""#.to_owned())]);

        browser.press("button[value=dark]").await;
        assert_eq!(commits(scene.calls()), [], "the theme that was there already is no change");
        browser.press("button[value=light]").await;
        assert_eq!(scene.sessions().await, [], "as it was at first");
        browser.quit().await;
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_runs_no_scripts_can_do_all_of_it() {
    play(async |scene| {
        let browser = scene.visitor_with(Scripts::Blocked, "ada").await;
        browser.buy("mint").await;
        browser.log_in("ada", true).await;
        browser.press("button[value=dark]").await;
        browser.go("/devices").await;
        assert_eq!(browser.texts(".devices .own b").await, ["Chrome on Linux"]);
        assert_eq!(browser.theme().await, "dark");
        assert_eq!(browser.texts("noscript p").await, ["Without scripts it shows what was before this page."]);
        browser.press("button.danger").await;
        assert_eq!(browser.menu().await, "Teas | Basket (0) | Log in");
        assert_eq!(scene.sessions().await, []);
        browser.quit().await;
    })
    .await;
}
