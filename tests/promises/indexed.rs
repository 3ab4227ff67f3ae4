//! Sessions that are found by a value: what it costs, and what becomes of it when answers are lost and handlers race.

use std::time::{Duration, SystemTime};

use session_runtime::store::Call;
use session_runtime::{Error, Expiry, Session, Sessions, SqliteStore};
use session_tests::{Fault, Kept, is_stored, now};

use crate::visitor::{TestStore, builder, fields, names, sessions, test_store};

#[derive(Session)]
#[session(name = "indexed-member")]
struct Member {
    #[session(index)]
    user: Option<u64>,
    visits: u32,
}

const SEVEN: Option<u64> = Some(7);

fn seven() -> MemberIndex<'static> {
    MemberIndex::User(&SEVEN)
}

fn log_in(sessions: &Kept<Member, TestStore>, key: &str) {
    now(sessions.update(key, |member| *member.edit().user() = SEVEN)).expect("a login");
}

fn found(sessions: &Kept<Member, TestStore>) -> Vec<String> {
    let mut found = sessions.find(seven());
    std::iter::from_fn(|| now(found.next())).map(|session| session.expect("a search").key().to_owned()).collect()
}

fn find() -> Call {
    Call::Find { field: "user".to_owned() }
}

fn load(key: &str) -> Call {
    Call::Load { key: key.to_owned(), touched: false }
}

#[test]
fn p04_a_commit_of_an_indexed_field_is_one_call() {
    let sessions = sessions::<Member>();
    log_in(&sessions, "42");
    let commit =
        |value: &str| Call::Commit { key: "42".to_owned(), set: fields(&[("user", value)]), unset: names(&[]) };
    assert_eq!(sessions.store().take(), [load("42"), commit("7")]);
    now(sessions.update("42", |member| *member.edit().user() = Some(8))).expect("a commit");
    assert_eq!(sessions.store().take(), [load("42"), commit("8")]);
}

#[test]
fn p04_finding_is_one_call_and_ending_one_more_for_each_session() {
    let sessions = sessions::<Member>();
    for key in ["phone", "laptop"] {
        log_in(&sessions, key);
    }
    let _ = sessions.store().take();
    assert_eq!(found(&sessions), ["laptop", "phone"]);
    assert_eq!(sessions.store().take(), [find()]);
    assert_eq!(now(sessions.count_found(seven())).expect("a count"), 2);
    assert_eq!(sessions.store().take(), [find()]);
    assert_eq!(now(sessions.list_found(seven())).expect("a listing").len(), 2);
    assert_eq!(sessions.store().take(), [find(), load("laptop"), load("phone")]);
    assert_eq!(now(sessions.destroy_found(seven())).expect("an end"), 2);
    let destroy = |key: &str| Call::Destroy { key: key.to_owned() };
    assert_eq!(sessions.store().take(), [find(), destroy("laptop"), destroy("phone"), find()]);
}

#[test]
fn p01_a_session_at_its_initial_value_is_not_found() {
    let sessions = sessions::<Member>();
    now(sessions.update("42", |member| *member.edit().visits() = 1)).expect("a commit");
    assert_eq!(now(sessions.count_found(MemberIndex::User(&None))).expect("a count"), 0);
    assert_eq!(now(sessions.destroy_found(MemberIndex::User(&None))).expect("an end"), 0);
    assert_eq!(now(sessions.load("42")).expect("a load").visits, 1);
}

#[test]
fn p06_a_session_that_is_renewed_meanwhile_is_ended_at_its_new_key() {
    let sessions = sessions::<Member>();
    log_in(&sessions, "old");
    let mut session = now(sessions.load("old")).expect("a load");
    let others = sessions.clone();
    sessions.store().inner().meanwhile(move || {
        let mut session = now(others.load("old")).expect("a load");
        now(session.renew("new")).expect("a renewal");
    });
    assert_eq!(now(sessions.destroy_found(seven())).expect("an end"), 1);
    assert_eq!(found(&sessions), [""; 0]);
    assert!(now(sessions.load("new")).expect("a load").is_new());
    *session.edit().visits() += 1;
    assert!(matches!(now(session.commit()), Err(Error::Renewed)));
    session.discard();
}

