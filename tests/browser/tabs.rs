//! Two requests of one browser at the same time.

use crate::scene::play;

#[tokio::test]
async fn a_second_tab_changes_another_field_and_both_changes_stay() {
    play(async |scene| {
        let browser = scene.visitor("ada").await;
        browser.buy("assam").await;
        browser.send_slowly().await;
        scene.gate.begun().await;
        browser
            .in_second_tab(async || {
                browser.press("button[value=dark]").await;
                assert_eq!(browser.theme().await, "dark");
                assert_eq!(browser.menu().await, "Teas | Basket (1) | Log in");
            })
            .await;
        scene.gate.open();
        assert_eq!(browser.slow_status().await, 200);
        browser.reload().await;
        assert_eq!(browser.theme().await, "dark");
        assert_eq!(browser.menu().await, "Teas | Basket (4) | Log in");
        let (_, fields) = scene.session().await;
        let stored: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(stored, [("basket", r#"{"assam":1,"mint":3}"#), ("theme", r#""dark""#)]);
        browser.quit().await;
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_slower_than_a_logout_is_refused_and_the_session_stays_ended() {
    play(async |scene| {
        let browser = scene.visitor("ada").await;
        browser.log_in("ada", true).await;
        browser.send_slowly().await;
        scene.gate.begun().await;
        browser
            .in_second_tab(async || {
                browser.press("nav button").await;
                assert_eq!(browser.menu().await, "Teas | Basket (0) | Log in");
            })
            .await;
        assert_eq!(scene.sessions().await, []);
        scene.gate.open();
        assert_eq!(browser.slow_status().await, 409);
        assert_eq!(scene.sessions().await, [], "it stays ended");
        assert!(browser.cookies().await.is_empty());
        browser.reload().await;
        assert_eq!(browser.menu().await, "Teas | Basket (0) | Log in");
        browser.quit().await;
    })
    .await;
}
