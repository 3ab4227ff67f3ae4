//! What the panel shows while others are in the shop.

use crate::scene::play;

#[tokio::test]
async fn the_panel_shows_each_request_as_it_happens() {
    play(async |scene| {
        let (ada, watcher) = (scene.visitor("ada").await, scene.visitor("watcher").await);
        watcher.go("/panel").await;
        ada.buy("mint").await;
        watcher.sees("#entries li:nth-child(4)").await;
        let rows = watcher.texts("#entries .path, #entries .status, #entries dd").await;
        let rows: Vec<_> = rows.chunks(6).map(|row| row.join(" | ")).collect();
        assert_eq!(
            rows,
            [
                "/ | 200 | 1 field, 16 B | – | nothing | 16 B",
                "/basket/add | 303 | not asked | basket | basket, 16 B new | 16 B",
                "/ | 200 | not asked | – | nothing | 0 B",
                "/ | 200 | not asked | – | nothing | 0 B",
            ]
        );
        assert_eq!(watcher.texts("#totals strong").await, ["75 %", "50 %"]);
        watcher.reload().await;
        assert_eq!(watcher.texts("#entries .path").await.len(), 4, "the page itself has them too");
        for browser in [ada, watcher] {
            browser.quit().await;
        }
    })
    .await;
}
