//! Responses that go on after their head has left: what was changed before is stored by then, what comes later is
//! committed by the handle.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_core::Stream;
use session_runtime::Error;
use session_runtime::axum::WebSession;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::client::Client;
use crate::visitor::{Gate, Visitor, layer, pages, test_store, words};

/// What arrives in a channel, as a stream.
struct Arriving<T>(UnboundedReceiver<T>);

impl<T> Stream for Arriving<T> {
    type Item = Result<T, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|item| item.map(Ok))
    }
}

/// Serves an application on a port, and sends one request whose connection stays open.
async fn connect(app: Router, head: &str) -> BufReader<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    connection.write_all(format!("{head}\r\nhost: x\r\n\r\n").as_bytes()).await.expect("it is sent");
    BufReader::new(connection)
}

/// The lines of a response's head.
async fn head(connection: &mut BufReader<TcpStream>) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await.expect("a line");
        match line.trim_end() {
            "" => return lines,
            line => lines.push(line.to_owned()),
        }
    }
}

fn cookie(head: &[String]) -> String {
    let line = head.iter().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    line.to_owned()
}

#[tokio::test]
async fn a_streamed_body_begins_when_the_session_is_stored() {
    let store = test_store();
    let (send, arriving) = unbounded_channel::<Bytes>();
    let arriving = Arc::new(Mutex::new(Some(arriving)));
    let streaming = get(async move |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        let arriving = arriving.lock().expect("no panic").take().expect("one request");
        drop(visitor);
        Body::from_stream(Arriving(arriving))
    });
    let app = pages(&Gate::default()).route("/stream", streaming).layer(layer(&store).await);
    let mut connection = connect(app.clone(), "GET /stream HTTP/1.1").await;
    let cookie = cookie(&head(&mut connection).await);
    assert_eq!(words(&store), ["commit visits"], "before the first byte of the body");
    assert_eq!(Client::with(&app, &cookie).get("/read").await.text, "1 light None");
    send.send(Bytes::from_static(b"done")).expect("it is wanted");
    drop(send);
    let mut body = Vec::new();
    while !body.ends_with(b"0\r\n\r\n") {
        connection.read_buf(&mut body).await.expect("the body");
    }
    assert_eq!(body, b"4\r\ndone\r\n0\r\n\r\n");
}

#[tokio::test]
async fn a_stream_of_events_commits_what_it_changes_by_its_handle() {
    let store = test_store();
    let events = get(async move |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.commit().await?; // the response carries the cookie
        let mut visitor = visitor.into_handle();
        let (send, arriving) = unbounded_channel();
        tokio::spawn(async move {
            *visitor.edit().visits() += 1;
            visitor.commit().await?;
            drop(send.send(Event::default().data(visitor.visits.to_string())));
            Ok::<_, Error>(())
        });
        Ok::<_, Error>(Sse::new(Arriving(arriving)))
    });
    let app = pages(&Gate::default()).route("/events", events).layer(layer(&store).await);
    let mut client = Client::new(&app);
    let answer = client.get("/events").await;
    assert_eq!(answer.text, "data: 2\n\n");
    assert_eq!(client.get("/read").await.text, "2 light None");
}

#[tokio::test]
async fn a_socket_has_the_cookie_in_its_handshake_and_commits_by_its_handle() {
    let (store, (stored, mut is_stored)) = (test_store(), unbounded_channel());
    let socket = get(async move |mut visitor: WebSession<Visitor>, mut request: Request| {
        *visitor.edit().visits() += 1;
        visitor.commit().await?;
        let mut visitor = visitor.into_handle();
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let _socket = upgrade.await.expect("a socket");
            *visitor.edit().visits() += 1;
            stored.send(visitor.commit().await).expect("somebody waits");
        });
        let switching = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "websocket")];
        Ok::<Response, Error>((StatusCode::SWITCHING_PROTOCOLS, switching).into_response())
    });
    let app = pages(&Gate::default()).route("/socket", socket).layer(layer(&store).await);
    let request = "GET /socket HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket";
    let mut connection = connect(app.clone(), request).await;
    let cookie = cookie(&head(&mut connection).await);
    is_stored.recv().await.expect("an upgrade").expect("a commit");
    assert_eq!(Client::with(&app, &cookie).get("/read").await.text, "2 light None");
}
