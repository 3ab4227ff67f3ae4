//! Delivers updates to a webhook.

use std::io;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Where a bot wants its updates.
#[derive(Debug, Clone)]
pub(super) struct Webhook {
    /// The host and the port.
    host: String,
    path: String,
    secret: String,
}

impl Webhook {
    /// The one that `setWebhook` names.
    pub(super) fn of(parameters: &Value) -> Option<Self> {
        let (host, path) = parameters["url"].as_str()?.strip_prefix("http://")?.split_once('/')?;
        let secret = parameters["secret_token"].as_str().unwrap_or_default().to_owned();
        Some(Self { host: host.to_owned(), path: format!("/{path}"), secret })
    }
}

/// How often an update is delivered at most that is not acknowledged, and how long after each time it is again.
const TRIES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// Delivers an update, and again while it is not acknowledged. Whether it was.
pub(super) async fn deliver(webhook: &Webhook, update: &Value) -> bool {
    for _ in 0..TRIES {
        if matches!(post(webhook, &update.to_string()).await, Ok(answer) if answer.starts_with("HTTP/1.1 200")) {
            return true;
        }
        sleep(PAUSE).await;
    }
    false
}

async fn post(Webhook { host, path, secret }: &Webhook, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(host).await?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Telegram-Bot-Api-Secret-Token: {secret}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
