//! The schema of the PostgreSQL store, with all tables, functions and rows, as SQL.

use session_runtime::store::PostgresOptions;
use session_tests::postgres_server::{client, fresh_schema, shared};
use tokio_postgres::Client;

use super::check::check;
use super::{Advice, read, record, script};

const FILE: &str = "postgres.sql";

/// What the schema is called in the file.
const SCHEMA: &str = "\"golden\".";

/// Those that hold what is stored; the version of the layout is written with the tables.
const TABLES: [&str; 4] = ["header", "field", "registration", "registered_field"];

#[tokio::test]
async fn what_is_in_postgres_today_is_read_by_later_builds() {
    let Some(url) = shared() else { return };
    let _advice = Advice;
    let (client, schema) = (client(&url).await, fresh_schema());
    client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    client.batch_execute(&read(FILE).replace(SCHEMA, &format!("\"{schema}\"."))).await.unwrap();
    check(&PostgresOptions::new(&url).schema(&schema).build().unwrap()).await;
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
}

#[tokio::test]
#[ignore = "scripts/golden records with it"]
async fn record_postgres() {
    let Some(url) = shared() else { return };
    let (client, schema) = (client(&url).await, fresh_schema());
    let store = PostgresOptions::new(&url).schema(&schema).build().unwrap();
    script::play(&store).await;
    let mut lines = vec![store.schema_sql().replace(&format!("\"{schema}\"."), SCHEMA)];
    for table in TABLES {
        lines.extend(dump(&client, &schema, table).await);
    }
    record(FILE, "--", &lines);
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
}

/// The rows of a table.
async fn dump(client: &Client, schema: &str, table: &str) -> Vec<String> {
    let sql = "SELECT column_name::text FROM information_schema.columns \
               WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position";
    let columns = client.query(sql, &[&schema, &table]).await.unwrap();
    let columns: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
    let values = columns.iter().map(|column| format!("quote_nullable({column})")).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT concat_ws(', ', {values}) FROM \"{schema}\".{table}");
    let mut rows: Vec<String> = client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    rows.sort();
    let columns = columns.join(", ");
    rows.iter().map(|row| format!("INSERT INTO {SCHEMA}{table} ({columns}) VALUES ({row});")).collect()
}
