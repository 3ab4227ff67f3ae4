//! `Self` in the struct, written out.
//!
//! Generated items beside the struct repeat its fields' types and its bounds, and there `Self` would be another type.

use proc_macro2::{Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, Parser};
use syn::{Data, DeriveInput, GenericParam, Generics, Type, WhereClause};

use crate::names::located;

/// The struct's type, for places where `Self` is another.
pub(crate) struct Receiver {
    ident: Ident,
    /// `<'a, T>`, or nothing.
    generics: TokenStream,
}

impl Receiver {
    pub(crate) fn of(input: &DeriveInput) -> Self {
        let (_, generics, _) = input.generics.split_for_impl();
        Self { ident: input.ident.clone(), generics: generics.into_token_stream() }
    }

    /// Writes `Self` out in the fields' types and in the bounds of the struct.
    pub(crate) fn write_out(&self, input: &mut DeriveInput) {
        let fields = match &mut input.data {
            Data::Struct(data) => &mut data.fields,
            Data::Enum(_) | Data::Union(_) => return,
        };
        for field in fields {
            self.replace(&mut field.ty, Type::parse);
        }
        let Generics { params, where_clause, .. } = &mut input.generics;
        for param in params {
            self.replace(param, GenericParam::parse);
        }
        if let Some(clause) = where_clause {
            self.replace(clause, WhereClause::parse);
        }
    }

    fn replace<T: ToTokens>(&self, node: &mut T, parse: fn(syn::parse::ParseStream) -> syn::Result<T>) {
        let tokens = node.to_token_stream();
        if mentions_self(tokens.clone())
            && let Ok(replaced) = parse.parse2(self.in_tokens(tokens))
        {
            *node = replaced;
        }
    }

    /// Tokens without `Self`.
    pub(crate) fn in_tokens(&self, tokens: TokenStream) -> TokenStream {
        let mut replaced = TokenStream::new();
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(ident) if is_self(&ident) => {
                    // `Self::N` is `<Visitor<T>>::N`; behind a single colon stands a bound.
                    let path = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.spacing() == Spacing::Joint && next.as_char() == ':');
                    replaced.extend(self.written_at(ident.span(), path));
                }
                TokenTree::Group(group) => {
                    let mut inside = Group::new(group.delimiter(), self.in_tokens(group.stream()));
                    inside.set_span(group.span());
                    replaced.extend([TokenTree::Group(inside)]);
                }
                other => replaced.extend([other]),
            }
        }
        replaced
    }

    fn written_at(&self, span: Span, in_front_of_path: bool) -> TokenStream {
        let (mut ident, generics) = (self.ident.clone(), &self.generics);
        ident.set_span(located(span));
        if in_front_of_path && !generics.is_empty() { quote!(<#ident #generics>) } else { quote!(#ident #generics) }
    }
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => is_self(&ident),
        TokenTree::Group(group) => mentions_self(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn is_self(ident: &Ident) -> bool {
    ident == "Self"
}
