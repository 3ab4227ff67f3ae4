//! The changes of all scripts of an engine, each with a name that stays the same when lines move.

use std::collections::{BTreeMap, BTreeSet};

use crate::mutate::{Change, changes};
use crate::proxy::Texts;
use crate::tokens::Language;

/// What nobody can notice: a line for each change, with the reason above it.
const EQUIVALENT: &str = include_str!("equivalent.txt");

pub(crate) const SCHEMA: &str = include_str!("../../../../session-runtime/src/store/postgres/schema.sql");

macro_rules! lua {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../../../session-runtime/src/store/redis/", $name)))),*]
    };
}

/// `trial.lua` is left out: it decides nothing.
const LUA: [(&str, &str); 9] = lua![
    "announce.lua",
    "commit.lua",
    "current.lua",
    "find.lua",
    "forget.lua",
    "header.lua",
    "purge.lua",
    "register.lua",
    "touch.lua"
];

/// A change of one place.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    pub(crate) name: String,
    /// The whole texts that it changes.
    pub(crate) texts: Texts,
}

/// Those of Redis.
pub(crate) fn of_redis() -> Vec<Mutant> {
    let mut mutants = BTreeMap::new();
    for (file, text) in LUA {
        for change in changes(text, Language::Lua) {
            add(&mut mutants, &format!("{file}: {}", shown(text, &change)), text, &change);
        }
    }
    named(mutants)
}

/// Those of PostgreSQL: of the schema, and of these statements.
pub(crate) fn of_postgres(statements: &BTreeSet<String>) -> Vec<Mutant> {
    let mut mutants = BTreeMap::new();
    for change in changes(SCHEMA, Language::Sql) {
        let function = SCHEMA[..change.place.start].rsplit_once("FUNCTION sessions.").map(|(_, name)| name);
        // Tables and indexes decide nothing.
        let Some(function) = function.and_then(|name| name.split('(').next()) else { continue };
        add(&mut mutants, &format!("{function}: {}", shown(SCHEMA, &change)), SCHEMA, &change);
    }
    for text in statements {
        for change in changes(text, Language::Sql) {
            // Statements that are alike have the same change.
            let name = format!("statement: {}", shown(text, &change));
            let same: &mut Texts = mutants.entry(name).or_default();
            same.push((text.clone(), change.apply(text)));
        }
    }
    named(mutants)
}

fn named(mutants: BTreeMap<String, Texts>) -> Vec<Mutant> {
    mutants.into_iter().map(|(name, texts)| Mutant { name, texts }).collect()
}

/// Adds a change under a name of its own.
fn add(mutants: &mut BTreeMap<String, Texts>, name: &str, text: &str, change: &Change) {
    let names = (1..).map(|number| if number == 1 { name.to_owned() } else { format!("{name} #{number}") });
    let name = names.into_iter().find(|name| !mutants.contains_key(name)).unwrap_or_default();
    mutants.insert(name, vec![(text.to_owned(), change.apply(text))]);
}

/// The line of a change, with what is changed in it.
fn shown(text: &str, change: &Change) -> String {
    let place = &change.place;
    let before = text[..place.start].rsplit('\n').next().unwrap_or_default();
    let after = text[place.end..].split('\n').next().unwrap_or_default();
    // Of a long line, the words nearby.
    let near = before.len().saturating_sub(70);
    let start = place.start - before.len()
        + if near == 0 { 0 } else { before[..near].len() + before[near..].find(' ').unwrap_or(0) };
    let end = place.end + after[..after.len().min(50)].rfind(' ').filter(|_| after.len() > 50).unwrap_or(after.len());
    let shown = format!("{}«{}»{}", &text[start..place.start], &text[place.clone()], &text[place.end..end]);
    let by = if change.by.is_empty() { "nothing" } else { &change.by };
    let words: Vec<&str> = shown.split_whitespace().chain(["->"]).chain(by.split_whitespace()).collect();
    words.join(" ")
}

/// The names of those that nobody can notice on this engine.
pub(crate) fn equivalent(engine: &str) -> Vec<&'static str> {
    let section = format!("[{engine}]");
    let lines = EQUIVALENT.lines().skip_while(|line| **line != *section).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}
