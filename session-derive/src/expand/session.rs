//! The implementation of the trait: tables, and the two functions that find a field by its index.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::items::Items;
use super::{formats, index, marks};
use crate::model::{Field, Kind, Model};
use crate::names::located;

/// The implementation.
pub(crate) fn expand(items: &Items) -> TokenStream {
    let model = items.model;
    let generics = items.bounds.session();
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, ty_generics, _) = model.generics.split_for_impl();
    let ident = &items.ident;
    let tables = tables(items);
    let initial = initial(model);
    let nested = nested(model);
    let read = read(model);
    let write = write(model);
    let indexed = index::method(items);
    let (lower, previous) = previous(items);
    let fields = fields(model);
    quote! {
        #fields
        #lower

        #[automatically_derived]
        impl #impl_generics __session::Session for #ident #ty_generics #where_clause {
            #tables

            #[inline]
            fn initial() -> Self {
                #initial
            }

            #nested
            #read
            #write
            #indexed
            #previous
        }
    }
}

/// An implementation for a struct with mistakes, so that code which uses the session adds no errors to them.
pub(crate) fn stub(items: &Items) -> TokenStream {
    let model = items.model;
    let generics = items.bounds.stub();
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, ty_generics, _) = model.generics.split_for_impl();
    let ident = &items.ident;
    let tables = tables(items);
    let fields = fields(model);
    quote! {
        #fields

        #[automatically_derived]
        impl #impl_generics __session::Session for #ident #ty_generics #where_clause {
            #tables

            fn initial() -> Self {
                loop {}
            }

            fn read<__V: __session::ReadField>(_: &Self, _: usize, _: __V) -> __session::Option<__V::Output> {
                __session::None
            }

            fn write<__V: __session::WriteField>(_: &mut Self, _: usize, _: __V) -> __session::Option<__V::Output> {
                __session::None
            }
        }
    }
}

