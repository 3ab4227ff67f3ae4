//! What the user wrote in `#[session(…)]`, with the tokens that errors point at.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Result};
use syn::{Attribute, Data, DeriveInput, LitInt, LitStr, Meta, Path, PathArguments, Token, Type};

use crate::errors::Errors;
use crate::expr::take_expr;
use crate::names::{self, usage};
use crate::serde::SerdeSetting;

/// One attribute: the key, for errors about its presence, and the value.
pub(crate) struct Setting<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

/// The attributes of the struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) name: Option<Setting<LitStr>>,
    pub(crate) version: Option<Setting<u32>>,
    pub(crate) from: Option<Setting<Type>>,
    pub(crate) initial: Option<Setting<TokenStream>>,
    pub(crate) persist: Option<Setting<()>>,
    pub(crate) conflict: Option<Setting<()>>,
    pub(crate) edit: Option<Setting<Ident>>,
    pub(crate) field: Option<Setting<Ident>>,
    pub(crate) index: Option<Setting<Ident>>,
    pub(crate) krate: Option<Setting<Path>>,
    pub(crate) serde: Option<Setting<()>>,
    /// What stands in `#[serde(…)]`.
    pub(crate) of_serde: Vec<SerdeSetting>,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    /// The keys of all that follows, for rules about what stands beside what.
    pub(crate) keys: Vec<Ident>,
    pub(crate) initial: Option<Setting<TokenStream>>,
    pub(crate) skip: Option<Setting<()>>,
    pub(crate) nested: Option<Setting<()>>,
    pub(crate) rename: Option<Setting<LitStr>>,
    pub(crate) aliases: Vec<Setting<LitStr>>,
    pub(crate) with: Option<Setting<Path>>,
    pub(crate) pin: Option<Setting<()>>,
    pub(crate) unordered: Option<Setting<()>>,
    pub(crate) merge: Option<Setting<Path>>,
    pub(crate) conflict: Option<Setting<()>>,
    pub(crate) index: Option<Setting<()>>,
    pub(crate) sensitive: Option<Setting<()>>,
    pub(crate) serde: Option<Setting<()>>,
    /// What stands in `#[serde(…)]`.
    pub(crate) of_serde: Vec<SerdeSetting>,
}

/// All attributes of a struct and its fields.
pub(crate) struct Written {
    pub(crate) on_struct: StructAttrs,
    pub(crate) on_fields: Vec<FieldAttrs>,
}

impl Written {
    pub(crate) fn parse(input: &DeriveInput, errors: &Errors) -> Self {
        let on_struct = StructAttrs::parse(&input.attrs, errors);
        let on_fields = match &input.data {
            Data::Struct(data) => data.fields.iter().map(|field| FieldAttrs::parse(&field.attrs, errors)).collect(),
            Data::Enum(_) | Data::Union(_) => Vec::new(),
        };
        Self { on_struct, on_fields }
    }
}

impl StructAttrs {
    fn parse(attrs: &[Attribute], errors: &Errors) -> Self {
        let mut on_struct = Self { of_serde: SerdeSetting::parse(attrs), ..Self::default() };
        for_each_setting(attrs, errors, true, |list| match list.name.as_str() {
            names::NAME => list.set(&mut on_struct.name, value),
            names::VERSION => list.set(&mut on_struct.version, version),
            names::FROM => list.set(&mut on_struct.from, value),
            names::INITIAL => list.set(&mut on_struct.initial, expr),
            names::PERSIST => list.set(&mut on_struct.persist, |input| word(input, "always")),
            names::CONFLICT => list.set(&mut on_struct.conflict, |input| word(input, "reject")),
            names::EDIT => list.set(&mut on_struct.edit, value),
            names::FIELD => list.set(&mut on_struct.field, value),
            names::INDEX => list.set(&mut on_struct.index, value),
            names::CRATE => list.set(&mut on_struct.krate, path),
            names::SERDE => list.set(&mut on_struct.serde, |input| word(input, "ignored")),
            _ => list.unknown(),
        });
        on_struct
    }
}

impl FieldAttrs {
    fn parse(attrs: &[Attribute], errors: &Errors) -> Self {
        let mut on_field = Self { of_serde: SerdeSetting::parse(attrs), ..Self::default() };
        let keys = for_each_setting(attrs, errors, false, |list| match list.name.as_str() {
            names::INITIAL => list.set(&mut on_field.initial, expr),
            names::SKIP => list.set(&mut on_field.skip, alone),
            names::NESTED => list.set(&mut on_field.nested, alone),
            names::RENAME => list.set(&mut on_field.rename, value),
            names::ALIAS => list.push(&mut on_field.aliases, value),
            names::WITH => list.set(&mut on_field.with, module),
            names::PIN => list.set(&mut on_field.pin, alone),
            names::UNORDERED => list.set(&mut on_field.unordered, alone),
            names::MERGE => list.set(&mut on_field.merge, path),
            names::CONFLICT => list.set(&mut on_field.conflict, |input| word(input, "reject")),
            names::INDEX => list.set(&mut on_field.index, alone),
            names::SENSITIVE => list.set(&mut on_field.sensitive, alone),
            names::SERDE => list.set(&mut on_field.serde, |input| word(input, "ignored")),
            _ => list.unknown(),
        });
        Self { keys, ..on_field }
    }
}

/// A list of attributes, stopped behind a key.
struct List<'a> {
    key: Ident,
    name: String,
    /// Whether it stands on a struct; else on a field.
    on_struct: bool,
    input: ParseStream<'a>,
    errors: &'a Errors,
}

