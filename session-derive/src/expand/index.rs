//! The enum of the values by which sessions are found: `VisitorIndex<'_>`.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::Visibility;
use syn::spanned::Spanned;

use super::enumeration::copied;
use super::formats;
use super::items::Items;
use crate::names::{located, unraw};

/// The enum, which users name, and its traits; nothing for a session without an index.
pub(crate) fn expand(items: &Items) -> Option<(TokenStream, TokenStream)> {
    items.model.indexed().next()?;
    Some((definition(items), impls(items)))
}

/// What the trait names.
pub(crate) fn name(items: &Items) -> TokenStream {
    if items.model.indexed().next().is_none() {
        return quote!(__session::NoIndex);
    }
    let (name, generics) = (&items.model.index, items.bounds.index());
    let (_, ty_generics, _) = generics.split_for_impl();
    quote!(#name #ty_generics)
}

fn definition(items: &Items) -> TokenStream {
    let model = items.model;
    let (vis, name, generics) = (&model.vis, &model.index, items.bounds.index());
    let where_clause = &generics.where_clause;
    let doc = format!(" A value by which a [`{}`] can be found.", unraw(model.ident));
    // Whoever may see the struct may see the enum, and need not use it.
    let exported = matches!(vis, Visibility::Public(_)).then(|| quote!(#[allow(clippy::exhaustive_enums)]));
    let variants = model.indexed().map(|(_, field)| {
        let (variant, ty, docs) = (&field.variant, field.ty, &field.docs);
        let line = (!field.documented() && !matches!(vis, Visibility::Inherited)).then(|| {
            let line = format!(" A value of `{}`.", field.default_name);
            quote!(#[doc = #line])
        });
        quote!(#line #(#docs)* #variant(&'index #ty))
    });
    // If the user has this name already, the error stands at the struct.
    quote_spanned! {name.span()=>
        #[doc = #doc]
        #[allow(dead_code, private_interfaces)]
        #exported
        #vis enum #name #generics #where_clause {
            #(#variants,)*
        }
    }
}

fn impls(items: &Items) -> TokenStream {
    let model = items.model;
    let (name, generics) = (&model.index, items.bounds.index());
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let target = quote!(#name #ty_generics #where_clause);
    let arms = model.indexed().map(|(_, field)| {
        let (variant, shown) = (&field.variant, format!("{}::{}(..)", unraw(name), field.variant));
        quote!(Self::#variant(_) => #shown)
    });
    let copied = copied(&impl_generics, &target);
    // It does not show the value, which can be secret.
    quote! {
        #copied

        #[automatically_derived]
        impl #impl_generics __session::Debug for #target {
            fn fmt(&self, f: &mut __session::Formatter<'_>) -> __session::fmt::Result {
                f.write_str(match self { #(#arms,)* })
            }
        }
    }
}

/// The method that shows a visitor the value, and tells which field it is of.
pub(crate) fn method(items: &Items) -> Option<TokenStream> {
    let model = items.model;
    model.indexed().next()?;
    let name = &model.index;
    let arms = model.indexed().map(|(index, field)| {
        let (variant, ty, index) = (&field.variant, field.ty, Literal::usize_unsuffixed(index));
        let span = located(ty.span());
        let checked = quote_spanned!(span=> <#ty as __session::Indexed>::CHECKED);
        let shown = if let Some(rule) = formats::of(field) {
            ours!(visitor.read::<#ty, #rule>(value))
        } else {
            let read = field.item(&quote!(__session::Stored), "read");
            ours!(#read(value, visitor))
        };
        ours!(#name::#variant(value) => { #checked; __session::Some((#index, #shown)) })
    });
    Some(ours! {
        fn indexed<__V: __session::ReadField>(
            value: Self::Index<'_>,
            visitor: __V,
        ) -> __session::Option<(usize, __V::Output)> {
            match value {
                #(#arms)*
            }
        }
    })
}
