//! [`PostgresStore`] on a real server: what it sends, what it writes, and what goes on at the same time.

use std::process::Command;
use std::time::{Duration, Instant};

use session_runtime::expiry::{ClockOffset, Lifetime};
use session_runtime::store::{
    Action, Base, Ended, Find, Found, Housekeeping, IndexEntry, Key, Load, PostgresOptions, PostgresStore, Reply,
    Store, StoreErrorKind, Term,
};
use session_tests::commits::{
    HALF_AN_HOUR, NOTHING, agree, applied, create, key, living, load, record, renewing, set, unset, value, write,
};
use session_tests::postgres_server::{PostgresServer, client, fresh_schema, is_available, program, shared};
use session_tests::proxy::Proxy;
use session_tests::transaction_pooler::TransactionPooler;
use tokio_postgres::Client;

/// A schema of one test.
struct Place {
    url: String,
    schema: String,
}

impl Place {
    fn find() -> Option<Self> {
        Some(Self { url: shared()?, schema: fresh_schema() })
    }

    fn options(&self) -> PostgresOptions {
        PostgresOptions::new(&self.url).schema(&self.schema)
    }

    /// A store that is ready.
    async fn store(&self) -> PostgresStore {
        let store = self.options().build().unwrap();
        store.prepare().await.unwrap();
        agree(&store).await;
        store
    }

    async fn client(&self) -> Client {
        let client = client(&self.url).await;
        client.batch_execute(&format!("SET search_path = {}", self.schema)).await.unwrap();
        client
    }

    async fn clear(self) {
        client(&self.url).await.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.schema)).await.unwrap();
    }
}

macro_rules! place {
    () => {
        match Place::find() {
            Some(place) => place,
            None => return,
        }
    };
}

mod agreed;
mod crowds;
mod kept;
mod left;
mod touched;

/// The suite that every store passes; its cases share one schema.
mod conformance {
    use std::sync::LazyLock;

    use session_runtime::store::PostgresStore;

    use super::Place;

    static PLACE: LazyLock<Option<Place>> = LazyLock::new(Place::find);

    async fn open() -> Option<PostgresStore> {
        Some(PLACE.as_ref()?.store().await)
    }

    session_runtime::conformance!(open());
}

