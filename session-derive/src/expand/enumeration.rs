//! The enum that names the tracked fields: `VisitorField`.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::{ImplGenerics, Visibility};

use super::items::Items;
use super::session;
use crate::model::{Field, Kind};
use crate::names::unraw;

/// The enum.
pub(crate) fn definition(items: &Items) -> TokenStream {
    let Items { model, bounds, .. } = items;
    let (vis, name, runtime) = (&model.vis, &model.field, &model.runtime);
    let generics = bounds.only_nested();
    let where_clause = &generics.where_clause;
    let doc = format!(" The tracked fields of a [`{}`].", unraw(model.ident));
    // Who may match the enum may construct the struct: whether they grow is decided together, by the user.
    let allowed = exported(vis).then(|| quote!(#[allow(clippy::exhaustive_enums)]));
    let variants = model.tracked().map(|field| {
        let (variant, docs) = (&field.variant, docs(field, vis));
        match field.kind {
            Kind::Nested(_) => {
                let inner = field.item(&quote!(#runtime::Session), "Field");
                quote!(#docs #variant(#inner))
            }
            Kind::Own(_) | Kind::Skipped => quote!(#docs #variant),
        }
    });
    // If the user has this name already, the error stands at the struct.
    quote_spanned! {name.span()=>
        #[doc = #doc]
        #allowed
        #vis enum #name #generics #where_clause {
            #(#variants,)*
        }
    }
}

/// Makes an enum one that is copied.
pub(super) fn copied(impl_generics: &ImplGenerics<'_>, target: &TokenStream) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #impl_generics __session::Clone for #target {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        #[automatically_derived]
        impl #impl_generics __session::Copy for #target {}
    }
}

/// The traits that the trait `Field` asks for, said once by the fields' indices.
pub(crate) fn impls(items: &Items) -> TokenStream {
    let Items { model, bounds, .. } = items;
    let name = &model.field;
    let generics = bounds.only_nested();
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let target = quote!(#name #ty_generics #where_clause);
    let index = index(items);
    let from_index = from_index(items);
    let stored_name = stored_name(items);
    let copied = copied(&impl_generics, &target);
    quote! {
        #copied

        #[automatically_derived]
        impl #impl_generics __session::PartialEq for #target {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                __session::Field::index(*self) == __session::Field::index(*other)
            }
        }

        #[automatically_derived]
        impl #impl_generics __session::Eq for #target {}

        #[automatically_derived]
        impl #impl_generics __session::Hash for #target {
            #[inline]
            fn hash<__H: __session::Hasher>(&self, state: &mut __H) {
                __session::Hash::hash(&__session::Field::index(*self), state);
            }
        }

        #[automatically_derived]
        impl #impl_generics __session::Debug for #target {
            #[inline]
            fn fmt(&self, f: &mut __session::Formatter<'_>) -> __session::fmt::Result {
                __session::debug_field(*self, f)
            }
        }

        #[automatically_derived]
        impl #impl_generics __session::Field for #target {
            #[inline]
            fn name(self) -> __session::Cow<'static, str> {
                #stored_name
            }

            #[inline]
            fn index(self) -> usize {
                #index
            }

            #[inline]
            #from_index
        }
    }
}

fn index(items: &Items) -> TokenStream {
    let model = items.model;
    let own = Literal::usize_unsuffixed(model.own().count());
    if model.tracked().next().is_none() {
        return quote!(match self {});
    }
    if model.nested().next().is_none() {
        return quote!(self as usize);
    }
    let mut start = quote!(#own);
    let arms: TokenStream = model
        .tracked()
        .map(|field| {
            let variant = &field.variant;
            if let Kind::Own(index) = field.kind {
                let index = Literal::usize_unsuffixed(index);
                return quote!(Self::#variant => #index,);
            }
            let arm = quote!(Self::#variant(field) => #start + __session::Field::index(field),);
            let len = field.of_session("LEN");
            start.extend(quote!(+ #len));
            arm
        })
        .collect();
    quote!(match self { #arms })
}

fn from_index(items: &Items) -> TokenStream {
    let model = items.model;
    let own = model.own().map(|(_, field)| &field.variant);
    let own = ours!(__session::nth(&[#(Self::#own),*], index));
    let signature = ours!(fn from_index(index: usize) -> __session::Option<Self>);
    if model.nested().next().is_none() {
        return ours!(#signature { #own });
    }
    let own = model.own().next().map(|_| {
        let count = Literal::usize_unsuffixed(model.own().count());
        ours!(if index < #count { return #own; })
    });
    let rest = session::nested_chain(model, |field| {
        let (inner, variant) = (field.of_session("Field"), &field.variant);
        ours!(<#inner as __session::Field>::from_index(index).map(Self::#variant))
    });
    ours! {
        #signature {
            #own
            #rest
            __session::None
        }
    }
}

/// Fields have the names that stores know, from the table that is there anyway.
fn stored_name(items: &Items) -> TokenStream {
    let model = items.model;
    if model.tracked().next().is_none() {
        return quote!(match self {});
    }
    let own = quote!(__session::own_name(__FIELDS, __session::Field::index(self)));
    if model.nested().next().is_none() {
        return own;
    }
    let nested = model
        .nested()
        .map(|Field { variant, name, .. }| quote!(Self::#variant(field) => __session::nested_name(#name, field),));
    let rest = model.own().next().map(|_| quote!(_ => #own,));
    quote!(match self { #(#nested)* #rest })
}

/// Whether other crates may see the item.
fn exported(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

/// The field's documentation, or its name where the compiler may ask for more.
fn docs(field: &Field, vis: &Visibility) -> TokenStream {
    let docs = &field.docs;
    let line = (!field.documented() && !matches!(vis, Visibility::Inherited)).then(|| {
        let line = format!(" `{}`.", field.default_name);
        quote!(#[doc = #line])
    });
    quote!(#line #(#docs)*)
}
