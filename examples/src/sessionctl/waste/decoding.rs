//! What PostgreSQL's plugin `test_decoding` tells of a row that was written.

use std::collections::BTreeMap;

use super::digest::{Digest, Format, GONE, Part, apart, together};
use super::event::{Fields, Key, What};
use super::format::digest;
use super::tree::hash_of;

/// What happened to a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// The table, with its schema, each quoted if it has to be.
    pub table: &'a str,
    action: Action,
    columns: Vec<Column<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Insert,
    Update,
    Delete,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column<'a> {
    name: &'a str,
    kind: &'a str,
    /// `None` for null.
    value: Option<Vec<u8>>,
    /// Whether an update left a long value where it was, so that it is not told.
    is_untold: bool,
}

/// Reads a line such as `table public.session: UPDATE: sid[text]:'1' sess[json]:'{}'`. `None` for any other.
#[must_use]
pub fn parse(line: &str) -> Option<Row<'_>> {
    let (table, rest) = line.strip_prefix("table ")?.split_once(": ")?;
    let (action, columns) = rest.split_once(": ")?;
    let action = match action {
        "INSERT" => Action::Insert,
        "UPDATE" => Action::Update,
        "DELETE" => Action::Delete,
        _ => return None,
    };
    // What the key was before an update changed it is told first. The values of a key have no such words.
    let columns = columns.split_once(" new-tuple: ").map_or(columns, |(_, columns)| columns);
    Some(Row { table, action, columns: parse_columns(columns) })
}

fn parse_columns(mut rest: &str) -> Vec<Column<'_>> {
    let mut columns = Vec::new();
    while let Some((column, after)) = parse_column(rest) {
        columns.push(column);
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    columns
}

/// A column such as `sid[text]:'1'`, and what follows it.
fn parse_column(text: &str) -> Option<(Column<'_>, &str)> {
    let name_end = if text.starts_with('"') { quoted_end(text, '"')? } else { text.find('[')? };
    let (name, rest) = text.split_at(name_end);
    let (kind, rest) = rest.strip_prefix('[')?.split_once("]:")?;
    // An array's type ends with brackets of its own.
    let kind = kind.strip_suffix("[]").unwrap_or(kind);
    let is_quoted = rest.starts_with('\'');
    let end = if is_quoted { quoted_end(rest, '\'')? } else { rest.find(' ').unwrap_or(rest.len()) };
    let (value, rest) = rest.split_at(end);
    let is_untold = value == "unchanged-toast-datum";
    let value = match value {
        "null" => None,
        _ if is_quoted => Some(plain(kind, value[1..value.len() - 1].replace("''", "'"))),
        _ => Some(value.as_bytes().to_vec()),
    };
    Some((Column { name, kind, value, is_untold }, rest))
}

/// Where a quoted text ends, in which the quote stands twice for itself.
fn quoted_end(text: &str, quote: char) -> Option<usize> {
    let mut signs = text.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        if sign == quote && signs.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + quote.len_utf8());
        }
    }
    None
}

/// The bytes of a value as it was written.
fn plain(kind: &str, text: String) -> Vec<u8> {
    let hex = |text: &str| -> Option<Vec<u8>> {
        let digits = text.strip_prefix("\\x")?.as_bytes().chunks_exact(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    };
    if kind == "bytea"
        && let Some(bytes) = hex(&text)
    {
        bytes
    } else {
        text.into_bytes()
    }
}

impl Row<'_> {
    /// What happened to the key of these columns. `None` if the row does not tell them.
    #[must_use]
    pub fn meaning(&self, keys: &[String]) -> Option<What> {
        let is_key = |column: &&Column<'_>| keys.iter().any(|key| key == column.name);
        let values: Vec<_> = self.columns.iter().filter(is_key).map(|column| &column.value).collect();
        if values.len() != keys.len() || keys.is_empty() {
            return None;
        }
        if let Some(rest) = self.table.strip_prefix("sessions.")
            && matches!(rest, "header" | "field" | "registration" | "registered_field")
        {
            return self.of_this_project();
        }
        let key = Key::of(&(self.table, values));
        if self.action == Action::Delete {
            return Some(What::Remove(key));
        }
        let (told, untold): (Vec<_>, Vec<_>) =
            self.columns.iter().filter(|column| !is_key(column)).partition(|column| !column.is_untold);
        let bytes = told.iter().filter_map(|column| column.value.as_ref()).map(Vec::len).sum();
        let digest = of_columns(&told);
        Some(if untold.is_empty() {
            What::Write { key, digest, bytes, expected: None }
        } else {
            What::Fields(Fields { key, digest, bytes, is_new: false })
        })
    }
}

