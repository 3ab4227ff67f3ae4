//! Middlewares of actix-web, which have the request itself, and can return an error in place of the response that a
//! handler has made. The error becomes the response in the end, so it counts as one.

use actix_web::body::BoxBody;
use actix_web::dev::{Service as _, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, call_and_read_body, init_service};
use actix_web::{App, Error, web};
use session_runtime::actix_web::{SessionExt as _, SessionMiddleware, WebSession};

use crate::visitor::{TestStore, Visitor, shown, test_store, words};

/// The middleware of a process that knows the store's clock.
async fn session_middleware(store: &TestStore) -> SessionMiddleware<Visitor> {
    SessionMiddleware::new(crate::visitor::layer(store).await.sessions)
}

/// Answers a request to a handler, inside of a middleware that then fails with this status. Gives back the final status
/// and the number of cookies.
async fn answer<H, F>(store: &TestStore, handler: H, status: StatusCode) -> (u16, usize)
where
    H: Fn(WebSession<Visitor>) -> F + Clone + 'static,
    F: Future<Output = String> + 'static,
{
    let failing = move |request: ServiceRequest, next: Next<BoxBody>| async move {
        next.call(request).await?;
        Err::<ServiceResponse, Error>(InternalError::new("told to", status).into())
    };
    let app = App::new().route("/", web::get().to(handler)).wrap(from_fn(failing));
    let app = init_service(app.wrap(session_middleware(store).await)).await;
    let error = app.call(TestRequest::get().to_request()).await.expect_err("the middleware fails");
    let response = error.error_response();
    (response.status().as_u16(), response.headers().get_all("set-cookie").count())
}

async fn visit(mut visitor: WebSession<Visitor>) -> String {
    *visitor.edit().visits() += 1;
    shown(&visitor)
}

async fn commit(mut visitor: WebSession<Visitor>) -> String {
    *visitor.edit().visits() += 1;
    visitor.commit().await.expect("a commit");
    *visitor.edit().visits() += 1;
    shown(&visitor)
}

#[tokio::test]
async fn changes_are_stored_after_a_refusal_and_the_client_is_told() {
    let store = test_store();
    assert_eq!(answer(&store, visit, StatusCode::FORBIDDEN).await, (403, 1));
    assert_eq!(words(&store), ["commit visits"]);
}

#[tokio::test]
async fn changes_are_forgotten_after_a_failure_but_for_what_the_handler_committed() {
    let store = test_store();
    assert_eq!(answer(&store, visit, StatusCode::BAD_GATEWAY).await, (502, 0));
    assert!(words(&store).is_empty());
    assert_eq!(answer(&store, commit, StatusCode::BAD_GATEWAY).await, (502, 1));
    assert_eq!(words(&store), ["commit visits"]);
}

#[tokio::test]
async fn a_commit_that_fails_is_the_answer() {
    let store = test_store();
    store.inner().fail_commit(session_tests::Fault::Refused);
    assert_eq!(answer(&store, visit, StatusCode::FORBIDDEN).await, (503, 0));
}

#[tokio::test]
async fn a_middleware_finds_the_session_in_the_request() {
    let looking = |request: ServiceRequest, next: Next<BoxBody>| async move {
        let existing: Option<WebSession<Visitor>> = request.existing_session().await?;
        assert!(existing.is_none(), "the client has none");
        let mut visitor: WebSession<Visitor> = request.session().await?;
        *visitor.edit().visits() += 10;
        drop(visitor);
        let existing: Option<WebSession<Visitor>> = request.existing_session().await?;
        assert_eq!(existing.expect("it was begun").visits, 10);
        next.call(request).await
    };
    let store = test_store();
    let app = App::new().route("/", web::get().to(visit)).wrap(from_fn(looking));
    let app = init_service(app.wrap(session_middleware(&store).await)).await;
    assert_eq!(call_and_read_body(&app, TestRequest::get().to_request()).await, "11 light None");
    assert_eq!(words(&store), ["commit visits"]);
}