/// How many bytes the server has logged so far.
async fn logged(client: &Client) -> i64 {
    let row = client.query_one("SELECT (pg_current_wal_insert_lsn() - '0/0')::int8", &[]).await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn a_load_and_a_commit_are_one_round_trip_each() {
    let place = place!();
    place.store().await;
    let address = place.url.rsplit('@').next().unwrap().split('/').next().unwrap().to_owned();
    let proxy = Proxy::start(&address);
    let through_proxy = place.url.replace(&address, &proxy.address());
    for behind_pooler in [false, true] {
        let store =
            PostgresOptions::new(&through_proxy).schema(&place.schema).behind_pooler(behind_pooler).build().unwrap();
        let (from, to) = (key(&format!("from {behind_pooler}")), key(&format!("to {behind_pooler}")));
        // The first use of a connection opens it, and of a statement prepares it under a name.
        let other = key(&format!("other {behind_pooler}"));
        let head = create(&store, &other, vec![set("a", "1")]).await;
        let _ = applied(store.commit(&other, &write((&head).into(), vec![set("a", "2")])).await.unwrap());
        store.load(&other, Load::touch(HALF_AN_HOUR, ClockOffset(400_000))).await.unwrap();

        let before = proxy.requests();
        let head = create(&store, &from, vec![set("big", vec![b'x'; 10_000])]).await;
        assert_eq!(proxy.requests() - before, 1, "a creation");

        let before = proxy.requests();
        let found = record(store.load(&from, load(HALF_AN_HOUR)).await.unwrap());
        assert_eq!((found.fields.len(), proxy.requests() - before), (1, 1), "a load");

        let before = proxy.requests();
        let head =
            applied(store.commit(&from, &write((&head).into(), vec![set("a", "2")])).await.unwrap()).head.unwrap();
        assert_eq!(proxy.requests() - before, 1, "a commit");

        let before = proxy.requests();
        let touched = applied(store.commit(&from, &write((&head).into(), vec![])).await.unwrap()).head.unwrap();
        assert_eq!(proxy.requests() - before, 1, "a touch");

        let before = proxy.requests();
        let late = Load::touch(HALF_AN_HOUR, ClockOffset(400_000));
        assert!(store.load(&from, late).await.unwrap().touched);
        assert_eq!(proxy.requests() - before, 2, "a load that moves the expiry");

        let before = proxy.requests();
        let Reply::Conflict(current) = store.commit(&from, &write((&head).into(), vec![set("a", "3")])).await.unwrap()
        else {
            panic!("a stale base")
        };
        assert_eq!((current.fields.len(), proxy.requests() - before), (2, 2), "a conflict and what is there");

        let renewal = renewing(write((&touched).into(), vec![set("a", "4")]), &to);
        if !behind_pooler {
            store.commit(&key("nothing"), &renewal).await.unwrap();
        }
        let before = proxy.requests();
        let _ = applied(store.commit(&from, &renewal).await.unwrap());
        assert_eq!(proxy.requests() - before, 1, "a renewal");
        assert_eq!(record(store.load(&to, load(HALF_AN_HOUR)).await.unwrap()).fields.len(), 2);
    }
    place.clear().await;
}

/// A server of its own that logs nothing of its own accord; without page images, which a checkpoint causes and no
/// commit.
#[tokio::test]
async fn p04_a_commit_logs_at_most_512_bytes_at_any_size_of_the_session() {
    if !is_available() {
        return;
    }
    let server = PostgresServer::start(&[
        ("full_page_writes", "off"),
        ("autovacuum", "off"),
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
    ]);
    let store = PostgresStore::open(server.url()).await.unwrap();
    agree(&store).await;
    let client = client(&server.url()).await;
    for (kilobytes, beside) in [(1, 0), (10, 0), (100, 0), (0, 6), (1, 6)] {
        let key = key(&format!("visitor of {kilobytes} KB and {beside} fields"));
        // Not compressible, as encrypted or packed values are not.
        let big: Vec<u8> = (0..kilobytes * 1000).map(|_| rand::random()).collect();
        // As many small fields as the header has room for. The name that changes is the longest, and so the last.
        let mut fields: Vec<_> = (0..beside).map(|number| set(&format!("f{number}"), "x".repeat(25))).collect();
        fields.extend([set("cart", big), set("visits", "0")]);
        let mut head = create(&store, &key, fields).await;
        let (mut most, mut touch) = (0, 0);
        let start = logged(&client).await;
        for visit in 1..=100 {
            // Whoever comes first may clear a page of the versions that commits left there, as a rule who loads.
            store.load(&key, load(HALF_AN_HOUR)).await.unwrap();
            let before = logged(&client).await;
            let commit = write((&head).into(), vec![set("visits", visit.to_string())]);
            head = applied(store.commit(&key, &commit).await.unwrap()).head.unwrap();
            most = most.max(logged(&client).await - before);
        }
        let sum = logged(&client).await - start;
        for _ in 0..100 {
            let before = logged(&client).await;
            head = applied(store.commit(&key, &write((&head).into(), vec![])).await.unwrap()).head.unwrap();
            touch += logged(&client).await - before;
        }
        println!(
            "{kilobytes} KB and {beside} fields: WAL of a commit {} on average, {most} at most; of a touch {}",
            sum / 100,
            touch / 100
        );
        assert!(
            sum <= 512 * 100,
            "{sum} bytes for all commits and loads of a session of {kilobytes} KB and {beside} fields"
        );
        assert!(most <= 512, "{most} bytes for one small field of a session of {kilobytes} KB and {beside} fields");

        store.load(&key, load(HALF_AN_HOUR)).await.unwrap();
        let before = logged(&client).await;
        for _ in 0..10 {
            store.load(&key, load(HALF_AN_HOUR)).await.unwrap();
        }
        assert_eq!(logged(&client).await - before, 0, "a read-only request");

        let before = logged(&client).await;
        let late = Load::touch(HALF_AN_HOUR, ClockOffset(200_000));
        assert!(store.load(&key, late).await.unwrap().touched);
        println!("{kilobytes} KB: WAL of a load that moves the expiry {}", logged(&client).await - before);
    }
}

/// Each operation meets another server connection than the one before.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_pools_by_the_transaction_may_stand_in_between() {
    if !is_available() {
        return;
    }
    let server = PostgresServer::start(&[("fsync", "off")]);
    let pooler = TransactionPooler::start(&server.address(), 3);
    let url = server.url_at(&pooler.address());
    let store = PostgresOptions::new(&url).behind_pooler(true).open().await.unwrap();
    agree(&store).await;
    let mut head = create(&store, &key("42"), vec![set("a", "0")]).await;
    for visit in 1..=20 {
        let commit = write((&head).into(), vec![set("a", visit.to_string())]);
        head = applied(store.commit(&key("42"), &commit).await.unwrap()).head.unwrap();
        let found = record(store.load(&key("42"), load(HALF_AN_HOUR)).await.unwrap());
        assert_eq!((found.head, value(&found, "a").unwrap()), (head, visit.to_string().into()));
    }
    store.purge(10, ClockOffset(0)).await.unwrap();
    store.prepare().await.unwrap();

    // Named statements are what such a proxy cannot do.
    let named = PostgresOptions::new(url).connections(1).build().unwrap();
    let error = async {
        for _ in 0..4 {
            named.load(&key("42"), load(HALF_AN_HOUR)).await?;
        }
        Ok(())
    };
    let error: session_runtime::store::StoreError = error.await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
    assert!(error.to_string().contains("say that it is there with `behind_pooler`"), "{error}");
}

