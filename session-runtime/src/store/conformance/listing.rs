//! What is stored, seen from outside: keys, counts, and the namespaces of session types.

use std::collections::BTreeSet;

use super::scene::{Draft, Scene, applied, are, fields};

/// All stored sessions are listed, each once, whatever the size of the pages.
pub(super) async fn p01_all_stored_sessions_are_listed_once(scene: Scene) {
    let mut ids: Vec<String> = (0..25).map(|n| format!("chat {n}")).collect();
    for id in &ids {
        scene.create(&scene.key(id), &[("visits", "1")]).await;
    }
    ids.sort();
    for limit in [1, 7, 25, 26, 1_000] {
        assert_eq!(scene.listed(limit).await, ids, "in pages of {limit}");
    }
    assert_eq!(scene.count().await, 25);
}

/// An empty namespace lists nothing.
pub(super) async fn p01_nothing_stored_is_nothing_listed(scene: Scene) {
    assert_eq!(scene.listed(10).await, Vec::<String>::new());
    assert_eq!(scene.count().await, 0);
}

/// Sessions that are stored all the while are listed once, while others come, go and change.
pub(super) async fn p01_a_listing_is_complete_while_others_come_and_go(scene: Scene) {
    let stable: BTreeSet<String> = (0..60).map(|n| format!("stable {n}")).collect();
    for id in &stable {
        scene.create(&scene.key(id), &[("visits", "1")]).await;
    }
    let background = tokio::spawn({
        let scene = scene.clone();
        async move {
            for n in 0..100 {
                let passing = scene.key(&format!("passing {n}"));
                let created = scene.create(&passing, &[("visits", "1")]).await;
                let stable = scene.key(&format!("stable {}", n % 60));
                let head = scene.record(&stable).await.head;
                applied(scene.commit(&stable, &scene.change(&head).set("visits", n.to_string())).await);
                scene.destroy(&passing, &created).await;
            }
        }
    });
    loop {
        let over = background.is_finished();
        let listed = scene.listed(7).await;
        let kept: Vec<&String> = listed.iter().filter(|id| id.starts_with("stable")).collect();
        assert!(kept.iter().copied().eq(stable.iter()), "each once: {kept:?}");
        if over {
            break;
        }
    }
    background.await.expect("the other sessions come and go");
    assert_eq!(scene.count().await, 60);
}

/// Two session types that use the same key do not clobber each other.
pub(super) async fn p05_session_names_are_namespaces(scene: Scene) {
    let other = scene.named(format!("{}-other", scene.name));
    let (here, there) = (scene.key("42"), other.key("42"));
    let mine = scene.create(&here, &[("visits", "1")]).await;
    assert_eq!(other.absence(&there).await, None);
    let theirs = other.create(&there, &[("visits", "7"), ("theme", "dark")]).await;

    assert_eq!(scene.record(&here).await.head, mine);
    assert_eq!((scene.count().await, other.count().await), (1, 1));
    scene.destroy(&here, &mine).await;
    let record = other.record(&there).await;
    assert_eq!((record.head, fields(&record)), (theirs, are(&[("visits", "7"), ("theme", "dark")])));
}

/// Names that differ a little, or look like a pattern of another, are different names.
pub(super) async fn p05_similar_session_names_are_different(scene: Scene) {
    let base = scene.name.to_string();
    let names: Vec<String> =
        ["_", "x", "X", "-", "__", "x_", "x-", "_x", "0", "00"].iter().map(|end| format!("{base}{end}")).collect();
    for (n, name) in names.iter().enumerate() {
        let scene = scene.named(name.as_str());
        scene.create(&scene.key("one"), &[("visits", "1")]).await;
        scene.create(&scene.key(&format!("only {n}")), &[("visits", "1")]).await;
    }
    for (n, name) in names.iter().enumerate() {
        let scene = scene.named(name.as_str());
        assert_eq!(scene.listed(10).await, ["one".to_owned(), format!("only {n}")], "of {name}");
        assert_eq!(scene.count().await, 2, "of {name}");
    }
    assert_eq!(scene.listed(10).await, Vec::<String>::new());
}
