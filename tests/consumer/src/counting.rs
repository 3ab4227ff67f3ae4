//! What needs a type of session: counting visits, in whatever keeps sessions or hands them out.

use session_runtime::{Codec, Error, MemoryStore, Outcome, Session, Sessions};

#[derive(Session)]
struct Visitor {
    visits: u32,
}

pub(crate) async fn all() {
    count(&Sessions::new(MemoryStore::new()), "memory").await;
    #[cfg(feature = "sqlite")]
    sqlite().await;
    #[cfg(feature = "msgpack")]
    count(&Sessions::builder(MemoryStore::new()).codec(session_runtime::MessagePack).build(), "MessagePack").await;
    #[cfg(feature = "metrics")]
    count(&Sessions::new(MemoryStore::new()), "memory, with metrics for whoever exports them").await;
    #[cfg(feature = "conformance")]
    conformance().await;
    #[cfg(feature = "axum")]
    axum().await;
    #[cfg(feature = "actix-web")]
    actix_web().await;
    #[cfg(feature = "teloxide")]
    teloxide().await;
}

/// Two visits, and a look that stores nothing.
async fn count<C: Codec>(sessions: &Sessions<Visitor, C>, place: &str) {
    try_to_count(sessions).await.unwrap_or_else(|error| panic!("{place}: {error}"));
    println!("counted in {place}");
}

async fn try_to_count<C: Codec>(sessions: &Sessions<Visitor, C>) -> Result<(), Error> {
    for visits in 1..=2 {
        let mut visitor = sessions.load("42").await?;
        *visitor.edit().visits() += 1;
        assert_eq!(visitor.visits, visits);
        assert_ne!(visitor.commit().await?.outcome(), Outcome::Unchanged);
    }
    assert_eq!(sessions.load("42").await?.commit().await?.outcome(), Outcome::Unchanged);
    sessions.destroy("42").await.map(drop)
}

/// In a server of this URL.
#[cfg(any(feature = "redis", feature = "postgres"))]
pub(crate) async fn server(url: &str) {
    let store = session_runtime::connect(url).await.expect("a store");
    count(&Sessions::builder(store).name("consumer").build(), url.split(':').next().expect("a scheme")).await;
}

#[cfg(feature = "sqlite")]
async fn sqlite() {
    let file = std::env::temp_dir().join(format!("consumer-{}.db", std::process::id()));
    let store = session_runtime::SqliteStore::open(&file).await.expect("a file");
    count(&Sessions::new(store), "SQLite").await;
    for ending in ["", "-shm", "-wal"] {
        let _ = std::fs::remove_file(format!("{}{ending}", file.display()));
    }
}

#[cfg(feature = "conformance")]
async fn conformance() {
    let store = session_runtime::store::LogStore::new(MemoryStore::new());
    count(&Sessions::new(store.clone()), "a store that logs its calls").await;
    assert!(!store.take().is_empty());
}

#[cfg(feature = "axum")]
async fn axum() {
    use axum::body::Body;
    use axum::http::{Request, header};
    use axum::routing::get;
    use session_runtime::axum::{SessionLayer, WebSession};
    use tower::ServiceExt;

    let page = async |mut visitor: WebSession<Visitor>| {
        *visitor.edit().visits() += 1;
        visitor.visits.to_string()
    };
    let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    let app: axum::Router = axum::Router::new().route("/", get(page)).layer(SessionLayer::new(sessions));
    let answer = app.oneshot(Request::get("/").body(Body::empty()).expect("a request")).await.expect("an answer");
    assert!(answer.headers().contains_key(header::SET_COOKIE));
    println!("counted in axum");
}

#[cfg(feature = "actix-web")]
async fn actix_web() {
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, web};
    use session_runtime::actix_web::{SessionMiddleware, WebSession};

    async fn page(mut visitor: WebSession<Visitor>) -> String {
        *visitor.edit().visits() += 1;
        visitor.visits.to_string()
    }

    let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    let app = App::new().route("/", web::get().to(page)).wrap(SessionMiddleware::new(sessions));
    let app = init_service(app).await;
    let answer = call_service(&app, TestRequest::get().to_request()).await;
    assert!(answer.headers().contains_key("set-cookie"));
    println!("counted in actix-web");
}

#[cfg(feature = "teloxide")]
async fn teloxide() {
    use std::ops::ControlFlow;

    use session_runtime::teloxide::{ChatError, ChatSession, by_user, session};
    use teloxide::dptree;
    use teloxide::types::{Update, UpdateId, UpdateKind};

    let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    let count = async |chat: ChatSession<Visitor>| {
        *chat.get().await?.edit().visits() += 1;
        Ok::<_, ChatError>(())
    };
    let tree = dptree::entry().chain(session(sessions.clone(), |_| Some("42".to_owned()))).endpoint(count);
    let update = Update { id: UpdateId(1), kind: UpdateKind::Error(().into()) };
    assert_eq!(by_user(&update), None);
    assert!(matches!(tree.dispatch(dptree::deps![update]).await, ControlFlow::Break(Ok(()))));
    assert_eq!(sessions.load("42").await.expect("a session").visits, 1);
    println!("counted in a bot");
}