#[tokio::test]
async fn instances_that_start_together_create_the_tables_once() {
    let place = place!();
    let mut instances = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = place.options().build().unwrap();
        instances.spawn(async move { store.prepare().await });
    }
    while let Some(prepared) = instances.join_next().await {
        prepared.unwrap().unwrap();
    }
    let rows = place.client().await.query("SELECT version FROM schema_version", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    place.clear().await;
}

#[tokio::test]
async fn tables_of_a_newer_build_are_refused() {
    let place = place!();
    let store = place.store().await;
    place.client().await.batch_execute("UPDATE schema_version SET version = 2").await.unwrap();
    let error = store.prepare().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible);
    assert!(error.to_string().contains("have version 2"), "{error}");
    place.clear().await;
}

#[tokio::test]
async fn a_store_that_was_not_prepared_says_so() {
    let place = place!();
    let store = place.options().build().unwrap();
    let error = store.load(&key("42"), load(HALF_AN_HOUR)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible);
    assert!(error.to_string().contains("call `prepare`"), "{error}");
    assert!(error.is_not_applied());
}

#[tokio::test]
async fn prefixes_keep_stores_of_one_schema_apart() {
    let place = place!();
    let (one, other) = (place.options().prefix("one_"), place.options().prefix("other_"));
    let (one, other) = (one.build().unwrap(), other.build().unwrap());
    let (first, second) = tokio::join!(one.prepare(), other.prepare());
    first.unwrap();
    second.unwrap();
    agree(&one).await;
    create(&one, &key("42"), vec![set("a", "1")]).await;
    assert_eq!(one.count("Visitor", ClockOffset(0)).await.unwrap(), 1);
    assert_eq!(other.count("Visitor", ClockOffset(0)).await.unwrap(), 0);
    let found = other.load(&key("42"), load(HALF_AN_HOUR)).await.unwrap().found;
    assert!(matches!(found, Found::Absent { saw: None }), "{found:?}");
    place.clear().await;
}

#[tokio::test]
async fn a_renewal_takes_the_fields_along_and_leaves_a_header_behind() {
    let place = place!();
    let store = place.store().await;
    let head = create(&store, &key("old"), vec![set("a", "1"), set("b", "2")]).await;
    let commit = renewing(write((&head).into(), vec![unset("b"), set("c", "3")]), &key("new"));
    let created = commit.write().unwrap().creates;
    let answer = applied(store.commit(&key("old"), &commit).await.unwrap());
    assert_eq!(answer.head.unwrap().incarnation, created);
    let again = applied(store.commit(&key("old"), &commit).await.unwrap());
    assert!(again.repeated);
    assert_eq!(again.head.unwrap().incarnation, created);

    let found = record(store.load(&key("new"), load(HALF_AN_HOUR)).await.unwrap());
    assert_eq!(found.head, answer.head.unwrap());
    assert_eq!(
        (value(&found, "a").unwrap(), value(&found, "c").unwrap(), found.fields.len()),
        ("1".into(), "3".into(), 2)
    );
    let reply = store.commit(&key("old"), &write((&head).into(), vec![set("a", "2")])).await.unwrap();
    assert!(matches!(reply, Reply::Ended(Ended::Renewed)), "{reply:?}");

    create(&store, &key("third"), vec![set("a", "1")]).await;
    let commit = renewing(write((&found.head).into(), vec![]), &key("third"));
    assert!(matches!(store.commit(&key("new"), &commit).await.unwrap(), Reply::Occupied));
    place.clear().await;
}

/// The keys of the sessions with a value, in pages of three.
async fn found_in_pages(store: &PostgresStore, field: &str, value: &'static str) -> Vec<Key> {
    let term = Term::of(value.as_bytes());
    let mut find = Find::all("Visitor".into(), field.into(), value.into(), term, ClockOffset(0));
    find.limit = Some(3);
    let mut found = Vec::new();
    loop {
        let page = store.find(&find).await.unwrap();
        assert!(page.sessions.len() <= 3, "{page:?}");
        found.extend(page.sessions.into_iter().map(|(key, _)| key));
        find.after = page.next;
        if find.after.is_none() {
            return found;
        }
    }
}

