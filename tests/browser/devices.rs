//! One user in several browsers.

use crate::scene::play;

#[tokio::test]
async fn a_user_sees_the_own_devices_and_ends_another() {
    play(async |scene| {
        let (here, there) = (scene.visitor("here").await, scene.visitor("there").await);
        let other = scene.visitor("other").await;
        here.log_in("ada", false).await;
        there.log_in("ada", true).await;
        other.log_in("bob", false).await;
        here.go("/devices").await;
        assert_eq!(here.texts(".devices b").await, ["Chrome on Linux", "Chrome on Linux"]);
        assert_eq!(here.texts(".devices .own b").await, ["Chrome on Linux"]);
        assert_eq!(here.texts(".devices button").await, ["Log out there"]);
        here.press(".devices button").await;
        assert_eq!(here.texts(".devices b").await.len(), 1);
        assert_eq!(here.texts(".devices button").await, [""; 0]);
        there.reload().await;
        assert_eq!(there.menu().await, "Teas | Basket (0) | Log in");
        other.reload().await;
        assert_eq!(other.menu().await, "Teas | Basket (0) | Devices | Log out bob");
        assert_eq!(scene.sessions().await.len(), 2);

        // The key of a session of somebody else is worth nothing.
        let users = scene.sessions().await;
        let bobs = users.iter().find(|(_, fields)| format!("{fields:?}").contains("bob")).expect("bob's");
        let send = format!(
            "const form = document.createElement('form'); form.method = 'post'; form.action = '/devices/end';
             form.innerHTML = '<input name=key value={}>'; document.body.append(form); form.submit();",
            bobs.0
        );
        here.leave_by(&send).await;
        here.sees(".devices .own").await;
        assert_eq!(scene.sessions().await.len(), 2);
        for browser in [here, there, other] {
            browser.quit().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_logout_everywhere_ends_all_sessions_of_the_user_and_no_others() {
    play(async |scene| {
        let (here, there) = (scene.visitor("here").await, scene.visitor("there").await);
        let other = scene.visitor("other").await;
        here.log_in("ada", false).await;
        there.log_in("ada", true).await;
        other.log_in("bob", true).await;
        here.go("/devices").await;
        here.press("button.danger").await;
        assert_eq!(here.menu().await, "Teas | Basket (0) | Log in");
        assert!(here.cookies().await.is_empty());
        there.reload().await;
        assert_eq!(there.menu().await, "Teas | Basket (0) | Log in");
        other.reload().await;
        assert_eq!(other.menu().await, "Teas | Basket (0) | Devices | Log out bob");
        let (_, fields) = scene.session().await;
        assert!(fields.contains(&("user".to_owned(), r#""bob""#.to_owned())), "{fields:?}");
        for browser in [here, there, other] {
            browser.quit().await;
        }
    })
    .await;
}
