//! One request has its session once at a time.

use session_runtime::Error;
use session_runtime::axum::{WebError, WebSession};
use session_tests::{Events, Fault};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::site::{Framework, GivenUp, Site, on_both};
use crate::visitor::{Gate, Visitor, layer, pages, shown, test_store, words};

type Visit = WebSession<Visitor>;

on_both![
    a_session_that_is_lent_is_refused_and_nobody_waits_for_it,
    a_middleware_that_keeps_the_session_is_told_so,
    a_session_kept_longer_than_its_response_is_an_error_and_not_stored,
    a_handle_that_was_taken_out_commits_by_itself,
    new_sessions_that_are_taken_out_are_two_sessions,
    a_session_that_was_taken_out_is_not_there_again,
    a_handler_without_a_layer_says_what_to_add,
    a_load_that_failed_or_was_given_up_can_be_made_again_in_the_same_request,
];

async fn a_session_that_is_lent_is_refused_and_nobody_waits_for_it(framework: Framework) {
    let twice = async |(_one, two): (Visit, Result<Visit, WebError>)| {
        assert!(matches!(two, Err(WebError::InUse)), "{two:?}");
    };
    let site = Site::default().page("/twice", twice).page("/plain", async |_both: (Visit, Visit)| {});
    let app = site.layer(layer(&test_store()).await).on(framework).await;
    let mut client = Client::new(&app);
    assert_eq!(client.get("/twice").await.status, 200);
    assert_eq!(client.get("/plain").await.status, 500);
}

async fn a_middleware_that_keeps_the_session_is_told_so(framework: Framework) {
    let keeping = async |visitor: WebSession<Visitor>| visitor;
    let app = pages(&Gate::default()).before(keeping).layer(layer(&test_store()).await).on(framework).await;
    let (events, _guard) = Events::capture();
    assert_eq!(Client::new(&app).get("/read").await.status, 500);
    let log = events.take();
    assert!(log.iter().any(|line| line.starts_with("ERROR") && line.contains("drops it before it calls")), "{log:#?}");
}

async fn a_session_kept_longer_than_its_response_is_an_error_and_not_stored(framework: Framework) {
    let (store, (keep, mut kept)) = (test_store(), mpsc::unbounded_channel());
    let keeping = async move |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        keep.send(visitor).expect("somebody keeps it");
    };
    let app = pages(&Gate::default()).page("/keep", keeping).layer(layer(&store).await).on(framework).await;
    let (events, _guard) = Events::capture();
    let answer = Client::new(&app).get("/keep").await;
    assert_eq!((answer.status, answer.cookies().len()), (500, 0));
    let log = events.take();
    assert!(log.iter().any(|line| line.starts_with("ERROR") && line.contains("into_handle")), "{log:#?}");
    drop(kept.recv().await);
    assert!(words(&store).is_empty());
}

async fn a_handle_that_was_taken_out_commits_by_itself(framework: Framework) {
    let (store, (take, mut taken)) = (test_store(), mpsc::unbounded_channel());
    let taking = async move |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.commit().await?;
        drop(take.send(visitor.into_handle()));
        Ok::<_, Error>("on its way")
    };
    let app = pages(&Gate::default()).page("/take", taking).layer(layer(&store).await).on(framework).await;
    let mut client = Client::new(&app);
    let answer = client.get("/take").await;
    assert_eq!((&*answer.text, answer.cookies().len()), ("on its way", 1));
    let mut handle = taken.recv().await.expect("a handle");
    *handle.edit().visits() += 1;
    handle.commit().await.expect("a commit");
    assert_eq!(client.get("/read").await.text, "2 light None");
}

async fn new_sessions_that_are_taken_out_are_two_sessions(framework: Framework) {
    let store = test_store();
    let taking = async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.into_handle().commit().await.map(drop)
    };
    let app = Site::default().page("/", taking).layer(layer(&store).await).on(framework).await;
    for _ in 0..2 {
        let answer = Client::new(&app).get("/").await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 0), "no header tells of what comes later");
    }
    assert_eq!(words(&store), ["commit visits", "commit visits"]);
}

async fn a_session_that_was_taken_out_is_not_there_again(framework: Framework) {
    let store = test_store();
    let again = async |again: Result<WebSession<Visitor>, WebError>| {
        assert!(matches!(again, Err(WebError::Taken)), "{again:?}");
    };
    let site = Site::default().page("/", again).before(async |visitor: WebSession<Visitor>| visitor.into_handle());
    let app = site.layer(layer(&store).await).on(framework).await;
    assert_eq!(Client::new(&app).get("/").await.status, 200);
}

async fn a_handler_without_a_layer_says_what_to_add(framework: Framework) {
    let (events, _guard) = Events::capture();
    let app = pages(&Gate::default()).on(framework).await;
    assert_eq!(Client::new(&app).get("/read").await.status, 500);
    let log = events.take();
    assert!(log.iter().any(|line| line.contains("Visitor") && line.contains("::new(sessions)")), "{log:#?}");
}

async fn a_load_that_failed_or_was_given_up_can_be_made_again_in_the_same_request(framework: Framework) {
    let store = test_store();
    let patient = async |(failed, GivenUp, visitor): (Result<Visit, WebError>, GivenUp, Visit)| {
        assert!(matches!(failed, Err(WebError::Session(_))), "{failed:?}");
        shown(&visitor)
    };
    let app = pages(&Gate::default()).page("/patient", patient).layer(layer(&store).await).on(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    store.inner().fail_load(Fault::Refused);
    store.inner().fail_load(Fault::StuckBefore);
    assert_eq!(client.get("/patient").await.text, "1 light None");
}
