//! Requests that overlap, and what must not come of it, on each engine.

use std::time::Duration;

use bytes::Bytes;
use session_runtime::axum::WebSession;
use session_runtime::store::Call;
use session_runtime::{Error, Expiry, Sessions};

use crate::client::Client;
use crate::place::{Place, on_each_engine};
use crate::site::{App, Framework, Layer, Site};
use crate::visitor::{Gate, Visitor, pages, words};

on_each_engine![
    requests_that_change_different_fields_both_count,
    a_slow_reader_changes_nothing_of_what_others_wrote,
    a_logout_during_a_request_ends_what_that_request_did,
    a_login_during_a_request_ends_what_that_request_did,
    a_late_write_after_a_logout_leaves_no_part_of_a_session,
    a_token_that_the_client_chose_is_never_adopted,
    a_session_that_cannot_be_loaded_is_an_error_and_stays_as_it_is,
    the_store_holds_no_token,
    a_handler_that_fails_or_panics_leaves_nothing,
    a_reader_moves_the_end_of_a_session_only_when_it_is_due_and_the_cookie_with_it,
    a_value_that_is_too_large_is_refused_and_nothing_is_lost,
];

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn serve(site: Site, framework: Framework, place: &Place) -> App {
    let sessions = Sessions::builder(place.store.clone()).expiry(Expiry::AfterInactivity(DAY)).build();
    site.layer(Layer::new(sessions)).on(framework).await
}

async fn requests_that_change_different_fields_both_count(framework: Framework, place: Place) {
    let gate = Gate::default();
    let app = serve(pages(&gate), framework, &place).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.start("/slow-theme");
    gate.begun().await;
    client.get("/visit").await;
    gate.open();
    assert_eq!(slow.await.expect("an answer").status, 200);
    assert_eq!(client.get("/read").await.text, "2 dark None");
}

async fn a_slow_reader_changes_nothing_of_what_others_wrote(framework: Framework, place: Place) {
    let gate = Gate::default();
    let inside = gate.clone();
    let reading = async move |visitor: WebSession<Visitor>| {
        inside.pass().await;
        visitor.visits.to_string()
    };
    let app = serve(pages(&gate).page("/reading", reading), framework, &place).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.start("/reading");
    gate.begun().await;
    client.get("/visit").await;
    words(&place.store);
    gate.open();
    assert_eq!(slow.await.expect("an answer").text, "1");
    assert!(words(&place.store).is_empty());
    assert_eq!(client.get("/read").await.text, "2 light None");
}

async fn a_logout_during_a_request_ends_what_that_request_did(framework: Framework, place: Place) {
    let gate = Gate::default();
    let app = serve(pages(&gate), framework, &place).await;
    let mut client = Client::new(&app);
    client.get("/login").await;
    let slow = client.start("/slow");
    gate.begun().await;
    let ended = client.clone();
    client.get("/logout").await;
    gate.open();
    let answer = slow.await.expect("an answer");
    assert_eq!((answer.status, answer.cookies().len()), (409, 0));
    assert_eq!(ended.look("/read").await.text, "0 light None", "it did not come back");
    assert_eq!(place.sessions().await, [], "and nothing of the user did");
}

async fn a_login_during_a_request_ends_what_that_request_did(framework: Framework, place: Place) {
    let gate = Gate::default();
    let app = serve(pages(&gate), framework, &place).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let (slow, before) = (client.start("/slow"), client.clone());
    gate.begun().await;
    client.get("/login").await;
    gate.open();
    assert_eq!(slow.await.expect("an answer").status, 409);
    assert_eq!(before.look("/read").await.text, "0 light None", "the old token is dead");
    assert_eq!(client.get("/read").await.text, "1 light Some(7)");
    assert_eq!(place.sessions().await.len(), 1);
}

async fn a_late_write_after_a_logout_leaves_no_part_of_a_session(framework: Framework, place: Place) {
    let gate = Gate::default();
    let inside = gate.clone();
    let late = async move |mut visitor: WebSession<Visitor>| {
        inside.pass().await;
        "dark".clone_into(visitor.edit().theme());
        assert!(matches!(visitor.commit().await, Err(Error::Destroyed)));
        *visitor.edit().user() = Some(8);
        visitor.commit().await.map(drop)
    };
    let app = serve(pages(&gate).page("/late", late), framework, &place).await;
    let mut client = Client::new(&app);
    client.get("/login").await;
    let slow = client.start("/late");
    gate.begun().await;
    client.get("/logout").await;
    gate.open();
    assert_eq!(slow.await.expect("an answer").status, 409);
    assert_eq!(place.sessions().await, []);
}

async fn a_token_that_the_client_chose_is_never_adopted(framework: Framework, place: Place) {
    let app = serve(pages(&Gate::default()), framework, &place).await;
    let unknown = "A".repeat(47);
    for (stored, chosen) in [&*unknown, "1", "", "%00", "../../x", &"A".repeat(5_000)].into_iter().enumerate() {
        let comes = || Client::with(&app, &format!("__Host-visitor={chosen}"));
        // Also one that ends or clears its session before it reads it.
        for path in ["/logout", "/back", "/fail"] {
            comes().get(path).await;
        }
        assert_eq!(place.sessions().await.len(), stored, "nothing is stored for {chosen}");
        for path in ["/visit", "/farewell"] {
            let mut client = comes();
            assert_eq!(client.get(path).await.status, 200);
            assert_ne!(client.token(), chosen, "{path}: it has a new token");
            assert_eq!(comes().get("/read").await.text, "0 light None", "{path}");
            if path == "/farewell" {
                client.get("/logout").await;
            }
        }
    }
}

