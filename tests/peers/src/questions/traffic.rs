//! How much is written when real traffic, or traffic like it, is served?

use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use session_examples::replay::log::Traffic;
use session_examples::replay::rule::{Command, Effect, Theme};
use session_peers_load::Random;

use crate::say;
use crate::web::{Act, Web, actix, axum_session, grammy::Grammy, ours, tower};

/// What one library reads and writes for some traffic.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Replayed {
    pub traffic: String,
    pub requests: usize,
    pub clients: usize,
    pub side: String,
    pub loads: u64,
    pub writes: u64,
    pub bytes: u64,
    pub seconds: Option<f64>,
}

/// Requests in order: whose, and what.
pub struct Requests {
    pub name: String,
    pub clients: usize,
    pub acts: Vec<(usize, Act)>,
}

pub async fn ask(logs: &[std::path::PathBuf], grammy: Option<&Grammy>) -> Vec<Replayed> {
    let mut all = vec![generated(100_000)];
    for log in logs {
        match read(log) {
            Ok(requests) => all.push(requests),
            Err(error) => say!("LEFT OUT: {}: {error}", log.display()),
        }
    }
    let mut found = Vec::new();
    for requests in &all {
        say!("traffic: {}", requests.name);
        if let Some(grammy) = grammy {
            for lazy in [false, true] {
                let Some(replay) = grammy.replay(lazy, &requests.acts, false) else { continue };
                for calls in replay.calls {
                    let side = grammy.name(lazy);
                    found.push(replayed(requests, side, (calls.loads, calls.writes, calls.bytes), None));
                }
            }
        }
        found.push(by(requests, tower::Tower::new()).await);
        found.push(by(requests, actix::Actix::new().await).await);
        found.push(by(requests, axum_session::AxumSession::new().await).await);
        found.push(by(requests, ours::Ours::new()).await);
    }
    found
}

async fn by(requests: &Requests, mut web: impl Web) -> Replayed {
    let started = Instant::now();
    for (client, act) in &requests.acts {
        web.request(*client, *act).await;
    }
    let calls = web.counter().take();
    let counted = (calls.loads, calls.writes, calls.bytes);
    replayed(requests, web.name().to_owned(), counted, Some(started.elapsed().as_secs_f64()))
}

fn replayed(
    requests: &Requests,
    side: String,
    (loads, writes, bytes): (u64, u64, u64),
    seconds: Option<f64>,
) -> Replayed {
    let (traffic, clients) = (requests.name.clone(), requests.clients);
    Replayed { traffic, requests: requests.acts.len(), clients, side, loads, writes, bytes, seconds }
}

/// Updates in random order, of 70,946 chats if they are 100,000; 60 of a hundred do not touch the session, 25 read it, 15
/// change it.
pub fn generated(updates: usize) -> Requests {
    let clients = updates * 70_946 / 100_000;
    let mut random = Random(707);
    let again = (0..updates - clients).map(|_| random.below(clients as u64) as usize);
    let mut chats: Vec<usize> = (0..clients).chain(again.collect::<Vec<_>>()).collect();
    for last in (1..chats.len()).rev() {
        chats.swap(last, random.below(last as u64 + 1) as usize);
    }
    let mut act = || match random.below(100) {
        0..60 => Act::Untouched,
        60..85 => Act::Read,
        _ => Act::Change,
    };
    let acts = chats.into_iter().map(|chat| (chat, act())).collect();
    Requests { name: "60 % untouched, 25 % read, 15 % changed".to_owned(), clients, acts }
}

/// The requests of a log, by the rule of the example `replay`: what it does to visits and theme.
fn read(path: &Path) -> Result<Requests, Box<dyn std::error::Error>> {
    let traffic = Traffic::read(&[path.to_owned()])?;
    let acts = traffic.requests.iter().map(|request| {
        let act = match Effect::of(request) {
            Effect::Unused => Act::Untouched,
            Effect::Read => Act::Read,
            Effect::Page(_) | Effect::Command(Command::Remind) => Act::Change,
            Effect::Command(Command::Mute(dark)) => Act::Dark(dark),
            Effect::Command(Command::Theme(theme)) => Act::Dark(theme == Theme::Dark),
            Effect::Command(Command::Forget) => Act::Dark(false),
        };
        (request.client, act)
    });
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Requests { name, clients: traffic.clients.len(), acts: acts.collect() })
}
