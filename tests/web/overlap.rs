//! Requests of one session at the same time.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use session_runtime::Sessions;
use session_runtime::axum::{SessionLayer, WebSession};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::visitor::{Gate, Visitor, layer, pages, site, test_store};

#[tokio::test]
async fn requests_that_change_different_fields_both_count() {
    let (app, _, gate) = site().await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.clone();
    let slow = tokio::spawn(async move { slow.look("/slow-theme").await });
    gate.begun().await;
    client.get("/visit").await;
    gate.open();
    assert_eq!(slow.await.expect("an answer").status, StatusCode::OK);
    assert_eq!(client.get("/read").await.text, "2 dark None");
}

#[tokio::test]
async fn a_slow_reader_changes_nothing_of_what_others_wrote() {
    let (app, gate) = (test_store(), Gate::default());
    let inside = gate.clone();
    let reading = get(async move |visitor: WebSession<Visitor>| {
        inside.pass().await;
        visitor.visits.to_string()
    });
    let app = pages(&gate).route("/reading", reading).layer(layer(&app).await);
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.clone();
    let slow = tokio::spawn(async move { slow.look("/reading").await });
    gate.begun().await;
    client.get("/visit").await;
    gate.open();
    assert_eq!(slow.await.expect("an answer").text, "1");
    assert_eq!(client.get("/read").await.text, "2 light None");
}

/// Adds one to what it saw, after it let others go first.
fn counting() -> Router {
    Router::new().route(
        "/count",
        get(async |mut visitor: WebSession<Visitor>| {
            let seen = visitor.visits;
            tokio::task::yield_now().await;
            *visitor.edit().visits() = seen + 1;
        }),
    )
}

#[tokio::test]
async fn in_turn_each_request_sees_what_the_one_before_left() {
    let app = counting().merge(pages(&Gate::default())).layer(layer(&test_store()).await.in_turn());
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        requests.spawn(async move { client.look("/count").await.status });
    }
    assert!(requests.join_all().await.iter().all(|status| *status == StatusCode::OK));
    assert_eq!(client.get("/read").await.text, "21 light None");
}

#[tokio::test(start_paused = true)]
async fn in_turn_nobody_waits_longer_than_the_deadline() {
    let gate = Gate::default();
    let sessions = Sessions::<Visitor>::builder(test_store()).deadline(Duration::from_secs(3)).build();
    let app = pages(&gate).layer(SessionLayer::new(sessions).in_turn());
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.clone();
    let slow = tokio::spawn(async move { slow.look("/slow").await });
    gate.begun().await;
    assert_eq!(client.look("/read").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(Client::new(&app).get("/read").await.status, StatusCode::OK, "others do not wait at all");
    gate.open();
    assert_eq!(slow.await.expect("an answer").status, StatusCode::OK);
    assert_eq!(client.get("/read").await.text, "2 light None");
}