async fn a_session_that_cannot_be_loaded_is_an_error_and_stays_as_it_is(framework: Framework, place: Place) {
    let app = serve(pages(&Gate::default()), framework, &place).await;
    let soon = Duration::from_millis(300);
    let impatient = Sessions::builder(place.store.clone()).expiry(Expiry::AfterInactivity(DAY)).deadline(soon).build();
    let impatient = pages(&Gate::default()).layer(Layer::new(impatient)).on(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let stored = place.sessions().await;
    place.fail_loads();
    let answer = Client::with(&impatient, &client.cookie()).get("/visit").await;
    assert_eq!((answer.status, answer.cookies().len()), (503, 0));
    assert!(!answer.text.contains("store"), "the log says what happened, not the response: {}", answer.text);
    assert!(words(&place.store).iter().all(|word| word == "load"));
    place.heal();
    assert_eq!(place.sessions().await, stored);
    assert_eq!(client.get("/visit").await.text, "2 light None");
}

async fn the_store_holds_no_token(framework: Framework, place: Place) {
    let app = serve(pages(&Gate::default()), framework, &place).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let first = client.token().to_owned();
    client.get("/login").await;
    let [(key, _)] = &*place.sessions().await else { panic!("one session") };
    let contents = place.contents().await;
    let holds = |text: &str| {
        // PostgreSQL shows bytes as digits.
        let digits = format!("{:x}", Bytes::copy_from_slice(text.as_bytes()));
        [text, &digits].iter().any(|text| contents.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    assert!(holds(key), "this looks where the session is");
    for token in [&*first, client.token()] {
        assert!(!holds(&token[4..]), "what follows the tag is a secret");
        assert_ne!(key, token);
    }
    let mut thief = Client::with(&app, &format!("__Host-visitor={key}"));
    assert_eq!(thief.get("/read").await.text, "0 light None", "what the store holds opens nothing");
}

async fn a_handler_that_fails_or_panics_leaves_nothing(framework: Framework, place: Place) {
    let panicking = async |mut visitor: WebSession<Visitor>| -> () {
        *visitor.edit().visits() += 1;
        panic!("told to");
    };
    let app = serve(pages(&Gate::default()).page("/panic", panicking), framework, &place).await;
    assert_eq!(Client::new(&app).get("/fail").await.status, 500);
    assert_eq!(place.sessions().await, []);
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let stored = place.sessions().await;
    assert_eq!(client.get("/fail").await.status, 500);
    assert!(client.start("/panic").await.is_err_and(|error| error.is_panic()));
    assert_eq!(words(&place.store), ["load", "load"]);
    assert_eq!(place.sessions().await, stored);
    assert_eq!(client.get("/read").await.text, "1 light None");
}

async fn a_reader_moves_the_end_of_a_session_only_when_it_is_due_and_the_cookie_with_it(
    framework: Framework,
    place: Place,
) {
    let remember = async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().user() = Some(7);
        visitor.expire_after(30 * DAY);
    };
    let app = serve(pages(&Gate::default()).page("/remember", remember), framework, &place).await;
    let mut client = Client::new(&app);
    let lasting = |client: &Client| {
        format!("__Host-visitor={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=2592000", client.token())
    };
    let cookies = client.get("/remember").await.cookies();
    assert_eq!(cookies, [lasting(&client)]);
    for (days, is_due) in [(1, false), (4, true), (1, false), (26, true), (29, true)] {
        place.store.inner().pass(days * DAY);
        drop(place.store.take());
        let answer = client.get("/read").await;
        assert_eq!(answer.text, "0 light Some(7)", "{days} more days");
        let calls = place.store.take();
        assert!(matches!(&*calls, [Call::Load { touched, .. }] if *touched == is_due), "{days} more days: {calls:?}");
        assert_eq!(answer.cookies(), if is_due { vec![lasting(&client)] } else { Vec::new() }, "{days} more days");
    }
    place.store.inner().pass(31 * DAY);
    assert_eq!(client.get("/read").await.text, "0 light None");
}

async fn a_value_that_is_too_large_is_refused_and_nothing_is_lost(framework: Framework, place: Place) {
    let swell = async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        *visitor.edit().theme() = "x".repeat(2 << 20);
    };
    let app = serve(pages(&Gate::default()).page("/swell", swell), framework, &place).await;
    let mut client = Client::new(&app);
    let answer = client.get("/swell").await;
    assert_eq!((answer.status, answer.cookies().len()), (413, 0));
    client.get("/visit").await;
    words(&place.store);
    assert_eq!(client.get("/swell").await.status, 413);
    assert_eq!(words(&place.store), ["load"], "it is not even sent");
    assert_eq!(client.get("/visit").await.text, "2 light None");
}
