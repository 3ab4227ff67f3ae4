//! What requests cost: calls to the store, counted.

use session_runtime::Sessions;
use session_runtime::axum::WebSession;

use crate::client::Client;
use crate::site::{Framework, Layer, on_both};
use crate::visitor::{Gate, Visitor, layer, pages, site, test_store, words};

on_both![
    a_handler_that_takes_no_session_costs_no_call,
    a_client_without_a_cookie_costs_no_call_until_something_is_stored,
    a_process_looks_at_the_store_s_clock_once_for_all_clients_without_a_cookie,
    a_known_client_costs_one_load_and_what_really_changed,
    what_a_handler_committed_is_not_written_again,
    an_optional_session_is_there_if_it_is_stored,
    a_middleware_and_the_handler_share_one_session,
];

async fn a_handler_that_takes_no_session_costs_no_call(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    words(&store);
    assert_eq!(client.get("/none").await.text, "nothing");
    assert!(words(&store).is_empty());
}

async fn a_client_without_a_cookie_costs_no_call_until_something_is_stored(framework: Framework) {
    let (app, store, _) = site(framework).await;
    for (path, calls) in [("/read", &[][..]), ("/same", &[]), ("/back", &[]), ("/visit", &["commit visits"])] {
        assert_eq!(Client::new(&app).get(path).await.status, 200, "{path}");
        assert_eq!(words(&store), calls, "{path}");
    }
    // Ending what is not there costs nothing either.
    assert!(Client::new(&app).get("/logout").await.cookies().is_empty());
    assert!(words(&store).is_empty());
}

async fn a_process_looks_at_the_store_s_clock_once_for_all_clients_without_a_cookie(framework: Framework) {
    let store = test_store();
    let app = pages(&Gate::default()).layer(Layer::new(Sessions::new(store.clone()))).on(framework).await;
    for calls in [&["load"][..], &[], &[]] {
        Client::new(&app).get("/read").await;
        assert_eq!(words(&store), calls);
    }
}

async fn a_known_client_costs_one_load_and_what_really_changed(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    words(&store);
    for (path, calls) in [
        ("/read", &["load"][..]),
        ("/same", &["load"]),
        ("/visit", &["load", "commit visits"]),
        ("/login", &["load", "renew"]),
        ("/back", &["load", "commit visits,user"]),
    ] {
        client.get(path).await;
        assert_eq!(words(&store), calls, "{path}");
    }
}

async fn what_a_handler_committed_is_not_written_again(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    for calls in [&["commit visits"][..], &["load", "commit visits"]] {
        assert_eq!(client.get("/commit").await.status, 200);
        assert_eq!(words(&store), calls);
    }
    assert_eq!(client.get("/read").await.text, "2 light None");
}

async fn an_optional_session_is_there_if_it_is_stored(framework: Framework) {
    let (app, store, _) = site(framework).await;
    let mut client = Client::new(&app);
    assert_eq!(client.get("/maybe").await.text, "nobody");
    assert!(words(&store).is_empty(), "without a cookie the store is not asked");
    client.get("/visit").await;
    assert_eq!(client.get("/maybe").await.text, "1 light None");
    let ended = client.clone();
    client.get("/logout").await;
    assert_eq!(ended.look("/maybe").await.text, "nobody");
}

async fn a_middleware_and_the_handler_share_one_session(framework: Framework) {
    let store = test_store();
    let counted = async |mut visitor: WebSession<Visitor>| *visitor.edit().visits() += 10;
    let app = pages(&Gate::default()).before(counted).layer(layer(&store).await).on(framework).await;
    let mut client = Client::new(&app);
    assert_eq!(client.get("/maybe").await.text, "10 light None", "begun in this request, and not stored yet");
    assert_eq!(words(&store), ["commit visits"]);
    assert_eq!(client.get("/visit").await.text, "21 light None");
    assert_eq!(words(&store), ["load", "commit visits"]);
}
