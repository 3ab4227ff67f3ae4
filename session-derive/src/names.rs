//! Names: those of the attributes, those that the derive makes of the user's, and those that a store accepts.

use proc_macro2::{Ident, Span};
use syn::Visibility;
use syn::ext::IdentExt;

pub(crate) const ALIAS: &str = "alias";
pub(crate) const CONFLICT: &str = "conflict";
pub(crate) const CRATE: &str = "crate";
pub(crate) const EDIT: &str = "edit";
pub(crate) const FIELD: &str = "field";
pub(crate) const FROM: &str = "from";
pub(crate) const INDEX: &str = "index";
pub(crate) const INITIAL: &str = "initial";
pub(crate) const MERGE: &str = "merge";
pub(crate) const NAME: &str = "name";
pub(crate) const NESTED: &str = "nested";
pub(crate) const PERSIST: &str = "persist";
pub(crate) const PIN: &str = "pin";
pub(crate) const RENAME: &str = "rename";
pub(crate) const SENSITIVE: &str = "sensitive";
pub(crate) const SERDE: &str = "serde";
pub(crate) const SESSION: &str = "session";
pub(crate) const SKIP: &str = "skip";
pub(crate) const UNORDERED: &str = "unordered";
pub(crate) const VERSION: &str = "version";
pub(crate) const WITH: &str = "with";

/// The attributes of the struct, as the documentation lists them.
pub(crate) const ON_STRUCT: &[&str] =
    &[NAME, VERSION, FROM, INITIAL, PERSIST, CONFLICT, EDIT, FIELD, INDEX, CRATE, SERDE];

/// The attributes of a field, as the documentation lists them.
pub(crate) const ON_FIELD: &[&str] =
    &[INITIAL, SKIP, NESTED, RENAME, ALIAS, WITH, PIN, UNORDERED, MERGE, CONFLICT, INDEX, SENSITIVE, SERDE];

/// What an attribute of a struct or of a field takes, and how it is written.
pub(crate) fn usage(attribute: &str, on_struct: bool) -> (&'static str, &'static str) {
    match attribute {
        ALIAS => ("a string", "alias = \"former_name\""),
        CONFLICT => ("one value", "conflict = \"reject\""),
        CRATE => ("a path without quotes", "crate = path::to::session_runtime"),
        EDIT => ("a name without quotes", "edit = NameOfTheView"),
        FIELD => ("a name without quotes", "field = NameOfTheEnum"),
        FROM => ("a type without quotes", "from = FormerType"),
        INDEX if on_struct => ("a name without quotes", "index = NameOfTheEnum"),
        INDEX => ("no value", "index"),
        INITIAL => ("one expression", "initial = expression"),
        MERGE => ("a path without quotes", "merge = path::to::function"),
        NAME => ("a string", "name = \"session-name\""),
        NESTED => ("no value", "nested"),
        PERSIST => ("one value", "persist = \"always\""),
        PIN => ("no value", "pin"),
        RENAME => ("a string", "rename = \"stored_name\""),
        SENSITIVE => ("no value", "sensitive"),
        SERDE => ("one value", "serde = \"ignored\""),
        SKIP => ("no value", "skip"),
        UNORDERED => ("no value", "unordered"),
        VERSION => ("a number below 2³²", "version = 1"),
        _ => ("a path without quotes", "with = path::to::module"),
    }
}

/// What other derives call these attributes.
const ELSEWHERE: &[(&str, &str)] = &[("default", INITIAL), ("flatten", NESTED), ("transient", SKIP), ("ignore", SKIP)];

/// The known name that the user probably meant.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let same = known.iter().map(|&name| (name, name));
    let other =
        ELSEWHERE.iter().filter_map(|&(other, name)| Some((other, *known.iter().find(|&&known| known == name)?)));
    let is_near = |&(distance, candidate, _): &(usize, &str, _)| {
        distance * 2 <= candidate.len() || candidate.starts_with(written)
    };
    let known = same.chain(other).map(|(candidate, name)| (distance(written, candidate), candidate, name));
    known.filter(is_near).min().map(|(.., name)| name)
}

/// How many characters have to be inserted, removed or replaced (Levenshtein's distance, one row at a time).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().zip(std::iter::once(None).chain(b.chars().map(Some))) {
            let next = match to {
                None => left,
                Some(to) => (diagonal + usize::from(from != to)).min(left + 1).min(*cell + 1),
            };
            diagonal = std::mem::replace(cell, next);
            left = next;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The variant that names a field: `cart_items` becomes `CartItems`, a tuple's `_0` stays.
///
/// None if Rust has no such name.
pub(crate) fn variant(field: &str, span: Span) -> Option<Ident> {
    let digits_first = field.trim_start_matches('_').starts_with(|first: char| first.is_ascii_digit());
    let name: String = if digits_first { field.to_owned() } else { field.split('_').flat_map(capitalized).collect() };
    syn::parse_str::<Ident>(&name).ok().map(|_| generated(&name, span))
}

fn capitalized(word: &str) -> impl Iterator<Item = char> {
    let mut rest = word.chars();
    rest.next().into_iter().flat_map(char::to_uppercase).chain(rest)
}

/// A generated name that is shown at the user's token.
///
/// It belongs to the derive, so that no lint of the user's crate speaks about it.
pub(crate) fn generated(name: &str, span: Span) -> Ident {
    Ident::new(name, located(span))
}

/// The place of the user's token, as a place in generated code.
pub(crate) fn located(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The user's name, as generated code writes it: for the same reason, it belongs to the derive.
pub(crate) fn respanned(ident: &Ident) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(located(ident.span()));
    ident
}

/// The user's visibility, as generated code writes it: an item begins with it, and lints look at where an item begins.
pub(crate) fn generated_vis(vis: &Visibility) -> Visibility {
    let mut vis = vis.clone();
    match &mut vis {
        Visibility::Public(public) => public.span = located(public.span),
        Visibility::Restricted(restricted) => restricted.pub_token.span = located(restricted.pub_token.span),
        Visibility::Inherited => {}
    }
    vis
}

/// The name without `r#`.
pub(crate) fn unraw(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Why no field can be stored under this name, and the way out.
pub(crate) fn field_name_error(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("a field needs a name to be stored under; write at least one character".to_owned())
    } else if name.len() > 255 {
        Some(format!("a stored name has at most 255 bytes, this one has {}; shorten it", name.len()))
    } else if name.contains('.') {
        Some("a stored name has no `.`, which separates the names of nested sessions; write `_` instead".to_owned())
    } else if name.starts_with('#') {
        Some("a stored name does not start with `#`, which stores reserve for themselves; leave it out".to_owned())
    } else if name.chars().any(char::is_control) {
        Some(
            "a stored name has no control characters, because it is shown in shells and logs; leave them out"
                .to_owned(),
        )
    } else {
        None
    }
}

/// Why no session can have this name, and the way out.
pub(crate) fn session_name_error(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("a session needs a name, because it is part of every key; write at least one character".to_owned())
    } else if name.len() > 64 {
        Some(format!(
            "a session's name has at most 64 bytes, because it is part of every key, and this one has {}; shorten it",
            name.len()
        ))
    } else if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.') {
        None
    } else {
        Some("a session's name consists of `A-Z`, `a-z`, `0-9`, `_`, `-` and `.`, because it is part of every key; write `name = \"…\"` with these".to_owned())
    }
}
