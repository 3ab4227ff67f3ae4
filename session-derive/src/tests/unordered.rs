//! Where `unordered` is accepted.

use proc_macro2::TokenStream;
use quote::quote;

use super::messages;

fn on(ty: &str) -> Vec<String> {
    let ty: TokenStream = ty.parse().expect("a type is tokens");
    messages(quote!(
        struct Visitor {
            #[session(unordered)]
            tags: #ty,
        }
    ))
}

#[test]
fn a_list_in_any_wrapping_may_be_a_set() {
    for ty in [
        "Vec<String>",
        "std::collections::VecDeque<u8>",
        "LinkedList<u8>",
        "[u8; 3]",
        "Box<[u8]>",
        "Option<Vec<u8>>",
        "Arc<Box<Option<Vec<HashMap<u8, u8>>>>>",
        "Cow<'static, [u8]>",
        "(Vec<u8>)",
    ] {
        assert_eq!(on(ty), [""; 0], "{ty}");
    }
}

#[test]
fn a_type_that_the_derive_does_not_know_may_be_a_list() {
    for ty in ["Tags", "IndexMap<u8, u8>", "serde_json::Value", "<u8 as Kind>::Tags", "list!(u8)"] {
        assert_eq!(on(ty), [""; 0], "{ty}");
    }
}

#[test]
fn where_it_can_do_nothing_the_message_says_why() {
    for (ty, reason) in [
        ("HashMap<u8, u8>", "a `HashMap` is compared without its order anyway"),
        ("std::collections::HashSet<u8>", "a `HashSet` is compared without its order anyway"),
        ("Option<Box<HashSet<u8>>>", "a `HashSet` is compared without its order anyway"),
        ("BTreeMap<u8, u8>", "a `BTreeMap` keeps its entries sorted anyway"),
        ("BTreeSet<u8>", "a `BTreeSet` keeps its entries sorted anyway"),
        ("String", "a `String` has no entries"),
        ("Option<u32>", "a `u32` has no entries"),
        ("std::time::Duration", "a `Duration` has no entries"),
        ("Cow<'static, str>", "a `str` has no entries"),
        ("(u8, u8)", "each place of a tuple has its own meaning"),
    ] {
        assert_eq!(on(ty), [format!("`unordered` is for a list used as a set, and {reason}; remove it")], "{ty}");
    }
}

#[test]
fn a_module_may_encode_any_type_as_a_list() {
    let input = quote! {
        struct Visitor {
            #[session(unordered, with = as_list)]
            tags: BTreeMap<u8, u8>,
        }
    };
    assert_eq!(messages(input), [""; 0]);
}