/// What this project's store keeps beside the session: see its `schema.sql`.
impl Row<'_> {
    /// A row for each session, with its small fields, or for each of its other fields. What is registered is no session.
    fn of_this_project(&self) -> Option<What> {
        let value = |name: &str| self.columns.iter().find(|column| column.name == name)?.value.as_ref();
        let key = Key::of(&("sessions", value("name")?, value("key")?));
        let bytes = self.columns.iter().filter_map(|column| column.value.as_ref()).map(Vec::len).sum();
        let (parts, added) = if self.table.ends_with("field") {
            let content = if self.action == Action::Delete { GONE } else { hash_of(value("value")?) };
            (vec![apart((hash_of(value("field")?), content))], 0)
        } else if self.action == Action::Delete || value("state").is_some_and(|state| HAS_ENDED.contains(&&state[..])) {
            return Some(What::Remove(key));
        } else {
            let is_field = |column: &&Column<'_>| column.name == "fields";
            let header: Vec<_> = self.columns.iter().filter(|column| !is_field(column)).collect();
            let kept =
                value("fields").and_then(|fields| serde_json::from_slice::<BTreeMap<String, String>>(fields).ok());
            let kept = kept.iter().flatten().map(|(name, value)| (hash_of(name.as_bytes()), hash_of(value.as_bytes())));
            (together(kept), hash_of(header.iter().map(|column| &column.value).collect::<Vec<_>>()))
        };
        let is_new = self.table.ends_with("header") && self.action == Action::Insert;
        Some(What::Fields(Fields { key, digest: Digest::of_parts(Format::Fields, parts, added), bytes, is_new }))
    }
}

/// The states of a session that was destroyed, or renewed to another key.
const HAS_ENDED: [&[u8]; 2] = [b"2", b"3"];