/// What the generated types are, and the view.
fn tables(items: &Items) -> TokenStream {
    let Items { model, bounds, .. } = items;
    let (edit, field) = (&model.edit, &model.field);
    let view = bounds.view();
    let (_, view_generics, _) = view.split_for_impl();
    let only_nested = bounds.only_nested();
    let (_, field_generics, _) = only_nested.split_for_impl();
    let index = index::name(items);
    let marks = marks::outer(items);
    let container = container(model);
    let len = Literal::usize_unsuffixed(model.own().count());
    let nested = model.nested().map(|field| field.of_session("LEN"));
    let inner = model.nested().next().map(|_| quote!(.0));
    let lent = if inner.is_some() { quote!(&mut marks #inner) } else { quote!(marks) };
    quote! {
        type Edit<'session> = #edit #view_generics;
        type Field = #field #field_generics;
        type Index<'index> = #index;
        type Marks = #marks;

        const CONTAINER: __session::Container = #container;
        const FIELDS: &'static [__session::FieldDef] = __FIELDS;
        const LEN: usize = #len #(+ #nested)*;

        #[inline]
        fn lend<'session>(value: &'session mut Self, marks: &'session mut #marks) -> #edit #view_generics {
            #edit { __value: value, __marks: #lent }
        }
    }
}

fn container(model: &Model) -> TokenStream {
    let attrs = model.attrs;
    let name = &model.name;
    let version = attrs.version.as_ref().map(|version| {
        let version = Literal::u32_unsuffixed(version.value);
        quote!(.version(#version))
    });
    let persist = attrs.persist.as_ref().map(|_| quote!(.persist_always()));
    let reject = attrs.conflict.as_ref().map(|_| quote!(.reject()));
    quote!(__session::Container::new(#name) #version #persist #reject)
}

/// The table of own fields. It stands beside the implementation, because it has no type parameters.
fn fields(model: &Model) -> TokenStream {
    let fields = model.own().map(|(_, field)| field_def(field));
    quote!(const __FIELDS: &[__session::FieldDef] = &[#(#fields),*];)
}

fn field_def(field: &Field) -> TokenStream {
    let Field { name, attrs, .. } = field;
    let aliases = (!attrs.aliases.is_empty()).then(|| {
        let aliases = attrs.aliases.iter().map(|alias| &alias.value);
        quote!(.aliases(&[#(#aliases),*]))
    });
    let pin = attrs.pin.as_ref().map(|_| quote!(.pin()));
    let unordered = attrs.unordered.as_ref().map(|_| quote!(.unordered()));
    let reject = attrs.conflict.as_ref().map(|_| quote!(.reject()));
    let sensitive = attrs.sensitive.as_ref().map(|_| quote!(.sensitive()));
    let index = attrs.index.as_ref().map(|_| quote!(.index()));
    quote!(__session::FieldDef::new(#name) #aliases #pin #unordered #reject #sensitive #index)
}

fn initial(model: &Model) -> TokenStream {
    if let Some(initial) = &model.attrs.initial {
        return initial.value.clone();
    }
    let fields = model.fields.iter().map(|field| {
        let member = &field.member;
        let value = match &field.attrs.initial {
            Some(initial) => {
                let initial = &initial.value;
                quote!({ #initial })
            }
            None if matches!(field.kind, Kind::Nested(_)) => {
                let initial = field.of_session("initial");
                quote!(#initial())
            }
            None => {
                let initial = field.item(&quote!(__session::Initial), "initial");
                quote!(#initial())
            }
        };
        quote!(#member: #value)
    });
    quote!(Self { #(#fields,)* })
}

fn nested(model: &Model) -> Option<TokenStream> {
    model.nested().next()?;
    let nested = model.nested().map(|field| {
        let (ty, def) = (field.ty, field_def(field));
        quote!(nesting.nest::<#ty>(#def);)
    });
    Some(quote! {
        fn nested(nesting: &mut impl __session::Nesting) {
            #(#nested)*
        }
    })
}

fn read(model: &Model) -> TokenStream {
    let arms = model.own().map(|(index, field)| {
        let (member, ty, index) = (&field.member, field.ty, Literal::usize_unsuffixed(index));
        if let Some(rule) = formats::of(field) {
            return ours!(#index => visitor.read::<#ty, #rule>(&this.#member),);
        }
        let read = field.item(&quote!(__session::Stored), "read");
        ours!(#index => #read(&this.#member, visitor),)
    });
    let body = body(model, arms, |field| {
        let (member, read) = (&field.member, field.of_session("read"));
        ours!(#read(&this.#member, index, visitor))
    });
    ours! {
        fn read<__V: __session::ReadField>(this: &Self, index: usize, visitor: __V) -> __session::Option<__V::Output> {
            #body
        }
    }
}

fn write(model: &Model) -> TokenStream {
    let arms = model.own().map(|(index, field)| {
        let (member, ty, index) = (&field.member, field.ty, Literal::usize_unsuffixed(index));
        let (declared, merge) = merge(field);
        if let Some(rule) = formats::of(field) {
            return ours!(#index => { #declared visitor.write::<#ty, #rule>(&mut this.#member, #merge) });
        }
        let write = field.item(&quote!(__session::Stored), "write");
        match declared {
            None => ours!(#index => #write(&mut this.#member, visitor, #merge),),
            Some(declared) => ours!(#index => { #declared #write(&mut this.#member, visitor, #merge) }),
        }
    });
    let body = body(model, arms, |field| {
        let (member, write) = (&field.member, field.of_session("write"));
        ours!(#write(&mut this.#member, index, visitor))
    });
    ours! {
        fn write<__V: __session::WriteField>(this: &mut Self, index: usize, visitor: __V) -> __session::Option<__V::Output> {
            #body
        }
    }
}

/// Which type the version before had, and that its version is lower: asked beside the implementation, where the compiler
/// answers at once, unless the type depends on a parameter and so on who uses it.
fn previous(items: &Items) -> (Option<TokenStream>, Option<TokenStream>) {
    let attrs = items.model.attrs;
    let Some(from) = &attrs.from else {
        return (None, None);
    };
    let (from, version) = (&from.value, attrs.version.as_ref().map_or(0, |version| version.value));
    let literal = Literal::u32_unsuffixed(version);
    let message = format!(
        "`from` migrates records of versions below {version}, and this type has version {version} or a higher one; raise \
         the session's `version`, or give the type the `version` it had"
    );
    let span = located(from.span());
    let lower = quote_spanned!(span=> __session::assert!(<__session::VersionOf<#from>>::VERSION < #literal, #message););
    let (beside, within) = if items.bounds.are_in(from.to_token_stream()) {
        (None, Some(quote_spanned!(span=> const { #lower })))
    } else {
        // A type that is no session is reported below, and only there.
        (Some(quote_spanned!(span=> const _: () = { use __session::NoVersion as _; #lower };)), None)
    };
    let previous = quote! {
        fn previous<__P: __session::Previous<Self>>(previous: __P) -> __P::Output {
            #within
            previous.from::<#from>()
        }
    };
    (beside, Some(previous))
}

/// The merge function, declared with the type it has to have, and the argument.
fn merge(field: &Field) -> (Option<TokenStream>, TokenStream) {
    let Some(merge) = &field.attrs.merge else {
        return (None, ours!(__session::None));
    };
    let (path, ty) = (&merge.value, field.ty);
    (Some(ours!(let merge: __session::Merge<#ty> = #path;)), ours!(__session::Some(merge)))
}

/// Looks among the own fields, then in the nested sessions.
fn body(model: &Model, own: impl Iterator<Item = TokenStream>, nested: impl Fn(&Field) -> TokenStream) -> TokenStream {
    let own: TokenStream = own.collect();
    let nested = nested_chain(model, nested);
    match (own.is_empty(), nested.is_empty()) {
        (true, _) => ours!(#nested __session::None),
        (false, true) => ours!(__session::Some(match index { #own _ => return __session::None, })),
        (false, false) => ours!(__session::Some(match index { #own _ => { #nested return __session::None; } })),
    }
}

/// Returns what is `found` in the nested session that holds the field with this index.
pub(crate) fn nested_chain(model: &Model, found: impl Fn(&Field) -> TokenStream) -> TokenStream {
    let mut before = match model.own().count() {
        0 => None,
        count => {
            let count = Literal::usize_unsuffixed(count);
            Some(ours!(let index = index - #count;))
        }
    };
    model
        .nested()
        .map(|field| {
            let (len, found) = (field.of_session("LEN"), found(field));
            let start = before.replace(ours!(let index = index - #len;));
            ours! {
                #start
                if index < #len {
                    return #found;
                }
            }
        })
        .collect()
}
