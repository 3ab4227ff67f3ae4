//! Requests that end badly: what is stored, and what is not.

use std::sync::{Arc, Mutex};

use session_runtime::Error;
use session_runtime::axum::WebSession;
use session_tests::{Events, Fault};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::site::{Framework, Status, on_both};
use crate::visitor::{Gate, Visitor, layer, pages, site, test_store, words};

on_both![
    an_answer_of_500_stores_nothing_and_one_of_404_does,
    an_application_says_after_which_answers_it_stores,
    a_request_whose_connection_breaks_stores_nothing_and_is_no_alarm,
    what_a_handler_committed_before_it_failed_is_told_the_client,
    a_commit_that_fails_takes_nothing_back_of_what_the_client_has_to_know,
    a_renewal_whose_answer_was_lost_can_be_made_again_and_the_client_follows,
    a_response_that_nobody_waits_for_is_not_committed,
];

async fn an_answer_of_500_stores_nothing_and_one_of_404_does(framework: Framework) {
    let (app, _, _) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    assert_eq!(client.get("/fail").await.status, 500);
    assert_eq!(client.get("/read").await.text, "1 light None");
    assert_eq!(client.get("/refuse").await.status, 404);
    assert_eq!(client.get("/read").await.text, "2 light None");
}

async fn an_application_says_after_which_answers_it_stores(framework: Framework) {
    let store = test_store();
    let app =
        pages(&Gate::default()).layer(layer(&store).await.commit_when(|status| status != 404)).on(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    client.get("/refuse").await;
    assert_eq!(client.get("/read").await.text, "1 light None");
    client.get("/fail").await;
    assert_eq!(client.get("/read").await.text, "2 light None");
}

async fn a_request_whose_connection_breaks_stores_nothing_and_is_no_alarm(framework: Framework) {
    struct Tell(Option<oneshot::Sender<()>>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.take().map(|tell| tell.send(()));
        }
    }

    let (events, _guard) = Events::capture();
    let (store, gate, (tell, told)) = (test_store(), Gate::default(), oneshot::channel());
    let (inside, tell) = (gate.clone(), Arc::new(Mutex::new(Some(tell))));
    let hanging = async move |mut visitor: WebSession<Visitor>| {
        // Declared first and so dropped last: after the session.
        let _tell = Tell(tell.lock().expect("no panic").take());
        let visitor = &mut { visitor };
        *visitor.edit().visits() += 1;
        inside.pass().await;
    };
    let address = pages(&gate).page("/hang", hanging).layer(layer(&store).await).listen(framework).await;

    let mut connection = TcpStream::connect(address).await.expect("a connection");
    connection.write_all(b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it is sent");
    gate.begun().await;
    drop(connection);
    told.await.expect("the handler is dropped");
    assert!(words(&store).is_empty());
    assert!(events.take_warnings().is_empty());
}

async fn what_a_handler_committed_before_it_failed_is_told_the_client(framework: Framework) {
    let store = test_store();
    let stored = async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.commit().await?;
        *visitor.edit().visits() += 1;
        Ok::<_, Error>(Status(500))
    };
    let renewed = async |mut visitor: WebSession<Visitor>| {
        visitor.renew().await?;
        Ok::<_, Error>(Status(500))
    };
    let site = pages(&Gate::default()).page("/stored", stored).page("/renewed", renewed);
    let app = site.layer(layer(&store).await).on(framework).await;
    let mut client = Client::new(&app);
    assert_eq!(client.get("/stored").await.status, 500);
    assert_eq!(client.get("/read").await.text, "1 light None");
    let before = client.token().to_owned();
    assert_eq!(client.get("/renewed").await.status, 500);
    assert_ne!(client.token(), before);
    assert_eq!(client.get("/read").await.text, "1 light None");
}

async fn a_commit_that_fails_takes_nothing_back_of_what_the_client_has_to_know(framework: Framework) {
    let store = test_store();
    let engine = store.inner().clone();
    let renewed = async move |mut visitor: WebSession<Visitor>| {
        visitor.renew().await?;
        *visitor.edit().visits() += 1;
        engine.fail_commit(Fault::Refused);
        Ok::<_, Error>(())
    };
    let app = pages(&Gate::default()).page("/renewed", renewed).layer(layer(&store).await).on(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    let answer = client.get("/renewed").await;
    assert_eq!((answer.status, answer.cookies().len()), (503, 1));
    assert_eq!(client.get("/read").await.text, "1 light None", "under the new token");
}

async fn a_renewal_whose_answer_was_lost_can_be_made_again_and_the_client_follows(framework: Framework) {
    let store = test_store();
    let stubborn = async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().user() = Some(7);
        let lost = visitor.renew().await;
        assert!(lost.is_err_and(|error| error.is_transient()));
        visitor.renew().await.map(drop)
    };
    let careless = async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().user() = Some(8);
        assert!(visitor.renew().await.is_err());
    };
    let site = pages(&Gate::default()).page("/stubborn", stubborn).page("/careless", careless);
    let app = site.layer(layer(&store).await).on(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    for fault in [Fault::LostAfter, Fault::LostBefore] {
        for (path, shown) in [("/stubborn", "1 light Some(7)"), ("/careless", "1 light Some(8)")] {
            let before = client.token().to_owned();
            store.inner().fail_commit(fault);
            words(&store);
            assert_eq!(client.get(path).await.status, 200, "{path}");
            assert_eq!(words(&store), ["load", "renew", "renew"], "{path}: the same one again");
            assert_ne!(client.token(), before, "{path}");
            assert_eq!(client.get("/read").await.text, shown, "{path}");
        }
    }
}

async fn a_response_that_nobody_waits_for_is_not_committed(framework: Framework) {
    let (app, store, gate) = site(framework).await;
    let mut client = Client::new(&app);
    client.get("/visit").await;
    words(&store);
    let slow = client.start("/slow");
    gate.begun().await;
    slow.abort();
    assert!(slow.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(words(&store), ["load"]);
}
