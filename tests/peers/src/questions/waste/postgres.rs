//! tower-sessions with its store on PostgreSQL, which runs in a process of its own.

use std::path::Path;
use std::time::Duration;

use session_examples::sessionctl::waste::Source;
use session_peers_load::{Child, Load, Verb};
use session_tests::postgres_server::{self, PostgresServer};

use super::{CLIENTS, Did, Waste, said, watch};
use crate::say;

/// Stores sessions, and then counts visits for a second.
pub(super) async fn ask(program: &Path) -> Option<Waste> {
    if !postgres_server::is_available() {
        return None;
    }
    let library = "tower-sessions 0.14, SQLx on PostgreSQL".to_owned();
    say!("waste: {library}");
    let server = PostgresServer::start(&[("fsync", "off"), ("wal_level", "logical")]);
    let mut side = Child::boxed("tower-sessions", program, &["postgres", &server.url()]);
    let mut load = |verb, duration| {
        let keys = 0..u32::try_from(CLIENTS).expect("a small number");
        side.run(&Load { verb, keys, tasks: 1, duration }).operations
    };
    let ((first, one_part), figures) = watch(Source::Postgres(server.url()), async || {
        let first = load(Verb::Fill(0), Duration::ZERO);
        (first, load(Verb::Change, Duration::from_secs(1)))
    })
    .await;
    let written = Did { writes: first + one_part, first, one_part, ..Did::default() };
    let requests = usize::try_from(written.writes).unwrap_or_default();
    Some(Waste { library, requests, written, said: said(&figures), seem: 0, has_reads: false })
}
