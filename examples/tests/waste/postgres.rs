//! What PostgreSQL tells of the rows that are written.

use serde_json::{Value, json};
use session_tests::postgres_server::{self, PostgresServer};

use crate::{Waste, complains};

#[tokio::test]
async fn postgres_tells_what_was_written_and_no_slot_is_left() {
    if !postgres_server::is_available() {
        return;
    }
    let server = PostgresServer::start(&[("fsync", "off"), ("wal_level", "logical")]);
    let client = postgres_server::client(&server.url()).await;
    let tables = "CREATE ROLE watcher LOGIN REPLICATION PASSWORD 'watch';
        CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text, expire_date timestamptz);
        CREATE TABLE session (sid text PRIMARY KEY, sess json, expire timestamp);
        CREATE TABLE blob_sessions (id text PRIMARY KEY, data bytea);
        CREATE TABLE orders (id int PRIMARY KEY, note text)";
    client.batch_execute(tables).await.expect("tables");
    let url = server.url().replace("postgres@", "watcher:watch@");
    let waste = Waste::begin(&[&url, "--json"]);
    let statements = r#"
        INSERT INTO session VALUES ('1', '{"visits":1,"theme":"it''s"}', '2030-01-01');
        UPDATE session SET sess = '{"visits":1,"theme":"it''s"}';
        UPDATE session SET sess = '{"theme":"it''s","visits":1}', expire = '2030-01-02';
        UPDATE session SET sess = '{"theme":"it''s","visits":2}', expire = '2030-01-03';
        INSERT INTO django_session VALUES ('a', 'eyJ2aXNpdHMiOjEsInVzZXIiOnsiaWQiOjd9fQ:1xWfFi:TTAc', now());
        UPDATE django_session SET session_data = 'eyJ2aXNpdHMiOjEsInVzZXIiOnsiaWQiOjd9fQ:1xWfFj:TTAd', expire_date = now();
        DELETE FROM django_session;
        INSERT INTO blob_sessions VALUES ('a', '\x00ff');
        UPDATE blob_sessions SET data = '\x00fe';
        INSERT INTO orders VALUES (1, 'no session');"#;
    client.batch_execute(statements).await.expect("statements");
    client.batch_execute("BEGIN; UPDATE session SET sess = '{}'; ROLLBACK").await.expect("nothing in the end");
    let said = waste.end_with_json();
    let writes = |kind: &str| said["writes"][kind]["writes"].as_u64();
    assert_eq!((writes("first"), writes("nothing")), (Some(3), Some(1)), "{said}");
    assert_eq!(
        (writes("only_expiry"), writes("one_part"), writes("more_parts")),
        (Some(2), Some(2), Some(0)),
        "{said}"
    );
    assert_eq!((&said["removals"], &said["overlapped"], &said["keys"]), (&json!(1), &Value::Null, &json!(3)));
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(client.query_one(slots, &[]).await.expect("a count").get::<_, i64>(0), 0);

    // Killed without warning, it leaves none either.
    let mut killed = Waste::begin(&[&url]);
    assert_eq!(client.query_one(slots, &[]).await.expect("a count").get::<_, i64>(0), 1);
    killed.program.kill().expect("a running program");
    killed.program.wait().expect("an end");
    let gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sessionctl waste'";
    while client.query_one(gone, &[]).await.expect("a count").get::<_, i64>(0) > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.query_one(slots, &[]).await.expect("a count").get::<_, i64>(0), 0);

    client.batch_execute("CREATE ROLE guest LOGIN PASSWORD 'guest'").await.expect("a role");
    let guest = server.url().replace("postgres@", "guest:guest@");
    assert!(complains(&[&guest]).contains("a role with the attribute REPLICATION, and no right on any table"));
}

#[test]
fn a_postgres_that_cannot_be_watched_says_what_it_takes() {
    if let Some(url) = postgres_server::shared() {
        assert!(complains(&[&url]).contains("ALTER SYSTEM SET wal_level = logical"));
    }
}
