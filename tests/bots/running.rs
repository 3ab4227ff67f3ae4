//! A bot that runs.

use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use session_examples::bot::{self, BotApi, TOKEN};
use teloxide::dispatching::UpdateHandler;
use teloxide::error_handlers::ErrorHandler;
use teloxide::prelude::*;
use teloxide::update_listeners::{Polling, UpdateListener, webhooks};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::chat::Failure;

pub(crate) struct Running {
    running: bot::Running,
    errors: mpsc::UnboundedReceiver<String>,
}

struct Errors(mpsc::UnboundedSender<String>);

impl ErrorHandler<Failure> for Errors {
    fn handle_error(self: Arc<Self>, error: Failure) -> futures_core::future::BoxFuture<'static, ()> {
        let _ = self.0.send(error.to_string());
        Box::pin(async {})
    }
}

pub(crate) fn bot(api: &BotApi) -> Bot {
    Bot::new(TOKEN).set_api_url(api.url().parse().expect("a URL"))
}

pub(crate) fn polling(bot: &Bot) -> Polling<Bot> {
    Polling::builder(bot.clone()).timeout(Duration::from_secs(30)).build()
}

impl Running {
    /// One that fetches its updates, and handles those of a chat in turn.
    pub(crate) fn polling(api: &BotApi, tree: UpdateHandler<Failure>) -> Self {
        let bot = bot(api);
        let listener = polling(&bot);
        Self::start(bot, listener, tree, |update| update.chat().map(|chat| chat.id))
    }

    /// One that handles all updates at the same time.
    pub(crate) fn concurrent(api: &BotApi, tree: UpdateHandler<Failure>) -> Self {
        let bot = bot(api);
        let listener = polling(&bot);
        Self::start(bot, listener, tree, |_| None)
    }

    /// One to which updates are delivered, and that handles those of a chat in turn.
    pub(crate) async fn webhook(api: &BotApi, tree: UpdateHandler<Failure>) -> Self {
        // Teloxide's own server binds after the webhook is set: by then another process can have taken the port.
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = door.local_addr().expect("an address");
        let bot = bot(api);
        let url = format!("http://{address}/updates").parse().expect("a URL");
        let options = webhooks::Options::new(address, url);
        let (listener, stopped, app) = webhooks::axum_to_router(bot.clone(), options).await.expect("a webhook");
        tokio::spawn(axum::serve(door, app).with_graceful_shutdown(stopped).into_future());
        Self::start(bot, listener, tree, |update| update.chat().map(|chat| chat.id))
    }

    fn start<L>(bot: Bot, listener: L, tree: UpdateHandler<Failure>, distribute: fn(&Update) -> Option<ChatId>) -> Self
    where
        L: UpdateListener + Send + 'static,
        L::Err: Debug + Send,
    {
        let (sender, errors) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher::builder(bot, tree)
            .distribution_function(distribute)
            .default_handler(async |_| {})
            .error_handler(Arc::new(Errors(sender)))
            .build();
        Self { running: bot::Running::start(dispatcher, listener), errors }
    }

    /// Waits for the next error of a handler.
    pub(crate) async fn error(&mut self) -> String {
        self.errors.recv().await.expect("it runs")
    }

    /// Stops it when all updates that it has are handled.
    pub(crate) async fn stop(self) {
        self.running.stop().await.expect("it did not panic");
    }
}
