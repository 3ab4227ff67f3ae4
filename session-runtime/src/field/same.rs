//! Whether two values of one type are the same, but for orders that the type does not keep.

use std::collections::{BTreeMap, BTreeSet};

use super::hash::{fold, spread};
use super::names::Order;
use super::tree::{Form, Tree};

/// Whether `mine` is the value that `base` is. `again` decodes the encoding of `mine` anew.
///
/// Names decide most: containers known to keep an order, and containers known to keep none. What is left are other
/// orders in containers of unknown type. Those are asked: a container that keeps its order gives it back each time it
/// is decoded from the same bytes, and one that does not shows that sooner or later.
pub(super) fn same(base: &Tree, mine: &Tree, mut again: impl FnMut() -> Option<Tree>) -> bool {
    let whole = base.digest(not_kept(base));
    if whole != mine.digest(not_kept(mine)) {
        return false;
    }
    let by_name = base.digest(free(base));
    if by_name == mine.digest(free(mine)) {
        return true;
    }
    let Some(first) = again() else { return false };
    // What is stored would come back as what would be stored.
    if by_name == first.digest(free(&first)) {
        return true;
    }
    let (base_places, first_places) = (Places::of(base), Places::of(&first));
    if first_places.whole != whole {
        return false;
    }
    let mut shown = BTreeSet::new();
    let mut decoded = 1;
    loop {
        if base_places.digest(base, &shown) == first_places.digest(&first, &shown) {
            return true;
        }
        let doubtful = first_places.all.iter().filter(|(place, orders)| {
            !shown.contains(*place) && base_places.all.get(place).is_none_or(|base| base.sum != orders.sum)
        });
        // No place is in doubt any more, or one has kept its order too often for chance.
        if doubtful.map(|(_, orders)| enough(orders.distinct)).min().is_none_or(|enough| decoded >= enough) {
            return false;
        }
        let Some(next) = again().map(|next| Places::of(&next)).filter(|next| next.whole == whole) else { return false };
        let differs = |place: &u64| next.all.get(place).is_none_or(|next| next.sum != first_places.all[place].sum);
        shown.extend(first_places.all.keys().copied().filter(differs));
        decoded += 1;
    }
}

fn free(tree: &Tree) -> impl Fn(usize) -> bool {
    |at| tree.order(at) == Order::Free
}

fn not_kept(tree: &Tree) -> impl Fn(usize) -> bool {
    |at| tree.order(at) != Order::Kept
}

/// After how many decodings in one and the same order chance is below 10⁻⁹: a hash map of two entries repeats its order
/// with probability 0.56, one of three with 0.4 at most, and so on.
fn enough(distinct: usize) -> u32 {
    match distinct {
        0..=2 => 50,
        3 => 24,
        4 => 14,
        5..=7 => 10,
        8..=15 => 5,
        _ => 3,
    }
}

/// The containers of unknown type in a tree, told apart in a way that no order changes: a place is the way to it from the
/// root, on which an entry of a container without a certain order is named by what it holds. Equal entries are one place.
struct Places {
    of: Vec<u64>,
    all: BTreeMap<u64, Orders>,
    /// The digest of the whole tree, blind to every order that is not certainly kept.
    whole: u64,
}

/// In which order the entries of a place are.
struct Orders {
    /// Of all nodes at the place together, because which of equal entries is which cannot be told.
    sum: u64,
    /// How many different entries there are.
    distinct: usize,
}

impl Places {
    fn of(tree: &Tree) -> Self {
        let digests = tree.digests(not_kept(tree));
        let whole = digests.first().copied().unwrap_or(0);
        // The root's place is no zero: a hash of zeros is zero, and then the first part of a first part would have the
        // place of another.
        let mut places = Self { of: vec![whole; tree.nodes.len()], all: BTreeMap::new(), whole };
        for at in 0..tree.nodes.len() {
            let here = places.of[at];
            let kept = tree.order(at) == Order::Kept;
            let is_map = matches!(tree.nodes[at].form, Form::Map(_));
            let entries: Vec<u64> = tree.entries(at, &digests).collect();
            for (index, under) in tree.under(at).enumerate() {
                let (entry, side) = if is_map { (index / 2, index % 2) } else { (index, 0) };
                let name = entries.get(entry).filter(|_| !kept).copied().unwrap_or(entry as u64);
                places.of[under] = fold(fold(here, name), side as u64);
            }
            if tree.order(at) == Order::Unknown {
                places.note(here, entries);
            }
        }
        places
    }

    fn note(&mut self, place: u64, mut entries: Vec<u64>) {
        let sequence = spread(entries.iter().copied().fold(0, fold));
        entries.sort_unstable();
        entries.dedup();
        let orders = self.all.entry(place).or_insert(Orders { sum: 0, distinct: 0 });
        orders.sum = orders.sum.wrapping_add(sequence);
        orders.distinct = orders.distinct.max(entries.len());
    }

    /// The digest of the tree, blind to the order at the places that have shown to keep none.
    fn digest(&self, tree: &Tree, shown: &BTreeSet<u64>) -> u64 {
        tree.digest(|at| tree.order(at) == Order::Free || shown.contains(&self.of[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_asked_until_its_order_is_no_chance() {
        // With which chance a container of so many entries that keeps no order repeats the one it had.
        for (entries, chance) in [(2, 0.57_f64), (3, 0.4), (4, 0.2), (5, 0.12), (8, 0.015), (16, 0.000_9)] {
            let mistaken = chance.powf(enough(entries).into());
            assert!(mistaken < 1e-9, "{entries} entries are taken for ordered with probability {mistaken}");
        }
    }
}
