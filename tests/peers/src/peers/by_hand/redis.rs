//! The commands by the crate `redis`: `TIME` and `HGETALL` in one flight, then one guarded script.

use redis::aio::MultiplexedConnection;
use redis::{Script, pipe};
use session_peers_load::{Contender, Visitor};

use super::{GUARDED, decode, fields, header, revision};

pub struct Redis {
    connection: MultiplexedConnection,
    script: Script,
}

pub struct Held {
    key: String,
    header: Vec<u8>,
    visitor: Visitor,
}

impl Redis {
    pub async fn open(url: &str) -> Self {
        let client = redis::Client::open(url).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await.expect("a server");
        Self { connection, script: Script::new(GUARDED) }
    }

    /// Whether the guard let it pass.
    async fn try_write(&self, held: &mut Held) -> bool {
        held.visitor.visits = held.visitor.visits.wrapping_add(1);
        let next = header(revision(&held.header) + 1);
        let mut connection = self.connection.clone();
        let done: u8 = self
            .script
            .key(&held.key)
            .arg(&held.header)
            .arg(&next)
            .arg(held.visitor.visits)
            .invoke_async(&mut connection)
            .await
            .expect("answers");
        held.header = next;
        done == 1
    }
}

impl Contender for Redis {
    type Held = Held;

    async fn fill(&self, key: u32, notes: usize) {
        let mut command = redis::cmd("HSET");
        command.arg(name(key)).arg(".").arg(header(1));
        for (field, value) in fields(notes) {
            command.arg(field).arg(value);
        }
        command.query_async::<()>(&mut self.connection.clone()).await.expect("sets");
    }

    async fn read(&self, key: u32) {
        std::hint::black_box(self.hold(key).await.visitor.visits);
    }

    async fn change(&self, key: u32) {
        // Who comes second starts again.
        while !self.try_write(&mut self.hold(key).await).await {}
    }

    async fn hold(&self, key: u32) -> Held {
        let key = name(key);
        let mut connection = self.connection.clone();
        let (_, pairs): (Vec<u64>, Vec<(String, Vec<u8>)>) =
            pipe().cmd("TIME").cmd("HGETALL").arg(&key).query_async(&mut connection).await.expect("answers");
        let visitor = decode(pairs.iter().map(|(name, value)| (&**name, &**value)));
        let header = pairs.into_iter().find(|(name, _)| name == ".").expect("the session is stored").1;
        Held { key, header, visitor }
    }

    async fn write(&self, held: &mut Held) {
        assert!(self.try_write(held).await, "nobody else writes this key");
    }
}

fn name(key: u32) -> String {
    format!("by-hand-{key}")
}
