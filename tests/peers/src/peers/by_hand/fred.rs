//! The same commands by the crate `fred`.

use std::collections::HashMap;

use fred::prelude::*;
use fred::types::{ClusterHash, CustomCommand};
use fred::util::sha1_hash;
use session_peers_load::{Contender, Visitor};

use super::{GUARDED, decode, fields, header, revision};

pub struct Fred {
    client: Client,
    script: String,
}

pub struct Held {
    key: String,
    header: Vec<u8>,
    visitor: Visitor,
}

impl Fred {
    pub async fn open(url: &str) -> Self {
        let client = Client::new(Config::from_url(url).expect("a URL"), None, None, None);
        client.init().await.expect("a server");
        let _: String = client.script_load(GUARDED).await.expect("loads");
        Self { client, script: sha1_hash(GUARDED) }
    }

    /// Whether the guard let it pass.
    async fn try_write(&self, held: &mut Held) -> bool {
        held.visitor.visits = held.visitor.visits.wrapping_add(1);
        let next = header(revision(&held.header) + 1);
        let arguments: Vec<Value> = vec![
            Value::Bytes(held.header.clone().into()),
            Value::Bytes(next.clone().into()),
            held.visitor.visits.to_string().into(),
        ];
        let done: u8 = self.client.evalsha(&self.script, &held.key, arguments).await.expect("answers");
        held.header = next;
        done == 1
    }
}

impl Contender for Fred {
    type Held = Held;

    async fn fill(&self, key: u32, notes: usize) {
        let mut pairs: Vec<(&str, Value)> = vec![(".", Value::Bytes(header(1).into()))];
        pairs.extend(fields(notes).into_iter().map(|(field, value)| (field, Value::from(value))));
        let _: u64 = self.client.hset(name(key), pairs).await.expect("sets");
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
        let pipeline = self.client.pipeline();
        let time = CustomCommand::new_static("TIME", ClusterHash::Random, false);
        let _: () = pipeline.custom::<(), Value>(time, vec![]).await.expect("is queued");
        let _: () = pipeline.hgetall(&key).await.expect("is queued");
        let mut pairs: HashMap<String, fred::bytes::Bytes> = pipeline.last().await.expect("answers");
        let visitor = decode(pairs.iter().map(|(name, value)| (&**name, &**value)));
        let header = pairs.remove(".").expect("the session is stored").to_vec();
        Held { key, header, visitor }
    }

    async fn write(&self, held: &mut Held) {
        assert!(self.try_write(held).await, "nobody else writes this key");
    }
}

fn name(key: u32) -> String {
    format!("by-fred-{key}")
}
