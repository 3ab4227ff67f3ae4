//! What a field's type reads, told without a value of it: its `Deserialize` is asked, part by part, what it expects.

use std::cell::Cell;
use std::marker::PhantomData;

use serde_json::{Map, Value, json};

use crate::session::{Format, ReadField, Session};

mod node;
mod parts;
mod walker;

#[cfg(test)]
mod tests;

use node::{Node, Seen, Stop};
use walker::Walker;

/// How deep parts are looked at, and how many of a field: types can go on for ever.
const DEEPEST: usize = 32;
const MOST: usize = 4096;

/// What a field's type reads: the name of a scalar (and after a colon that of the type, if it may refuse some), an object
/// of the fields of a struct, or a list that begins with `option`, `list`, `map`, `tuple`, `enum`, `again` (a struct or
/// enum that this part is in) or `any` (what it reads cannot be told; the name of the type follows).
pub(crate) fn shape<T: Session>(session: &T, index: usize, is_human_readable: bool) -> Value {
    T::read(session, index, Ask { is_human_readable }).unwrap_or_default()
}

struct Ask {
    is_human_readable: bool,
}

impl ReadField for Ask {
    type Output = Value;

    fn read<F, R: Format<F>>(self, _: &F) -> Value {
        let look = |path: &[usize]| {
            let seen = Cell::new(None);
            // Where the walk ends is an error, and so is what a type makes of values that were made up on the way.
            let _: Result<Read<F, R>, _> = Read::of(Walker::to(path, &seen, self.is_human_readable));
            seen.take()
        };
        let field = R::type_name();
        Explorer { look: &look, field, path: Vec::new(), around: Vec::new(), left: MOST }.explore()
    }
}

struct Read<F, R>(PhantomData<(F, R)>);

impl<F, R: Format<F>> Read<F, R> {
    fn of(walker: Walker<'_>) -> Result<Self, Stop> {
        R::deserialize(walker).map(|_| Self(PhantomData))
    }
}

/// Goes to every part of a type, along a path of places from the top for each.
struct Explorer<'a> {
    look: &'a dyn Fn(&[usize]) -> Option<Seen>,
    /// The type of the whole field.
    field: &'static str,
    path: Vec<usize>,
    /// The structs and enums that the part is in.
    around: Vec<&'static str>,
    left: usize,
}

impl Explorer<'_> {
    fn explore(&mut self) -> Value {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || self.path.len() > DEEPEST {
            return json!(["any", "deep inside"]);
        }
        // A value that was made up on the way there was refused.
        let Some(Seen { node, by }) = (self.look)(&self.path) else { return json!(["any", "?"]) };
        match node {
            Node::Scalar(name) => scalar(name, &short(by)).into(),
            // Serde's own types buffer what others look at.
            Node::Any if by.contains("serde::") || by.contains("serde_core::") => json!(["any", short(self.field)]),
            Node::Any => json!(["any", short(by)]),
            Node::Content => self.part(0),
            Node::Option => json!(["option", self.part(0)]),
            Node::List => json!(["list", self.part(0)]),
            Node::Map => json!(["map", self.part(0), self.part(1)]),
            Node::Tuple(len) => {
                let parts = (0..len).map(|index| self.part(index));
                std::iter::once("tuple".into()).chain(parts).collect()
            }
            Node::Struct(names) => self.within(by, |all| all.named(names).into()),
            Node::Fields(names) => self.named(names).into(),
            Node::Enum(names) => self.within(by, |all| json!(["enum", all.named(names)])),
        }
    }

    fn part(&mut self, index: usize) -> Value {
        self.path.push(index);
        let part = self.explore();
        self.path.pop();
        part
    }

    fn named(&mut self, names: &[&str]) -> Map<String, Value> {
        names.iter().enumerate().map(|(index, name)| ((*name).to_owned(), self.part(index))).collect()
    }

    fn within(&mut self, by: &'static str, parts: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.around.contains(&by) {
            return json!(["again", short(by)]);
        }
        self.around.push(by);
        let found = parts(self);
        self.around.pop();
        found
    }
}

/// A scalar, and the type that reads it unless that takes every value of it.
fn scalar(name: &str, by: &str) -> String {
    let takes_all = name == by || matches!((name, by), ("string", "String" | "&str" | "Box<str>") | ("null", _));
    if takes_all { name.to_owned() } else { format!("{name}: {by}") }
}

/// The name of a type without the paths: types move.
fn short(name: &str) -> String {
    let mut short = String::new();
    for part in name.split_inclusive(|character: char| !character.is_alphanumeric() && !"_:".contains(character)) {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}
