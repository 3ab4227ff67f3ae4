use std::sync::Arc;

use tokio::sync::Notify;

/// Lets a test stand between the beginning and the end of a request.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Gate {
    /// Waits inside of a handler.
    pub async fn pass(&self) {
        self.begun.notify_one();
        self.go_on.notified().await;
    }

    /// Waits until a handler is inside.
    pub async fn begun(&self) {
        self.begun.notified().await;
    }

    /// Lets the handler go on.
    pub fn open(&self) {
        self.go_on.notify_one();
    }
}
