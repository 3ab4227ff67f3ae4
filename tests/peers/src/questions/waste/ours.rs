//! This project on Redis, without a web layer.

use session_runtime::{Handle, RedisStore, Session, Sessions};

use super::{Act, Library};

#[derive(Session, Debug)]
#[session(name = "visitor")]
struct Visitor {
    visits: u32,
    dark: bool,
}

pub(super) struct Ours {
    instances: Vec<Sessions<Visitor>>,
}

impl Ours {
    pub(super) async fn new(url: &str) -> Self {
        let mut instances = Vec::new();
        for _ in 0..2 {
            let sessions = Sessions::new(RedisStore::open(url).await.expect("a server"));
            // What is registered is no session.
            sessions.prepare().await.expect("a server");
            instances.push(sessions);
        }
        Self { instances }
    }

    async fn load(&self, instance: usize, client: usize) -> Handle<Visitor> {
        self.instances[instance].load(&client.to_string()).await.expect("loads")
    }
}

impl Library for Ours {
    fn name(&self) -> String {
        "session-runtime".to_owned()
    }

    fn keeps_its_end(&self) -> bool {
        false
    }

    async fn request(&mut self, instance: usize, client: usize, act: Act) {
        let mut session = self.load(instance, client).await;
        match act {
            Act::Read => {}
            Act::Same => {
                let visits = session.visits;
                *session.edit().visits() = visits;
            }
            Act::Revert => {
                *session.edit().visits() += 1;
                *session.edit().visits() -= 1;
            }
            Act::Visit => *session.edit().visits() += 1,
            Act::Turn => {
                let dark = session.dark;
                *session.edit().dark() = !dark;
            }
            Act::Both => {
                let dark = session.dark;
                *session.edit().visits() += 1;
                *session.edit().dark() = !dark;
            }
        }
        session.commit().await.expect("commits");
    }

    async fn meet(&mut self, client: usize) {
        let (mut one, mut other) = (self.load(0, client).await, self.load(1, client).await);
        *one.edit().visits() += 1;
        let dark = other.dark;
        *other.edit().dark() = !dark;
        one.commit().await.expect("commits");
        other.commit().await.expect("commits");
    }
}
