//! How fields with `with = module` are encoded.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::items::Items;
use crate::model::Field;
use crate::names::{generated, unraw};

/// One empty struct for each of these fields, which hands over to the user's module.
pub(crate) fn expand(items: &Items) -> TokenStream {
    items
        .model
        .own()
        .filter_map(|(_, field)| {
            let (rule, ty) = (of(field)?, field.ty);
            let module = &field.attrs.with.as_ref()?.value;
            // The calls are the user's, as it were: errors about their types are shown at the path.
            let receiver = &items.model.receiver;
            let serialize = quote_spanned!(module.span()=> #module::serialize(field, serializer));
            let deserialize = quote_spanned!(module.span()=> #module::deserialize(deserializer));
            let (serialize, deserialize) = (receiver.in_tokens(serialize), receiver.in_tokens(deserialize));
            let generics = items.bounds.only(field);
            let (impl_generics, _, where_clause) = generics.split_for_impl();
            Some(quote! {
                pub struct #rule;

                impl #impl_generics __session::Format<#ty> for #rule #where_clause {
                    fn serialize<__S: __session::Serializer>(
                        field: &#ty,
                        serializer: __S,
                    ) -> __session::Result<__S::Ok, __S::Error> {
                        #serialize
                    }

                    fn deserialize<'__de, __D: __session::Deserializer<'__de>>(
                        deserializer: __D,
                    ) -> __session::Result<#ty, __D::Error> {
                        #deserialize
                    }
                }
            })
        })
        .collect()
}

/// The type of a field's rule, if its own type does not say how it is encoded.
pub(crate) fn of(field: &Field) -> Option<Ident> {
    let module = field.attrs.with.as_ref()?;
    let name = unraw(&field.method);
    Some(generated(&format!("__With_{name}"), module.span()))
}
