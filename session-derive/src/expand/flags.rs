//! The flags of a session that has nested ones.
//!
//! They are a list `(first, (second, ()))` of the nested sessions' flags. The trait must not name it, because a nested
//! session's type may be more private than the struct, so it gets a wrapper here.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

use super::Items;
use crate::model::Model;

/// What the trait names.
pub(crate) fn outer(items: &Items) -> TokenStream {
    if items.model.nested().next().is_none() {
        return inner(items.model, &quote!(__session));
    }
    let generics = items.bounds.only_nested();
    let (_, ty_generics, _) = generics.split_for_impl();
    quote!(__Touched #ty_generics)
}

/// What a view holds.
pub(crate) fn inner(model: &Model, runtime: &TokenStream) -> TokenStream {
    let own = Literal::usize_unsuffixed(model.own().count());
    if model.nested().next().is_none() {
        return quote!(#runtime::Touched<#own>);
    }
    let nested: Vec<_> = model.nested().map(|field| field.item(&quote!(#runtime::Session), "Touched")).collect();
    let list = nested.iter().rev().fold(quote!(()), |list, flags| quote!((#flags, #list)));
    quote!(#runtime::Touched<#own, #list>)
}

/// Where the flags of the nested session with this place are.
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
        pub struct __Touched #definition (#inner) #where_clause;

        impl #impl_generics __session::Default for __Touched #ty_generics #where_clause {
            #[inline]
            fn default() -> Self {
                Self(__session::Default::default())
            }
        }

        impl #impl_generics __session::Flags for __Touched #ty_generics #where_clause {
            const LEN: usize = <#inner as __session::Flags>::LEN;
            #[inline]
            fn any(&self) -> bool {
                __session::Flags::any(&self.0)
            }
            #[inline]
            fn get(&self, index: usize) -> bool {
                __session::Flags::get(&self.0, index)
            }
            #[inline]
            fn set(&mut self, index: usize, touched: bool) {
                __session::Flags::set(&mut self.0, index, touched);
            }
            #[inline]
            fn fill(&mut self, touched: bool) {
                __session::Flags::fill(&mut self.0, touched);
            }
        }
    }
}
