//! The marks of a session that has nested ones.
//!
//! They are a list `(first, (second, ()))` of the nested sessions' marks. The trait must not name it, because a nested
//! session's type may be more private than the struct, so it gets a wrapper here.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

use super::items::Items;
use crate::model::Model;

/// What the trait names.
pub(crate) fn outer(items: &Items) -> TokenStream {
    if items.model.nested().next().is_none() {
        return inner(items.model, &quote!(__session));
    }
    let generics = items.bounds.only_nested();
    let (_, ty_generics, _) = generics.split_for_impl();
    quote!(__Marks #ty_generics)
}

/// What a view holds.
pub(crate) fn inner(model: &Model, runtime: &TokenStream) -> TokenStream {
    let own = Literal::usize_unsuffixed(model.own().count());
    if model.nested().next().is_none() {
        return quote!(#runtime::OwnMarks<#own>);
    }
    let nested: Vec<_> = model.nested().map(|field| field.item(&quote!(#runtime::Session), "Marks")).collect();
    let list = nested.iter().rev().fold(quote!(()), |list, marks| quote!((#marks, #list)));
    quote!(#runtime::OwnMarks<#own, #list>)
}

/// Where the marks of the nested session with this place are.
pub(crate) fn place(place: usize) -> TokenStream {
    let rest = std::iter::repeat_n(Literal::usize_unsuffixed(1), place);
    quote!(nested #(.#rest)* .0)
}

/// The wrapper.
pub(crate) fn expand(items: &Items) -> TokenStream {
    let Items { model, bounds, .. } = items;
    if model.nested().next().is_none() {
        return TokenStream::new();
    }
    let generics = bounds.only_nested();
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let definition = generics.to_token_stream();
    let inner = inner(model, &quote!(__session));
    quote! {
        pub struct __Marks #definition (#inner) #where_clause;

        impl #impl_generics __session::Default for __Marks #ty_generics #where_clause {
            #[inline]
            fn default() -> Self {
                Self(__session::Default::default())
            }
        }

        impl #impl_generics __session::MarkSet for __Marks #ty_generics #where_clause {
            const LEN: usize = <#inner as __session::MarkSet>::LEN;
            #[inline]
            fn any(&self) -> bool {
                __session::MarkSet::any(&self.0)
            }
            #[inline]
            fn get(&self, index: usize) -> bool {
                __session::MarkSet::get(&self.0, index)
            }
            #[inline]
            fn set(&mut self, index: usize, marked: bool) {
                __session::MarkSet::set(&mut self.0, index, marked);
            }
            #[inline]
            fn fill(&mut self, marked: bool) {
                __session::MarkSet::fill(&mut self.0, marked);
            }
        }
    }
}
