//! Types as the user wrote them.

use syn::{GenericArgument, Path, PathArguments, Type, TypeGroup, TypeParen, TypePath, TypeReference};

/// The type without the wrapping of a `macro_rules!` that passed it on, and without parentheses.
pub(crate) fn bare(mut ty: &Type) -> &Type {
    while let Type::Group(TypeGroup { elem, .. }) | Type::Paren(TypeParen { elem, .. }) = ty {
        ty = elem;
    }
    ty
}

/// The type arguments of a path's last part: `K` and `V` of `HashMap<K, V>`.
pub(crate) fn arguments(path: &Path) -> impl DoubleEndedIterator<Item = &Type> {
    let arguments = match path.segments.last().map(|last| &last.arguments) {
        Some(PathArguments::AngleBracketed(arguments)) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// A reference that a value of the type holds.
pub(crate) fn reference(ty: &Type) -> Option<&TypeReference> {
    match bare(ty) {
        Type::Reference(reference) => Some(reference),
        Type::Path(TypePath { path, .. }) if path.segments.last().is_some_and(|last| last.ident != "PhantomData") => {
            arguments(path).find_map(reference)
        }
        Type::Tuple(tuple) => tuple.elems.iter().find_map(reference),
        Type::Array(array) => reference(&array.elem),
        _ => None,
    }
}
