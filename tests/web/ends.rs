//! Requests that end badly: what is stored, and what is not.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use session_runtime::Error;
use session_runtime::axum::WebSession;
use session_tests::{Events, Fault};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use crate::client::Client;
use crate::visitor::{Gate, Visitor, layer, pages, site, test_store, words};

#[tokio::test]
async fn an_answer_of_500_stores_nothing_and_one_of_404_does() {
    let (app, _, _) = site().await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    assert_eq!(client.get("/fail").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(client.get("/read").await.text, "1 light None");
    assert_eq!(client.get("/refuse").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/read").await.text, "2 light None");
}

#[tokio::test]
async fn an_application_says_after_which_answers_it_stores() {
    let store = test_store();
    let app = pages(&Gate::default()).layer(layer(&store).await.commit_when(|status| status != StatusCode::NOT_FOUND));
    let mut client = Client::new(&app);
    client.get("/visit").await;
    client.get("/refuse").await;
    assert_eq!(client.get("/read").await.text, "1 light None");
    client.get("/fail").await;
    assert_eq!(client.get("/read").await.text, "2 light None");
}

#[tokio::test]
async fn a_handler_that_panics_stores_nothing() {
    let store = test_store();
    let panicking = get(async |mut visitor: WebSession<Visitor>| -> () {
        *visitor.edit().visits() += 1;
        panic!("told to");
    });
    let app = pages(&Gate::default()).route("/panic", panicking).layer(layer(&store).await);
    let mut client = Client::new(&app);
    client.get("/visit").await;
    words(&store);
    let mut other = client.clone();
    assert!(tokio::spawn(async move { other.get("/panic").await.status }).await.is_err());
    assert_eq!(words(&store), ["load"]);
    assert_eq!(client.get("/read").await.text, "1 light None");
}

#[tokio::test]
async fn a_request_whose_connection_breaks_stores_nothing_and_is_no_alarm() {
    struct Tell(Option<oneshot::Sender<()>>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.take().map(|tell| tell.send(()));
        }
    }

    let (events, _guard) = Events::capture();
    let (store, gate, (tell, told)) = (test_store(), Gate::default(), oneshot::channel());
    let (inside, tell) = (gate.clone(), Arc::new(Mutex::new(Some(tell))));
    let hanging = get(async move |mut visitor: WebSession<Visitor>| {
        // Declared first and so dropped last: after the session.
        let _tell = Tell(tell.lock().expect("no panic").take());
        let visitor = &mut { visitor };
        *visitor.edit().visits() += 1;
        inside.pass().await;
    });
    let app: Router = pages(&gate).route("/hang", hanging).layer(layer(&store).await);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let mut connection = TcpStream::connect(address).await.expect("a connection");
    connection.write_all(b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it is sent");
    gate.begun().await;
    drop(connection);
    told.await.expect("the handler is dropped");
    server.abort();
    assert!(words(&store).is_empty());
    assert!(events.take_warnings().is_empty());
}

#[tokio::test]
async fn what_a_handler_committed_before_it_failed_is_told_the_client() {
    let store = test_store();
    let stored = get(async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.commit().await?;
        *visitor.edit().visits() += 1;
        Ok::<_, Error>(StatusCode::INTERNAL_SERVER_ERROR)
    });
    let renewed = get(async |mut visitor: WebSession<Visitor>| {
        visitor.renew().await?;
        Ok::<_, Error>(StatusCode::INTERNAL_SERVER_ERROR)
    });
    let app = pages(&Gate::default()).route("/stored", stored).route("/renewed", renewed).layer(layer(&store).await);
    let mut client = Client::new(&app);
    assert_eq!(client.get("/stored").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(client.get("/read").await.text, "1 light None");
    let before = client.token().to_owned();
    assert_eq!(client.get("/renewed").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_ne!(client.token(), before);
    assert_eq!(client.get("/read").await.text, "1 light None");
}

#[tokio::test]
async fn a_commit_that_fails_takes_nothing_back_of_what_the_client_has_to_know() {
    let store = test_store();
    let engine = store.inner().clone();
    let renewed = get(async move |mut visitor: WebSession<Visitor>| {
        visitor.renew().await?;
        *visitor.edit().visits() += 1;
        engine.fail_commit(Fault::Refused);
        Ok::<_, Error>(())
    });
    let app = pages(&Gate::default()).route("/renewed", renewed).layer(layer(&store).await);
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let answer = client.get("/renewed").await;
    assert_eq!((answer.status, answer.cookies().len()), (StatusCode::SERVICE_UNAVAILABLE, 1));
    assert_eq!(client.get("/read").await.text, "1 light None", "under the new token");
}

#[tokio::test]
async fn a_renewal_whose_answer_was_lost_can_be_made_again_and_the_client_follows() {
    let store = test_store();
    let stubborn = get(async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().user() = Some(7);
        let lost = visitor.renew().await;
        assert!(lost.is_err_and(|error| error.is_transient()));
        visitor.renew().await.map(drop)
    });
    let careless = get(async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().user() = Some(8);
        assert!(visitor.renew().await.is_err());
    });
    let app =
        pages(&Gate::default()).route("/stubborn", stubborn).route("/careless", careless).layer(layer(&store).await);
    let mut client = Client::new(&app);
    client.get("/visit").await;
    for fault in [Fault::LostAfter, Fault::LostBefore] {
        for (path, shown) in [("/stubborn", "1 light Some(7)"), ("/careless", "1 light Some(8)")] {
            let before = client.token().to_owned();
            store.inner().fail_commit(fault);
            words(&store);
            assert_eq!(client.get(path).await.status, StatusCode::OK, "{path}");
            assert_eq!(words(&store), ["load", "renew", "renew"], "{path}: the same one again");
            assert_ne!(client.token(), before, "{path}");
            assert_eq!(client.get("/read").await.text, shown, "{path}");
        }
    }
}

#[tokio::test]
async fn a_response_that_nobody_waits_for_is_not_committed() {
    let (app, store, gate) = site().await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    words(&store);
    let request = Request::get("/slow").header("cookie", client.cookie()).body(Body::empty()).expect("a request");
    let slow = tokio::spawn(app.oneshot(request));
    gate.begun().await;
    slow.abort();
    assert!(slow.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(words(&store), ["load"]);
}
