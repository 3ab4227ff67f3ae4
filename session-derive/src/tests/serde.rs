//! Serde's attributes, which a session does not follow.

use proc_macro2::TokenStream;
use quote::quote;

use super::messages;

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("tokens")
}

/// What is said about a field with these attributes of serde's and these of the session's.
fn on_field(serde: &str, session: &str) -> Vec<String> {
    let (serde, session) = (tokens(serde), tokens(session));
    messages(quote!(
        struct Visitor {
            #[serde(#serde)]
            #[session(#session)]
            visits: u32,
        }
    ))
}

fn on_struct(serde: &str, session: &str) -> Vec<String> {
    let (serde, session) = (tokens(serde), tokens(session));
    messages(quote!(
        #[serde(#serde)]
        #[session(#session)]
        struct Visitor {
            visits: u32,
        }
    ))
}

/// Each attribute of a field, and what to write instead.
const ON_FIELD: &[(&str, &str)] = &[
    ("skip", "skip"),
    ("skip_serializing", "skip"),
    ("skip_deserializing", "skip"),
    ("rename = \"n\"", "rename = \"n\""),
    ("rename(serialize = \"n\", deserialize = \"m\")", "rename = \"n\", alias = \"m\""),
    ("rename(serialize = \"n\")", "rename = \"n\""),
    ("rename(deserialize = \"m\")", "alias = \"m\""),
    ("alias = \"m\"", "alias = \"m\""),
    ("with = \"time::seconds\"", "with = time::seconds"),
    ("with = \"As::<Vec<DisplayFromStr>>\"", "with = As::<Vec<DisplayFromStr>>"),
    ("serialize_with = \"time::write\"", "with = path::to::module"),
    ("deserialize_with = \"time::read\"", "with = path::to::module"),
    ("default", "initial = Default::default()"),
    ("default = \"three\"", "initial = three()"),
    ("skip_serializing_if = \"is_zero\"", "initial = expression"),
    ("flatten", "nested"),
];

#[test]
fn what_would_change_the_stored_value_shows_the_session_attribute() {
    for (serde, session) in ON_FIELD {
        let said = on_field(serde, "");
        assert_eq!(said.len(), 1, "{serde}: {said:?}");
        assert!(said[0].contains(&format!("write `#[session({session})]`, or")), "{serde}: {said:?}");
        assert!(said[0].contains("`#[session(serde = \"ignored\")]`"), "{serde}: {said:?}");
    }
}

#[test]
fn what_the_message_shows_is_accepted() {
    for (serde, session) in ON_FIELD {
        assert_eq!(on_field(serde, session), [""; 0], "{serde}");
        assert_eq!(on_field(serde, "serde = \"ignored\""), [""; 0], "{serde}");
        assert_eq!(on_field(serde, "skip"), [""; 0], "{serde}: nothing is stored");
    }
}

#[test]
fn what_leaves_the_stored_value_alone_is_nobodys_business() {
    for serde in ["borrow", "bound = \"T: Clone\"", "bound(serialize = \"\")"] {
        assert_eq!(on_field(serde, ""), [""; 0], "{serde}");
    }
    for serde in ["crate = \"other\"", "expecting = \"a visitor\"", "rename = \"V\"", "bound = \"\""] {
        assert_eq!(on_struct(serde, ""), [""; 0], "{serde}");
    }
}

#[test]
fn the_struct_is_held_to_the_same() {
    for serde in [
        "rename_all = \"camelCase\"",
        "rename_all(serialize = \"camelCase\")",
        "default",
        "default = \"path\"",
        "transparent",
        "tag = \"type\"",
        "from = \"Other\"",
        "try_from = \"Other\"",
        "into = \"Other\"",
        "deny_unknown_fields",
    ] {
        assert_eq!(on_struct(serde, "").len(), 1, "{serde}");
        assert_eq!(on_struct(serde, "serde = \"ignored\""), [""; 0], "{serde}");
    }
    assert_eq!(on_struct("default", "initial = Self::default()"), [""; 0]);
}

#[test]
fn the_initial_value_of_the_struct_is_that_of_its_fields() {
    let input = quote! {
        #[session(initial = Visitor { visits: 3 })]
        struct Visitor {
            #[serde(default = "three")]
            visits: u32,
        }
    };
    assert_eq!(messages(input), [""; 0]);
}

#[test]
fn each_setting_has_its_own_message() {
    let said = on_field("default, skip_serializing_if = \"a::<b, c>\", rename(serialize = \"n\"), with = \"m\"", "");
    assert_eq!(said.len(), 4, "{said:?}");
}

#[test]
fn what_serde_cannot_read_is_reported_by_serde() {
    for serde in ["", "rename =", "= 3", "3", "rename(", "\"skip\""].into_iter().filter(|text| !text.contains('(')) {
        assert_eq!(on_field(serde, ""), [""; 0], "{serde}");
    }
    let value: TokenStream = quote! {
        struct Visitor {
            #[serde = "skip"]
            #[serde]
            visits: u32,
        }
    };
    assert_eq!(messages(value), [""; 0]);
}