/// PostgreSQL's text cannot hold NUL, and sorts by language.
#[tokio::test]
async fn any_string_is_a_key_and_listings_page_through_them() {
    let place = place!();
    let store = place.store().await;
    let long = "k".repeat(512);
    let ids = ["\0", "a\0b", "{tag}:1", "a b", "ä", "Ä", "\u{10ffff}", "'; DROP TABLE header; --", &long, "z"];
    for id in ids {
        let mut commit = write(NOTHING, vec![set("id", id.to_owned()), set("place", "here")]);
        if let Action::Write(write) = &mut commit.action {
            write.index.push(IndexEntry { field: "place".into(), term: Term::of(b"here") });
        }
        applied(store.commit(&key(id), &commit).await.unwrap());
    }
    // Now it knows that the tables are too small for an index to be worth a look.
    place.client().await.batch_execute("ANALYZE header, field").await.unwrap();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = store.keys("Visitor", after, 3, ClockOffset(0)).await.unwrap();
        listed.extend(page.keys);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut expected = ids.map(key).to_vec();
    expected.sort_by(|a, b| a.id().as_bytes().cmp(b.id().as_bytes()));
    assert_eq!(listed, expected);
    assert_eq!(found_in_pages(&store, "place", "here").await, expected);
    for id in ids {
        let found = record(store.load(&key(id), load(HALF_AN_HOUR)).await.unwrap());
        assert_eq!(value(&found, "id").unwrap(), id.to_owned());
    }
    place.clear().await;
}

/// Creates partitioned tables, as the documentation of `PostgresStore` tells to.
async fn partition(place: &Place) {
    let client = client(&place.url).await;
    let sql = place.options().build().unwrap().schema_sql();
    let tables: String = sql
        .split_inclusive(';')
        .filter(|statement| statement.contains(".header (\n") || statement.contains(".field (\n"))
        .map(|statement| statement.trim_end_matches(';').to_owned() + " PARTITION BY HASH (name, key);")
        .collect();
    assert_eq!(tables.matches("PARTITION").count(), 2);
    client.batch_execute(&format!("CREATE SCHEMA {}; {tables}", place.schema)).await.unwrap();
    for table in ["header", "field"] {
        for part in 0..4 {
            let sql = format!(
                "CREATE TABLE {0}.{table}_{part} PARTITION OF {0}.{table} FOR VALUES WITH (MODULUS 4, REMAINDER {part}) \
                 WITH (fillfactor = 70)",
                place.schema
            );
            client.batch_execute(&sql).await.unwrap();
        }
    }
}

#[tokio::test]
async fn tables_that_were_made_in_partitions_are_used() {
    let place = place!();
    partition(&place).await;
    let store = place.store().await;
    for number in 0..20 {
        let key = key(&format!("{number}"));
        let head = create(&store, &key, vec![set("a", "1"), set("b", "1")]).await;
        let mut commit = write((&head).into(), vec![set("a", "2")]);
        if number % 2 == 0 {
            commit = renewing(commit, &self::key(&format!("moved {number}")));
        }
        let _ = applied(store.commit(&key, &commit).await.unwrap());
    }
    assert_eq!(store.count("Visitor", ClockOffset(0)).await.unwrap(), 20);
    let found = record(store.load(&key("moved 4"), load(HALF_AN_HOUR)).await.unwrap());
    assert_eq!((value(&found, "a").unwrap(), found.fields.len()), ("2".into(), 2));
    assert_eq!(store.purge(1_000, ClockOffset(10_000_000)).await.unwrap().removed, 30);
    place.clear().await;
}