#[test]
fn p06_a_session_that_takes_the_place_of_one_that_ended_is_left_alone() {
    let sessions = sessions::<Member>();
    log_in(&sessions, "42");
    let others = sessions.clone();
    sessions.store().inner().meanwhile(move || {
        now(async { others.load("42").await?.destroy().await }).expect("a logout");
        now(others.update("42", |member| *member.edit().visits() = 5)).expect("another session");
    });
    assert_eq!(now(sessions.destroy_found(seven())).expect("an end"), 0);
    assert_eq!(now(sessions.load("42")).expect("a load").visits, 5);
}

#[test]
fn p01_more_sessions_than_a_store_is_asked_for_at_once_are_found() {
    let sessions = sessions::<Member>();
    let mut keys: Vec<_> = (0..2001).map(|key| key.to_string()).collect();
    for key in &keys {
        log_in(&sessions, key);
    }
    let _ = sessions.store().take();
    keys.sort();
    assert_eq!(found(&sessions), keys);
    assert_eq!(sessions.store().take(), [find(), find(), find()]);
}

#[derive(Session)]
#[session(name = "indexed-always", persist = "always")]
struct Always {
    #[session(index)]
    user: Option<u64>,
}

#[test]
fn p06_an_index_is_built_of_no_session_that_ended_since_it_was_listed() {
    let (sessions, listed) = (sessions::<Always>(), sessions::<Always>());
    now(listed.update("42", |always| *always.edit().user() = SEVEN)).expect("a login");
    assert_eq!(now(sessions.build_index(listed.store())).expect("an index"), 0);
    assert!(!now(is_stored(sessions.store(), "indexed-always", "42")));
    assert_eq!(now(listed.build_index(listed.store())).expect("an index"), 1);
}

#[test]
fn p12_who_ends_sessions_of_a_user_gives_up_at_the_deadline_unless_some_have_ended() {
    let sessions = builder::<Member>().deadline(Duration::ZERO).build();
    log_in(&sessions, "old");
    let others = sessions.clone();
    sessions.store().inner().meanwhile(move || {
        now(async { others.load("old").await?.renew("new").await }).expect("a renewal");
    });
    assert!(matches!(now(sessions.destroy_found(seven())), Err(Error::Contended)));
    assert_eq!(found(&sessions), ["new"]);
    assert_eq!(now(sessions.destroy_found(seven())).expect("an end"), 1);
}

#[tokio::test]
async fn p07_a_search_whose_answer_is_lost_is_made_again() {
    let sessions = sessions::<Member>();
    log_in(&sessions, "42");
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Refused] {
        sessions.store().inner().fail_find(fault);
    }
    assert_eq!(sessions.destroy_found(seven()).await.expect("an end"), 1);
}

#[test]
fn p07_where_nothing_can_wait_a_lost_answer_is_told() {
    let sessions = sessions::<Member>();
    log_in(&sessions, "42");
    sessions.store().inner().fail_find(Fault::LostBefore);
    assert!(matches!(now(sessions.destroy_found(seven())), Err(Error::Store(_))));
    sessions.store().inner().fail_commit(Fault::LostBefore);
    assert!(matches!(now(sessions.destroy_found(seven())), Err(Error::Store(_))));
    assert_eq!(now(sessions.destroy_found(seven())).expect("an end"), 1);
}

#[tokio::test]
async fn p07_an_end_whose_answer_is_lost_is_sent_again() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Refused] {
        let sessions = sessions::<Member>();
        log_in(&sessions, "42");
        sessions.store().inner().fail_commit(fault);
        assert_eq!(sessions.destroy_found(seven()).await.expect("an end"), 1, "{fault:?}");
        assert!(sessions.load("42").await.expect("a load").is_new());
    }
}

