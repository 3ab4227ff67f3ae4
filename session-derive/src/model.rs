//! What the expansion needs: the user's struct with all defaults resolved, borrowing the tokens that errors point at.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, DataStruct, DeriveInput, Generics, Index, Member, Meta, Type, Visibility};

use crate::attr::{FieldAttrs, StructAttrs, Written};
use crate::errors::Errors;
use crate::names::{generated, generated_vis, located, respanned, unraw, variant};
use crate::receiver::Receiver;

/// A struct.
pub(crate) struct Model<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: Visibility,
    pub(crate) generics: &'a Generics,
    pub(crate) receiver: Receiver,
    pub(crate) attrs: &'a StructAttrs,
    pub(crate) fields: Vec<Field<'a>>,
    /// The session's name: part of every key.
    pub(crate) name: String,
    /// The view's name: `VisitorEdit`.
    pub(crate) edit: Ident,
    /// The enum's name: `VisitorField`.
    pub(crate) field: Ident,
    /// The name of the enum of indexed values: `VisitorIndex`.
    pub(crate) index: Ident,
    /// The path of the runtime's module for generated code.
    pub(crate) runtime: TokenStream,
}

/// A field.
pub(crate) struct Field<'a> {
    pub(crate) attrs: &'a FieldAttrs,
    pub(crate) vis: Visibility,
    pub(crate) ty: &'a Type,
    /// Where the field is named; a tuple's field has only its type.
    pub(crate) span: Span,
    /// The documentation, and what else holds for the generated method as well.
    pub(crate) docs: Vec<&'a Attribute>,
    pub(crate) member: Member,
    pub(crate) method: Ident,
    pub(crate) variant: Ident,
    /// The name it is stored under without `rename`.
    pub(crate) default_name: String,
    /// The name it is stored under.
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// How a field is tracked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With the mark of this index.
    Own(usize),
    /// As a session with this place among the nested ones.
    Nested(usize),
    /// Not at all.
    Skipped,
}

impl<'a> Model<'a> {
    pub(crate) fn new(
        input: &'a DeriveInput,
        data: &'a DataStruct,
        written: &'a Written,
        receiver: Receiver,
        errors: &Errors,
    ) -> Self {
        let attrs = &written.on_struct;
        let DeriveInput { vis, ident, generics, .. } = input;
        let type_name = unraw(ident);
        let item = |suffix| generated(&format!("{type_name}{suffix}"), ident.span());
        Self {
            ident,
            vis: generated_vis(vis),
            generics,
            receiver,
            attrs,
            fields: fields(data, &written.on_fields, errors),
            name: attrs.name.as_ref().map_or_else(|| type_name.clone(), |name| name.value.value()),
            edit: attrs.edit.as_ref().map_or_else(|| item("Edit"), |edit| respanned(&edit.value)),
            field: attrs.field.as_ref().map_or_else(|| item("Field"), |field| respanned(&field.value)),
            index: attrs.index.as_ref().map_or_else(|| item("Index"), |index| respanned(&index.value)),
            runtime: runtime(attrs, Span::call_site()),
        }
    }

    /// The tracked fields of the session itself.
    pub(crate) fn own(&self) -> impl Iterator<Item = (usize, &Field<'a>)> + Clone {
        self.fields.iter().filter_map(|field| match field.kind {
            Kind::Own(index) => Some((index, field)),
            Kind::Nested(_) | Kind::Skipped => None,
        })
    }

    /// Those of them that are indexed.
    pub(crate) fn indexed(&self) -> impl Iterator<Item = (usize, &Field<'a>)> + Clone {
        self.own().filter(|(_, field)| field.attrs.index.is_some())
    }

    /// The nested sessions.
    pub(crate) fn nested(&self) -> impl Iterator<Item = &Field<'a>> + Clone {
        self.fields.iter().filter(|field| matches!(field.kind, Kind::Nested(_)))
    }

    /// The tracked fields, nested sessions among them, in the order of their declaration.
    pub(crate) fn tracked(&self) -> impl Iterator<Item = &Field<'a>> + Clone {
        self.fields.iter().filter(|field| field.kind != Kind::Skipped)
    }
}

