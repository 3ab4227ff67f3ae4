//! What a program shows of its sessions by `tracing`, and that the page about running in production lists just that.

use std::collections::{BTreeMap, BTreeSet};

use super::metadata::{read, root, sources};

const PAGE: &str = "docs/running-in-production.md";

/// The rows of the table of the page whose first column is called so, each with its cells.
fn rows(column: &str) -> Vec<Vec<String>> {
    let page = read(PAGE);
    let (_, table) = page.split_once(&format!("\n| {column} |")).expect("a table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    rows.map(|row| row.split('|').skip(1).map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in a cell as code.
fn code(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn one(cell: &str) -> String {
    let code = code(cell);
    assert_eq!(code.len(), 1, "{cell}");
    code.into_iter().next().expect("one")
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// The kinds of spans in `debug_span!("…", …)`, each with all fields that one of it can have.
fn kinds(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut kinds = BTreeMap::<String, BTreeSet<String>>::new();
    for call in source.split("debug_span!(").skip(1) {
        let mut words =
            call.split_once(';').map_or(call, |(call, _)| call).split("\n}").next().unwrap_or_default().split(',');
        let name = words.next().unwrap_or_default().trim().trim_matches('"').to_owned();
        let fields = words.map(|field| field.split(" = ").next().unwrap_or_default().trim_matches([' ', '\n', ')']));
        kinds.entry(name).or_default().extend(names(fields.filter(|field| !field.is_empty())));
    }
    kinds
}

/// The calls in `span("…", …)` and `key_span("…", …)`, each with its fields.
fn spans(source: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let calls = source.match_indices("span(\"").map(|(place, begin)| (place, place + begin.len()));
    let calls = calls.filter(|(place, _)| !source[..*place].ends_with("verb_"));
    let call = |(place, operation): (usize, usize)| {
        let has_key = source[..place].ends_with("key_");
        let operation = source[operation..].split('"').next().expect("an end");
        (operation.to_owned(), names(["session", "key"].into_iter().take(1 + usize::from(has_key))))
    };
    calls.map(call).collect()
}

/// A message up to its first part that varies.
fn beginning(message: &str) -> String {
    message.split(['`', '{']).next().unwrap_or_default().trim_end().to_owned()
}

type Event = (String, String, BTreeSet<String>);

/// The events that are logged: their levels, messages and fields.
fn events(source: &str) -> BTreeSet<Event> {
    let calls = source.split("tracing::").skip(1).filter_map(|call| call.split_once("!("));
    let calls = calls.filter(|(level, _)| ["trace", "debug", "info", "warn", "error"].contains(level));
    let event = |(level, arguments): (&str, &str)| {
        let (fields, rest) = arguments.split_once('"').expect("a message");
        let message = rest.replace("\\\"", "\u{0}");
        let message = message.split('"').next().expect("an end");
        let lines: Vec<_> = message.split("\\\n").map(str::trim_start).collect();
        let fields = fields.split(',').map(|field| field.split(" = ").next().unwrap_or_default());
        let fields = fields.map(|field| field.trim().trim_start_matches(['%', '?'])).filter(|field| !field.is_empty());
        (level.to_uppercase(), beginning(&lines.concat()), names(fields))
    };
    calls.map(event).collect()
}

#[test]
fn the_page_lists_the_spans_that_there_are_and_no_others() {
    let source = sources(&root().join("session-runtime/src"));
    assert_eq!(source.matches("span!(").count(), source.matches("debug_span!(").count(), "all are of one level");
    let kinds = kinds(&source);
    let of_store = ("session_store".to_owned(), names(["operation", "session", "key"]));
    let others = rows("span").into_iter().map(|row| (one(&row[0]), code(&row[1])));
    assert_eq!(others.chain([of_store]).collect::<BTreeMap<_, _>>(), kinds);
    let documented: Vec<_> = rows("operation").into_iter().map(|row| (one(&row[0]), code(&row[1]))).collect();
    assert_eq!(documented.iter().cloned().collect::<BTreeSet<_>>(), spans(&source));
    assert_eq!(documented.len(), spans(&source).len(), "each once");
}

#[test]
fn the_page_lists_the_events_that_there_are_and_no_others() {
    let source = sources(&root().join("session-runtime/src"));
    let event = |row: Vec<String>| (one(&row[0]), beginning(&one(&row[1])), code(&row[2]));
    let documented: BTreeSet<_> = rows("level").into_iter().map(event).collect();
    assert_eq!(documented, events(&source));
}

#[test]
fn spans_and_events_are_read_as_rust_reads_them() {
    let source = r#"
        load.instrument(key_span("load", key)).await;
        let span = span("find", &self.name);
        let around = key_verb_span("load", key);
        tracing::debug!(session = self.name(), %key, fields = ?changed, "done");
        tracing::warn!(
            policy,
            "the field `{gone}` is \"gone\""
        );
        tracing::error!("this goes \
             on");
        use tracing::Instrument;
    "#;
    let both =
        BTreeSet::from([("load".to_owned(), names(["key", "session"])), ("find".to_owned(), names(["session"]))]);
    assert_eq!(spans(source), both);
    let kind = kinds("debug_span!(\n    \"a\",\n    b,\n    c = %d(e),\n)\n}\n debug_span!(\"a\", f, b);");
    assert_eq!(kind, BTreeMap::from([("a".to_owned(), names(["b", "c", "f"]))]));
    let event = |level: &str, message: &str, fields: &[&str]| {
        (level.to_owned(), message.to_owned(), names(fields.iter().copied()))
    };
    let all = [
        event("DEBUG", "done", &["session", "key", "fields"]),
        event("WARN", "the field", &["policy"]),
        event("ERROR", "this goes on", &[]),
    ];
    assert_eq!(events(source), BTreeSet::from(all));
}
