use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, session};

/// Under one key, so that its fields have types and no names to mistype.
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Visitor {
    visits: u32,
    user: Option<String>,
    theme: String,
}

impl Default for Visitor {
    fn default() -> Self {
        Self { visits: 0, user: None, theme: "light".to_owned() }
    }
}

impl Visitor {
    const KEY: &str = "visitor";

    async fn of(session: &Session) -> Result<Self, Error> {
        Ok(session.get(Self::KEY).await?.unwrap_or_default())
    }

    async fn keep(&self, session: &Session) -> Result<(), Error> {
        Ok(session.insert(Self::KEY, self).await?)
    }
}

struct Error(session::Error);

impl From<session::Error> for Error {
    fn from(error: session::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        eprintln!("{}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

async fn page(session: Session) -> Result<String, Error> {
    let mut visitor = Visitor::of(&session).await?;
    visitor.visits += 1;
    visitor.keep(&session).await?;
    let user = visitor.user.as_deref().unwrap_or("nobody");
    Ok(format!("visit {} of {user}, {}", visitor.visits, visitor.theme))
}

async fn set_theme(Path(theme): Path<String>, session: Session) -> Result<Redirect, Error> {
    let mut visitor = Visitor::of(&session).await?;
    visitor.theme = theme;
    visitor.keep(&session).await?;
    Ok(Redirect::to("/"))
}

async fn login(Path(name): Path<String>, session: Session) -> Result<Redirect, Error> {
    let mut visitor = Visitor::of(&session).await?;
    visitor.user = Some(name);
    visitor.keep(&session).await?;
    session.cycle_id().await?;
    Ok(Redirect::to("/"))
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.flush().await?;
    Ok(Redirect::to("/"))
}

pub fn app() -> Router {
    let layer =
        SessionManagerLayer::new(MemoryStore::default()).with_name("__Host-visitor").with_same_site(SameSite::Lax);
    Router::new()
        .route("/", get(page))
        .route("/theme/{theme}", post(set_theme))
        .route("/login/{name}", post(login))
        .route("/logout", post(logout))
        .layer(layer)
}