#[test]
fn p07_a_login_whose_answer_is_lost_is_found_once_it_is_settled() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let sessions = sessions::<Member>();
        let mut session = now(sessions.load("42")).expect("a load");
        *session.edit().user() = SEVEN;
        sessions.store().inner().fail_commit(fault);
        now(session.commit()).expect_err("the answer is lost");
        now(session.commit()).expect("it is settled");
        assert_eq!(found(&sessions), ["42"], "{fault:?}");
    }
}

#[test]
fn p09_a_listing_tells_of_times_and_is_no_activity() {
    let hour = Duration::from_secs(3600);
    let sessions = builder::<Member>().expiry(Expiry::AfterInactivity(hour)).build();
    let began = SystemTime::now() - Duration::from_millis(1);
    log_in(&sessions, "42");
    sessions.store().inner().pass(hour / 2);
    let before = now(sessions.list_found(seven())).expect("a listing");
    let [(device, member)] = &before[..] else { panic!("one") };
    assert_eq!(member.user, SEVEN);
    assert!(device.created_at() >= began && device.last_used() == Some(device.created_at()), "{device:?}");
    assert_eq!(device.expires_at(), Some(device.created_at() + hour));
    let again = now(sessions.list_found(seven())).expect("a listing");
    assert_eq!(again[0].0, *device, "it does not live longer for it");
    now(sessions.load("42")).expect("a load");
    let touched = now(sessions.list_found(seven())).expect("a listing");
    assert!(touched[0].0.last_used() >= Some(device.created_at() + hour / 2), "a load is activity");
    sessions.store().inner().pass(hour * 2);
    assert_eq!(found(&sessions), [""; 0]);
}

#[derive(Session)]
#[session(name = "indexed-customer")]
struct Customer {
    #[session(index, sensitive)]
    email: String,
}

const EMAIL: &str = "someone@somewhere.example";

#[test]
fn p13_a_sensitive_index_without_a_key_is_refused_by_name() {
    let refused = now(sessions::<Customer>().prepare()).expect_err("there is no key");
    assert!(matches!(&refused, Error::NoIndexKey { field } if &**field == "email"), "{refused:?}");
    assert!(refused.to_string().contains("`email`") && refused.to_string().contains("index_key"), "{refused}");
}

#[test]
fn p13_a_sensitive_value_is_found_with_its_key_only() {
    let store = test_store();
    let with = |key| Kept::<Customer, _>::builder(store.clone()).index_key([key; 32]).build();
    now(with(1).update("42", |customer| *customer.edit().email() = EMAIL.to_owned())).expect("a commit");
    let count = |key| now(with(key).count_found(CustomerIndex::Email(&EMAIL.to_owned()))).expect("a count");
    assert_eq!((count(1), count(2)), (1, 0));
    let settings = Sessions::<Customer>::builder(store).index_key([7; 32]);
    assert!(!format!("{settings:?}").contains("7, 7"), "the key is not shown");
}

#[tokio::test]
async fn p13_what_a_store_keeps_of_a_sensitive_value_does_not_tell_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::open(&path).await.expect("a database");
    let sessions = Kept::<Customer, _>::builder(store.clone()).index_key([7; 32]).build();
    sessions.update("42", |customer| *customer.edit().email() = EMAIL.to_owned()).await.expect("a commit");
    let members = Kept::<Member, _>::builder(store).index_key([7; 32]).build();
    members.update("42", |member| *member.edit().user() = SEVEN).await.expect("a commit");
    let connection = rusqlite::Connection::open(&path).expect("a database");
    let term = |name: &str| {
        let term = "SELECT term FROM session_runtime_fields WHERE name = ?1";
        connection.query_row(term, [name], |row| row.get::<_, String>(0)).expect("a term")
    };
    assert!(term("email").starts_with('#') && term("email").len() == 65, "{}", term("email"));
    assert_eq!(term("user"), "7", "readable in the shell");
}
