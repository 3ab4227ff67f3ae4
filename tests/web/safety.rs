//! Nobody gets a session that is not theirs, and what ended stays ended.

use std::time::Duration;

use session_runtime::axum::{WebSession, slot_of};
use session_runtime::store::Call;
use session_runtime::{ClockOffset, Error, Expiry, Sessions};
use session_tests::Fault;

use crate::client::{Client, Request};
use crate::site::{Framework, Layer, Site, on_both};
use crate::visitor::{Cart, Gate, Visitor, layer, pages, site, test_store, words};

on_both![
    a_token_of_another_kind_of_session_opens_nothing,
    a_login_gives_a_new_token_and_kills_the_old_one,
    a_request_with_the_token_from_before_a_login_takes_nothing_from_the_new_one,
    an_application_says_itself_that_a_session_has_ended,
    an_expired_session_begins_anew_under_a_new_token,
    a_session_that_cannot_be_stored_is_an_error_and_leaves_no_cookie,
    a_handler_may_return_the_errors_of_sessions,
    a_header_full_of_candidates_costs_one_look_at_the_store,
];

async fn a_token_of_another_kind_of_session_opens_nothing(framework: Framework) {
    let store = test_store();
    let items = async |mut cart: WebSession<Cart>| *cart.edit().items() += 1;
    let site = pages(&Gate::default()).page("/items", items).layer(layer(&store).await);
    let app = site.carts(Sessions::new(store.clone())).on(framework).await;
    let mut shopper = Client::new(&app);
    shopper.get("/items").await;
    let mut thief = Client::with(&app, &format!("__Host-visitor={}", shopper.token()));
    thief.get("/visit").await;
    assert_ne!(thief.token(), shopper.token());
}

async fn a_login_gives_a_new_token_and_kills_the_old_one(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    words(&store);
    let before = client.clone();
    let answer = client.get("/login").await;
    assert_eq!(answer.cookies().len(), 1);
    assert_ne!(client.token(), before.token());
    assert_eq!(client.get("/read").await.text, "1 light Some(7)");
    assert_eq!(before.look("/read").await.text, "0 light None", "the old token opens nothing");

    let calls = store.take();
    let Some(Call::Renew { from, to }) = calls.iter().find(|call| matches!(call, Call::Renew { .. })) else {
        panic!("{calls:?}")
    };
    assert_eq!(slot_of(from), slot_of(to), "a cluster can move it");
    assert_eq!(slot_of(to), slot_of(client.token()));
}

async fn a_request_with_the_token_from_before_a_login_takes_nothing_from_the_new_one(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let before = client.clone();
    client.get("/login").await;
    words(&store);

    let answer = before.look("/visit").await;
    assert_eq!((answer.status, answer.cookies().len()), (409, 0), "a cookie would replace the good one");
    assert_eq!(before.look("/same").await.status, 200, "what changes nothing is served");
    assert_eq!(before.look("/logout").await.status, 409, "the session goes on, and who left must know");
    assert!(words(&store).iter().all(|word| word == "load"));
    assert_eq!(client.get("/read").await.text, "1 light Some(7)");

    // The answer to the login can have been lost, so a client can log in anew.
    let mut again = before.clone();
    assert_eq!(again.get("/login").await.status, 200);
    assert_eq!(again.get("/read").await.text, "0 light Some(7)");
    assert_eq!(client.get("/read").await.text, "1 light Some(7)");
}

async fn an_application_says_itself_that_a_session_has_ended(framework: Framework) {
    let (store, gate) = (test_store(), Gate::default());
    let app = pages(&gate).layer(layer(&store).await.ended("/login")).on(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.start("/slow");
    gate.begun().await;
    client.get("/logout").await;
    gate.open();
    let answer = slow.await.expect("an answer");
    assert_eq!(answer.status, 303);
    assert_eq!(answer.lines("location"), ["/login"]);
}

async fn an_expired_session_begins_anew_under_a_new_token(framework: Framework) {
    let store = test_store();
    let sessions = |clock| {
        let hour = Expiry::AfterInactivity(Duration::from_secs(3600));
        Sessions::<Visitor>::builder(store.clone()).expiry(hour).clock_offset(ClockOffset(clock)).build()
    };
    let now = pages(&Gate::default()).layer(Layer::new(sessions(0))).on(framework).await;
    let later = pages(&Gate::default()).layer(Layer::new(sessions(3_600_001))).on(framework).await;
    let mut client = Client::new(&now);
    client.get("/login").await;
    let mut late = Client::with(&later, &client.cookie());
    assert_eq!(late.get("/visit").await.text, "1 light None");
    assert_ne!(late.token(), client.token());
}

async fn a_session_that_cannot_be_stored_is_an_error_and_leaves_no_cookie(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/none").await;
    store.inner().fail_commit(Fault::Refused);
    let answer = client.get("/visit").await;
    assert_eq!((answer.status, answer.cookies().len()), (503, 0));
}

async fn a_handler_may_return_the_errors_of_sessions(framework: Framework) {
    let site = Site::default()
        .page("/destroyed", async |(): ()| Err::<(), _>(Error::Destroyed))
        .page("/large", async |(): ()| Err::<(), _>(Error::TooLarge { field: None, size: 2, limit: 1 }))
        .page("/contended", async |(): ()| Err::<(), _>(Error::Contended))
        .page("/gone", async |(): ()| Err::<(), _>(Error::RegistrationGone));
    let app = site.on(framework).await;
    for (path, status) in [("/destroyed", 409), ("/large", 413), ("/contended", 503), ("/gone", 500)] {
        assert_eq!(Client::new(&app).get(path).await.status, status, "{path}");
    }
}

async fn a_header_full_of_candidates_costs_one_look_at_the_store(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    words(&store);
    let many = |candidate: &dyn Fn(usize) -> String| {
        let cookies: Vec<_> = (0..5_000).map(|n| format!("__Host-visitor={}", candidate(n))).collect();
        vec![("cookie", cookies.join("; "))]
    };
    let unknown = |n: usize| format!("{n:047}");
    let split = (0..5_000).map(|n| ("cookie", format!("__Host-visitor={}", unknown(n)))).collect();
    for (headers, calls) in [
        (many(&unknown), 1),                // the first is looked for, and no other
        (split, 1),                         // however they are sent
        (many(&|n| format!("{n:046}")), 0), // what cannot be a token is not looked for
        (many(&|_| "x".repeat(40)), 0),
        (vec![("cookie", format!("__Host-visitor={}", "A".repeat(1 << 20)))], 0),
        (vec![("cookie", "=;".repeat(1 << 19))], 0),
    ] {
        let answer = app.send(Request { path: "/read".to_owned(), headers }).await;
        assert_eq!((answer.status, &*answer.text), (200, "0 light None"));
        assert_eq!(words(&store), vec!["load"; calls]);
    }
    // Behind what is no token, one's own is found.
    let own = format!("{}; {}", many(&|_| "forged".to_owned())[0].1, client.cookie());
    let answer = app.send(Request { path: "/read".to_owned(), headers: vec![("cookie", own)] }).await;
    assert_eq!(answer.text, "1 light None");
}
