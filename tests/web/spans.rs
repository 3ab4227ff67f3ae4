//! The tree of spans of a request: its session's layer, in it the verbs, and in those the calls to the store.

use session_runtime::Sessions;
use session_tests::{Fault, Spans};

use crate::client::Client;
use crate::site::{Framework, Layer, on_both};
use crate::visitor::{Gate, pages, site, test_store};

on_both![
    a_request_that_changes_its_session_shows_a_load_and_a_commit,
    a_request_says_what_became_of_its_session,
    a_commit_that_fails_is_what_became_of_the_session,
    the_spans_of_two_layers_are_in_each_other,
];

/// The spans since the last time, but for that of the layer of carts, which the applications of actix-web have around.
fn taken(spans: &Spans) -> Vec<String> {
    let tree = spans.take();
    match tree.split_first() {
        Some((first, within)) if first.contains("session=cart") => {
            within.iter().map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned()).collect()
        }
        _ => tree,
    }
}

const START: &str = "  session_verb verb=start session=visitor touched=false outcome=new";
const KNOWN: [&str; 2] = [
    "  session_verb verb=load session=visitor touched=false outcome=known",
    "    session_store operation=load session=visitor",
];

async fn a_request_that_changes_its_session_shows_a_load_and_a_commit(framework: Framework) {
    let (app, _, _) = site(framework).await;
    let mut client = Client::new(&app);
    let (spans, _guard) = Spans::capture();
    client.get("/visit").await;
    let commit = |outcome: &str| {
        [
            format!("  session_verb verb=commit session=visitor fields=1 attempts=1 conflicts=0 outcome={outcome}"),
            "    session_store operation=commit session=visitor".to_owned(),
        ]
    };
    let request = |outcome: &str, begin: &[&str]| {
        let first = format!("session_request session=visitor outcome={outcome}");
        let begin = begin.iter().map(|line| (*line).to_owned());
        std::iter::once(first).chain(begin).chain(commit(outcome)).collect::<Vec<_>>()
    };
    assert_eq!(taken(&spans), request("created", &[START]));
    client.get("/visit").await;
    assert_eq!(taken(&spans), request("updated", &KNOWN));
}

async fn a_request_says_what_became_of_its_session(framework: Framework) {
    let (app, _, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    for (path, outcome, asks) in
        [("/none", "unasked", false), ("/read", "unchanged", true), ("/fail", "discarded", true)]
    {
        let (spans, _guard) = Spans::capture();
        client.get(path).await;
        let mut tree = vec![format!("session_request session=visitor outcome={outcome}")];
        tree.extend(KNOWN.iter().filter(|_| asks).map(|line| (*line).to_owned()));
        assert_eq!(taken(&spans), tree, "{path}");
    }
}

async fn a_commit_that_fails_is_what_became_of_the_session(framework: Framework) {
    let (app, store, _) = site(framework).await;
    store.inner().fail_commit(Fault::Refused);
    let (spans, _guard) = Spans::capture();
    assert_eq!(Client::new(&app).get("/visit").await.status, 503);
    assert_eq!(taken(&spans)[0], "session_request session=visitor outcome=failed");
}

async fn the_spans_of_two_layers_are_in_each_other(framework: Framework) {
    let store = test_store();
    let site = pages(&Gate::default()).layer(Layer::new(Sessions::new(store.clone())));
    let app = site.carts(Sessions::new(store)).on(framework).await;
    let (spans, _guard) = Spans::capture();
    Client::new(&app).get("/none").await;
    let tree = ["session_request session=cart outcome=unasked", "  session_request session=visitor outcome=unasked"];
    assert_eq!(spans.take(), tree);
}
