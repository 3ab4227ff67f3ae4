//! What does a bot read and write, and what becomes of updates that are delivered twice?

use serde::{Deserialize, Serialize};

use crate::bots::own::Own;
use crate::bots::sessions::{DropIn, InTree};
use crate::bots::{Bot, deliver};
use crate::options::Effort;
use crate::questions::traffic::{Requests, generated};
use crate::say;
use crate::web::Act;
use crate::web::grammy::Grammy;

#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Bots {
    pub traffic: String,
    pub updates: usize,
    pub chats: usize,
    pub served: Vec<Served>,
    pub twice: Vec<Twice>,
}

/// What one library reads and writes for these updates, and leaves.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Served {
    pub side: String,
    pub loads: u64,
    pub writes: u64,
    pub bytes: u64,
    pub records: u64,
}

/// What becomes of updates that each count one, when some come twice.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Twice {
    pub side: String,
    pub deliveries: u64,
    /// How often the handler had what it needs, and would have sent a message.
    pub effects: u64,
    /// How many the store has counted.
    pub counted: u64,
}

/// Updates of which every fifth comes twice, and their chats.
pub const UPDATES: usize = 1000;
pub const REPEATED: usize = UPDATES / 5;
const CHATS: usize = 250;

pub async fn ask(effort: &Effort, grammy: Option<&Grammy>) -> Bots {
    let requests = generated(if effort.quick { 10_000 } else { 100_000 });
    say!("bots: {} updates", requests.acts.len());
    let mut served = vec![
        serve(&requests, InTree::default()).await,
        serve(&requests, DropIn::new()).await,
        serve(&requests, Own::entered()).await,
        serve(&requests, Own::asked()).await,
    ];
    let mut twice = vec![
        deliver_twice(InTree::default()).await,
        deliver_twice(DropIn::new()).await,
        deliver_twice(Own::entered()).await,
    ];
    for (lazy, grammy) in [true, false].into_iter().zip(grammy.into_iter().cycle()) {
        served.extend(served_by_grammy(&requests, grammy, lazy));
        if lazy {
            twice.extend(twice_by_grammy(grammy, lazy));
        }
    }
    Bots { traffic: requests.name, updates: requests.acts.len(), chats: requests.clients, served, twice }
}

async fn serve(requests: &Requests, bot: impl Bot) -> Served {
    let tree = bot.process();
    for (update, (chat, act)) in (1..).zip(&requests.acts) {
        deliver(&tree, update, *chat, *act).await;
    }
    let (calls, held) = (bot.calls(), bot.held(requests.clients).await);
    assert_eq!(held.visits, changes(requests), "{} kept every change", bot.name());
    let (side, records) = (bot.name().to_owned(), held.records);
    Served { side, loads: calls.loads, writes: calls.writes, bytes: calls.bytes, records }
}

fn changes(requests: &Requests) -> u64 {
    requests.acts.iter().filter(|(_, act)| *act == Act::Change).count() as u64
}

fn served_by_grammy(requests: &Requests, grammy: &Grammy, lazy: bool) -> Option<Served> {
    let replay = grammy.replay(lazy, &requests.acts, false)?;
    assert_eq!(replay.held.visits, changes(requests), "grammY kept every change");
    let (calls, records) = (replay.calls.first()?, replay.held.records);
    let side = grammy.name(lazy);
    Some(Served { side, loads: calls.loads, writes: calls.writes, bytes: calls.bytes, records })
}

/// An update's number and chat, and whether it comes again: its process dies after the handler, and before Telegram
/// learns of it.
fn deliveries() -> impl Iterator<Item = (usize, usize, bool)> {
    (0..UPDATES).map(|update| (update + 1, update % CHATS, update % (UPDATES / REPEATED) == 0))
}

async fn deliver_twice(bot: impl Bot) -> Twice {
    let (mut process, mut made) = (bot.process(), 0);
    for (update, chat, again) in deliveries() {
        deliver(&process, update, chat, Act::Change).await;
        made += 1;
        if again {
            process = bot.process();
            deliver(&process, update, chat, Act::Change).await;
            made += 1;
        }
    }
    let counted = bot.held(CHATS).await.visits;
    Twice { side: bot.name().to_owned(), deliveries: made, effects: bot.effects().count(), counted }
}

/// Its sessions are not told which update they work for, so that a delivery is one more update.
fn twice_by_grammy(grammy: &Grammy, lazy: bool) -> Option<Twice> {
    let acts: Vec<_> = deliveries()
        .flat_map(|(_, chat, again)| std::iter::repeat_n((chat, Act::Change), 1 + usize::from(again)))
        .collect();
    let counted = grammy.replay(lazy, &acts, false)?.held.visits;
    let made = acts.len() as u64;
    Some(Twice { side: grammy.name(lazy), deliveries: made, effects: made, counted })
}