impl List<'_> {
    /// Takes the value of an attribute that may be written once.
    fn set<T>(&self, setting: &mut Option<Setting<T>>, parse: impl FnOnce(ParseStream) -> Result<T>) -> Result<()> {
        let value = self.value(parse)?;
        if setting.is_some() {
            self.errors.at(self.key.span(), format_args!("`{}` is written twice; remove one of them", self.name));
        } else {
            *setting = Some(Setting { key: self.key.clone(), value });
        }
        Ok(())
    }

    /// Takes the value of an attribute that may be written many times.
    fn push<T>(&self, settings: &mut Vec<Setting<T>>, parse: impl FnOnce(ParseStream) -> Result<T>) -> Result<()> {
        let value = self.value(parse)?;
        settings.push(Setting { key: self.key.clone(), value });
        Ok(())
    }

    fn value<T>(&self, parse: impl FnOnce(ParseStream) -> Result<T>) -> Result<T> {
        let input = self.input;
        let start = input.fork();
        let missing = ends(input).then(|| self.key.span());
        let parsed = parse(input).map_err(|error| missing.unwrap_or(error.span()));
        let wrong = match parsed {
            Ok(value) if ends(input) => return Ok(value),
            Ok(_) if input.peek(Ident::peek_any) => {
                return Err(input.error("expected a comma before the next attribute"));
            }
            Ok(_) => input.span(),
            Err(span) => span,
        };
        // Commas in a wrong value do not end it.
        if start.parse::<Token![=]>().is_ok() && take_expr(&start).is_ok() {
            input.advance_to(&start);
        }
        let (takes, example) = usage(&self.name, self.on_struct);
        Err(syn::Error::new(wrong, format_args!("`{}` takes {takes}; write `{example}`", self.name)))
    }

    fn unknown(&self) -> Result<()> {
        let name = &self.name;
        let (on_struct, on_field) = (("struct", names::ON_STRUCT), ("field", names::ON_FIELD));
        let ((here, known), (elsewhere, known_elsewhere)) =
            if self.on_struct { (on_struct, on_field) } else { (on_field, on_struct) };
        let message = if known_elsewhere.contains(&name.as_str()) {
            format!("`{name}` is an attribute of a {elsewhere}, not of a {here}; move it to the {elsewhere}")
        } else {
            let meant = match names::nearest(name, known) {
                Some(near) => format!("did you mean `{}`?", usage(near, self.on_struct).1),
                None => "remove it".to_owned(),
            };
            format!("unknown attribute `{name}`: {meant}\na {here} takes: {}", known.join(", "))
        };
        Err(syn::Error::new(self.key.span(), message))
    }
}

/// Calls `each` behind every key of the lists; a mistake in one setting leaves the others. Returns the keys.
fn for_each_setting(
    attrs: &[Attribute],
    errors: &Errors,
    on_struct: bool,
    mut each: impl FnMut(&List) -> Result<()>,
) -> Vec<Ident> {
    let mut keys = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(names::SESSION)) {
        let Meta::List(list) = &attr.meta else {
            errors.push(syn::Error::new_spanned(&attr.meta, "attributes stand in parentheses; write `#[session(…)]`"));
            continue;
        };
        let parsed = list.parse_args_with(|input: ParseStream| {
            while !input.is_empty() {
                match setting(input, errors, on_struct, &mut each) {
                    Ok(key) => keys.push(key),
                    Err(error) => {
                        errors.push(error);
                        skip_to_comma(input)?;
                    }
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        });
        if let Err(error) = parsed {
            errors.push(error);
        }
    }
    keys
}

fn setting(
    input: ParseStream,
    errors: &Errors,
    on_struct: bool,
    each: &mut impl FnMut(&List) -> Result<()>,
) -> Result<Ident> {
    // `crate` is a key too.
    let Ok(key) = input.call(Ident::parse_any) else {
        return Err(input.error("expected the name of an attribute"));
    };
    let list = List { name: key.to_string(), on_struct, key, input, errors };
    each(&list)?;
    Ok(list.key)
}

/// Whether a setting ends here.
fn ends(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn skip_to_comma(input: ParseStream) -> Result<()> {
    while !ends(input) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn value<T: Parse>(input: ParseStream) -> Result<T> {
    equals(input)?;
    input.parse()
}

fn path(input: ParseStream) -> Result<Path> {
    equals(input)?;
    Path::parse_mod_style(input)
}

/// A module, or a type like `As::<DisplayFromStr>`, which has its functions too.
fn module(input: ParseStream) -> Result<Path> {
    let mut path: Path = value(input)?;
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token.get_or_insert_default();
        }
    }
    Ok(path)
}

fn expr(input: ParseStream) -> Result<TokenStream> {
    equals(input)?;
    take_expr(input)
}

/// `=`, and something behind it.
fn equals(input: ParseStream) -> Result<()> {
    let equals: Token![=] = input.parse()?;
    if ends(input) { Err(syn::Error::new(equals.span, "expected a value")) } else { Ok(()) }
}

fn version(input: ParseStream) -> Result<u32> {
    let number: LitInt = value(input)?;
    if matches!(number.suffix(), "" | "u32") {
        number.base10_parse()
    } else {
        Err(syn::Error::new(number.span(), "expected a number without a suffix"))
    }
}

/// A key that stands alone.
#[expect(clippy::unnecessary_wraps, reason = "one of the functions that take a value")]
fn alone(_input: ParseStream) -> Result<()> {
    Ok(())
}

/// A key whose only value is this word.
fn word(input: ParseStream, word: &str) -> Result<()> {
    let written: LitStr = value(input)?;
    if written.value() == word { Ok(()) } else { Err(syn::Error::new(written.span(), "")) }
}

impl<T> Setting<T> {
    /// Where the key stands.
    pub(crate) fn span(&self) -> Span {
        self.key.span()
    }
}
