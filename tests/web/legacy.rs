//! Clients that come with the cookie of another library, whose sessions go on here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use session_runtime::Admin;
use session_runtime::axum::WebSession;
use session_runtime::legacy::{self, Legacy, LegacyCookie, LegacyError, Old};
use session_tests::{Fault, all_stored};

use crate::client::{Answer, Client};
use crate::site::{App, Framework, on_both};
use crate::visitor::{Gate, TestStore, Visitor, layer, pages, test_store, words};

on_both![
    an_old_session_goes_on_under_a_token_of_its_own,
    an_old_session_is_there_for_whoever_asks_whether_there_is_one,
    a_login_is_stored_with_the_old_session,
    of_requests_at_once_one_stores_the_old_session,
    an_old_cookie_is_dead_once_its_session_was_stored,
    an_old_session_that_was_logged_out_stays_so,
    an_old_session_that_was_logged_out_stays_so_for_as_long_as_old_cookies_count,
    a_handler_that_fails_leaves_the_old_session_where_it_is,
    a_commit_that_fails_leaves_the_old_session_where_it_is,
    a_commit_whose_answer_is_lost_has_moved_the_old_session,
    an_old_cookie_without_a_session_is_removed,
    a_token_goes_before_an_old_cookie,
    an_old_cookie_reaches_no_session_that_is_stored_here,
    an_old_session_that_cannot_be_read_is_an_error,
    records_and_cookies_of_other_libraries_are_read,
];

/// As tower-sessions and actix-session stored it.
#[derive(Deserialize)]
struct OldVisitor {
    visits: u32,
    theme: String,
    user: Option<u64>,
}

impl From<OldVisitor> for Visitor {
    fn from(OldVisitor { visits, theme, user }: OldVisitor) -> Self {
        Self { visits, theme, user }
    }
}

/// The store of another library, which notes what it is asked for.
#[derive(Clone, Default)]
struct OldStore {
    records: Arc<BTreeMap<String, Vec<u8>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

type Read = fn(&[u8]) -> Result<OldVisitor, LegacyError>;

impl OldStore {
    fn with(id: &str, record: impl Into<Vec<u8>>) -> Self {
        Self { records: Arc::new([(id.to_owned(), record.into())].into()), ..Self::default() }
    }

    fn legacy(&self, read: Read) -> Legacy<Visitor> {
        let store = self.clone();
        Legacy::until(SystemTime::now() + A_MONTH, move |key| {
            store.asked.lock().expect("notes").push(key.clone());
            let stored = store.records.get(&key).cloned();
            async move { stored.map(|stored| Ok(Old::new(read(&stored)?.into()))).transpose() }
        })
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("notes"))
    }
}

/// For so long the old store is asked.
const A_MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

const RECORD: &str = r#"{"visits":"3","theme":"\"dark\"","user":"7"}"#;

/// The pages, an old store with the session `abc`, and a layer that takes it over.
async fn site(framework: Framework) -> (App, TestStore, OldStore, Gate) {
    let (store, old, gate) = (test_store(), OldStore::with("abc", RECORD), Gate::default());
    let inside = gate.clone();
    let reading = async move |visitor: WebSession<Visitor>| {
        inside.pass().await;
        visitor.visits.to_string()
    };
    let layer = layer(&store).await.legacy(LegacyCookie::new("id"), old.legacy(legacy::actix_session));
    (pages(&gate).page("/reading", reading).layer(layer).on(framework).await, store, old, gate)
}

const REMOVAL: &str = "id=; Path=/; Max-Age=0";

/// Whether an answer sets a token, and whether it removes the old cookie.
fn told(answer: &Answer) -> (bool, bool) {
    let cookies = answer.cookies();
    let sets = cookies.iter().any(|line| line.starts_with("__Host-visitor=") && !line.contains("Max-Age=0"));
    assert_eq!(answer.lines("cache-control").len(), usize::from(!cookies.is_empty()));
    (sets, cookies.iter().any(|line| line == REMOVAL))
}

async fn an_old_session_goes_on_under_a_token_of_its_own(framework: Framework) {
    let (app, store, old, _) = site(framework).await;
    let mut client = Client::with(&app, "id=abc");
    let answer = client.get("/read").await;
    assert_eq!((&*answer.text, told(&answer)), ("3 dark Some(7)", (true, true)));
    assert_eq!(words(&store), ["load", "renew"]);
    assert_ne!(client.token(), "abc");
    for visits in [4, 5] {
        let answer = client.get("/visit").await;
        assert_eq!((answer.text.clone(), told(&answer)), (format!("{visits} dark Some(7)"), (false, false)));
        assert_eq!(words(&store), ["load", "commit visits"]);
    }
    assert_eq!(old.asked(), ["abc"]);
    assert_eq!(all_stored(&store, "visitor").await.len(), 1);
}

