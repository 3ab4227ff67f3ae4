//! Sessions of a user, looked after without their type.

use std::collections::BTreeSet;
use std::time::Duration;

use session_runtime::expiry::{ClockOffset, Timestamp};
use session_runtime::store::{Found, Key, Load, Store, StoreErrorKind};
use session_runtime::{Admin, AnyStore, Error, Expiry, MemoryStore, Session, Sessions};
use session_tests::FaultyStore;

use crate::place::stores;

/// As it was deployed first.
mod older {
    use session_runtime::Session;

    #[derive(Session)]
    #[session(name = "member")]
    pub(super) struct Member {
        pub user: Option<u64>,
        pub visits: u32,
    }
}

#[derive(Session)]
#[session(name = "member")]
struct Member {
    #[session(index)]
    user: Option<u64>,
    visits: u32,
    #[session(sensitive)]
    card: String,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

fn members(store: &AnyStore) -> Sessions<Member> {
    Sessions::builder(store.clone()).expiry(Expiry::AfterInactivity(DAY)).build()
}

async fn log_in(sessions: &Sessions<Member>, key: &str, user: u64) {
    sessions.update(key, |member| *member.edit().user() = Some(user)).await.expect("a login");
}

async fn found(store: &AnyStore, user: u64) -> BTreeSet<String> {
    let keys = Admin::new(store.clone()).find("member", "user", &user.into()).await.expect("an answer");
    keys.iter().map(|key| key.id().to_owned()).collect()
}

async fn end_of(store: &AnyStore, id: &str) -> Option<i64> {
    let key = Key::new("member".into(), id).expect("a key");
    match store.load(&key, Load::look(ClockOffset::default())).await.expect("a load").found {
        Found::Record(record) => record.head.expires_at.map(Timestamp::as_millis),
        Found::Absent { .. } => panic!("`{id}` is not stored"),
    }
}

fn keys(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn refusal<T>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::Store(error)) if error.kind() == StoreErrorKind::Configuration => error.to_string(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[tokio::test]
async fn sessions_that_were_stored_without_an_index_are_found_once_it_is_built_and_live_no_longer() {
    for store in stores().await {
        let rule = Expiry::AfterInactivity(DAY);
        let older = Sessions::<older::Member>::builder(store.clone()).expiry(rule).build();
        older.update("by the rule", |member| *member.edit().user() = Some(7)).await.expect("a login");
        for (key, lifetime) in [("of its own", 30 * DAY), ("soon", DAY / 24)] {
            let mut member = older.load(key).await.expect("a load");
            *member.edit().user() = Some(7);
            member.expire_after(lifetime);
            member.commit().await.expect("a login");
        }
        older.update("nobody", |member| *member.edit().visits() = 3).await.expect("a visit");
        assert_eq!(found(&store, 7).await, keys(&[]));

        let sessions_of_seven = ["by the rule", "of its own", "soon"];
        let mut ends = Vec::new();
        for key in sessions_of_seven {
            ends.push(end_of(&store, key).await);
        }
        let mut told = Vec::new();
        let built = Admin::new(store.clone()).build_index("member", "user", |so_far| told.push(so_far)).await;
        assert_eq!((built.expect("an index"), told), (3, vec![1, 2, 3]));
        assert_eq!(found(&store, 7).await, keys(&sessions_of_seven));
        for (key, end) in sessions_of_seven.iter().zip(ends) {
            assert_eq!(end_of(&store, key).await, end, "`{key}` ends when it did before");
            assert_eq!(older.load(key).await.expect("a load").user, Some(7));
        }
        older.update("by the rule", |member| *member.edit().visits() += 1).await.expect("a visit");
        let left = end_of(&store, "by the rule").await.expect("an end") - end_of(&store, "soon").await.expect("an end");
        assert!(left > 0, "the rule holds as before");
    }
}

#[tokio::test]
async fn an_index_is_not_built_of_what_is_no_field_or_is_secret() {
    for store in stores().await {
        members(&store).prepare().await.expect("a registration");
        let admin = Admin::new(store.clone());
        let built = admin.build_index("member", "usr", |_| {}).await;
        assert!(refusal(built).contains("`member` has no field `usr`"));
        assert!(refusal(admin.build_index("member", "card", |_| {}).await).contains("the field `card` is sensitive"));
        assert!(refusal(admin.build_index("nobody", "user", |_| {}).await).contains("no session called `nobody`"));
        assert!(refusal(admin.destroy_found("member", "card", &"x".into(), |_| {}).await).contains("sensitive"));
    }
}

#[tokio::test]
async fn all_sessions_of_a_user_are_destroyed_and_how_many_so_far_is_told() {
    for store in stores().await {
        let sessions = members(&store);
        for key in ["phone", "laptop"] {
            log_in(&sessions, key, 7).await;
        }
        log_in(&sessions, "other", 8).await;
        let mut held = sessions.load("phone").await.expect("a load");
        *held.edit().visits() += 1;
        let mut told = Vec::new();
        let admin = Admin::new(store.clone());
        let ended = admin.destroy_found("member", "user", &7.into(), |so_far| told.push(so_far)).await;
        assert_eq!((ended.expect("an end"), told), (2, vec![1, 2]));
        assert!(matches!(held.commit().await, Err(Error::Destroyed)), "whoever holds one cannot store it");
        held.discard();
        assert_eq!((found(&store, 7).await, found(&store, 8).await), (keys(&[]), keys(&["other"])));
    }
}

#[tokio::test]
async fn a_session_that_is_renewed_while_the_others_are_destroyed_is_followed() {
    let place = FaultyStore::<MemoryStore>::default();
    let sessions = Sessions::<Member>::new(place.inner().clone());
    for key in ["a", "b", "c"] {
        log_in(&sessions, key, 7).await;
    }
    for (from, to) in [("b", "d"), ("d", "b2")] {
        let sessions = sessions.clone();
        place.meanwhile(move || {
            session_tests::now(async {
                if let Ok(mut member) = sessions.load(from).await
                    && member.user.is_some()
                {
                    member.renew(to).await.expect("a renewal");
                }
            });
        });
    }
    let ended = Admin::new(place.clone()).destroy_found("member", "user", &7.into(), |_| {}).await.expect("an end");
    assert_eq!(ended, 3);
    assert_eq!(sessions.count_found(MemberIndex::User(&Some(7))).await.expect("an answer"), 0);
}