/// What the documentation of `PostgresStore` tells to grant.
#[tokio::test]
async fn a_running_store_needs_no_right_to_create_anything() {
    let place = place!();
    place.store().await;
    let schema = &place.schema;
    let owner = place.client().await;
    owner
        .batch_execute(&format!(
            "CREATE ROLE {schema}_app LOGIN PASSWORD 'app'; GRANT USAGE ON SCHEMA {schema} TO {schema}_app; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.header, {schema}.field, {schema}.registration, \
             {schema}.registered_field TO {schema}_app; GRANT SELECT ON {schema}.schema_version TO {schema}_app"
        ))
        .await
        .unwrap();
    let (before, server) = place.url.rsplit_once('@').unwrap();
    assert!(before.starts_with("postgres"));
    let url = format!("postgres://{schema}_app:app@{server}");
    let store = PostgresOptions::new(&url).schema(schema).build().unwrap();
    store.prepare().await.unwrap();
    let head = create(&store, &key("42"), vec![set("a", "1")]).await;
    let commit = renewing(write((&head).into(), vec![]), &key("43"));
    let _ = applied(store.commit(&key("42"), &commit).await.unwrap());
    store.purge(10, ClockOffset(0)).await.unwrap();
    assert_eq!(store.registrations().await.unwrap().found.len(), 2);

    let elsewhere = PostgresOptions::new(&url).schema(fresh_schema()).build().unwrap();
    assert_eq!(elsewhere.prepare().await.unwrap_err().kind(), StoreErrorKind::Denied);
    owner.batch_execute(&format!("DROP OWNED BY {schema}_app; DROP ROLE {schema}_app")).await.unwrap();
    place.clear().await;
}

#[tokio::test]
async fn a_damaged_registration_is_named_and_does_not_hide_the_others() {
    let place = place!();
    let store = place.store().await;
    place.client().await.batch_execute("UPDATE registration SET version = -1 WHERE version = 1").await.unwrap();
    let all = store.registrations().await.unwrap();
    assert_eq!(all.found.iter().map(|found| found.version).collect::<Vec<_>>(), [2]);
    let [damaged] = &all.damaged[..] else { panic!("{:?}", all.damaged) };
    assert_eq!((&*damaged.name, damaged.error.kind()), ("Visitor", StoreErrorKind::Corrupt));
    place.clear().await;
}

#[tokio::test]
async fn p10_sessions_go_on_when_all_tables_were_emptied_under_them() {
    let place = place!();
    let store = place.store().await;
    let client = place.client().await;
    session_tests::emptied_under_running_sessions(store, || async {
        client.batch_execute("TRUNCATE header, field, registration, registered_field").await.unwrap();
    })
    .await;
    place.clear().await;
}

#[tokio::test]
async fn p10_sessions_go_on_when_the_schema_was_restored_from_a_backup_under_them() {
    let place = place!();
    let store = place.store().await;
    let backup = tempfile::NamedTempFile::new().unwrap();
    let succeeds = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let save = || async {
        let what = ["--clean", "--if-exists", "--schema", &place.schema];
        succeeds(program("pg_dump").args(what).arg("--file").arg(backup.path()).arg(&place.url));
    };
    let restore = || async {
        let how = ["--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1"];
        succeeds(program("psql").args(how).arg("--file").arg(backup.path()).arg(&place.url));
    };
    session_tests::restored_under_running_sessions(store, save, restore).await;
    place.clear().await;
}

#[tokio::test]
async fn a_retention_that_cannot_be_added_to_a_time_lasts_for_good() {
    let place = place!();
    let store = place.store().await;
    let client = place.client().await;
    for retention in [1_i64 << 60, i64::MAX - 1, i64::MAX] {
        let id = key(&retention.to_string());
        let endless = Lifetime { retention, ..HALF_AN_HOUR };
        let creation = living(write(NOTHING, vec![set("n", "0")]), endless);
        let created = applied(store.commit(&id, &creation).await.unwrap()).head.unwrap();
        // The common commit goes on with the retention that the header has.
        let change = write(Base::from(&created), vec![set("n", "1")]);
        let expires = applied(store.commit(&id, &change).await.unwrap()).head.unwrap().expires_at.unwrap();
        let sql = "SELECT retained_until FROM header WHERE key = $1";
        let retained: i64 = client.query_one(sql, &[&id.id().as_bytes()]).await.unwrap().get(0);
        assert_eq!(retained, expires.as_millis().saturating_add(retention));
    }
    place.clear().await;
}

/// Each session type is prepared by itself, and again when its registration was lost.
#[tokio::test]
async fn p12_a_store_that_is_prepared_often_opens_no_more_connections_than_it_may() {
    let place = place!();
    let named = format!("{}?application_name={}", place.url, place.schema);
    let store = PostgresOptions::new(named).schema(&place.schema).connections(2).build().unwrap();
    for _ in 0..10 {
        let (one, other) = tokio::join!(store.prepare(), store.prepare());
        one.unwrap();
        other.unwrap();
    }
    let client = place.client().await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    let deadline = Instant::now() + Duration::from_secs(60);
    // The server may hear later that a connection was closed.
    while client.query_one(open, &[&place.schema]).await.unwrap().get::<_, i64>(0) > 2 {
        assert!(Instant::now() < deadline, "more than two connections stay open");
    }
    place.clear().await;
}
