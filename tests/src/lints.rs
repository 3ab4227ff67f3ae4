//! Every shape under every lint: generated code needs no exception from the user's rules, however strict they are.

#![forbid(
    ambiguous_glob_reexports,
    dead_code,
    deprecated,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    keyword_idents,
    let_underscore_drop,
    meta_variable_misuse,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_camel_case_types,
    non_local_definitions,
    non_snake_case,
    private_bounds,
    private_interfaces,
    redundant_imports,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_bounds,
    trivial_casts,
    trivial_numeric_casts,
    unnameable_types,
    unreachable_code,
    unreachable_patterns,
    unsafe_code,
    unused_import_braces,
    unused_lifetimes,
    unused_extern_crates,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    unused_variables,
    variant_size_differences
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, unused, warnings)]
#![allow(
    clippy::blanket_clippy_restriction_lints,
    reason = "which of them speak about generated code is what is asked"
)]
#![allow(
    clippy::absolute_paths,
    clippy::arbitrary_source_item_ordering,
    clippy::exhaustive_structs,
    clippy::field_scoped_visibility_modifiers,
    clippy::implicit_return,
    clippy::impl_trait_in_params,
    clippy::min_ident_chars,
    clippy::missing_docs_in_private_items,
    clippy::missing_inline_in_public_items,
    clippy::missing_trait_methods,
    clippy::module_name_repetitions,
    clippy::must_use_candidate,
    clippy::partial_pub_fields,
    clippy::pub_use,
    clippy::pub_with_shorthand,
    clippy::question_mark_used,
    clippy::ptr_arg,
    clippy::redundant_pub_crate,
    clippy::self_named_module_files,
    clippy::single_call_fn,
    clippy::single_char_lifetime_names,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "they speak about what is written here by hand"
)]

mod macros;
mod names;

pub use macros::{Counter, CounterField, Whole, WholeField};
pub use names::{Names, NamesField};

use std::borrow::Cow;
use std::collections::HashMap;

use session_runtime::Session;

/// A visitor.
#[derive(Debug, Session)]
#[session(name = "lints", version = 2, from = Former, persist = "always")]
pub struct Visitor<P, T, const N: usize>
where
    T: PartialEq,
{
    /// How often.
    #[session(pin, rename = "count", alias = "number")]
    pub visits: u32,
    /// Private, and of a private type.
    #[session(initial = Hidden(3), with = hidden, sensitive)]
    hidden: Hidden,
    /// Owned or not.
    #[session(merge = theirs)]
    pub text: Cow<'static, str>,
    /// Of the struct's own type.
    #[session(skip)]
    pub children: Vec<Self>,
    /// Of the user's types.
    #[session(unordered)]
    pub list: Vec<T>,
    /// A map.
    pub map: HashMap<String, T>,
    /// Of the user's constant.
    #[session(initial = [0; N].to_vec(), conflict = "reject")]
    pub table: Vec<u8>,
    /// A private session.
    #[session(nested)]
    private: Private,
    /// The user's session.
    #[session(nested)]
    pub plugin: P,
    /// Not stored.
    #[session(skip)]
    pub(crate) request: Option<u64>,
    /// Gone soon.
    #[deprecated]
    pub old: u8,
}

/// A tuple.
#[derive(Debug, Clone, Copy, Session)]
pub struct Pair(
    /// The first.
    pub u8,
    u16,
);

/// Nothing.
#[derive(Debug, Clone, Copy, Session)]
pub struct Nothing;

#[derive(Debug)]
struct Hidden(u8);

#[derive(Debug, Session)]
struct Private {
    dark: bool,
}

/// The version before.
#[derive(Debug, Clone, Copy, Session)]
#[session(name = "lints", version = 1)]
pub struct Former {
    /// How often.
    pub visits: u32,
}

impl<P: Session, T: PartialEq, const N: usize> From<Former> for Visitor<P, T, N>
where
    Self: Send + 'static,
    Vec<T>: serde::Serialize + serde::de::DeserializeOwned + Default,
    HashMap<String, T>: serde::Serialize + serde::de::DeserializeOwned + Default,
{
    fn from(former: Former) -> Self {
        Self { visits: former.visits, ..Self::initial() }
    }
}

fn theirs(_base: &Cow<'static, str>, _mine: Cow<'static, str>, theirs: Cow<'static, str>) -> Cow<'static, str> {
    theirs
}

impl<P, T: PartialEq, const N: usize> Visitor<P, T, N> {
    /// What the private fields hold.
    pub const fn private(&self) -> (u8, bool, Option<u64>) {
        (self.hidden.0, self.private.dark, self.request)
    }
}

mod hidden {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Hidden;

    pub(super) fn serialize<S: Serializer>(hidden: &Hidden, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(hidden.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hidden, D::Error> {
        u8::deserialize(deserializer).map(Hidden)
    }
}
