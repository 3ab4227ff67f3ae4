//! A value as its `Serialize` describes it, flat: each node is followed by what is under it.
//!
//! A leaf is kept as a hash of itself, which has 64 bits and a key of this process.

use super::hash::{fold, spread};
use super::names::{self, Order};

/// A value.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// The order of the type that was asked for last: neighbours mostly have the same.
    last: (&'static str, Order),
}

/// One call of serde's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// The call, its names and, of a leaf, its value.
    pub(super) hash: u64,
    pub(super) form: Form,
    /// The first node that is not under this one.
    pub(super) end: usize,
    /// For messages: what it is, and the name of the field it stands in.
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) field: &'static str,
}

/// What is under a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing, or parts whose places its type says.
    Fixed,
    /// Elements.
    Seq(Order),
    /// Keys, each with its value behind it.
    Map(Order),
}

impl Tree {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), last: ("", Order::Unknown) }
    }

    pub(super) fn push(&mut self, node: Node) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node { end: at + 1, ..node });
        at
    }

    /// Whatever was pushed since is under this node.
    pub(super) fn close(&mut self, at: usize) {
        let end = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(at) {
            node.end = end;
        }
    }

    pub(super) fn order_of(&mut self, ty: &'static str) -> Order {
        if !std::ptr::eq(self.last.0, ty) {
            self.last = (ty, names::order(ty));
        }
        self.last.1
    }

    /// The nodes directly under one.
    pub(super) fn under(&self, at: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes[at].end;
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let node = (next < end).then_some(next)?;
            next = self.nodes[node].end;
            Some(node)
        })
    }

    /// A hash of each node with all that is under it, blind to the order of entries under the nodes that `is_free` names.
    pub(super) fn digests(&self, is_free: impl Fn(usize) -> bool) -> Vec<u64> {
        let mut digests = vec![0; self.nodes.len()];
        // What is under a node comes after it, so going backwards it is there before the node needs it.
        for at in (0..self.nodes.len()).rev() {
            let node = &self.nodes[at];
            let free = node.form != Form::Fixed && is_free(at);
            let entries = self.entries(at, &digests);
            let digest = if free {
                entries.fold(0_u64, |sum, entry| sum.wrapping_add(spread(entry)))
            } else {
                entries.fold(node.hash, fold)
            };
            digests[at] = fold(node.hash, digest);
        }
        digests
    }

    /// The hash of each entry, of which a map's is that of key and value.
    pub(super) fn entries(&self, at: usize, digests: &[u64]) -> impl Iterator<Item = u64> {
        let mut under = self.under(at);
        let is_map = matches!(self.nodes[at].form, Form::Map(_));
        std::iter::from_fn(move || {
            let first = digests[under.next()?];
            if !is_map {
                return Some(first);
            }
            Some(under.next().map_or(first, |value| fold(first, digests[value])))
        })
    }

    /// Whether the entries under a node have an order, as its type's name tells.
    pub(super) fn order(&self, at: usize) -> Order {
        match self.nodes[at].form {
            Form::Fixed => Order::Kept,
            Form::Seq(order) | Form::Map(order) => order,
        }
    }

    /// A hash of the whole.
    pub(super) fn digest(&self, is_free: impl Fn(usize) -> bool) -> u64 {
        self.digests(is_free).first().copied().unwrap_or(0)
    }
}
