//! A stand-in for Telegram's Bot API, on loopback: as much of it as a bot needs that reads and answers messages.
//!
//! Updates are fetched by long polling or delivered to a webhook, each until it is acknowledged.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::webhook::{Webhook, deliver};

/// The token of the one bot that it knows.
pub const TOKEN: &str = "1:stand-in";

/// A running stand-in. Clones are the same one.
#[derive(Debug, Clone)]
pub struct BotApi {
    address: SocketAddr,
    state: Arc<Mutex<Known>>,
    /// Tells whoever waits that something happened.
    happened: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// The id of the first update; others count on from it.
    first: u64,
    /// Every update so far.
    updates: Vec<Value>,
    /// The updates that a bot is to fetch.
    pending: Vec<Value>,
    /// Below which id updates are acknowledged.
    acknowledged: u64,
    /// Whether what bots acknowledge gets lost on its way.
    loses_acknowledgements: bool,
    messages: u64,
    replies: Vec<Reply>,
    webhook: Option<Webhook>,
}

/// A message that the bot sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Where to.
    pub chat: i64,
    /// What.
    pub text: String,
}

impl BotApi {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> io::Result<Self> {
        Self::start_from(1).await
    }

    /// Starts one whose updates have ids from this one on: where two stand for the one Telegram, an id is given once.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start_from(first: u64) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, happened) = (listener.local_addr()?, watch::Sender::default());
        let known = Known { first, ..Known::default() };
        let api = Self { address, state: Arc::new(Mutex::new(known)), happened };
        let app = Router::new().route("/{bot}/{method}", post(answer)).with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(api)
    }

    /// Its address, for `Bot::set_api_url` and `TELOXIDE_API_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Someone writes a message in a chat; of a private chat the user has the same id. Returns the update's id.
    pub fn say(&self, chat: i64, text: &str) -> u64 {
        self.message(chat, json!({ "text": text }))
    }

    /// A message with this content, which can be something else than text, arrives in a chat.
    ///
    /// # Panics
    /// When the content is no object.
    pub fn message(&self, chat: i64, content: Value) -> u64 {
        let mut message = self.change(|known| message(known, chat));
        message.as_object_mut().expect("an object").extend(match content {
            Value::Object(content) => content,
            other => panic!("{other} is no content of a message"),
        });
        self.update(json!({ "message": message }))
    }

    /// Any other update, without its id, which is returned.
    pub fn update(&self, mut update: Value) -> u64 {
        // At once, so that updates are fetched in the order of their ids: a bot asks for those after the last it got.
        let (id, delivery) = self.change(|known| {
            let id = known.first + known.updates.len() as u64;
            update["update_id"] = id.into();
            known.updates.push(update);
            (id, known.put(id))
        });
        if let Some((webhook, update)) = delivery {
            tokio::spawn(async move { deliver(&webhook, &update).await });
        }
        id
    }

    /// Delivers an update once more, and waits until its webhook, if the bot has one, acknowledged it.
    ///
    /// # Panics
    /// When there is no such update.
    pub async fn deliver(&self, id: u64) {
        if let Some((webhook, update)) = self.change(|known| known.put(id)) {
            deliver(&webhook, &update).await;
        }
    }

    /// From now on acknowledgements get lost, and updates are fetched again by the next bot that starts.
    pub fn lose_acknowledgements(&self, loses: bool) {
        self.change(|known| known.loses_acknowledgements = loses);
    }

    /// All messages that the bot sent so far.
    #[must_use]
    pub fn replies(&self) -> Vec<Reply> {
        self.look(|known| known.replies.clone())
    }

    /// Waits until the bot has sent this many messages, and returns their texts.
    pub async fn texts(&self, count: usize) -> Vec<String> {
        self.until(|known| known.replies.len() >= count).await;
        self.replies().into_iter().map(|reply| reply.text).collect()
    }

    /// Waits until the bot has sent more than this many messages, and returns those after them.
    pub async fn replies_after(&self, count: usize) -> Vec<Reply> {
        self.until(|known| known.replies.len() > count).await;
        self.look(|known| known.replies.get(count..).unwrap_or_default().to_vec())
    }

    /// Waits until the bot has acknowledged an update that it fetched.
    pub async fn acknowledged(&self, id: u64) {
        self.until(|known| known.acknowledged > id).await;
    }

    /// Waits until a bot has told its webhook.
    pub async fn has_webhook(&self) {
        self.until(|known| known.webhook.is_some()).await;
    }

    async fn until(&self, is_so: impl Fn(&Known) -> bool) {
        let mut happened = self.happened.subscribe();
        while !self.look(&is_so) {
            if happened.changed().await.is_err() {
                return;
            }
        }
    }

    fn look<R>(&self, look: impl FnOnce(&Known) -> R) -> R {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<R>(&self, change: impl FnOnce(&mut Known) -> R) -> R {
        let result = change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.happened.send_replace(());
        result
    }

    async fn call(&self, method: &str, parameters: &Value) -> Value {
        match method.to_ascii_lowercase().as_str() {
            "getme" => json!({
                "id": 1, "is_bot": true, "first_name": "Bot", "username": "stand_in_bot", "can_join_groups": true,
                "can_read_all_group_messages": true, "supports_inline_queries": false,
                "can_connect_to_business": false, "has_main_web_app": false,
            }),
            "getupdates" => self.fetch(parameters).await,
            "sendmessage" => self.change(|known| {
                let chat = parameters["chat_id"].as_i64().unwrap_or_default();
                let text = parameters["text"].as_str().unwrap_or_default();
                known.replies.push(Reply { chat, text: text.to_owned() });
                let mut sent = message(known, chat);
                sent["text"] = text.into();
                sent
            }),
            "setwebhook" => self.change(|known| {
                known.webhook = Webhook::of(parameters);
                true.into()
            }),
            "deletewebhook" => self.change(|known| {
                known.webhook = None;
                true.into()
            }),
            _ => true.into(),
        }
    }

    /// The updates from an offset on; all before it are acknowledged. Waits for one if there is none.
    async fn fetch(&self, parameters: &Value) -> Value {
        let number = |name: &str| parameters[name].as_u64().unwrap_or_default();
        let (offset, limit) = (number("offset"), number("limit"));
        self.change(|known| {
            if !known.loses_acknowledgements {
                known.acknowledged = known.acknowledged.max(offset);
                known.pending.retain(|update| update["update_id"].as_u64() >= Some(offset));
            }
        });
        let is_new = move |update: &&Value| update["update_id"].as_u64() >= Some(offset);
        let wait = self.until(|known| known.pending.iter().any(|update| is_new(&update)));
        let _ = timeout(Duration::from_secs(number("timeout")), wait).await;
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(100);
        self.look(|known| known.pending.iter().filter(is_new).take(limit).cloned().collect())
    }
}

