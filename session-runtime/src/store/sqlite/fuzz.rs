//! What may stand in the tables of a file.

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, Value};

use super::{read, schema, write};
use crate::expiry::ClockOffset;
use crate::store::material::Material;
use crate::store::{Cursor, Key, Load};

/// Takes bytes for rows, in tables that let any value stand in any column, and for commits to them.
///
/// # Panics
/// When SQLite cannot keep tables in memory.
pub fn rows(bytes: &[u8]) {
    thread_local! {
        static CONNECTION: Connection = prepared().expect("tables in memory");
    }
    CONNECTION.with(|connection| {
        let filled = connection.execute_batch("BEGIN").and_then(|()| fill(connection, &mut Material(bytes)));
        if filled.is_ok() {
            use_rows(connection, bytes);
        }
        connection.execute_batch("ROLLBACK").expect("the transaction is open");
    });
}

/// The tables of this store, without their types and constraints.
fn prepared() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    let loose = schema::TABLES.replace("STRICT, WITHOUT ROWID", "").replace("STRICT", "").replace("WITHOUT ROWID", "");
    let mut loose = loose.replace(" NOT NULL,", ",").replace(" NOT NULL\n", "\n");
    for kind in ["INTEGER PRIMARY KEY", "INTEGER", "TEXT", "BLOB"] {
        loose = loose.replace(&format!(" {kind}"), " ");
    }
    connection.execute_batch(&loose)?;
    Ok(connection)
}

fn fill(connection: &Connection, material: &mut Material<'_>) -> rusqlite::Result<()> {
    let sessions =
        "INSERT INTO session_runtime_sessions VALUES (?, 'Visitor', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let fields = "INSERT OR IGNORE INTO session_runtime_fields VALUES (?, ?, ?, ?)";
    let registrations = "INSERT OR IGNORE INTO session_runtime_registrations VALUES ('Visitor', ?, ?, ?)";
    let registered = "INSERT OR IGNORE INTO session_runtime_registered_fields VALUES ('Visitor', ?, ?, ?, ?, ?)";
    for (statement, usual) in [
        (sessions, &["1", "'42", "stored", "7", "1", "1", "1", "0", "", "", "", "", "3600000", "", "*"][..]),
        (sessions, &["2", "'43", "destroyed", "7", "1", "1", "1", "0", "", "", "", "", "3600000", "", "*"]),
        (fields, &["1", "count", "'5", ""]),
        (fields, &["2", "count", "*", "'7"]),
        (registrations, &["1", "1", "json"]),
        (registered, &["1", "count", "0", "'0", "0"]),
    ] {
        let values = usual.iter().map(|usual| value(material, usual));
        connection.prepare_cached(statement)?.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(())
}

/// The usual value of a column, more often than another one: a number, a text (in front of digits stands `'`), some
/// bytes (`*`), or nothing.
fn value(material: &mut Material<'_>, usual: &str) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(match material.byte() {
        0..=199 if usual.is_empty() => Value::Null,
        0..=199 if usual == "*" => Value::Blob(vec![1; 16]),
        0..=199 if usual.starts_with('\'') => Value::Text(usual.trim_start_matches('\'').to_owned()),
        0..=199 => usual.parse().map_or_else(|_| Value::Text(usual.to_owned()), Value::Integer),
        200..=209 => Value::Null,
        210..=219 => Value::Integer(material.number()),
        220..=229 => Value::Real(f64::from_bits(material.number().cast_unsigned())),
        // Whether it is UTF-8, SQLite does not ask.
        230..=239 => {
            return ToSqlOutput::Owned(Value::Text(String::from_utf8_lossy(material.some_bytes()).into_owned()));
        }
        _ => Value::Blob(material.some_bytes().to_vec()),
    })
}

fn use_rows(connection: &Connection, bytes: &[u8]) {
    let mut material = Material(bytes);
    // Text that is not UTF-8 is not to be had from Rust.
    let odd = "UPDATE session_runtime_fields SET name = CAST(x'ff66' AS TEXT) WHERE ?";
    let _ = connection.prepare_cached(odd).and_then(|mut odd| odd.execute([material.flag()]));
    let clock = ClockOffset(material.number());
    let _ = read::registration(connection, "Visitor", 1);
    let _ = read::registrations(connection);
    let _ = read::count(connection, "Visitor", clock);
    let after = Cursor(material.some_bytes().into());
    let _ = read::keys(connection, "Visitor", Some(&after), usize::from(material.byte()), clock);
    for id in ["42", "43"] {
        let Ok(key) = Key::new("Visitor".into(), id) else { continue };
        let _ = write::load(connection, &key, Load { clock, lifetime: Some(material.lifetime()) });
        let _ = write::commit(connection, &key, &material.commit());
        let _ = read::load(connection, &key, Load::look(clock));
    }
    let _ = write::purge(connection, 10, clock);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::material::try_damaged;

    #[test]
    fn no_row_of_a_file_makes_the_store_panic() {
        try_damaged(
            5_000,
            &[&[0; 60], &[255; 60], &[215, 128, 225, 160, 245, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 235, 2, 255, 0]],
            rows,
        );
    }

    #[test]
    fn usual_rows_are_read() {
        let connection = prepared().unwrap();
        fill(&connection, &mut Material(&[])).unwrap();
        let key = Key::new("Visitor".into(), "42").unwrap();
        let (loaded, _) = read::load(&connection, &key, Load::look(ClockOffset(0))).unwrap();
        assert!(matches!(loaded.found, crate::store::Found::Record(record) if record.fields.len() == 1));
        assert_eq!(read::registrations(&connection).unwrap().found.len(), 1);
    }
}
