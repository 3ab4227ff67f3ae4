//! How fields with `with = module` are encoded.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Items;
use crate::model::Field;

/// One empty struct for each of these fields, which hands over to the user's module.
pub(crate) fn expand(items: &Items) -> TokenStream {
    let model = items.model;
    let (impl_generics, _, where_clause) = model.generics.split_for_impl();
    model
        .own()
        .filter_map(|(index, Field { attrs, ty, .. })| {
            let module = &attrs.with.as_ref()?.value;
            let rule = format_ident!("__With{index}");
            Some(quote! {
                pub struct #rule;

                impl #impl_generics __session::Rule<#ty> for #rule #where_clause {
                    fn serialize<__S: __session::Serializer>(
                        field: &#ty,
                        serializer: __S,
                    ) -> __session::Result<__S::Ok, __S::Error> {
                        #module::serialize(field, serializer)
                    }

                    fn deserialize<'__de, __D: __session::Deserializer<'__de>>(
                        deserializer: __D,
                    ) -> __session::Result<#ty, __D::Error> {
                        #module::deserialize(deserializer)
                    }
                }
            })
        })
        .collect()
}

/// The rule of a field, as a value.
pub(crate) fn of(index: usize, field: &Field) -> TokenStream {
    if field.attrs.with.is_some() {
        let rule = format_ident!("__With{index}");
        return quote!(#rule);
    }
    let ty = field.ty;
    quote!(__session::plain::<#ty>())
}
