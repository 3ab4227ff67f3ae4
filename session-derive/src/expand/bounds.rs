//! Which type parameters a generated item has, and what it asks of them.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, Lifetime, parse_quote};

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

    /// For the implementation of the trait: what reading, writing and making each generic field takes.
    ///
    /// The bounds stand on the fields' types, not on the parameters, so that `PhantomData<T>` asks nothing of `T`.
    pub(crate) fn session(&self) -> Generics {
        let mut generics = self.nested();
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
            let bounds: Vec<_> = bound.into_iter().chain(default).collect();
            if !bounds.is_empty() {
                generics.make_where_clause().predicates.push(parse_quote!(#ty: #(#bounds)+*));
            }
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

    /// With the lifetime of a view in front.
    pub(crate) fn view(&self) -> Generics {
        let mut generics = self.nested();
        let lifetime = self.lifetime();
        generics.params.insert(0, parse_quote!(#lifetime));
        generics
    }

    /// The lifetime of a view; another one if the user has a lifetime of this name.
    pub(crate) fn lifetime(&self) -> Lifetime {
        let taken = self.model.generics.lifetimes().any(|param| param.lifetime.ident == "session");
        if taken { parse_quote!('__session) } else { parse_quote!('session) }
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
