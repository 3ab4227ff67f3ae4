//! Requests of one session at the same time.

use std::time::Duration;

use session_runtime::Sessions;
use session_runtime::axum::WebSession;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::site::{Framework, Layer, on_both};
use crate::visitor::{Gate, Visitor, layer, pages, test_store};

on_both![
    in_turn_each_request_sees_what_the_one_before_left,
    in_turn_nobody_waits_longer_than_the_deadline,
    in_turn_it_does_not_matter_to_which_worker_a_request_came,
];

/// Adds one to what it saw, after it let others go first.
async fn count(mut visitor: WebSession<Visitor>) {
    let seen = visitor.visits;
    tokio::task::yield_now().await;
    *visitor.edit().visits() = seen + 1;
}

async fn in_turn_each_request_sees_what_the_one_before_left(framework: Framework) {
    let site = pages(&Gate::default()).page("/count", count).layer(layer(&test_store()).await.in_turn());
    let app = site.on(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        requests.spawn_local(async move { client.look("/count").await.status });
    }
    assert!(requests.join_all().await.iter().all(|status| *status == 200));
    assert_eq!(client.get("/read").await.text, "21 light None");
}

async fn in_turn_nobody_waits_longer_than_the_deadline(framework: Framework) {
    tokio::time::pause();
    let gate = Gate::default();
    let sessions = Sessions::<Visitor>::builder(test_store()).deadline(Duration::from_secs(3)).build();
    let app = pages(&gate).layer(Layer::new(sessions).in_turn()).on(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.start("/slow");
    gate.begun().await;
    assert_eq!(client.look("/read").await.status, 503);
    assert_eq!(Client::new(&app).get("/read").await.status, 200, "others do not wait at all");
    gate.open();
    assert_eq!(slow.await.expect("an answer").status, 200);
    assert_eq!(client.get("/read").await.text, "2 light None");
}

async fn in_turn_it_does_not_matter_to_which_worker_a_request_came(framework: Framework) {
    tokio::time::pause();
    let gate = Gate::default();
    // Servers can make an application for each worker, and a layer in each.
    let site = pages(&gate).layer(layer(&test_store()).await.in_turn());
    let (app, other) = (site.clone().on(framework).await, site.on(framework).await);
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let slow = client.start("/slow");
    gate.begun().await;
    let elsewhere = Client::with(&other, &client.cookie());
    assert_eq!(elsewhere.look("/read").await.status, 503);
    gate.open();
    assert_eq!(slow.await.expect("an answer").status, 200);
    assert_eq!(elsewhere.look("/read").await.text, "2 light None");
}
