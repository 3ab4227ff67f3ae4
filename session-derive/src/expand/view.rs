//! The view that `edit()` lends: `VisitorEdit<'session>`.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::items::Items;
use super::marks;
use crate::model::{Field, Kind};
use crate::names::unraw;

/// The struct.
pub(crate) fn definition(items: &Items) -> TokenStream {
    let Items { model, bounds, ident } = items;
    let (vis, view) = (&model.vis, &model.edit);
    let generics = bounds.view();
    let where_clause = &generics.where_clause;
    let (_, ty_generics, _) = model.generics.split_for_impl();
    let marks = marks::inner(model, &model.runtime);
    let doc = format!(" Lends a [`{0}`] for change: one method for each field, which marks it.", unraw(model.ident));
    // If the user has this name already, the error stands at the struct.
    quote_spanned! {view.span()=>
        #[doc = #doc]
        #vis struct #view #generics #where_clause {
            __value: &'session mut #ident #ty_generics,
            __marks: &'session mut #marks,
        }
    }
}

/// Its methods.
pub(crate) fn methods(items: &Items) -> TokenStream {
    let Items { model, bounds, ident } = items;
    let (vis, view) = (&model.vis, &model.edit);
    let generics = bounds.view();
    let (impl_generics, view_generics, where_clause) = generics.split_for_impl();
    let (_, ty_generics, _) = model.generics.split_for_impl();
    let methods = model.fields.iter().map(|field| {
        let Field { vis, ty, method, member, .. } = field;
        let docs = docs(field);
        // Clippy expects an iterator from a method of this name.
        let allowed =
            (method == "iter" || method == "iter_mut").then(|| quote!(#[allow(clippy::iter_not_returning_iterator)]));
        let (lent, body) = match field.kind {
            Kind::Own(index) => {
                let index = Literal::usize_unsuffixed(index);
                (quote!(&'session mut #ty), quote!(self.__marks.own[#index] = true; &mut self.__value.#member))
            }
            Kind::Nested(place) => {
                let (edit, lend, marks) = (field.of_session("Edit"), field.of_session("lend"), marks::place(place));
                (quote!(#edit<'session>), quote!(#lend(&mut self.__value.#member, &mut self.__marks.#marks)))
            }
            Kind::Skipped => (quote!(&'session mut #ty), quote!(&mut self.__value.#member)),
        };
        quote! {
            #docs
            #allowed
            #[inline]
            #vis fn #method(self) -> #lent {
                #body
            }
        }
    });
    quote! {
        impl #impl_generics #view #view_generics #where_clause {
            #(#methods)*

            /// Lends the whole session and marks every field; comparing finds which ones changed.
            #[inline]
            #vis fn edit_all(self) -> &'session mut #ident #ty_generics {
                __session::MarkSet::fill(self.__marks, true);
                self.__value
            }
        }
    }
}

/// The field's documentation, or one line where the compiler may ask for it.
fn docs(field: &Field) -> TokenStream {
    let docs = &field.docs;
    let line = (!field.documented() && !matches!(field.vis, syn::Visibility::Inherited)).then(|| {
        let line = format!(" Lends `{}` for change.", field.default_name);
        quote!(#[doc = #line])
    });
    quote!(#line #(#docs)*)
}
