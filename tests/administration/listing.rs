use session_runtime::admin::NameStats;
use session_runtime::{Admin, MemoryStore};
use session_tests::{Kept, now};

use crate::place::{Other, Visitor, store_visits, stores};

#[tokio::test]
async fn listed_and_counted_are_the_sessions_that_are_stored() {
    for store in stores().await {
        let sessions = Kept::<Visitor, _>::new(store.clone());
        store_visits(&sessions, &["3", "a:{b}%", "x\u{0}\n", "emptied", "destroyed"]).await;
        sessions.load("only read").await.expect("a load").commit().await.expect("nothing to do");
        sessions.update("emptied", |visitor| *visitor.edit().visits() = 0).await.expect("a commit");
        sessions.load("destroyed").await.expect("a load").destroy().await.expect("its end");
        let others = Kept::<Other, _>::new(store);
        others.update("3", |other| *other.edit().visits() = 7).await.expect("a commit");

        let mut listed = Vec::new();
        let mut keys = sessions.keys();
        while let Some(key) = keys.next().await {
            listed.push(key.expect("a key").id().to_owned());
        }
        listed.sort();
        assert_eq!(listed, ["3", "a:{b}%", "x\u{0}\n"]);
        assert_eq!(sessions.count().await.expect("a count"), 3);
        let names = sessions.housekeeping().stats().await.expect("counts");
        let name = |name: &str, version, sessions| NameStats { name: name.into(), versions: vec![version], sessions };
        assert_eq!(names, [name("other", 0, 1), name("visitor", 3, 3)]);
    }
}

#[tokio::test]
async fn a_store_that_was_never_used_is_made_ready_and_holds_nothing() {
    for store in stores().await {
        let admin = Admin::new(store.clone());
        assert!(admin.keys("visitor").next().await.is_none());
        assert_eq!(admin.stats().await.expect("counts"), []);
        assert!(admin.inspect("visitor", "42").await.expect("a look").is_none());
        let sessions = Kept::<Visitor, _>::new(store);
        assert_eq!(sessions.count().await.expect("a count"), 0);
        assert_eq!(sessions.purge_expired().await.expect("a purge"), 0);
    }
}

#[test]
fn a_listing_of_many_parts_has_every_key_once() {
    let sessions = Kept::<Visitor, _>::new(MemoryStore::new());
    let stored: Vec<String> = (0..9000).map(|number| format!("{number:04}")).collect();
    for key in &stored {
        now(sessions.update(key, |visitor| *visitor.edit().visits() = 1)).expect("a commit");
    }
    let mut keys = sessions.keys();
    let mut listed = Vec::new();
    while let Some(key) = now(keys.next()) {
        listed.push(key.expect("a key").id().to_owned());
    }
    listed.sort();
    assert!(listed == stored, "{} keys instead of 9000", listed.len());
}

#[tokio::test]
async fn a_withdrawn_registration_is_gone_and_told_once() {
    for store in stores().await {
        let sessions = Kept::<Visitor, _>::new(store.clone());
        store_visits(&sessions, &["42"]).await;
        let admin = Admin::new(store);
        let registered = admin.registrations().await.expect("registrations").found;
        assert_eq!(registered.iter().map(|found| (&*found.name, found.version)).collect::<Vec<_>>(), [("visitor", 3)]);
        assert!(!admin.withdraw("visitor", 2).await.expect("an answer"));
        assert!(admin.withdraw("visitor", 3).await.expect("an answer"));
        assert!(!admin.withdraw("visitor", 3).await.expect("an answer"));
        assert_eq!(admin.registrations().await.expect("registrations").found, []);
        assert_eq!(admin.count("visitor").await.expect("a count"), 1, "its sessions are still there");
    }
}
