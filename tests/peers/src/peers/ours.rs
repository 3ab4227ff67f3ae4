//! This project.

use session_peers_load::{Contender, Visitor, filled};
use session_runtime::store::Store;
use session_runtime::{Handle, Sessions};

pub struct Ours {
    pub sessions: Sessions<Visitor>,
}

impl Ours {
    pub fn new(store: impl Store) -> Self {
        Self { sessions: Sessions::builder(store).build() }
    }
}

impl Contender for Ours {
    type Held = Handle<Visitor>;

    async fn fill(&self, key: u32, notes: usize) {
        let mut visitor = self.hold(key).await;
        *visitor.edit_all() = filled(notes);
        visitor.commit().await.expect("commits");
    }

    async fn read(&self, key: u32) {
        let visitor = self.hold(key).await;
        assert!(std::hint::black_box(visitor.visits) > 0, "the session is stored");
    }

    async fn change(&self, key: u32) {
        let mut visitor = self.hold(key).await;
        self.write(&mut visitor).await;
    }

    async fn hold(&self, key: u32) -> Self::Held {
        self.sessions.load(&format!("visitor-{key}")).await.expect("loads")
    }

    async fn write(&self, visitor: &mut Self::Held) {
        let visits = visitor.visits.wrapping_add(1);
        *visitor.edit().visits() = visits;
        visitor.commit().await.expect("commits");
    }
}