/// `::session_runtime::__private`, or the user's path to it.
pub(crate) fn runtime(attrs: &StructAttrs, span: Span) -> TokenStream {
    match &attrs.krate {
        None => quote_spanned!(span=> ::session_runtime::__private),
        Some(path) => {
            let path = &path.value;
            quote_spanned!(path.span()=> #path::__private)
        }
    }
}

fn fields<'a>(data: &'a DataStruct, attrs: &'a [FieldAttrs], errors: &Errors) -> Vec<Field<'a>> {
    let (mut own, mut nested) = (0, 0);
    data.fields
        .iter()
        .zip(attrs)
        .enumerate()
        .map(|(position, (field, attrs))| {
            let kind = if attrs.skip.is_some() {
                Kind::Skipped
            } else if attrs.nested.is_some() {
                nested += 1;
                Kind::Nested(nested - 1)
            } else {
                own += 1;
                Kind::Own(own - 1)
            };
            self::field(position, field, attrs, kind, errors)
        })
        .collect()
}

fn field<'a>(position: usize, field: &'a syn::Field, attrs: &'a FieldAttrs, kind: Kind, errors: &Errors) -> Field<'a> {
    let (span, member, method, default_name) = if let Some(ident) = &field.ident {
        (ident.span(), Member::Named(respanned(ident)), respanned(ident), unraw(ident))
    } else {
        let (span, name) = (field.ty.span(), position.to_string());
        (span, Member::Unnamed(Index::from(position)), generated(&format!("_{position}"), span), name)
    };
    let variant = variant(&unraw(&method), span).unwrap_or_else(|| {
        if kind != Kind::Skipped {
            errors.at(span, format_args!(
                "the field `{default_name}` needs a variant in the generated enum, and Rust has no UpperCamelCase name for it; \
                 rename the field, and write `#[session(rename = \"{default_name}\")]` to keep the name it is stored under"
            ));
        }
        generated(&format!("Field{position}"), span)
    });
    Field {
        attrs,
        vis: generated_vis(&field.vis),
        ty: &field.ty,
        span,
        docs: field.attrs.iter().filter(|attr| carried(attr)).collect(),
        member,
        method,
        variant,
        name: attrs.rename.as_ref().map_or_else(|| default_name.clone(), |rename| rename.value.value()),
        default_name,
        kind,
    }
}

/// Whether an attribute of a field holds for its method and its variant as well.
fn carried(attr: &Attribute) -> bool {
    ["doc", "deprecated"].iter().any(|name| attr.path().is_ident(name))
}

impl Field<'_> {
    /// Whether the user documented the field.
    pub(crate) fn documented(&self) -> bool {
        self.docs.iter().any(|attr| attr.path().is_ident("doc") && matches!(attr.meta, Meta::NameValue(_)))
    }

    /// `<Type as Trait>::item`, shown at the user's type if it has no such trait.
    pub(crate) fn item(&self, of: &TokenStream, name: &str) -> TokenStream {
        let (ty, span) = (self.ty, located(self.ty.span()));
        let item = Ident::new(name, span);
        quote_spanned!(span=> <#ty as #of>::#item)
    }

    /// An item of a nested session, for use beside the trait's implementation.
    pub(crate) fn of_session(&self, name: &str) -> TokenStream {
        self.item(&quote!(__session::Session), name)
    }

    /// Whether the field's type mentions one of these names.
    pub(crate) fn mentions(&self, names: &[&Ident]) -> bool {
        !names.is_empty() && mentions(self.ty.to_token_stream(), names)
    }
}

/// Whether tokens mention one of these names.
pub(crate) fn mentions(tokens: TokenStream, names: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => names.contains(&&ident),
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), names),
        proc_macro2::TokenTree::Punct(_) | proc_macro2::TokenTree::Literal(_) => false,
    })
}
