//! Whether what comes back is what was sent, and what to say if it is not.

use std::fmt::{self, Write};

use super::tree::{Form, Tree};
use crate::codec::CodecError;

/// Compares a value with what was decoded from its encoding, blind to every order: a type that sorts what it reads is
/// within its rights.
pub(super) fn compare(sent: &Tree, back: &Tree) -> Result<(), CodecError> {
    let (mine, theirs) = (sent.digests(|_| true), back.digests(|_| true));
    if mine.first() == theirs.first() {
        return Ok(());
    }
    let difference = Difference::find(Side { tree: sent, digests: &mine }, Side { tree: back, digests: &theirs });
    Err(CodecError::new(format!("the value would not come back as it is: {difference}")))
}

#[derive(Clone, Copy)]
struct Side<'t> {
    tree: &'t Tree,
    digests: &'t [u64],
}

/// The first place at which two trees differ.
struct Difference<'t> {
    path: String,
    sent: (&'t Tree, usize),
    back: (&'t Tree, usize),
}

impl<'t> Difference<'t> {
    fn find(sent: Side<'t>, back: Side<'t>) -> Self {
        let mut path = String::new();
        let (mut here, mut there) = (0, 0);
        loop {
            let (one, other) = (&sent.tree.nodes[here], &back.tree.nodes[there]);
            let mut pairs = sent.tree.under(here).zip(back.tree.under(there)).enumerate();
            let next = pairs.find(|(_, (mine, theirs))| match one.form {
                Form::Fixed => sent.digests[*mine] != back.digests[*theirs],
                // Of entries without a certain order, the first that is nowhere on the other side.
                _ => back.tree.under(there).all(|theirs| back.digests[theirs] != sent.digests[*mine]),
            });
            let same = one.hash == other.hash;
            let Some((index, (one, other))) = next.filter(|_| same) else {
                return Self { path, sent: (sent.tree, here), back: (back.tree, there) };
            };
            let _ = step(&mut path, sent.tree, here, index, one);
            (here, there) = (one, other);
        }
    }
}

/// Appends the way from a node to one under it.
fn step(path: &mut String, tree: &Tree, from: usize, index: usize, to: usize) -> fmt::Result {
    let (from, to) = (&tree.nodes[from], &tree.nodes[to]);
    match from.form {
        Form::Map(_) if index.is_multiple_of(2) => write!(path, "[key {}]", index / 2),
        Form::Map(_) => write!(path, "[value {}]", index / 2),
        Form::Seq(_) => write!(path, "[{index}]"),
        Form::Fixed if !to.field.is_empty() => write!(path, ".{}", to.field),
        Form::Fixed if matches!(from.kind, "tuple") => write!(path, ".{index}"),
        Form::Fixed => Ok(()),
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "at `{}` ", self.path)?;
        }
        let (sent, back) = (Shown(self.sent.0, self.sent.1), Shown(self.back.0, self.back.1));
        let (one, other) = (sent.to_string(), back.to_string());
        if one == other {
            write!(f, "{one} would be read as another value of its kind")
        } else {
            write!(f, "{one} would be read as {other}")
        }
    }
}

/// A node in words, without its value: that can be secret.
struct Shown<'t>(&'t Tree, usize);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(tree, at) = *self;
        let node = &tree.nodes[at];
        match (node.form, node.kind) {
            (Form::Fixed, "Some") => match tree.under(at).next() {
                Some(inner) => write!(f, "Some({})", Shown(tree, inner)),
                None => f.write_str("Some"),
            },
            (Form::Fixed, kind) if node.name.is_empty() => f.write_str(kind),
            (Form::Fixed, kind) => write!(f, "{kind} {}", node.name),
            (Form::Seq(_), kind) => write!(f, "{kind} of {}", tree.under(at).count()),
            (Form::Map(_), kind) => write!(f, "{kind} of {}", tree.under(at).count() / 2),
        }
    }
}
