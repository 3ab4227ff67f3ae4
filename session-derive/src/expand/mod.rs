//! What the derive emits: one file for each generated item.

/// Emits code with local variables. They are out of reach of the user's code, which may call a function `index`.
macro_rules! ours {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}

mod bounds;
mod enumeration;
mod formats;
mod index;
mod items;
mod marks;
mod session;
mod view;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use crate::attr::Written;
use crate::check::check;
use crate::errors::Errors;
use crate::fallback;
use crate::model::Model;
use crate::receiver::Receiver;

use self::items::Items;

/// The whole of the derive, on types that unit tests can use.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let mut input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let errors = Errors::default();
    let receiver = Receiver::of(&input);
    receiver.write_out(&mut input);
    let written = Written::parse(&input, &errors);
    let Data::Struct(data) = &input.data else {
        return fallback::not_a_struct(&input, &written.on_struct, errors);
    };
    let model = Model::new(&input, data, &written, receiver, &errors);
    check(&model, &errors);
    match errors.finish() {
        None => items(&model, session::expand),
        Some(errors) => {
            let model = fallback::without_collisions(model);
            let items = items(&model, session::stub);
            quote!(#errors #items)
        }
    }
}

/// The items that users name, and all others where nobody sees them.
fn items(model: &Model, session: impl FnOnce(&Items) -> TokenStream) -> TokenStream {
    let items = Items::new(model);
    let runtime = &model.runtime;
    let view = view::definition(&items);
    let methods = view::methods(&items);
    let enumeration = enumeration::definition(&items);
    let names = enumeration::impls(&items);
    let (index, index_impls) = index::expand(&items).unzip();
    let marks = marks::expand(&items);
    let formats = formats::expand(&items);
    let session = session(&items);
    quote! {
        #view
        #enumeration
        #index
        const _: () = {
            use #runtime as __session;
            #methods
            #names
            #index_impls
            #marks
            #formats
            #session
        };
    }
}