async fn an_old_session_is_there_for_whoever_asks_whether_there_is_one(framework: Framework) {
    let (app, store, old, _) = site(framework).await;
    assert!(Client::with(&app, "id=abc").get("/none").await.cookies().is_empty());
    assert!(words(&store).is_empty() && old.asked().is_empty(), "a handler that takes no session costs nothing");
    let mut client = Client::with(&app, "id=abc");
    assert_eq!(client.get("/maybe").await.text, "3 dark Some(7)");
    assert_eq!(client.get("/maybe").await.text, "3 dark Some(7)");
    assert_eq!(Client::with(&app, "id=xyz").get("/maybe").await.text, "nobody");
    assert_eq!(Client::new(&app).get("/maybe").await.text, "nobody");
    assert_eq!(old.asked(), ["abc", "xyz"]);
}

async fn a_login_is_stored_with_the_old_session(framework: Framework) {
    let (app, store, _, _) = site(framework).await;
    let mut client = Client::with(&app, "id=abc");
    assert_eq!(told(&client.get("/login").await), (true, true));
    assert_eq!(words(&store), ["load", "renew"]);
    assert_eq!(client.get("/read").await.text, "3 dark Some(7)");
}

async fn of_requests_at_once_one_stores_the_old_session(framework: Framework) {
    for (path, status) in [("/reading", 200), ("/slow", 409)] {
        let (app, store, old, gate) = site(framework).await;
        let mut client = Client::with(&app, "id=abc");
        let late = client.start(path);
        gate.begun().await;
        assert_eq!(client.get("/visit").await.text, "4 dark Some(7)");
        gate.open();
        let answer = late.await.expect("an answer");
        assert_eq!((answer.status, told(&answer)), (status, (false, true)), "{path}");
        assert_eq!(client.get("/read").await.text, "4 dark Some(7)");
        assert_eq!(old.asked(), ["abc", "abc"]);
        assert_eq!(all_stored(&store, "visitor").await.len(), 1);
    }
}

async fn an_old_cookie_is_dead_once_its_session_was_stored(framework: Framework) {
    let (app, store, old, _) = site(framework).await;
    let mut owner = Client::with(&app, "id=abc");
    owner.get("/read").await;
    old.asked();
    let mut late = Client::with(&app, "id=abc");
    let answer = late.look("/read").await;
    assert_eq!((&*answer.text, told(&answer)), ("0 light None", (false, true)));
    // Its client has a better one by now, or will have with another response.
    let answer = late.get("/visit").await;
    assert_eq!((answer.status, told(&answer)), (409, (false, true)));
    assert!(!late.has_cookie(), "from then on it is a new client");
    assert_eq!(late.get("/visit").await.text, "1 light None");
    assert_eq!(owner.get("/read").await.text, "3 dark Some(7)");
    assert!(old.asked().is_empty());
    assert_eq!(all_stored(&store, "visitor").await.len(), 2);
}

async fn an_old_session_that_was_logged_out_stays_so(framework: Framework) {
    let (app, store, old, _) = site(framework).await;
    let mut client = Client::with(&app, "id=abc");
    assert_eq!(told(&client.get("/logout").await), (false, true));
    assert_eq!(words(&store), ["load", "commit visits,theme,user", "destroy"]);
    assert!(!client.has_cookie());
    old.asked();
    let mut again = Client::with(&app, "id=abc");
    assert_eq!(again.look("/read").await.text, "0 light None");
    assert_eq!(again.get("/visit").await.text, "1 light None");
    assert_eq!(again.get("/visit").await.text, "2 light None");
    assert!(old.asked().is_empty());
}

async fn a_handler_that_fails_leaves_the_old_session_where_it_is(framework: Framework) {
    let (app, store, _, _) = site(framework).await;
    let mut client = Client::with(&app, "id=abc");
    let answer = client.get("/fail").await;
    assert_eq!((answer.status, told(&answer)), (500, (false, false)));
    assert_eq!(words(&store), ["load"]);
    assert_eq!(client.get("/visit").await.text, "4 dark Some(7)");
}

/// Headers of ended sessions are kept for an hour otherwise.
async fn an_old_session_that_was_logged_out_stays_so_for_as_long_as_old_cookies_count(framework: Framework) {
    let (app, store, old, _) = site(framework).await;
    Client::with(&app, "id=abc").get("/logout").await;
    old.asked();
    store.inner().pass(Duration::from_secs(29 * 24 * 3600));
    let admin = Admin::new(store.clone());
    admin.purge().await.expect("a purge");
    assert_eq!(Client::with(&app, "id=abc").get("/read").await.text, "0 light None");
    assert!(old.asked().is_empty(), "the old store is not even asked");
}

async fn a_commit_that_fails_leaves_the_old_session_where_it_is(framework: Framework) {
    let (app, store, _, _) = site(framework).await;
    let mut client = Client::with(&app, "id=abc");
    store.inner().fail_commit(Fault::Refused);
    let answer = client.get("/visit").await;
    assert_eq!((answer.status, told(&answer)), (503, (false, false)));
    assert_eq!(client.get("/visit").await.text, "4 dark Some(7)");
}

