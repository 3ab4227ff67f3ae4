//! Any text, taken for a struct with the derive on it.

use proc_macro2::{TokenStream, TokenTree};
use syn::DeriveInput;

use crate::expand::derive;

/// Derives for what stands in `text`, if it is made of Rust's tokens.
///
/// # Panics
/// When the derive does, or when an error of its own points at nothing in the text.
pub(crate) fn derive_for(text: &str) {
    let Ok(input) = text.parse::<TokenStream>() else { return };
    let is_item = syn::parse2::<DeriveInput>(input.clone()).is_ok();
    let expansion = derive(input);
    // The compiler gives the derive nothing but items. Under cargo-fuzz, proc-macro2 does not say where tokens stand.
    if is_item && cfg!(not(fuzzing)) {
        check_spans(expansion);
    }
    // Where the tokens of each text stood would be kept for ever.
    proc_macro2::extra::invalidate_current_thread_spans();
}

fn check_spans(stream: TokenStream) {
    for token in stream {
        match token {
            TokenTree::Ident(name) if name == "compile_error" => {
                assert!(!name.span().byte_range().is_empty(), "an error points at nothing");
            }
            TokenTree::Group(group) => check_spans(group.stream()),
            _ => {}
        }
    }
}
