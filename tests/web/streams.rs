//! Responses that go on after their head has left: what was changed before is stored by then, what comes later is
//! committed by the handle.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use session_runtime::Error;
use session_runtime::axum::WebSession;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;

use crate::client::Client;
use crate::site;
use crate::site::{Framework, Part, Reply, on_both};
use crate::visitor::{Gate, Visitor, layer, pages, test_store, words};

/// Sends one request, whose connection stays open.
async fn connect(address: SocketAddr, head: &str) -> BufReader<TcpStream> {
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

on_both![a_streamed_body_begins_when_the_session_is_stored, a_stream_of_events_commits_what_it_changes_by_its_handle,];

async fn a_streamed_body_begins_when_the_session_is_stored(framework: Framework) {
    let store = test_store();
    let (send, arriving) = unbounded_channel::<Bytes>();
    let arriving = Arc::new(Mutex::new(Some(arriving)));
    let streaming = async move |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        Reply::Stream(arriving.lock().expect("no panic").take().expect("one request"))
    };
    let site = pages(&Gate::default()).page("/stream", streaming).layer(layer(&store).await);
    let app = site.clone().on(framework).await;
    let mut connection = connect(site.listen(framework).await, "GET /stream HTTP/1.1").await;
    let cookie = cookie(&head(&mut connection).await);
    assert_eq!(words(&store), ["commit visits"], "before the first byte of the body");
    assert_eq!(Client::with(&app, &cookie).get("/read").await.text, "1 light None");
    send.send(Bytes::from_static(b"done")).expect("it is wanted");
    drop(send);
    let mut body = Vec::new();
    while !body.ends_with(b"0\r\n\r\n") {
        connection.read_buf(&mut body).await.expect("the body");
    }
    assert_eq!(body.to_ascii_lowercase(), b"4\r\ndone\r\n0\r\n\r\n");
}

async fn a_stream_of_events_commits_what_it_changes_by_its_handle(framework: Framework) {
    let store = test_store();
    let events = async move |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.commit().await?; // the response carries the cookie
        let mut visitor = visitor.into_handle();
        let (send, arriving) = unbounded_channel();
        tokio::spawn(async move {
            *visitor.edit().visits() += 1;
            visitor.commit().await?;
            drop(send.send(format!("data: {}\n\n", visitor.visits).into()));
            Ok::<_, Error>(())
        });
        Ok::<_, Error>(Reply::Stream(arriving))
    };
    let app = pages(&Gate::default()).page("/events", events).layer(layer(&store).await).on(framework).await;
    let mut client = Client::new(&app);
    let answer = client.get("/events").await;
    assert_eq!(answer.text, "data: 2\n\n");
    assert_eq!(client.get("/read").await.text, "2 light None");
}

/// With axum, whose sockets are upgrades of a connection. With actix-web they are streamed bodies.
#[tokio::test]
async fn a_socket_has_the_cookie_in_its_handshake_and_commits_by_its_handle() {
    site::local(async {
        let (store, (stored, mut is_stored)) = (test_store(), unbounded_channel());
        let socket = get(async move |mut visitor: WebSession<Visitor>, mut request: axum::extract::Request| {
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
        let mut site = pages(&Gate::default()).layer(layer(&store).await);
        let axum = Arc::new(move |router: axum::Router| router.route("/socket", socket.clone()));
        site.pages.push(Part { axum, actix_web: crate::on_actix_web::Part::Page(Arc::new(|_| {})) });
        let app = site.clone().on(Framework::Axum).await;
        let request = "GET /socket HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket";
        let mut connection = connect(site.listen(Framework::Axum).await, request).await;
        let cookie = cookie(&head(&mut connection).await);
        is_stored.recv().await.expect("an upgrade").expect("a commit");
        assert_eq!(Client::with(&app, &cookie).get("/read").await.text, "2 light None");
    })
    .await;
}