/// The client was not told its token. Its old cookie is dead, and it begins anew.
async fn a_commit_whose_answer_is_lost_has_moved_the_old_session(framework: Framework) {
    let (app, store, old, _) = site(framework).await;
    let mut client = Client::with(&app, "id=abc");
    store.inner().fail_commit(Fault::LostAfter);
    let answer = client.get("/visit").await;
    assert_eq!((answer.status, told(&answer)), (503, (false, false)));
    old.asked();
    assert_eq!(client.get("/read").await.text, "0 light None");
    assert!(old.asked().is_empty());
    assert_eq!(all_stored(&store, "visitor").await.len(), 1);
}

async fn an_old_cookie_without_a_session_is_removed(framework: Framework) {
    let (app, store, old, _) = site(framework).await;
    let mut client = Client::with(&app, "id=xyz");
    let answer = client.get("/read").await;
    assert_eq!((&*answer.text, told(&answer)), ("0 light None", (false, true)));
    assert_eq!((words(&store), old.asked()), (vec!["load".to_owned()], vec!["xyz".to_owned()]));
    assert_eq!(client.get("/visit").await.text, "1 light None");
    assert_eq!(words(&store), ["commit visits"]);
}

async fn a_token_goes_before_an_old_cookie(framework: Framework) {
    let (app, _, old, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let mut both = client.clone();
    both.keep("id=abc");
    assert_eq!(both.look("/read").await.text, "1 light None");
    client.get("/logout").await;
    assert_eq!(both.look("/read").await.text, "0 light None");
    assert!(old.asked().is_empty());
}

/// Keys of the store are no secrets: a page of devices shows them.
async fn an_old_cookie_reaches_no_session_that_is_stored_here(framework: Framework) {
    let (app, store, old, _) = site(framework).await;
    Client::with(&app, "id=abc").get("/login").await;
    let stored = all_stored(&store, "visitor").await;
    let [(key, _)] = &*stored else { panic!("one session: {}", stored.len()) };
    assert_eq!(Client::with(&app, &format!("id={key}")).get("/read").await.text, "0 light None");
    assert_eq!(old.asked(), ["abc", key]);
}

async fn an_old_session_that_cannot_be_read_is_an_error(framework: Framework) {
    let (store, old) = (test_store(), OldStore::with("abc", "no JSON"));
    for (skips, expected) in [(false, 500), (true, 200)] {
        let legacy = old.legacy(legacy::actix_session);
        let legacy = if skips { legacy.skip_damaged() } else { legacy };
        let layer = layer(&store).await.legacy(LegacyCookie::new("id"), legacy);
        let app = pages(&Gate::default()).layer(layer).on(framework).await;
        let answer = Client::with(&app, "id=abc").get("/read").await;
        assert_eq!((answer.status, told(&answer)), (expected, (false, skips)));
    }
}

/// What `tests/peers/records` made with the libraries themselves.
#[derive(Deserialize)]
struct Made {
    cookie: String,
    key: String,
    record: String,
}

async fn records_and_cookies_of_other_libraries_are_read(framework: Framework) {
    let end = SystemTime::UNIX_EPOCH + Duration::from_millis(4_105_310_706_789); // 2100-02-03 04:05:06.789
    let tower: Read = |stored| Ok(legacy::tower_sessions(stored)?.data);
    for (made, read) in [
        (include_str!("records/tower-sessions-plain.json"), tower),
        (include_str!("records/tower-sessions-private.json"), tower),
        (include_str!("records/actix-session-signed.json"), legacy::actix_session),
        (include_str!("records/actix-session-private.json"), legacy::actix_session),
    ] {
        let Made { cookie, key, record } = serde_json::from_str(made).expect("a record");
        let record: Vec<u8> = record
            .as_bytes()
            .chunks(2)
            .map(|hex| u8::from_str_radix(str::from_utf8(hex).expect("text"), 16).expect("hex"))
            .collect();
        if let Ok(record) = legacy::tower_sessions::<OldVisitor>(&record) {
            assert_eq!(record.expires_at, end);
        }
        for len in 0..record.len() {
            assert!(matches!(read(&record[..len]), Err(LegacyError::Damaged(_))), "cut off at {len}");
        }
        let (store, old) = (test_store(), OldStore::with(&key, record));
        let layer = layer(&store).await.legacy(LegacyCookie::new("id").read(id_in), old.legacy(read));
        let app = pages(&Gate::default()).layer(layer).on(framework).await;
        let forged = format!("{cookie}A");
        assert_eq!(Client::with(&app, &forged).get("/read").await.text, "0 light None");
        assert_eq!(Client::with(&app, &cookie).get("/read").await.text, "3 dark Some(7)", "{made}");
    }
}

/// What stands in a cookie, signed, encrypted or plain.
fn id_in(value: &str) -> Option<String> {
    use cookie::{Cookie, CookieJar, Key};
    if value.len() == 22 {
        return Some(value.to_owned());
    }
    let (mut jar, key) = (CookieJar::new(), Key::from(&[7; 64]));
    jar.add_original(Cookie::new("id", value.to_owned()));
    let found = jar.signed(&key).get("id").or_else(|| jar.private(&key).get("id"));
    found.map(|cookie| cookie.value().to_owned())
}
