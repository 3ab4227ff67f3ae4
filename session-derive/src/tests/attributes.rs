//! What the parser of attributes says. How the compiler shows it is tested in the package `session-tests`.

use quote::quote;

use super::messages;
use crate::names::{ON_FIELD, ON_STRUCT, nearest, usage};

#[test]
fn an_unknown_attribute_lists_the_known_and_suggests_the_nearest() {
    let input = quote! {
        #[session(verison = 3)]
        struct Visitor {
            #[session(aliass = "former")]
            visits: u32,
        }
    };
    assert_eq!(
        messages(input),
        [
            "unknown attribute `verison`: did you mean `version = 1`?\n\
             a struct takes: name, version, from, initial, persist, conflict, edit, field, index, crate, serde",
            "unknown attribute `aliass`: did you mean `alias = \"former_name\"`?\n\
             a field takes: initial, skip, nested, rename, alias, with, pin, unordered, merge, conflict, index, sensitive, serde",
        ]
    );
}

#[test]
fn an_attribute_on_the_wrong_thing_is_sent_to_the_right_one() {
    let input = quote! {
        #[session(skip)]
        struct Visitor {
            #[session(name = "visitor")]
            visits: u32,
        }
    };
    assert_eq!(
        messages(input),
        [
            "`skip` is an attribute of a field, not of a struct; move it to the field",
            "`name` is an attribute of a struct, not of a field; move it to the struct",
        ]
    );
}

#[test]
fn a_mistake_leaves_the_settings_beside_it() {
    let input = quote! {
        struct Visitor {
            #[session(pin = 1, rename = 2, skip = 3, merge)]
            visits: u32,
        }
    };
    assert_eq!(
        messages(input),
        [
            "`pin` takes no value; write `pin`",
            "`rename` takes a string; write `rename = \"stored_name\"`",
            "`skip` takes no value; write `skip`",
            "`merge` takes a path without quotes; write `merge = path::to::function`",
        ]
    );
}

#[test]
fn an_attribute_may_be_written_once_in_all_lists() {
    let input = quote! {
        struct Visitor {
            #[session(pin, rename = "a")]
            #[session(rename = "b")]
            #[session(pin)]
            visits: u32,
        }
    };
    assert_eq!(
        messages(input),
        ["`rename` is written twice; remove one of them", "`pin` is written twice; remove one of them"]
    );
}

#[test]
fn every_example_is_accepted() {
    for attribute in ON_FIELD {
        let attribute: proc_macro2::TokenStream = usage(attribute, false).1.parse().expect("an example is Rust");
        assert_eq!(
            messages(quote!(
                struct Visitor {
                    #[session(#attribute)]
                    visits: Vec<u32>,
                }
            )),
            [""; 0],
            "{attribute}"
        );
    }
    for attribute in ON_STRUCT.iter().filter(|&&attribute| attribute != "from") {
        let attribute: proc_macro2::TokenStream = usage(attribute, true).1.parse().expect("an example is Rust");
        assert_eq!(
            messages(quote!(
                #[session(#attribute)]
                struct Visitor {
                    #[session(index)]
                    visits: u32,
                }
            )),
            [""; 0],
            "{attribute}"
        );
    }
}

#[test]
fn a_name_that_is_far_from_all_others_suggests_none() {
    assert_eq!(nearest("skpi", ON_FIELD), Some("skip"));
    assert_eq!(nearest("init", ON_FIELD), Some("initial"));
    assert_eq!(nearest("defualt", ON_FIELD), Some("initial"));
    assert_eq!(nearest("rename_all", ON_STRUCT), None);
    assert_eq!(nearest("colour", ON_FIELD), None);
}