/// A row: the parts of each column, without those that tell a time.
fn of_columns(columns: &[&Column<'_>]) -> Digest {
    let (mut parts, mut added, mut format) = (Vec::<Part>::new(), 0_u64, None);
    for column in columns {
        if tells_a_time(column) {
            added = added.wrapping_add(hash_of((column.name, &column.value)));
            continue;
        }
        let inner = column.value.as_deref().map(digest);
        match inner.as_ref().and_then(|inner| Some((inner, inner.parts()?))) {
            Some((inner, of_column)) => {
                parts.extend(of_column.iter().map(|(part, value)| (hash_of((column.name, part)), *value)));
                added = added.wrapping_add(inner.added());
                format = Some(inner.format);
            }
            None => parts.push((hash_of(column.name), hash_of(&column.value))),
        }
    }
    Digest::of_parts(format.unwrap_or(Format::Fields), parts, added)
}

/// Whether a column says when a session ends or was used: by its type, or by its name if it is a number.
fn tells_a_time(column: &Column<'_>) -> bool {
    let name = column.name.to_ascii_lowercase();
    column.kind.starts_with("timestamp") || name.contains("expir") || name.starts_with("last_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn meaning(line: &str, names: &[&str]) -> Option<What> {
        parse(line)?.meaning(&keys(names))
    }

    fn written(line: &str, names: &[&str]) -> Digest {
        match meaning(line, names) {
            Some(What::Write { digest, .. } | What::Fields(Fields { digest, .. })) => digest,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_row_has_a_key_and_parts() {
        use super::super::digest::Change;
        let row = |sess: &str, expire: &str| {
            format!(
                "table public.session: UPDATE: sid[character varying]:'a''b' sess[json]:'{sess}' expire[timestamp(6) without time zone]:'{expire}'"
            )
        };
        let before = written(&row(r#"{"visits":1,"theme":"it''s"}"#, "2026-11-26 20:00:00"), &["sid"]);
        assert_eq!(before.format, Format::Json);
        for (sess, expire, change) in [
            (r#"{"theme":"it''s","visits":1}"#, "2026-11-26 20:00:00", Change::Nothing),
            (r#"{"theme":"it''s","visits":1}"#, "2026-11-26 20:00:01", Change::Added),
            (r#"{"theme":"it''s","visits":2}"#, "2026-11-26 20:00:01", Change::Parts(1)),
        ] {
            assert_eq!(before.change_to(&written(&row(sess, expire), &["sid"])), change, "{sess}");
        }
    }

    /// connect-pg-simple 10.0 with express-session 1.19, after a request that began a session and one that only read it.
    const CONNECT_PG_SIMPLE: [&str; 2] = [
        r#"table public.session: INSERT: sid[character varying]:'97B0wkZ60NytQPZuQlIXi6T8IwiOkCB3' sess[json]:'{"cookie":{"originalMaxAge":3600000,"expires":"2026-11-27T00:45:44.822Z","httpOnly":true,"path":"/"},"visits":1,"user":{"id":7,"name":"Zoë''s"}}' expire[timestamp without time zone]:'2026-11-27 00:45:45'"#,
        r#"table public.session: UPDATE: sid[character varying]:'97B0wkZ60NytQPZuQlIXi6T8IwiOkCB3' sess[json]:'{"cookie":{"originalMaxAge":3600000,"expires":"2026-11-27T00:45:44.822Z","httpOnly":true,"path":"/"},"visits":1,"user":{"id":7,"name":"Zoë''s"}}' expire[timestamp without time zone]:'2026-11-27 00:45:48'"#,
    ];
    /// tower-sessions-sqlx-store 0.15, one of a session of eight fields; the order of the fields is that of a hash map.
    const SQLX_STORE: [&str; 2] = [
        r"table tower_sessions.session: INSERT: id[text]:'NcjtXGDAnPMVfEp_uXk3ng' data[bytea]:'\x93c4109e3779b97f4a7c15f39cc0605cedc8358aa47374657003a96c6173745f70616765b92f70726f64756374732f7465612d706f74733f706167653d32a66c6f63616c65a5656e2d4742a573636f7265cb4029000000000000a676697369747329a475736572ce007003b5a5666c617368c0a4636172749282a87175616e7469747902a3736b75a6412d3130303182a87175616e7469747901a3736b75a3422d37a57468656d65a46461726ba56e6f746573a099cd07eacd0158172e0ece091198f0000000' expiry_date[timestamp with time zone]:'2026-12-10 23:46:14.152148+00'",
        r"table tower_sessions.session: UPDATE: id[text]:'NcjtXGDAnPMVfEp_uXk3ng' data[bytea]:'\x93c4109e3779b97f4a7c15f39cc0605cedc8358aa57468656d65a46461726ba56e6f746573a0a66c6f63616c65a5656e2d4742a5666c617368c0a4636172749282a87175616e7469747902a3736b75a6412d3130303182a87175616e7469747901a3736b75a3422d37a47374657003a573636f7265cb4029000000000000a475736572ce007003b5a67669736974732aa96c6173745f70616765b92f70726f64756374732f7465612d706f74733f706167653d3299cd07eacd0158172e0ece21b98d42000000' expiry_date[timestamp with time zone]:'2026-12-10 23:46:14.565808+00'",
    ];

    #[test]
    fn what_libraries_wrote_is_known() {
        use super::super::digest::Change;
        let [first, read] = CONNECT_PG_SIMPLE.map(|line| written(line, &["sid"]));
        let visited = CONNECT_PG_SIMPLE[1].replace(r#""visits":1"#, r#""visits":2"#).replace("44.822Z", "48.433Z");
        assert_eq!((first.format, first.change_to(&read)), (Format::ExpressSession, Change::Added));
        assert_eq!(read.change_to(&written(&visited, &["sid"])), Change::Parts(1));
        let [first, visited] = SQLX_STORE.map(|line| written(line, &["id"]));
        assert_eq!((first.format, first.change_to(&visited)), (Format::TowerSessions, Change::Parts(1)));
    }

    #[test]
    fn bytes_and_strange_names_are_read() {
        let row = parse(
            r#"table "my schema"."Sessions": INSERT: "the ""id"[text]:'1' data[bytea]:'\x00ff' tags[text[]]:'{a,b}' n[integer]:7 gone[text]:null"#,
        );
        let row = row.expect("a row");
        let columns: Vec<_> = row.columns.iter().map(|column| (column.name, column.value.as_deref())).collect();
        assert_eq!(row.table, r#""my schema"."Sessions""#);
        assert_eq!(
            columns,
            [
                (r#""the ""id""#, Some(&b"1"[..])),
                ("data", Some(b"\0\xff")),
                ("tags", Some(b"{a,b}")),
                ("n", Some(b"7")),
                ("gone", None),
            ]
        );
    }

    #[test]
    fn tables_of_this_project_are_a_session_with_fields() {
        let named = "name[text]:'visitor' key[bytea]:'\\x34'";
        let header = |action: &str, state: u8| {
            let line = format!(
                "table sessions.header: {action}: {named} incarnation[bigint]:7 state[smallint]:{state} revision[bigint]:1 fields[jsonb]:'{{\"theme\": \"1\"}}'"
            );
            meaning(&line, &["name", "key"])
        };
        let field = |action: &str, value: &str| {
            let line =
                format!("table sessions.field: {action}: {named} incarnation[bigint]:7 field[text]:'visits'{value}");
            meaning(&line, &["name", "key", "incarnation", "field"])
        };
        let Some(What::Fields(head)) = header("INSERT", 0) else { panic!() };
        let kept = together([(hash_of(b"theme".to_vec()), hash_of(b"1".to_vec()))].into_iter());
        assert_eq!(head.digest, Digest::of_parts(Format::Fields, kept, head.digest.added()));
        assert!(head.is_new && head.digest.added() != 0);
        assert!(matches!(header("UPDATE", 0), Some(What::Fields(Fields { is_new: false, .. }))));
        for ended in [header("UPDATE", 2), header("UPDATE", 3), header("DELETE", 0)] {
            assert_eq!(ended, Some(What::Remove(head.key)));
        }
        let Some(What::Fields(set)) = field("INSERT", " value[bytea]:'\\x31' term[text]:null") else { panic!() };
        let (name, _) = apart((hash_of(b"visits".to_vec()), 0));
        assert_eq!((set.key, set.digest.parts()), (head.key, Some(&[(name, hash_of(b"1".to_vec()))][..])));
        let Some(What::Fields(gone)) = field("DELETE", "") else { panic!() };
        assert_eq!((gone.key, gone.digest.parts()), (head.key, Some(&[(name, GONE)][..])));
        let line =
            "table sessions.registration: INSERT: name[text]:'visitor' version[bigint]:1 id[bigint]:5".to_owned();
        assert_eq!(meaning(&line, &["name", "version"]), None);
    }

    #[test]
    fn updates_of_a_part_deletions_and_other_lines_are_told_apart() {
        let line = "table public.s: UPDATE: id[integer]:1 data[text]:unchanged-toast-datum n[integer]:2";
        assert!(matches!(meaning(line, &["id"]), Some(What::Fields(Fields { bytes: 1, .. }))));
        let line = "table public.s: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 n[integer]:2";
        assert!(matches!(meaning(line, &["id"]), Some(What::Write { bytes: 1, .. })));
        assert!(matches!(meaning("table public.s: DELETE: id[integer]:1", &["id"]), Some(What::Remove(_))));
        assert_eq!(meaning("table public.s: DELETE: (no-tuple-data)", &["id"]), None);
        assert_eq!(meaning("table public.s: INSERT: id[integer]:1", &[]), None, "no key");
        for line in ["BEGIN", "COMMIT 7", "table public.s: TRUNCATE: (no-flags)", "table", ""] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_it_tells_is_read(rest in ".{0,40}", column in r#"["a-c]{1,4}\[[a-z\[\]]{0,6}\]:['a-z \\x]{0,9}"#) {
            for text in [rest.clone(), format!("INSERT: {column} {rest}"), format!("UPDATE: {rest}{column}")] {
                let line = format!("table public.s: {text}");
                let _ = parse(&line).and_then(|row| row.meaning(&keys(&["a"])));
            }
        }
    }
}
