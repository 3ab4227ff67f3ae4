//! Which type parameters a generated item has, and what it asks of them.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, parse_quote};

use crate::model::{Field, Kind, Model, mentions, runtime};
use crate::names::located;

/// Type parameters.
pub(crate) struct Bounds<'a> {
    model: &'a Model<'a>,
    /// The type and const parameters; fields without one need no bounds, because the compiler looks at their types.
    params: Vec<&'a Ident>,
}

impl<'a> Bounds<'a> {
    pub(crate) fn new(model: &'a Model<'a>) -> Self {
        let params = model.generics.params.iter().filter(|param| !matches!(param, GenericParam::Lifetime(_)));
        Self { model, params: params.map(name).collect() }
    }

    /// Whether tokens mention a parameter.
    pub(crate) fn are_in(&self, tokens: TokenStream) -> bool {
        mentions(tokens, &self.params)
    }

    /// For the implementation of the trait: what reading, writing and making each generic field takes.
    ///
    /// The bounds stand on the fields' types, not on the parameters, so that `PhantomData<T>` asks nothing of `T`.
    pub(crate) fn session(&self) -> Generics {
        let mut generics = self.stub();
        for field in self.model.fields.iter().filter(|field| field.mentions(&self.params)) {
            let ty = field.ty;
            let bound = match field.kind {
                Kind::Own(_) if field.attrs.with.is_none() => {
                    Some(quote!(__session::Serialize + __session::DeserializeOwned))
                }
                Kind::Own(_) | Kind::Nested(_) | Kind::Skipped => None,
            };
            let default = (!matches!(field.kind, Kind::Nested(_))
                && field.attrs.initial.is_none()
                && self.model.attrs.initial.is_none())
            .then(|| quote!(__session::Default));
            let indexed = field.attrs.index.as_ref().map(|_| quote!(__session::Indexed));
            let bounds: Vec<_> = bound.into_iter().chain(default).chain(indexed).collect();
            if !bounds.is_empty() {
                generics.make_where_clause().predicates.push(parse_quote!(#ty: #(#bounds)+*));
            }
        }
        generics
    }

    /// For an implementation that reads and writes nothing: what the trait asks of every session.
    pub(crate) fn stub(&self) -> Generics {
        let mut generics = self.nested();
        // Refused, but the error about it is enough.
        let lifetimes: Vec<_> = self.model.generics.lifetimes().map(|param| param.lifetime.clone()).collect();
        for lifetime in lifetimes {
            generics.make_where_clause().predicates.push(parse_quote!(#lifetime: 'static));
        }
        if self.model.generics.type_params().next().is_some() {
            let (ident, (_, ty_generics, _)) = (self.model.ident, self.model.generics.split_for_impl());
            let sent = parse_quote!(#ident #ty_generics: __session::Send + 'static);
            generics.make_where_clause().predicates.push(sent);
        }
        generics
    }

    /// For whatever names the marks or the field names of nested sessions.
    pub(crate) fn nested(&self) -> Generics {
        let mut generics = self.model.generics.clone();
        for field in self.model.nested() {
            let (ty, span) = (field.ty, located(field.ty.span()));
            let runtime = runtime(self.model.attrs, span);
            let bound: TokenStream = quote_spanned!(span=> #ty: #runtime::Session);
            generics.make_where_clause().predicates.push(parse_quote!(#bound));
        }
        generics
    }

    /// For items that hold nothing but what nested sessions have.
    pub(crate) fn only_nested(&self) -> Generics {
        let used = |name: &Ident| self.model.nested().any(|field| field.mentions(&[name]));
        without_unused(self.nested(), used)
    }

    /// For an item that speaks about the type of one field.
    pub(crate) fn only(&self, field: &Field) -> Generics {
        without_unused(self.model.generics.clone(), |name| field.mentions(&[name]))
    }

    /// For the enum that holds a value of one of these fields, with the lifetime of the value in front.
    pub(crate) fn index(&self) -> Generics {
        let used = |name: &Ident| self.model.indexed().any(|(_, field)| field.mentions(&[name]));
        let mut generics = without_unused(self.model.generics.clone(), used);
        generics.params.insert(0, parse_quote!('index));
        generics
    }

    /// With the lifetime of a view in front.
    pub(crate) fn view(&self) -> Generics {
        let mut generics = self.nested();
        generics.params.insert(0, parse_quote!('session));
        generics
    }
}

/// Without the parameters that an item does not use, and without the bounds that speak about them.
fn without_unused(mut generics: Generics, used: impl Fn(&Ident) -> bool) -> Generics {
    if generics.params.is_empty() {
        return generics;
    }
    let unused: Vec<Ident> = generics.params.iter().map(name).filter(|name| !used(name)).cloned().collect();
    let unused: Vec<&Ident> = unused.iter().collect();
    generics.params = generics.params.into_iter().filter(|param| !unused.contains(&name(param))).collect();
    for param in &mut generics.params {
        match param {
            GenericParam::Type(param) => {
                param.bounds = kept(std::mem::take(&mut param.bounds), &unused);
                param.default = None;
            }
            GenericParam::Lifetime(param) => param.bounds = kept(std::mem::take(&mut param.bounds), &unused),
            GenericParam::Const(param) => param.default = None,
        }
    }
    if let Some(clause) = &mut generics.where_clause {
        clause.predicates = kept(std::mem::take(&mut clause.predicates), &unused);
    }
    generics
}

fn name(param: &GenericParam) -> &Ident {
    match param {
        GenericParam::Lifetime(param) => &param.lifetime.ident,
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
    }
}

fn kept<T: ToTokens, P: Default>(list: Punctuated<T, P>, unused: &[&Ident]) -> Punctuated<T, P> {
    list.into_iter().filter(|item| !mentions(item.to_token_stream(), unused)).collect()
}
