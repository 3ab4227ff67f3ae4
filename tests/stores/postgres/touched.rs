//! The second look of a load, when the end of a session is due to be moved: others may have come in between.

use session_runtime::expiry::Timestamp;
use session_runtime::store::{Head, PostgresStore, Store};
use session_tests::commits::{FOREVER, NOTHING, applied, create, destroying, key, living, set, unset, write};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::Place;

const MINUTE: i64 = 60_000;

/// What the function answers: whether it moved the end, to when, and the fields.
type Looked = (bool, Option<i64>, Vec<String>);

/// Calls the function with the lifetime of half an hour, this much later.
async fn touch(client: &Client, key: &str, later: i64) -> Result<Looked, tokio_postgres::Error> {
    let sql = "SELECT touched, (c.header).expires_at, ARRAY(SELECT jsonb_object_keys((c.header).fields)), field_rows
               FROM touch('Visitor', $1, 1800000, NULL, 180000, $2) c";
    let row = client.query_one(sql, &[&key.as_bytes(), &later]).await?;
    let mut fields: Vec<String> = row.get(2);
    let rows: Vec<Vec<u8>> = row.get::<_, Option<_>>(3).unwrap_or_default();
    fields.extend(rows.chunks(2).map(|pair| &pair[0]).map(|name| String::from_utf8(name.clone()).unwrap()));
    Ok((row.get(0), row.get(1), fields))
}

async fn headers(client: &Client) -> Vec<String> {
    let rows = client.query("SELECT header::text FROM header ORDER BY name, key", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn created(store: &PostgresStore, id: &str) -> Head {
    create(store, &key(id), vec![set("a", "1"), set("b", "2".repeat(200))]).await
}

#[tokio::test]
async fn a_second_look_moves_no_end_that_is_not_due_any_more() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    let end = created(&store, "living").await.expires_at.map(Timestamp::as_millis);
    let lasting = living(write(NOTHING, vec![set("a", "1")]), FOREVER);
    let _ = applied(store.commit(&key("lasting"), &lasting).await.unwrap());
    let head = created(&store, "destroyed").await;
    let _ = applied(store.commit(&key("destroyed"), &destroying(write((&head).into(), vec![]))).await.unwrap());
    let head = created(&store, "emptied").await;
    let emptied = write((&head).into(), vec![unset("a"), unset("b")]);
    let emptied = applied(store.commit(&key("emptied"), &emptied).await.unwrap()).head.unwrap();

    let before = headers(&client).await;
    let both = || vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(touch(&client, "nobody", 10 * MINUTE).await.unwrap(), (false, None, vec![]));
    assert_eq!(touch(&client, "lasting", 10 * MINUTE).await.unwrap(), (false, None, vec!["a".to_owned()]));
    assert_eq!(touch(&client, "living", MINUTE).await.unwrap(), (false, end, both()));
    assert_eq!(touch(&client, "living", 31 * MINUTE).await.unwrap(), (false, end, vec!["a".to_owned()]));
    let destroyed = touch(&client, "destroyed", 10 * MINUTE).await.unwrap();
    assert_eq!((destroyed.0, destroyed.2), (false, vec![]));
    assert_eq!(headers(&client).await, before);

    let (touched, moved, fields) = touch(&client, "living", 10 * MINUTE).await.unwrap();
    assert!(touched && moved > end.map(|end| end + 9 * MINUTE));
    assert_eq!(fields, both());
    let (touched, moved, _) = touch(&client, "emptied", 10 * MINUTE).await.unwrap();
    assert!(touched && moved > emptied.expires_at.map(Timestamp::as_millis));
    place.clear().await;
}

/// Sessions of the same commits and of the same end, under another key and another name.
#[tokio::test]
async fn a_second_look_moves_no_end_of_another_session() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    created(&store, "own").await;
    let twins = "CREATE TEMPORARY TABLE twin AS SELECT * FROM header;
                 CREATE TEMPORARY TABLE twin_field AS SELECT * FROM field;
                 UPDATE twin SET key = 'other', fields = '{\"a of other\":\"1\"}';
                 UPDATE twin_field SET key = 'other', field = field || ' of other';
                 INSERT INTO header SELECT * FROM twin; INSERT INTO field SELECT * FROM twin_field;
                 UPDATE twin SET key = 'own', name = 'Other'; UPDATE twin_field SET key = 'own', name = 'Other';
                 INSERT INTO header SELECT * FROM twin; INSERT INTO field SELECT * FROM twin_field";
    client.batch_execute(twins).await.unwrap();
    let before = headers(&client).await;
    let (touched, _, fields) = touch(&client, "own", 10 * MINUTE).await.unwrap();
    assert_eq!((touched, fields), (true, vec!["a".to_owned(), "b".to_owned()]));
    let after = headers(&client).await;
    let changed = before.iter().filter(|header| !after.contains(header)).count();
    assert_eq!((after.len(), changed), (3, 1));
    place.clear().await;
}

#[tokio::test]
async fn p11_a_second_look_refuses_what_the_store_did_not_write() {
    let place = place!();
    let (store, client) = (place.store().await, place.client().await);
    create(&store, &key("42"), vec![set("a", "1")]).await;
    client.batch_execute("UPDATE header SET revision = 0").await.unwrap();
    let before = headers(&client).await;
    let error = touch(&client, "42", 10 * MINUTE).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::from_code("SSC01")), "{error:?}");
    assert_eq!(headers(&client).await, before);
    place.clear().await;
}
