//! Sessions that are not there any more, or never were.

use std::time::Duration;

use thirtyfour::Cookie;

use crate::scene::play;

#[tokio::test]
async fn an_expired_session_is_gone_and_the_next_one_has_another_token() {
    play(async |scene| {
        let mut browser = scene.visitor("ada").await;
        browser.log_in("ada", false).await;
        browser.buy("assam").await;
        let before = browser.cookie().await;
        scene.store.inner().pass(Duration::from_secs(2 * 3600 + 1));
        scene.restart().await;
        browser.turn_to(&scene.shop);
        browser.go("/").await;
        assert_eq!(browser.menu().await, "Teas | Basket (0) | Log in");
        assert_eq!(scene.sessions().await, []);
        browser.buy("mint").await;
        assert_eq!(browser.menu().await, "Teas | Basket (1) | Log in");
        assert_ne!(browser.cookie().await.value, before.value);
        assert_eq!(scene.session().await.1, [("basket".to_owned(), r#"{"mint":1}"#.to_owned())]);
        browser.quit().await;
    })
    .await;
}

#[tokio::test]
async fn a_forged_cookie_is_not_adopted() {
    play(async |scene| {
        let browser = scene.visitor("mallory").await;
        let forged = "tag0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        browser.plant(Cookie::new("shopper", forged)).await;
        browser.reload().await;
        assert_eq!(browser.menu().await, "Teas | Basket (0) | Log in");
        assert_eq!(scene.sessions().await, []);
        browser.buy("mint").await;
        let cookie = browser.cookie().await;
        assert_ne!(cookie.value, forged);
        assert_ne!(cookie.value[..4], forged[..4]);
        assert_eq!(scene.session().await.0[..4], cookie.value[..4], "of the token that the shop gave");
        browser.quit().await;
    })
    .await;
}

#[tokio::test]
async fn a_form_on_another_site_changes_nothing() {
    play(async |scene| {
        let browser = scene.visitor("ada").await;
        browser.buy("mint").await;
        let before = scene.session().await;
        let form =
            format!("<form method=post action={}/basket/add><button name=sku value=assam>Win</button>", scene.shop);
        browser.go_to(&format!("data:text/html,{form}")).await;
        browser.press("button").await;
        browser.go("/").await;
        assert_eq!(browser.menu().await, "Teas | Basket (1) | Log in");
        assert_eq!(scene.session().await, before);
        browser.quit().await;
    })
    .await;
}
