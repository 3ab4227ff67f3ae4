//! Nobody gets a session that is not theirs, and what ended stays ended.

use std::time::Duration;

use session_runtime::axum::{WebSession, slot_of};
use session_runtime::store::Call;
use session_runtime::{ClockOffset, Error, Expiry, Sessions};
use session_tests::Fault;

use crate::client::Client;
use crate::site::{Framework, Layer, Site, on_both};
use crate::visitor::{Cart, Gate, Visitor, layer, pages, site, test_store, words};

on_both![
    a_token_that_the_client_chose_is_never_adopted,
    a_token_of_another_kind_of_session_opens_nothing,
    who_reads_the_store_cannot_take_over_a_session,
    a_login_gives_a_new_token_and_kills_the_old_one,
    a_request_with_the_token_from_before_a_login_takes_nothing_from_the_new_one,
    a_logout_during_a_request_ends_what_that_request_did,
    a_login_during_a_request_ends_what_that_request_did,
    an_application_says_itself_that_a_session_has_ended,
    an_expired_session_begins_anew_under_a_new_token,
    a_session_that_cannot_be_loaded_is_an_error_and_no_empty_session,
    a_session_that_cannot_be_stored_is_an_error_and_leaves_no_cookie,
    a_handler_may_return_the_errors_of_sessions,
];

async fn a_token_that_the_client_chose_is_never_adopted(framework: Framework) {
    let (app, _, _) = site(framework).await;
    let unknown = "A".repeat(47);
    for chosen in [&*unknown, "1", "", "%00", "../../x", &"A".repeat(10_000)] {
        let mut client = Client::with(&app, &format!("__Host-visitor={chosen}"));
        assert_eq!(client.get("/visit").await.status, 200);
        assert_ne!(client.token(), chosen, "it has a new token");
        assert_eq!(Client::with(&app, &format!("__Host-visitor={chosen}")).get("/read").await.text, "0 light None");
    }
}

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

async fn who_reads_the_store_cannot_take_over_a_session(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let calls = store.take();
    let [Call::Commit { key, .. }] = &*calls else { panic!("{calls:?}") };
    assert!(!key.contains(&client.token()[4..]), "the secret is not in the key");
    assert_eq!(key.len(), 47);
    let mut thief = Client::with(&app, &format!("__Host-visitor={key}"));
    assert_eq!(thief.get("/read").await.text, "0 light None");
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

async fn a_logout_during_a_request_ends_what_that_request_did(framework: Framework) {
    let (app, store, gate) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/login").await;
    let (slow, path) = (client.clone(), "/slow");
    let slow = tokio::task::spawn_local(async move { slow.look(path).await });
    gate.begun().await;
    let ended = client.clone();
    client.get("/logout").await;
    words(&store);
    gate.open();
    let answer = slow.await.expect("an answer");
    assert_eq!((answer.status, answer.cookies().len()), (409, 0));
    assert_eq!(ended.look("/read").await.text, "0 light None", "it did not come back");
}

async fn a_login_during_a_request_ends_what_that_request_did(framework: Framework) {
    let (app, _, gate) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.clone();
    let slow = tokio::task::spawn_local(async move { slow.look("/slow").await });
    gate.begun().await;
    client.get("/login").await;
    gate.open();
    assert_eq!(slow.await.expect("an answer").status, 409);
    assert_eq!(client.get("/read").await.text, "1 light Some(7)");
}

async fn an_application_says_itself_that_a_session_has_ended(framework: Framework) {
    let (store, gate) = (test_store(), Gate::default());
    let app = pages(&gate).layer(layer(&store).await.ended("/login")).on(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.clone();
    let slow = tokio::task::spawn_local(async move { slow.look("/slow").await });
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

async fn a_session_that_cannot_be_loaded_is_an_error_and_no_empty_session(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    words(&store);
    store.inner().fail_load(Fault::Refused);
    let answer = client.get("/visit").await;
    assert_eq!((answer.status, answer.cookies().len()), (503, 0));
    assert!(!answer.text.contains("store"), "the log says what happened, not the response: {}", answer.text);
    assert_eq!(words(&store), ["load"]);
    assert_eq!(client.get("/visit").await.text, "2 light None");
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
