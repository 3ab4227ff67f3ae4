//! A bot that runs until it is told to stop.

use std::fmt::{self, Debug};
use std::hash::Hash;

use teloxide::Bot;
use teloxide::dispatching::Dispatcher;
use teloxide::error_handlers::LoggingErrorHandler;
use teloxide::stop::StopToken;
use teloxide::update_listeners::UpdateListener;
use tokio::task::{JoinError, JoinHandle};

/// A dispatcher in a task of its own.
pub struct Running {
    listener: StopToken,
    task: JoinHandle<()>,
}

impl Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("task", &self.task).finish_non_exhaustive()
    }
}

impl Running {
    /// Starts it on the updates of this listener.
    pub fn start<E, K, L>(mut dispatcher: Dispatcher<Bot, E, K>, mut listener: L) -> Self
    where
        E: Send + Sync + 'static,
        K: Hash + Eq + Clone + Send + 'static,
        L: UpdateListener + Send + 'static,
        L::Err: Debug + Send,
    {
        let token = listener.stop_token();
        let task = tokio::spawn(async move {
            dispatcher.dispatch_with_listener(listener, LoggingErrorHandler::new()).await;
        });
        Self { listener: token, task }
    }

    /// Stops it when all updates that it has are handled.
    ///
    /// The listener is stopped and the dispatcher ends with it. A dispatcher's own shutdown reaches it only while it
    /// waits: one that is busy at that moment goes on for ever.
    ///
    /// # Errors
    /// When the dispatcher panicked.
    pub async fn stop(self) -> Result<(), JoinError> {
        self.listener.stop();
        self.task.await
    }
}
