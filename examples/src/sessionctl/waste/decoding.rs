//! What PostgreSQL's plugin `test_decoding` tells of a row that was written.

use super::digest::{Digest, Format, Part};
use super::format::digest;
use super::tally::{Key, What};
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
            What::Fields { key, digest, bytes }
        })
    }
}

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
            Some(What::Write { digest, .. } | What::Fields { digest, .. }) => digest,
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
    fn updates_of_a_part_deletions_and_other_lines_are_told_apart() {
        let line = "table public.s: UPDATE: id[integer]:1 data[text]:unchanged-toast-datum n[integer]:2";
        assert!(matches!(meaning(line, &["id"]), Some(What::Fields { bytes: 1, .. })));
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
