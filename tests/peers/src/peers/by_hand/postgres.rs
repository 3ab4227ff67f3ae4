//! Prepared statements on a few connections: one that reads a row with the small fields and those of large ones, one
//! that guards and writes.

use std::collections::BTreeMap;

use session_peers_load::{Contender, Visitor};
use tokio_postgres::{Client, NoTls, Statement};

use super::{decode, fields};

/// As many as SQLx opens by default.
const CONNECTIONS: u32 = 10;

const SCHEMA: &str = "\
create table if not exists by_hand (key text primary key, revision bigint not null, fields jsonb not null);
create table if not exists by_hand_field (key text, field text, value bytea not null, primary key (key, field));";

const READ: &str = "\
select h.revision, h.fields::text, f.field, f.value from by_hand h left join by_hand_field f using (key) where key = $1";

const WRITE: &str = "\
update by_hand set revision = revision + 1, fields = fields || $3::text::jsonb where key = $1 and revision = $2";

pub struct Postgres {
    connections: Vec<Connection>,
}

struct Connection {
    client: Client,
    read: Statement,
    write: Statement,
}

pub struct Held {
    number: u32,
    revision: i64,
    visitor: Visitor,
}

impl Postgres {
    pub async fn open(url: &str) -> Self {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a server");
            tokio::spawn(connection);
            client.batch_execute(SCHEMA).await.expect("makes tables");
            let read = client.prepare(READ).await.expect("prepares");
            let write = client.prepare(WRITE).await.expect("prepares");
            connections.push(Connection { client, read, write });
        }
        Self { connections }
    }

    fn connection(&self, key: u32) -> &Connection {
        &self.connections[(key % CONNECTIONS) as usize]
    }

    /// Whether the guard let it pass.
    async fn try_write(&self, held: &mut Held) -> bool {
        held.visitor.visits = held.visitor.visits.wrapping_add(1);
        let change = format!(r#"{{"visits":"{}"}}"#, held.visitor.visits);
        let connection = self.connection(held.number);
        let done = connection
            .client
            .execute(&connection.write, &[&name(held.number), &held.revision, &change])
            .await
            .expect("answers");
        held.revision += 1;
        done == 1
    }
}

impl Contender for Postgres {
    type Held = Held;

    async fn fill(&self, key: u32, notes: usize) {
        let client = &self.connection(key).client;
        let (small, large): (BTreeMap<_, _>, Vec<_>) = {
            let (small, large): (Vec<_>, Vec<_>) = fields(notes).into_iter().partition(|(_, value)| value.len() <= 128);
            (small.into_iter().collect(), large)
        };
        let small = serde_json::to_string(&small).expect("encodes");
        let insert = "insert into by_hand values ($1, 1, $2::text::jsonb) \
                      on conflict (key) do update set fields = excluded.fields";
        client.execute(insert, &[&name(key), &small]).await.expect("inserts");
        let insert = "insert into by_hand_field values ($1, $2, $3) \
                      on conflict (key, field) do update set value = excluded.value";
        for (field, value) in large {
            client.execute(insert, &[&name(key), &field, &value.as_bytes()]).await.expect("inserts");
        }
    }

    async fn read(&self, key: u32) {
        std::hint::black_box(self.hold(key).await.visitor.visits);
    }

    async fn change(&self, key: u32) {
        // Who comes second starts again.
        while !self.try_write(&mut self.hold(key).await).await {}
    }

    async fn hold(&self, key: u32) -> Held {
        let connection = self.connection(key);
        let rows = connection.client.query(&connection.read, &[&name(key)]).await.expect("answers");
        let header = rows.first().expect("the session is stored");
        let revision = header.get(0);
        let small: BTreeMap<&str, String> = serde_json::from_str(header.get(1)).expect("decodes");
        let small = small.iter().map(|(name, value)| (*name, value.as_bytes()));
        let large = rows.iter().filter_map(|row| Some((row.get::<_, Option<&str>>(2)?, row.get::<_, &[u8]>(3))));
        let visitor = decode(small.chain(large));
        Held { number: key, revision, visitor }
    }

    async fn write(&self, held: &mut Held) {
        assert!(self.try_write(held).await, "nobody else writes this key");
    }
}

fn name(key: u32) -> String {
    format!("visitor-{key}")
}
