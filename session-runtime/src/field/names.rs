//! What the name of a type tells, as `std::any::type_name` gives it.
//!
//! Names cross every alias and every generic function, which types cannot without a bound of their own.

/// Whether a type gives its entries back in the order in which it got them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// It does: another order is another value.
    Kept,
    /// It does not: another order is the same value.
    Free,
    /// Its name does not tell.
    Unknown,
}

/// Types that serialize as what they hold.
const AROUND: [&str; 13] = [
    "&mut ",
    "&",
    "alloc::boxed::Box<",
    "alloc::sync::Arc<",
    "alloc::rc::Rc<",
    "alloc::borrow::Cow<'_, ",
    "alloc::borrow::Cow<",
    "core::cell::RefCell<",
    "core::cmp::Reverse<",
    "std::sync::poison::mutex::Mutex<",
    "std::sync::poison::rwlock::RwLock<",
    "std::sync::mutex::Mutex<",
    "std::sync::rwlock::RwLock<",
];

const FREE: [&str; 10] = [
    "std::collections::hash::map::HashMap<",
    "std::collections::hash::set::HashSet<",
    "alloc::collections::binary_heap::BinaryHeap<",
    "hashbrown::map::HashMap<",
    "hashbrown::set::HashSet<",
    "ahash::hash_map::AHashMap<",
    "ahash::hash_set::AHashSet<",
    "dashmap::DashMap<",
    "dashmap::set::DashSet<",
    "scc::hash_map::HashMap<",
];

const KEPT: [&str; 10] = [
    "alloc::vec::Vec<",
    "[",
    "alloc::collections::vec_deque::",
    "alloc::collections::linked_list::",
    "alloc::collections::btree::",
    "indexmap::",
    "smallvec::SmallVec<",
    "arrayvec::",
    "serde_json::value::Value",
    "serde_json::map::Map<",
];

/// Whether the type with this name keeps the order of its entries.
pub(super) fn order(mut name: &str) -> Order {
    while let Some(inner) = AROUND.iter().find_map(|around| name.strip_prefix(around)) {
        name = inner;
    }
    let starts = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
    if starts(&FREE) {
        Order::Free
    } else if starts(&KEPT) {
        Order::Kept
    } else {
        Order::Unknown
    }
}

/// Whether values of the type with this name come back from every codec: scalars, strings, and containers of them.
///
/// An `Option` of an `Option` or of a unit is none of them: JSON has one `null` for both.
pub(super) fn is_plain(name: &str) -> bool {
    plain(name) == Some("")
}

const SCALARS: [&str; 17] = [
    "alloc::string::String",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "bool",
    "char",
    "f32",
    "f64",
];

/// Containers of one type. What follows it in the brackets is a hasher or an allocator.
const OF_ONE: [&str; 7] = [
    "alloc::vec::Vec<",
    "alloc::boxed::Box<",
    "alloc::sync::Arc<",
    "alloc::collections::vec_deque::VecDeque<",
    "alloc::collections::btree::set::BTreeSet<",
    "std::collections::hash::set::HashSet<",
    "core::option::Option<",
];

const OF_TWO: [&str; 2] = ["alloc::collections::btree::map::BTreeMap<", "std::collections::hash::map::HashMap<"];

/// What follows a plain type at the start of `name`.
fn plain(name: &str) -> Option<&str> {
    if let Some(rest) = SCALARS.iter().find_map(|scalar| name.strip_prefix(scalar)) {
        return rest.chars().next().is_none_or(|next| matches!(next, ',' | '>' | ')')).then_some(rest);
    }
    if let Some(one) = OF_ONE.iter().find_map(|container| name.strip_prefix(container)) {
        let is_option = name.starts_with("core::option::Option<");
        if is_option
            && AROUND
                .iter()
                .fold(one, |one, around| one.strip_prefix(around).unwrap_or(one))
                .starts_with("core::option::")
        {
            return None;
        }
        return close(plain(one)?);
    }
    let two = OF_TWO.iter().find_map(|container| name.strip_prefix(container))?;
    close(plain(plain(two)?.strip_prefix(", ")?)?)
}

/// What follows the bracket that a container's last plain type stands in.
fn close(rest: &str) -> Option<&str> {
    let mut open = 0_usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => open += 1,
            b'>' if open == 0 => return rest.get(at + 1..),
            b'>' | b')' | b']' => open = open.checked_sub(1)?,
            _ => {}
        }
    }
    None
}
