//! What is emitted beside errors, so that the user's other code adds none of its own.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput};

use crate::attr::StructAttrs;
use crate::errors::Errors;
use crate::model::{Kind, Model, runtime};
use crate::names::{generated, respanned, unraw};

/// The struct without the generated names that collide, which has been said.
pub(crate) fn without_collisions(mut model: Model) -> Model {
    let names = [&model.edit, &model.field, &model.index, model.ident];
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        let name = unraw(model.ident);
        model.index = generated(&format!("__{name}Index"), model.ident.span());
        model.edit = generated(&format!("__{name}Edit"), model.ident.span());
        model.field = generated(&format!("__{name}Field"), model.ident.span());
    }
    let (mut methods, mut variants) = (BTreeSet::from(["edit_all".to_owned()]), BTreeSet::new());
    model.fields.retain(|field| {
        methods.insert(unraw(&field.method)) && (field.kind == Kind::Skipped || variants.insert(field.variant.clone()))
    });
    let (mut own, mut nested) = (0, 0);
    for field in &mut model.fields {
        let (kind, next): (fn(usize) -> Kind, _) = match field.kind {
            Kind::Own(_) => (Kind::Own, &mut own),
            Kind::Nested(_) => (Kind::Nested, &mut nested),
            Kind::Skipped => continue,
        };
        field.kind = kind(*next);
        *next += 1;
    }
    model
}

/// The error for an enum or a union, with the struct to write instead.
pub(crate) fn not_a_struct(input: &DeriveInput, attrs: &StructAttrs, errors: Errors) -> TokenStream {
    let (what, span) = match &input.data {
        Data::Enum(data) => ("an enum", data.enum_token.span),
        Data::Union(data) => ("a union", data.union_token.span),
        Data::Struct(data) => ("a struct", data.struct_token.span),
    };
    let name = unraw(&input.ident);
    errors.at(
        span,
        format_args!(
            "`Session` is derived for structs, because fields are what it tracks, and this is {what}; make it a field:\n\
             #[derive(Session)]\nstruct {name}Session {{\n    state: {name},\n}}"
        ),
    );
    let errors = errors.finish();
    let runtime = runtime(attrs, Span::call_site());
    let ident = respanned(&input.ident);
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    quote! {
        #errors
        const _: () = {
            use #runtime as __session;

            #[automatically_derived]
            impl #impl_generics __session::Session for #ident #ty_generics #where_clause {
                type Edit<'__session> = &'__session mut Self;
                type Field = __session::NoField;
                type Index<'__session> = __session::NoIndex;
                type Marks = __session::OwnMarks<0>;

                const CONTAINER: __session::Container = __session::Container::new(#name);
                const FIELDS: &'static [__session::FieldDef] = &[];
                const LEN: usize = 0;

                fn initial() -> Self {
                    loop {}
                }

                fn lend<'__session>(
                    value: &'__session mut Self,
                    _: &'__session mut Self::Marks,
                ) -> Self::Edit<'__session> {
                    value
                }

                fn read<__V: __session::ReadField>(_: &Self, _: usize, _: __V) -> __session::Option<__V::Output> {
                    __session::None
                }

                fn write<__V: __session::WriteField>(_: &mut Self, _: usize, _: __V) -> __session::Option<__V::Output> {
                    __session::None
                }
            }
        };
    }
}
