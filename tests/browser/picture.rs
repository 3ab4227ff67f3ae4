//! The picture of the shop in the documentation.

use crate::scene::play;

/// With `SESSION_PICTURE` it is written to the file of that name: see `scripts/picture`.
#[tokio::test]
async fn a_picture_of_the_shop_in_use_is_made() {
    play(async |scene| {
        let (ada, bob) = (scene.visitor("ada").await, scene.visitor("bob").await);
        ada.size(1400, 900).await;
        bob.go("/basket").await;
        bob.go("/").await;
        ada.buy("oolong").await;
        bob.buy("sencha").await;
        ada.log_in("Ada", true).await;
        bob.press("button[value=light]").await;
        ada.buy("mint").await;
        ada.sees("#entries li:nth-child(15)").await;
        let picture = ada.picture().await;
        if let Some(file) = std::env::var_os("SESSION_PICTURE") {
            std::fs::write(file, picture).expect("a file");
        }
        for browser in [ada, bob] {
            browser.quit().await;
        }
    })
    .await;
}
