//! How long is the same small program with each library?

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use serde::{Deserialize, Serialize};
use tower::Service;

use crate::programs::{ours, tower_sessions};
use crate::say;
use crate::web::Cookies;

/// Lines of one side's program, without blank ones and comments.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Lines {
    pub side: String,
    pub file: String,
    pub lines: usize,
}

/// Both programs answer alike, or there is nothing to compare.
pub async fn ask() -> Vec<Lines> {
    say!("lines");
    let (mine, theirs) = (play(ours::app()).await, play(tower_sessions::app()).await);
    assert_eq!(mine, theirs, "the programs do the same");
    vec![
        count("session-runtime", "src/programs/ours.rs", include_str!("../programs/ours.rs")),
        count("tower-sessions 0.15", "src/programs/tower_sessions.rs", include_str!("../programs/tower_sessions.rs")),
    ]
}

fn count(side: &str, file: &str, source: &str) -> Lines {
    let counts = |line: &&str| !line.is_empty() && !line.starts_with("//");
    Lines { side: side.to_owned(), file: file.to_owned(), lines: source.lines().map(str::trim).filter(counts).count() }
}

/// What a client sees that comes again, chooses a theme, logs in, and logs out.
async fn play(mut app: Router) -> Vec<String> {
    let requests = [
        (Method::GET, "/"),
        (Method::POST, "/theme/dark"),
        (Method::GET, "/"),
        (Method::POST, "/login/ada"),
        (Method::GET, "/"),
        (Method::POST, "/logout"),
        (Method::GET, "/"),
    ];
    let (mut cookies, mut seen) = (Cookies::default(), Vec::new());
    for (method, path) in requests {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = cookies.of(0) {
            request = request.header(header::COOKIE, cookie);
        }
        let Ok(response) = app.call(request.body(Body::empty()).expect("a request")).await;
        let headers = response.headers().get_all(header::SET_COOKIE).into_iter();
        headers.filter_map(|cookie| cookie.to_str().ok()).for_each(|cookie| cookies.keep(0, cookie));
        let (status, body) = (response.status(), to_bytes(response.into_body(), 1000).await.expect("a body"));
        seen.push(format!("{status} {}", String::from_utf8_lossy(&body)));
    }
    seen
}
