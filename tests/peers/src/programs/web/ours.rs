use axum::Router;
use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::{get, post};
use session_runtime::axum::{SessionLayer, WebSession};
use session_runtime::{Error, MemoryStore, Session, Sessions, merge};

#[derive(Session)]
struct Visitor {
    #[session(merge = merge::add)]
    visits: u32,
    user: Option<String>,
    #[session(initial = "light".to_owned())]
    theme: String,
}

async fn page(mut visitor: WebSession<Visitor>) -> String {
    *visitor.edit().visits() += 1;
    let user = visitor.user.as_deref().unwrap_or("nobody");
    format!("visit {} of {user}, {}", visitor.visits, visitor.theme)
}

async fn set_theme(Path(theme): Path<String>, mut visitor: WebSession<Visitor>) -> Redirect {
    *visitor.edit().theme() = theme;
    Redirect::to("/")
}

async fn login(Path(name): Path<String>, mut visitor: WebSession<Visitor>) -> Result<Redirect, Error> {
    *visitor.edit().user() = Some(name);
    visitor.renew().await?;
    Ok(Redirect::to("/"))
}

async fn logout(mut visitor: WebSession<Visitor>) -> Result<Redirect, Error> {
    visitor.destroy().await?;
    Ok(Redirect::to("/"))
}

pub fn app() -> Router {
    let sessions = Sessions::<Visitor>::new(MemoryStore::new());
    Router::new()
        .route("/", get(page))
        .route("/theme/{theme}", post(set_theme))
        .route("/login/{name}", post(login))
        .route("/logout", post(logout))
        .layer(SessionLayer::new(sessions))
}
