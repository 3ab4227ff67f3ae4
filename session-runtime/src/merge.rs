//! Ready-made merges for `#[session(merge = …)]`: what becomes of a field that two overlapping commits changed.
//!
//! Each takes the value that both started from, mine, and theirs, which is stored already.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

/// Theirs plus the difference that mine made, saturating at the type's bounds: for counters.
pub fn add<N: Number>(base: &N, mine: N, theirs: N) -> N {
    N::add_difference(*base, mine, theirs)
}

/// The larger of the two.
pub fn max<V: Ord>(_base: &V, mine: V, theirs: V) -> V {
    mine.max(theirs)
}

/// The smaller of the two.
pub fn min<V: Ord>(_base: &V, mine: V, theirs: V) -> V {
    mine.min(theirs)
}

/// What mine added and removed, applied to theirs: for sets, maps, and lists used as sets.
///
/// In a map an entry whose value mine changed counts as added. A list is treated as a bag: an element that occurs
/// twice is two elements, and additions go to the end.
pub fn union<U: Union>(base: &U, mine: U, theirs: U) -> U {
    U::union(base, mine, theirs)
}

/// The elements that mine added at the end, put after theirs, if mine extends the base; else mine.
pub fn append<A: Append>(base: &A, mine: A, theirs: A) -> A {
    A::append(base, mine, theirs)
}

/// A number that [`add`] can merge.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number that `merge::add` can merge",
    note = "it merges the integers, `f32` and `f64`; write a function `fn(base: &T, mine: T, theirs: T) -> T` for other types"
)]
pub trait Number: Copy {
    /// `theirs + (mine - base)`, saturating.
    #[must_use]
    fn add_difference(base: Self, mine: Self, theirs: Self) -> Self;
}

macro_rules! integers {
    ($($integer:ty),*: $add:ident, $sub:ident) => {
        $(impl Number for $integer {
            fn add_difference(base: Self, mine: Self, theirs: Self) -> Self {
                // The size of a difference always fits the unsigned type; a signed difference would not.
                let difference = mine.abs_diff(base);
                if mine >= base { theirs.$add(difference) } else { theirs.$sub(difference) }
            }
        })*
    };
}

integers!(u8, u16, u32, u64, u128, usize: saturating_add, saturating_sub);
integers!(i8, i16, i32, i64, i128, isize: saturating_add_unsigned, saturating_sub_unsigned);

macro_rules! floats {
    ($($float:ty),*) => {
        $(impl Number for $float {
            fn add_difference(base: Self, mine: Self, theirs: Self) -> Self {
                // A sum that overflows would be infinite, which JSON cannot hold.
                (theirs + (mine - base)).clamp(Self::MIN, Self::MAX)
            }
        })*
    };
}

floats!(f32, f64);

/// A collection that [`union`] can merge.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no collection that `merge::union` can merge",
    note = "it merges `Vec`, `HashSet`, `BTreeSet`, `HashMap` and `BTreeMap`; write a function `fn(base: &T, mine: T, theirs: T) -> T` for other types"
)]
pub trait Union: Sized {
    /// `theirs` with what `mine` added to and removed from `base`.
    #[must_use]
    fn union(base: &Self, mine: Self, theirs: Self) -> Self;
}

macro_rules! unions {
    ($($set:ident, $map:ident: $($bound:ident)+ $(, $hasher:ident)?;)*) => {
        $(
            impl<V: $($bound +)+ $(, $hasher: BuildHasher)?> Union for $set<V $(, $hasher)?> {
                fn union(base: &Self, mine: Self, mut theirs: Self) -> Self {
                    theirs.retain(|entry| mine.contains(entry) || !base.contains(entry));
                    theirs.extend(mine.into_iter().filter(|entry| !base.contains(entry)));
                    theirs
                }
            }

            impl<K: $($bound +)+, V: PartialEq $(, $hasher: BuildHasher)?> Union for $map<K, V $(, $hasher)?> {
                fn union(base: &Self, mine: Self, mut theirs: Self) -> Self {
                    theirs.retain(|key, _| mine.contains_key(key) || !base.contains_key(key));
                    theirs.extend(mine.into_iter().filter(|(key, value)| base.get(key) != Some(value)));
                    theirs
                }
            }
        )*
    };
}

unions! {
    HashSet, HashMap: Eq Hash, H;
    BTreeSet, BTreeMap: Ord;
}

