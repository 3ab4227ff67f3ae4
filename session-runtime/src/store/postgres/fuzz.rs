//! What a server may answer in place of this store's rows.

use bytes::BufMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::Type;
use tokio_postgres::{Config, NoTls, Row};

use super::arguments::JSONB_VERSION;
use super::{commit, row};
use crate::expiry::Timestamp;
use crate::store::material::Material;

const HEADER: [Type; 13] = [
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT2,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8_ARRAY,
    Type::INT8,
    Type::INT8,
];

/// Takes bytes for the rows that a server sends, and for their columns' types.
///
/// # Panics
/// When there is no runtime to be had.
pub fn rows(bytes: &[u8]) {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime");
    }
    let mut material = Material(bytes);
    let before: &[Type] = match material.byte() % 3 {
        0 => &[Type::INT8],
        1 => &[Type::TEXT, Type::BOOL, Type::INT8, Type::JSONB, Type::BYTEA_ARRAY],
        _ => &[Type::TEXT, Type::INT8, Type::INT8, Type::TEXT, Type::TEXT_ARRAY, Type::BYTEA_ARRAY, Type::BOOL_ARRAY],
    };
    let columns: Vec<&Type> = before.iter().chain(&HEADER).chain(&[Type::JSONB, Type::BYTEA_ARRAY]).collect();
    let sent = message(&columns, &mut material);
    let rows = RUNTIME.with(|runtime| runtime.block_on(answered(sent)));
    let commit = material.commit();
    for row in &rows {
        let _ = (commit::reply(row, &commit), row::registration(row), row::now(row, 2));
        for first in [1, 5, 7] {
            if let Ok(Some(header)) = row::header(row, first) {
                let _ = header.touched(&material.lifetime(), Timestamp::from_millis(material.number()));
                let _ = (row::record(row, first + HEADER.len(), &header), row::record(row, 3, &header));
            }
        }
    }
}

/// The rows that a client makes of an answer.
async fn answered(sent: Vec<u8>) -> Vec<Row> {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let server = tokio::spawn(serve(theirs, sent));
    let rows = match Config::new().user("app").connect_raw(ours, NoTls).await {
        Ok((client, connection)) => {
            let connection = tokio::spawn(connection);
            let rows = client.query_typed("SELECT", &[]).await.unwrap_or_default();
            connection.abort();
            rows
        }
        Err(_) => Vec::new(),
    };
    server.abort();
    rows
}

/// Lets the client in, and answers its first question.
async fn serve(mut stream: DuplexStream, sent: Vec<u8>) -> std::io::Result<()> {
    let mut asked = [0; 1024];
    for answer in [b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", &sent[..]] {
        if stream.read(&mut asked).await? > 0 {
            stream.write_all(answer).await?;
        }
    }
    Ok(())
}

/// `ParseComplete`, `BindComplete`, the description, up to three rows, and the end.
fn message(columns: &[&Type], material: &mut Material<'_>) -> Vec<u8> {
    let mut sent = b"1\0\0\0\x042\0\0\0\x04".to_vec();
    let types: Vec<Type> = columns.iter().map(|usual| other_type(usual, material)).collect();
    put(&mut sent, b'T', |body| {
        body.put_i16(types.len().try_into().unwrap_or(0));
        for of_column in &types {
            body.put_slice(b"?\0\0\0\0\0\0\0");
            body.put_u32(of_column.oid());
            body.put_slice(&[0, 8, 255, 255, 255, 255, 0, 1]);
        }
    });
    for _ in 0..=material.byte() % 3 {
        put(&mut sent, b'D', |body| {
            body.put_i16(types.len().try_into().unwrap_or(0));
            for of_column in columns {
                match value(of_column, material) {
                    Some(value) => {
                        body.put_i32(value.len().try_into().unwrap_or(0));
                        body.put_slice(&value);
                    }
                    None => body.put_i32(-1),
                }
            }
        });
    }
    put(&mut sent, b'C', |body| body.put_slice(b"SELECT 1\0"));
    put(&mut sent, b'Z', |body| body.put_u8(b'I'));
    sent
}

fn put(sent: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    write(&mut body);
    sent.put_u8(kind);
    sent.put_u32((body.len() + 4).try_into().unwrap_or(0));
    sent.put_slice(&body);
}

