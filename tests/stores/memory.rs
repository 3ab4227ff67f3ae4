//! The memory store: one per case, one that all cases share as they would share a server, and a part of one.

use session_runtime::expiry::ClockOffset;
use session_runtime::store::{Action, Base, Find, IndexEntry, MemoryStore, Store, Term};
use session_tests::commits::{agree, applied, key, set, write};

mod own {
    use session_runtime::store::MemoryStore;

    session_runtime::conformance!(async { MemoryStore::new() });
}

mod shared {
    use std::sync::LazyLock;

    use session_runtime::store::MemoryStore;

    static STORE: LazyLock<MemoryStore> = LazyLock::new(MemoryStore::new);

    session_runtime::conformance!(async { STORE.clone() });
}

#[tokio::test]
async fn p04_a_page_of_what_is_found_begins_after_the_one_before() {
    let store = MemoryStore::new();
    agree(&store).await;
    for id in ["1", "2", "3"] {
        let mut commit = write(Base::Absent { saw: None, valid_until: None }, vec![set("user", "7")]);
        let Action::Write(write) = &mut commit.action else { panic!("{commit:?}") };
        write.index.push(IndexEntry { field: "user".into(), term: Term::of(b"7") });
        applied(store.commit(&key(id), &commit).await.expect("an answer"));
    }
    let all = Find::all("Visitor".into(), "user".into(), "7".into(), Term::of(b"7"), ClockOffset::default());
    for (limit, pages) in [(1, &[&["1"][..], &["2"], &["3"], &[]][..]), (2, &[&["1", "2"], &["3"]])] {
        let mut find = all.clone();
        find.limit = Some(limit);
        for expected in pages {
            let page = store.find(&find).await.expect("a page");
            let ids: Vec<_> = page.sessions.iter().map(|(key, _)| key.id()).collect();
            assert_eq!(ids, *expected, "in pages of {limit}");
            find.after = page.next;
        }
        assert_eq!(find.after, None);
    }
}

mod namespaced {
    use session_runtime::store::{MemoryStore, Namespaced};

    session_runtime::conformance!(async { Namespaced::new(MemoryStore::new(), "shop").expect("a namespace") });
}