impl Known {
    /// Puts an update where it is fetched, or says to which webhook it is to be delivered.
    fn put(&mut self, id: u64) -> Option<(Webhook, Value)> {
        let place = id.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        let update = place.and_then(|place| self.updates.get(place)).expect("an update of before").clone();
        if let Some(webhook) = self.webhook.clone() {
            return Some((webhook, update));
        }
        self.acknowledged = self.acknowledged.min(id);
        self.pending.push(update);
        None
    }
}

async fn answer(State(api): State<BotApi>, Path((bot, method)): Path<(String, String)>, body: Bytes) -> String {
    let answer = if bot.strip_prefix("bot") == Some(TOKEN) {
        let parameters = serde_json::from_slice(&body).unwrap_or_else(|_| form(&String::from_utf8_lossy(&body)));
        json!({ "ok": true, "result": api.call(&method, &parameters).await })
    } else {
        json!({ "ok": false, "error_code": 401, "description": "Unauthorized" })
    };
    answer.to_string()
}

/// The fields of a form, which is how calls come that can bring files.
fn form(body: &str) -> Value {
    let field = |part: &str| {
        let (name, rest) = part.split_once('"')?;
        let (_, rest) = rest.split_once("\r\n\r\n")?;
        let (value, _) = rest.split_once("\r\n--")?;
        Some((name.to_owned(), value.into()))
    };
    Value::Object(body.split("name=\"").skip(1).filter_map(field).collect())
}

/// A new message in a chat, without content.
fn message(known: &mut Known, chat: i64) -> Value {
    known.messages += 1;
    let place = match chat {
        0.. => json!({ "id": chat, "type": "private", "first_name": "Ada" }),
        -1_000_000_000_000..0 => json!({ "id": chat, "type": "group", "title": "Friends" }),
        _ => json!({ "id": chat, "type": "supergroup", "title": "Friends" }),
    };
    let user = json!({ "id": chat.unsigned_abs(), "is_bot": false, "first_name": "Ada" });
    json!({ "message_id": known.messages, "date": 1, "chat": place, "from": user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn updates_that_come_at_the_same_time_are_fetched_in_the_order_of_their_ids() {
        let api = BotApi::start().await.expect("a free port");
        std::thread::scope(|scope| {
            for chat in 0..4 {
                let api = &api;
                scope.spawn(move || (0..500).for_each(|_| _ = api.say(chat, "hello")));
            }
        });
        let ids: Vec<_> = api.look(|known| known.pending.iter().map(|update| update["update_id"].as_u64()).collect());
        assert_eq!(ids, (1..=2000).map(Some).collect::<Vec<_>>());
    }
}
