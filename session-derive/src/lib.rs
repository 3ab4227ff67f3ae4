//! `#[derive(Session)]`.

mod attr;
mod check;
mod errors;
mod expand;
mod expr;
mod fallback;
#[cfg(test)]
mod fuzz;
mod model;
mod names;
mod receiver;
mod serde;
mod types;
mod unordered;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

#[doc = include_str!("derive.md")]
#[proc_macro_derive(Session, attributes(session))]
pub fn derive_session(input: TokenStream) -> TokenStream {
    expand::derive(input.into()).into()
}
