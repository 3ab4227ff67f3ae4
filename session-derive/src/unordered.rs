//! Where `unordered` cannot do anything, as far as a type's name tells.

use syn::{Path, Type};

use crate::errors::Errors;
use crate::model::{Field, Kind};
use crate::names::unraw;
use crate::types::{arguments, bare};

/// Values without entries.
const SINGLE: &[&str] = &[
    "bool",
    "char",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "str",
    "String",
    "Duration",
    "SystemTime",
    "Path",
    "PathBuf",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "SocketAddr",
];

/// Types that hold one value of their last argument, and are encoded as it is.
const AROUND: &[&str] = &["Option", "Box", "Arc", "Rc", "Cow", "Cell", "RefCell", "Mutex", "RwLock", "Reverse"];

/// An attribute without effect is a misunderstanding. A module of the user's may encode a field as a list, whatever its
/// type is, and so may a type that the derive does not know.
pub(crate) fn unordered_has_an_effect(field: &Field, errors: &Errors) {
    let (Some(unordered), Kind::Own(_), None) = (&field.attrs.unordered, field.kind, &field.attrs.with) else {
        return;
    };
    if let Some(reason) = without_effect(field.ty) {
        errors.at(unordered.span(), format_args!("`unordered` is for a list used as a set, and {reason}; remove it"));
    }
}

/// Why the order of a value's entries is not compared anyway.
fn without_effect(ty: &Type) -> Option<String> {
    match bare(ty) {
        Type::Tuple(_) => Some("each place of a tuple has its own meaning".to_owned()),
        Type::Path(ty) if ty.qself.is_none() => of_path(&ty.path),
        _ => None,
    }
}

fn of_path(path: &Path) -> Option<String> {
    let name = unraw(&path.segments.last()?.ident);
    match name.as_str() {
        "HashMap" | "HashSet" => Some(format!("a `{name}` is compared without its order anyway")),
        "BTreeMap" | "BTreeSet" => Some(format!("a `{name}` keeps its entries sorted anyway")),
        single if SINGLE.contains(&single) => Some(format!("a `{name}` has no entries")),
        around if AROUND.contains(&around) => without_effect(arguments(path).next_back()?),
        _ => None,
    }
}
