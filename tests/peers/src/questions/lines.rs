//! How long is the same small program with each library?

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use serde::{Deserialize, Serialize};
use session_examples::bot::{BotApi, Running, TOKEN};
use teloxide::Bot;
use teloxide::dispatching::{DefaultKey, Dispatcher};
use teloxide::update_listeners::polling_default;
use tower::Service;

use crate::bots::Failure;
use crate::programs::{counter, dialogue, web};
use crate::say;
use crate::web::Cookies;

/// Lines of one side's program, without blank ones and comments.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Lines {
    pub program: String,
    pub side: String,
    pub file: String,
    pub lines: usize,
}

/// The lines of a file in the folder of programs.
macro_rules! lines {
    ($program:literal, $side:expr, $file:literal) => {
        count($program, $side, concat!("src/programs/", $file), include_str!(concat!("../programs/", $file)))
    };
}

const OURS: &str = "session-runtime";
const TOWER: &str = "tower-sessions 0.15";
const TELOXIDE: &str = "teloxide 0.17";

/// Two programs answer alike, or there is nothing to compare.
pub async fn ask() -> Vec<Lines> {
    say!("lines");
    let (ours, theirs) = (play(web::ours::app()).await, play(web::tower_sessions::app()).await);
    assert_eq!(ours, theirs, "the programs do the same");
    let counting = ["hello", "/count", "/count", "how many?"];
    let (ours, theirs) = (counter::ours::dispatcher, counter::teloxide::dispatcher);
    assert_eq!(talk(ours, &counting).await, talk(theirs, &counting).await, "the counters do the same");
    let answering = ["hello", "Ada", "36", "hello"];
    let (ours, theirs) = (dialogue::ours::dispatcher, dialogue::teloxide::dispatcher);
    assert_eq!(talk(ours, &answering).await, talk(theirs, &answering).await, "the dialogues do the same");
    vec![
        lines!("web", OURS, "web/ours.rs"),
        lines!("web", TOWER, "web/tower_sessions.rs"),
        lines!("counter", OURS, "counter/ours.rs"),
        lines!("counter", TELOXIDE, "counter/teloxide.rs"),
        lines!("dialogue", OURS, "dialogue/ours.rs"),
        lines!("dialogue", TELOXIDE, "dialogue/teloxide.rs"),
    ]
}

fn count(program: &str, side: &str, file: &str, source: &str) -> Lines {
    let counts = |line: &&str| !line.is_empty() && !line.starts_with("//");
    let lines = source.lines().map(str::trim).filter(counts).count();
    Lines { program: program.to_owned(), side: side.to_owned(), file: file.to_owned(), lines }
}

/// What a bot answers to these messages of two people, on a stand-in for Telegram.
async fn talk(dispatcher: fn(Bot) -> Dispatcher<Bot, Failure, DefaultKey>, said: &[&str]) -> Vec<String> {
    let api = BotApi::start().await.expect("a free port");
    let bot = Bot::new(TOKEN).set_api_url(api.url().parse().expect("a URL"));
    let running = Running::start(dispatcher(bot.clone()), polling_default(bot).await);
    let (mut answers, mut last) = (Vec::new(), 0);
    for chat in [7, 8] {
        for text in said {
            last = api.say(chat, text);
            answers = api.texts(answers.len() + 1).await;
        }
    }
    api.acknowledged(last).await;
    running.stop().await.expect("it did not panic");
    answers
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
