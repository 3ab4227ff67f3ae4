//! What is stored, seen from outside: keys, counts, and the namespaces of session types.

use std::collections::BTreeSet;

use super::fixture::{Draft, Fixture, REGISTRATION, applied, are, fields};

/// All stored sessions are listed, each once, whatever the size of the pages.
pub(super) async fn p01_all_stored_sessions_are_listed_once(fixture: Fixture) {
    let mut ids: Vec<String> = (0..25).map(|n| format!("chat {n}")).collect();
    for id in &ids {
        fixture.create(&fixture.key(id), &[("visits", "1")]).await;
    }
    ids.sort();
    for limit in [1, 7, 25, 26, 1_000] {
        assert_eq!(fixture.listed(limit).await, ids, "in pages of {limit}");
    }
    assert_eq!(fixture.count().await, 25);
}

/// An empty namespace lists nothing.
pub(super) async fn p01_nothing_stored_is_nothing_listed(fixture: Fixture) {
    assert_eq!(fixture.listed(10).await, Vec::<String>::new());
    assert_eq!(fixture.count().await, 0);
}

/// Sessions that are stored all the while are listed once, while others come, go and change.
pub(super) async fn p01_a_listing_is_complete_while_others_come_and_go(fixture: Fixture) {
    let stable: BTreeSet<String> = (0..60).map(|n| format!("stable {n}")).collect();
    for id in &stable {
        fixture.create(&fixture.key(id), &[("visits", "1")]).await;
    }
    let background = tokio::spawn({
        let fixture = fixture.clone();
        async move {
            for n in 0..100 {
                let passing = fixture.key(&format!("passing {n}"));
                let created = fixture.create(&passing, &[("visits", "1")]).await;
                let stable = fixture.key(&format!("stable {}", n % 60));
                let head = fixture.record(&stable).await.head;
                applied(fixture.commit(&stable, &fixture.change(&head).set("visits", n.to_string())).await);
                fixture.destroy(&passing, &created).await;
            }
        }
    });
    loop {
        let over = background.is_finished();
        let listed = fixture.listed(7).await;
        let kept: Vec<&String> = listed.iter().filter(|id| id.starts_with("stable")).collect();
        assert!(kept.iter().copied().eq(stable.iter()), "each once: {kept:?}");
        if over {
            break;
        }
    }
    background.await.expect("the other sessions come and go");
    assert_eq!(fixture.count().await, 60);
}

/// Two session types that use the same key do not clobber each other.
pub(super) async fn p05_session_names_are_namespaces(fixture: Fixture) {
    let other = fixture.named(format!("{}-other", fixture.name));
    other.agree(1, REGISTRATION).await;
    let (here, there) = (fixture.key("42"), other.key("42"));
    let mine = fixture.create(&here, &[("visits", "1")]).await;
    assert_eq!(other.absence(&there).await, None);
    let theirs = other.create(&there, &[("visits", "7"), ("theme", "dark")]).await;

    assert_eq!(fixture.record(&here).await.head, mine);
    assert_eq!((fixture.count().await, other.count().await), (1, 1));
    fixture.destroy(&here, &mine).await;
    let record = other.record(&there).await;
    assert_eq!((record.head, fields(&record)), (theirs, are(&[("visits", "7"), ("theme", "dark")])));
}

/// Names that differ a little, or look like a pattern of another, are different names.
pub(super) async fn p05_similar_session_names_are_different(fixture: Fixture) {
    let base = fixture.name.to_string();
    let names: Vec<String> =
        ["_", "x", "X", "-", "__", "x_", "x-", "_x", "0", "00"].iter().map(|end| format!("{base}{end}")).collect();
    for (n, name) in names.iter().enumerate() {
        let fixture = fixture.named(name.as_str());
        fixture.agree(1, REGISTRATION).await;
        fixture.create(&fixture.key("one"), &[("visits", "1")]).await;
        fixture.create(&fixture.key(&format!("only {n}")), &[("visits", "1")]).await;
    }
    for (n, name) in names.iter().enumerate() {
        let fixture = fixture.named(name.as_str());
        assert_eq!(fixture.listed(10).await, ["one".to_owned(), format!("only {n}")], "of {name}");
        assert_eq!(fixture.count().await, 2, "of {name}");
    }
    assert_eq!(fixture.listed(10).await, Vec::<String>::new());
}
