//! Watches a PostgreSQL server by decoding what it logs, through a slot that is gone with the connection.

use std::collections::HashMap;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use indicatif::ProgressBar;
use tokio::time::{sleep, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use super::event::{By, Fields, What};
use super::tally::Tally;
use super::{Options, WasteError, Watched, decoding};
use crate::command_line::explain;

/// How often the server is asked what came.
const PAUSE: Duration = Duration::from_millis(250);
/// How long the server has for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest line that is looked at, in bytes.
const LONGEST_LINE: usize = 4 << 20;

const COST: &str = "\
The server decodes once more what is written to this database, keeps its log for about a second longer, and uses one \
of its replication slots. The slot is temporary: it is gone with the connection, however that ends.";

const KEYS: &str = "\
SELECT quote_ident(a.attname) FROM pg_catalog.pg_index i \
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) \
WHERE i.indisprimary AND quote_ident(n.nspname) || '.' || quote_ident(c.relname) = $1";

const CHANGES: &str = "\
SELECT data FROM pg_catalog.pg_logical_slot_get_changes($1, NULL, 10000, 'include-xids', '0', 'skip-empty-xacts', '1')";

/// A server whose log is decoded for us.
pub(super) struct Decoded {
    client: Client,
    slot: String,
    /// The key columns of the tables that were seen.
    keys: HashMap<String, Vec<String>>,
    tally: Tally,
    prefix: String,
    started: Instant,
}

impl Decoded {
    pub(super) async fn begin(url: &str, options: &Options) -> Result<Self, WasteError> {
        eprintln!("{COST}");
        let connecting = timeout(PATIENCE, tokio_postgres::connect(url, NoTls));
        let (client, connection) = connecting.await.map_err(|_| WasteError::Slow)??;
        tokio::spawn(connection);
        client.batch_execute("SET application_name = 'sessionctl waste'; SET statement_timeout = '20s'").await?;
        let level: String = client.query_one("SELECT current_setting('wal_level')", &[]).await?.get(0);
        if level != "logical" {
            return Err(WasteError::WalLevel(level));
        }
        let create = "SELECT slot_name::text FROM pg_catalog.pg_create_logical_replication_slot(\
                      'sessionctl_waste_' || pg_backend_pid(), 'test_decoding', true)";
        let slot = client.query_one(create, &[]).await.map_err(refused)?.get(0);
        eprintln!("watching for {:?}; Ctrl-C ends it earlier, with a report", options.time);
        let (keys, tally, prefix) = (HashMap::new(), Tally::new(options.keys), options.prefix.clone());
        Ok(Self { client, slot, keys, tally, prefix, started: Instant::now() })
    }

    /// Watches until then, or until the time is over.
    pub(super) async fn watch(
        mut self,
        options: &Options,
        bar: &ProgressBar,
        end: impl Future<Output = ()>,
    ) -> Result<Watched, WasteError> {
        let mut end = pin!(async {
            tokio::select! {
                () = end => {}
                () = sleep(options.time) => {}
            }
        });
        let mut ended_early = None;
        loop {
            let is_over = tokio::select! {
                () = &mut end => true,
                () = sleep(PAUSE) => false,
            };
            if let Err(error) = self.look(bar).await {
                ended_early = Some(explain(&error));
                break;
            }
            if is_over {
                break;
            }
        }
        // What is left of it goes with the connection.
        let _ = self.client.execute("SELECT pg_catalog.pg_drop_replication_slot($1)", &[&self.slot]).await;
        Ok(Watched { ended_early, has_reads: false, ..Watched::of(self.tally.figures()) })
    }

    /// Takes note of what was written since the last look.
    async fn look(&mut self, bar: &ProgressBar) -> Result<(), tokio_postgres::Error> {
        loop {
            let rows = self.client.query_raw(CHANGES, [&self.slot]).await?;
            let mut rows = pin!(rows);
            let (mut seen, mut lines) = (false, Vec::new());
            while let Some(row) = rows.try_next().await? {
                seen = true;
                // What is not UTF-8 is no text of a session.
                let line: &str = row.try_get(0).unwrap_or_default();
                if line == "BEGIN" || line == "COMMIT" || self.is_of_interest(line) {
                    lines.push(line.to_owned());
                }
            }
            for line in lines {
                self.note(&line).await?;
            }
            bar.set_position(self.tally.writes());
            if !seen {
                return Ok(());
            }
        }
    }

    /// Whether a line is about a table that was asked for, or else about one that is named after sessions.
    fn is_of_interest(&self, line: &str) -> bool {
        let table = line.strip_prefix("table ").and_then(|line| line.split_once(": ")).map_or("", |(table, _)| table);
        if self.prefix.is_empty() {
            table.to_ascii_lowercase().contains("session")
        } else {
            table.starts_with(&self.prefix)
        }
    }

    async fn note(&mut self, line: &str) -> Result<(), tokio_postgres::Error> {
        match line {
            "BEGIN" => self.tally.begin_together(),
            "COMMIT" => self.tally.end_together(),
            _ => {}
        }
        let Some(row) = decoding::parse(line) else { return Ok(()) };
        if !self.keys.contains_key(row.table) {
            let found = self.client.query(KEYS, &[&row.table]).await?;
            self.keys.insert(row.table.to_owned(), found.iter().map(|row| row.get(0)).collect());
        }
        let by = By { client: 0, at: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX) };
        let keys = self.keys.get(row.table).map_or(&[][..], Vec::as_slice);
        let what = match row.meaning(keys) {
            Some(What::Write { key, bytes, .. } | What::Fields(Fields { key, bytes, .. }))
                if line.len() > LONGEST_LINE =>
            {
                What::Unclear { key, bytes }
            }
            Some(what) => what,
            None => return Ok(()),
        };
        self.tally.note(by, what);
        Ok(())
    }
}

fn refused(error: tokio_postgres::Error) -> WasteError {
    let why = match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            "this takes a role with the attribute REPLICATION, and no right on any table"
        }
        Some(&SqlState::CONFIGURATION_LIMIT_EXCEEDED) => "all of its max_replication_slots are taken",
        Some(&SqlState::UNDEFINED_FILE) => {
            "its plugin test_decoding is not installed: it comes with postgresql-contrib"
        }
        Some(&SqlState::QUERY_CANCELED) => "it waits for transactions to end that began before, and gave up",
        _ => "a temporary slot for logical decoding cannot be made",
    };
    WasteError::Slot { why, source: error }
}
