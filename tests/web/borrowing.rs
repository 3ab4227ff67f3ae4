//! One request has its session once at a time.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use session_runtime::Error;
use session_runtime::axum::{WebError, WebSession};
use session_tests::{Events, Fault};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::visitor::{Gate, Visitor, layer, pages, shown, test_store, words};

#[tokio::test]
async fn a_session_that_is_lent_is_refused_and_nobody_waits_for_it() {
    let twice = get(async |_one: WebSession<Visitor>, two: Result<WebSession<Visitor>, WebError>| {
        assert!(matches!(two, Err(WebError::InUse)), "{two:?}");
    });
    let plain = get(async |_one: WebSession<Visitor>, _two: WebSession<Visitor>| {});
    let app = Router::new().route("/twice", twice).route("/plain", plain).layer(layer(&test_store()).await);
    let mut client = Client::new(&app);
    assert_eq!(client.get("/twice").await.status, StatusCode::OK);
    assert_eq!(client.get("/plain").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_middleware_that_keeps_the_session_is_told_so() {
    let keeping = from_fn(async |_visitor: WebSession<Visitor>, request: Request, next: Next| next.run(request).await);
    let app = pages(&Gate::default()).layer(keeping).layer(layer(&test_store()).await);
    let (events, _guard) = Events::capture();
    assert_eq!(Client::new(&app).get("/read").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let log = events.take();
    assert!(log.iter().any(|line| line.starts_with("ERROR") && line.contains("drops it before it calls")), "{log:#?}");
}

#[tokio::test]
async fn a_session_kept_longer_than_its_response_is_an_error_and_not_stored() {
    let (store, (keep, mut kept)) = (test_store(), mpsc::unbounded_channel());
    let keeping = get(async move |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        keep.send(visitor).map_err(|_| "gone")
    });
    let app = pages(&Gate::default()).route("/keep", keeping).layer(layer(&store).await);
    let (events, _guard) = Events::capture();
    let answer = Client::new(&app).get("/keep").await;
    assert_eq!((answer.status, answer.cookies().len()), (StatusCode::INTERNAL_SERVER_ERROR, 0));
    let log = events.take();
    assert!(log.iter().any(|line| line.starts_with("ERROR") && line.contains("into_handle")), "{log:#?}");
    drop(kept.recv().await);
    assert!(words(&store).is_empty());
}

#[tokio::test]
async fn a_handle_that_was_taken_out_commits_by_itself() {
    let (store, (take, mut taken)) = (test_store(), mpsc::unbounded_channel());
    let taking = get(async move |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.commit().await?;
        drop(take.send(visitor.into_handle()));
        Ok::<_, Error>("on its way")
    });
    let app = pages(&Gate::default()).route("/take", taking).layer(layer(&store).await);
    let mut client = Client::new(&app);
    let answer = client.get("/take").await;
    assert_eq!((&*answer.text, answer.cookies().len()), ("on its way", 1));
    let mut handle = taken.recv().await.expect("a handle");
    *handle.edit().visits() += 1;
    handle.commit().await.expect("a commit");
    assert_eq!(client.get("/read").await.text, "2 light None");
}

#[tokio::test]
async fn new_sessions_that_are_taken_out_are_two_sessions() {
    let store = test_store();
    let taking = get(async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.into_handle().commit().await.map(drop)
    });
    let app = Router::new().route("/", taking).layer(layer(&store).await);
    for _ in 0..2 {
        let answer = Client::new(&app).get("/").await;
        assert_eq!((answer.status, answer.cookies().len()), (StatusCode::OK, 0), "no header tells of what comes later");
    }
    assert_eq!(words(&store), ["commit visits", "commit visits"]);
}

#[tokio::test]
async fn a_session_that_was_taken_out_is_not_there_again() {
    let store = test_store();
    let taking = from_fn(async |visitor: WebSession<Visitor>, request: Request, next: Next| {
        let _handle = visitor.into_handle();
        next.run(request).await
    });
    let again = get(async |again: Result<WebSession<Visitor>, WebError>| {
        assert!(matches!(again, Err(WebError::Taken)), "{again:?}");
    });
    let app = Router::new().route("/", again).layer(taking).layer(layer(&store).await);
    assert_eq!(Client::new(&app).get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_handler_without_a_layer_says_what_to_add() {
    let (events, _guard) = Events::capture();
    let app = pages(&Gate::default());
    assert_eq!(Client::new(&app).get("/read").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let log = events.take();
    assert!(log.iter().any(|line| line.contains("Visitor") && line.contains("SessionLayer::new")), "{log:#?}");
}

#[tokio::test]
async fn a_load_that_failed_or_was_given_up_can_be_made_again_in_the_same_request() {
    let store = test_store();
    let stuck = store.inner().clone();
    let patient = get(async move |request: Request| {
        let (parts, _) = request.into_parts();
        let load = || WebSession::<Visitor>::of(&parts.extensions, &parts.headers);
        assert!(matches!(load().await, Err(WebError::Session(_))));
        tokio::select! {
            _ = load() => unreachable!("it is stuck"),
            () = stuck.stuck() => {}
        }
        load().await.map(|visitor| shown(&visitor))
    });
    let app = pages(&Gate::default()).route("/patient", patient).layer(layer(&store).await);
    let mut client = Client::new(&app);
    client.get("/visit").await;
    store.inner().fail_load(Fault::Refused);
    store.inner().fail_load(Fault::StuckBefore);
    assert_eq!(client.get("/patient").await.text, "1 light None");
}
