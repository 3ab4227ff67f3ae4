//! The derive on its own, on types that need no compiler.

mod attributes;
mod expansion;
mod expressions;
mod receiver;
mod robustness;
mod serde;
mod unordered;

use proc_macro2::TokenStream;

use crate::expand::derive;

/// The messages of the errors that the derive reports, in their order.
fn messages(input: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(derive(input)).expect("the expansion is a list of items");
    let errors = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Macro(item) => {
            Some(item.mac.parse_body::<syn::LitStr>().expect("the argument of compile_error").value())
        }
        _ => None,
    });
    errors.collect()
}