impl<V: PartialEq> Union for Vec<V> {
    fn union(base: &Self, mine: Self, mut theirs: Self) -> Self {
        let mut removed: Vec<&V> = base.iter().collect();
        let mut added = Vec::new();
        for element in mine {
            match removed.iter().position(|old| **old == element) {
                Some(place) => drop(removed.swap_remove(place)),
                None => added.push(element),
            }
        }
        for element in removed {
            if let Some(place) = theirs.iter().position(|present| present == element) {
                theirs.remove(place);
            }
        }
        theirs.append(&mut added);
        theirs
    }
}

/// A sequence that [`append`] can merge.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no sequence that `merge::append` can merge",
    note = "it merges `Vec` and `String`; write a function `fn(base: &T, mine: T, theirs: T) -> T` for other types"
)]
pub trait Append: Sized {
    /// `theirs` followed by what `mine` has after `base`.
    #[must_use]
    fn append(base: &Self, mine: Self, theirs: Self) -> Self;
}

impl<V: PartialEq> Append for Vec<V> {
    fn append(base: &Self, mut mine: Self, mut theirs: Self) -> Self {
        if !mine.starts_with(base) {
            return mine;
        }
        theirs.extend(mine.drain(base.len()..));
        theirs
    }
}

impl Append for String {
    fn append(base: &Self, mine: Self, mut theirs: Self) -> Self {
        match mine.strip_prefix(base.as_str()) {
            Some(tail) => {
                theirs.push_str(tail);
                theirs
            }
            None => mine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn add_applies_my_difference_to_theirs() {
        assert_eq!(add(&5, 7, 11), 13);
        assert_eq!(add(&5_u8, 2, 4), 1);
        assert_eq!(add(&5_u8, 2, 1), 0, "saturates below");
        assert_eq!(add(&0_u8, 200, 100), u8::MAX, "saturates above");
        assert_eq!(add(&i8::MIN, i8::MAX, i8::MIN), i8::MAX, "a difference that the type cannot hold");
        assert_eq!(add(&i8::MAX, i8::MIN, i8::MAX), i8::MIN, "a difference that the type cannot hold");
        assert_eq!(add(&1.5_f64, 2.0, 10.0).to_bits(), 10.5_f64.to_bits());
        assert_eq!(add(&0.0_f64, f64::MAX, f64::MAX).to_bits(), f64::MAX.to_bits());
    }

    #[test]
    fn add_is_exact_for_all_bytes() {
        for base in i8::MIN..=i8::MAX {
            for mine in i8::MIN..=i8::MAX {
                for theirs in i8::MIN..=i8::MAX {
                    let exact = i32::from(theirs) + i32::from(mine) - i32::from(base);
                    let expected = exact.clamp(i8::MIN.into(), i8::MAX.into());
                    assert_eq!(i32::from(add(&base, mine, theirs)), expected, "{base} {mine} {theirs}");
                }
            }
        }
    }

    #[test]
    fn union_applies_my_additions_and_removals_to_theirs() {
        assert_eq!(union(&vec![1, 2, 3], vec![2, 3, 4], vec![1, 2, 3, 5]), [2, 3, 5, 4]);
        assert_eq!(union(&vec![1, 1], vec![1], vec![1, 1, 2]), [1, 2], "one of two equal elements removed");
        let set = |elements: &[i32]| elements.iter().copied().collect::<HashSet<_>>();
        assert_eq!(union(&set(&[1, 2]), set(&[2, 3]), set(&[1, 2, 4])), set(&[2, 3, 4]));
        let map = |entries: &[(i32, char)]| entries.iter().copied().collect::<BTreeMap<_, _>>();
        assert_eq!(
            union(&map(&[(1, 'a'), (2, 'b')]), map(&[(2, 'B'), (3, 'c')]), map(&[(1, 'a'), (2, 'b'), (4, 'd')])),
            map(&[(2, 'B'), (3, 'c'), (4, 'd')])
        );
    }

    #[test]
    fn append_puts_my_tail_after_theirs() {
        assert_eq!(append(&vec![1], vec![1, 2], vec![1, 3]), [1, 3, 2]);
        assert_eq!(append(&vec![1], vec![9], vec![1, 3]), [9], "mine does not extend the base");
        assert_eq!(append(&"a".to_owned(), "ab".to_owned(), "ac".to_owned()), "acb");
    }
}