/// The usual type of a column, more often than another one.
fn other_type(usual: &Type, material: &mut Material<'_>) -> Type {
    match material.byte() {
        250 => Type::TEXT,
        251 => Type::INT8,
        252 => Type::BYTEA_ARRAY,
        253 => Type::INT8_ARRAY,
        254 => Type::BOOL,
        255 => Type::FLOAT8,
        _ => usual.clone(),
    }
}

/// A value as the server writes those of this type, more often than another one.
fn value(of_column: &Type, material: &mut Material<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match material.byte() {
        230..=239 => return None,
        240.. => out.put_slice(material.some_bytes()),
        _ => match of_column.name() {
            "int8" => out.put_i64(material.number()),
            "int2" => out.put_i16(i16::from(material.byte() % 5)),
            "bool" => out.put_u8(material.byte()),
            "text" if material.flag() => {
                let answers = ["apply", "repeated", "nothing", "conflict", "occupied", "renewed", "count", "#x"];
                out.put_slice(answers.get(usize::from(material.byte() % 8)).unwrap_or(&"").as_bytes());
            }
            "text" | "bytea" => out.put_slice(material.some_bytes()),
            "jsonb" => json(&mut out, material),
            _ => array(&mut out, material),
        },
    }
    Some(out)
}

/// The fields that a header keeps, or what looks like them.
fn json(out: &mut Vec<u8>, material: &mut Material<'_>) {
    out.put_u8(if material.byte() < 250 { JSONB_VERSION } else { 2 });
    let texts =
        ["{}", r#"{"a":"1","b":"\"dark\""}"#, r##"{"a":"#00ff"}"##, r##"{"#a":"#x"}"##, r#"{"":1}"#, "[", "null"];
    match texts.get(usize::from(material.byte() % 8)) {
        Some(text) => out.put_slice(text.as_bytes()),
        None => out.put_slice(material.some_bytes()),
    }
}

/// An array with one dimension, or what looks like one.
fn array(out: &mut Vec<u8>, material: &mut Material<'_>) {
    let len = material.byte() % 10;
    let odd = |usual: i32, material: &mut Material<'_>| {
        if material.byte() < 240 {
            usual
        } else {
            i32::try_from(material.number() % 3).unwrap_or(0) << (material.byte() % 31)
        }
    };
    for usual in [1, 0, 0, len.into(), 1] {
        out.put_i32(odd(usual, material));
    }
    for _ in 0..len {
        let element = if material.flag() { material.bytes(8) } else { material.some_bytes() };
        out.put_i32(odd(element.len().try_into().unwrap_or(0), material));
        out.put_slice(element);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::material::try_damaged;

    #[test]
    fn no_row_of_a_server_makes_the_store_panic() {
        try_damaged(5_000, &[&[0; 200], &[1; 300], &[2; 300], &[245; 200]], rows);
    }

    #[test]
    fn usual_rows_arrive() {
        let columns: Vec<&Type> = HEADER.iter().collect();
        let sent = message(&columns, &mut Material(&[]));
        let rows = Builder::new_current_thread().build().unwrap().block_on(answered(sent));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].try_get::<_, i64>(0).unwrap(), 0);
    }

    /// So that what is tried above gets as far as it can.
    #[test]
    fn a_usual_record_is_read_to_its_end() {
        let columns: Vec<&Type> = HEADER.iter().chain(&[Type::JSONB, Type::BYTEA_ARRAY]).collect();
        let number = [0, 1];
        let commits = [&[0, 1][..], &[0; 5], &[1], &7_i64.to_be_bytes(), &[0]].concat();
        let kept = [0, 0, 1];
        let mut bytes = vec![0; columns.len() + 1];
        for of_column in &columns {
            bytes.extend_from_slice(match of_column.name() {
                "_int8" => &commits,
                "jsonb" => &kept,
                "_bytea" => &[0; 7],
                _ => &number,
            });
        }
        let sent = message(&columns, &mut Material(&bytes));
        let rows = Builder::new_current_thread().build().unwrap().block_on(answered(sent));
        let header = row::header(&rows[0], 0).unwrap().expect("an incarnation");
        assert_eq!(row::record(&rows[0], HEADER.len(), &header).unwrap().fields.len(), 2);
    }
}
