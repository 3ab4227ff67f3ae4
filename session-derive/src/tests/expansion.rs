//! What the derive emits, as a person would write it. `UPDATE_EXPECT=1 cargo test -p session-derive` records it anew.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::derive;

fn check(input: TokenStream, expected: &ExpectFile) {
    let expansion = derive(input);
    let file = syn::parse2(expansion.clone()).unwrap_or_else(|error| panic!("{error}\n{expansion}"));
    expected.assert_eq(&prettyplease::unparse(&file));
}

#[test]
fn a_struct_of_five_fields() {
    check(
        quote! {
            pub struct Visitor {
                /// How often the visitor came.
                visits: u32,
                #[session(initial = "light".to_owned())]
                pub theme: String,
                #[session(unordered, merge = merge::union)]
                cart: Vec<Item>,
                #[session(nested)]
                prefs: Prefs,
                #[session(skip)]
                request_id: Option<String>,
            }
        },
        &expect_file!["snapshots/visitor.rs"],
    );
}

#[test]
fn a_struct_with_every_attribute() {
    check(
        quote! {
            #[session(name = "account", version = 2, from = AccountV1, persist = "always", edit = View, field = Name)]
            #[session(crate = my::sessions)]
            pub(crate) struct Account<T: Into<Self>, P, const N: usize = 4>
            where
                P: Into<T>,
            {
                #[session(rename = "id", alias = "ident", alias = "no", pin, initial = random())]
                number: u64,
                #[session(with = time::seconds, conflict = "reject")]
                since: SystemTime,
                #[session(sensitive)]
                secret: Cow<'static, str>,
                #[deprecated]
                list: Vec<T>,
                table: HashMap<String, [u8; N]>,
                children: Vec<Self>,
                #[session(nested, initial = P::new())]
                profile: P,
                #[session(nested, sensitive)]
                r#type: Kind,
                #[session(skip)]
                marker: PhantomData<T>,
            }
        },
        &expect_file!["snapshots/account.rs"],
    );
}

#[test]
fn a_struct_with_indexed_fields() {
    check(
        quote! {
            #[session(name = "ticket", index = TicketBy)]
            pub struct Ticket<T, O> {
                visits: u32,
                /// Whose it is.
                #[session(index)]
                owner: Option<T>,
                #[session(index, sensitive, with = hex)]
                card: [u8; 8],
                other: O,
            }
        },
        &expect_file!["snapshots/ticket.rs"],
    );
}

#[test]
fn a_tuple_struct() {
    check(
        quote!(
            struct Pair(u8, #[session(skip, initial = 7)] pub u8);
        ),
        &expect_file!["snapshots/pair.rs"],
    );
}

#[test]
fn a_unit_struct() {
    check(
        quote!(
            struct Nothing;
        ),
        &expect_file!["snapshots/nothing.rs"],
    );
}

#[test]
fn a_struct_with_mistakes() {
    check(
        quote! {
            struct Visitor<T> {
                #[session(defualt = 1, pin)]
                foo_bar: u32,
                foo__bar: T,
                last: String,
            }
        },
        &expect_file!["snapshots/mistakes.rs"],
    );
}

#[test]
fn an_enum() {
    check(
        quote!(
            enum Dialogue<T> {
                Start,
                Asked(T),
            }
        ),
        &expect_file!["snapshots/dialogue.rs"],
    );
}

/// The documentation shows what the derive emits, so it has to be that.
#[test]
fn the_documentation_shows_the_generated_code() {
    let expansion = derive(quote! {
        pub struct Counter {
            /// How often it was pressed.
            pub presses: u32,
            #[session(initial = "unnamed".to_owned(), alias = "title")]
            label: String,
        }
    });
    let file = syn::parse2(expansion).expect("the expansion is a list of items");
    let shown = format!(
        "```\n# pub struct Counter {{\n#     /// How often it was pressed.\n#     pub presses: u32,\n#     label: String,\n# }}\n{}```\n",
        prettyplease::unparse(&file)
    );
    let documentation = include_str!("../derive.md");
    assert!(documentation.contains(&shown), "the documentation has to show:\n{shown}");
}
