//! Which calls does a request make to the store?

use serde::{Deserialize, Serialize};

use crate::say;
use crate::web::{Act, Calls, Web, actix, axum_session, grammy::Grammy, ours, tower};

/// Each request by name, on a stored session or on a new one.
const REQUESTS: &[(&str, bool, Act)] = &[
    ("new, not touched", false, Act::Untouched),
    ("new, read only", false, Act::Read),
    ("new, changed", false, Act::Change),
    ("new, changed and changed back", false, Act::Revert),
    ("stored, not touched", true, Act::Untouched),
    ("stored, read only", true, Act::Read),
    ("stored, changed", true, Act::Change),
    ("stored, same value set", true, Act::Same),
    ("stored, changed and changed back", true, Act::Revert),
    ("stored, back to the initial value", true, Act::Initial),
    ("stored, absent key removed", true, Act::Absent),
    ("stored, handler fails", true, Act::Fail),
];

/// The calls of one library, in the order of the requests' names.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct CallsOf {
    pub side: String,
    pub calls: Vec<String>,
}

pub fn names() -> Vec<&'static str> {
    REQUESTS.iter().map(|(name, ..)| *name).collect()
}

pub async fn ask(grammy: Option<&Grammy>) -> Vec<CallsOf> {
    say!("store calls per request");
    let mut found = Vec::new();
    if let Some(grammy) = grammy {
        found.extend([false, true].into_iter().filter_map(|lazy| of_grammy(grammy, lazy)));
    }
    found.push(of(tower::Tower::new()).await);
    found.push(of(actix::Actix::new().await).await);
    found.push(of(axum_session::AxumSession::new().await).await);
    found.push(of(ours::Ours::new()).await);
    found
}

async fn of(mut web: impl Web) -> CallsOf {
    let mut calls = Vec::new();
    for (client, (_, stored, act)) in REQUESTS.iter().enumerate() {
        if *stored {
            web.request(client, Act::Change).await;
        }
        web.counter().take();
        web.request(client, *act).await;
        calls.push(letters(&web.counter().take()));
    }
    CallsOf { side: web.name().to_owned(), calls }
}

fn of_grammy(grammy: &Grammy, lazy: bool) -> Option<CallsOf> {
    // The request before is one that is not looked at, so that each name has two.
    let requests = REQUESTS.iter().enumerate().flat_map(|(client, (_, stored, act))| {
        let other = REQUESTS.len() + client;
        [(if *stored { client } else { other }, Act::Change), (client, *act)]
    });
    let replay = grammy.replay(lazy, &requests.collect::<Vec<_>>(), true)?;
    let calls = replay.calls.iter().skip(1).step_by(2).map(letters).collect();
    Some(CallsOf { side: grammy.name(lazy), calls })
}

fn letters(calls: &Calls) -> String {
    if calls.letters.is_empty() { "none".to_owned() } else { calls.letters.clone() }
}
