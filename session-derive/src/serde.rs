//! Serde's attributes on a session: they have no effect, so one that would change what is stored is a mistake.
//!
//! A field marked `#[serde(skip)]` by somebody who wants to keep a secret out of the store must not land there. What
//! changes nothing about the stored value (`bound`, `borrow`, `crate`, `expecting`, …) is left alone.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser, Result};
use syn::{Attribute, LitStr, Meta, Token, parenthesized};

use crate::errors::Errors;
use crate::expr::take_expr;
use crate::model::{Field, Model};
use crate::names::{self, ALIAS, INITIAL, NESTED, RENAME, SKIP, WITH};

/// A setting of `#[serde(…)]`.
pub(crate) struct SerdeSetting {
    key: Ident,
    /// The string behind `=`.
    value: Option<String>,
    /// The strings of `rename(serialize = "…", deserialize = "…")`.
    both: Vec<(String, String)>,
}

impl SerdeSetting {
    /// Every setting on an item. What serde cannot read is reported by serde.
    pub(crate) fn parse(attrs: &[Attribute]) -> Vec<Self> {
        let mut settings = Vec::new();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            if let Meta::List(list) = &attr.meta {
                let _ = (|input: ParseStream| {
                    while !input.is_empty() {
                        settings.push(setting(input)?);
                        input.parse::<Option<Token![,]>>()?;
                    }
                    Ok(())
                })
                .parse2(list.tokens.clone());
            }
        }
        settings
    }
}

fn setting(input: ParseStream) -> Result<SerdeSetting> {
    let key = input.call(Ident::parse_any)?;
    let (mut value, mut both) = (None, Vec::new());
    if input.peek(syn::token::Paren) {
        let inside;
        parenthesized!(inside in input);
        while !inside.is_empty() {
            let SerdeSetting { key, value, .. } = setting(&inside)?;
            both.extend(value.map(|value| (key.to_string(), value)));
            inside.parse::<Option<Token![,]>>()?;
        }
    } else if input.parse::<Option<Token![=]>>()?.is_some() {
        let written: TokenStream = take_expr(input)?;
        value = syn::parse2::<LitStr>(written).ok().map(|written| written.value());
    }
    Ok(SerdeSetting { key, value, both })
}

/// Reports what serde's attributes would change.
pub(crate) fn serde_has_no_effect(model: &Model, errors: &Errors) {
    if model.attrs.serde.is_none() {
        for setting in &model.attrs.of_serde {
            on_struct(model, setting, errors);
        }
    }
    for field in model.fields.iter().filter(|field| field.attrs.serde.is_none() && field.attrs.skip.is_none()) {
        for setting in &field.attrs.of_serde {
            on_field(model, field, setting, errors);
        }
    }
}

const NAMED: &str = "which names its stored fields itself";

/// What a session does instead of following serde, the attributes that say the same, and the way out.
struct Instead {
    because: &'static str,
    same: &'static [&'static str],
    write: String,
    otherwise: &'static str,
}

fn on_field(model: &Model, field: &Field, setting: &SerdeSetting, errors: &Errors) {
    let key = setting.key.unraw().to_string();
    let value = setting.value.as_deref();
    let instead = match key.as_str() {
        "rename" if setting.only_read().is_some() => Instead {
            because: NAMED,
            same: &[ALIAS],
            write: format!("alias = {:?}", setting.only_read().unwrap_or_default()),
            otherwise: "to read it under no other name",
        },
        "skip" | "skip_serializing" | "skip_deserializing" => Instead {
            because: "which stores every field that is not skipped by its own attribute",
            same: &[SKIP],
            write: "skip".to_owned(),
            otherwise: "to store the field",
        },
        "rename" => Instead {
            because: NAMED,
            same: &[RENAME],
            write: setting.renamed(),
            otherwise: "to store the field under its own name",
        },
        "alias" => Instead {
            because: NAMED,
            same: &[ALIAS],
            write: format!("alias = {:?}", value.unwrap_or("former_name")),
            otherwise: "to read it under no other name",
        },
        "with" => Instead {
            because: "which encodes its fields one by one",
            same: &[WITH],
            write: format!("with = {}", value.unwrap_or("path::to::module")),
            otherwise: "to store it as its type says",
        },
        "serialize_with" | "deserialize_with" => Instead {
            because: "which encodes and decodes a field by the functions `serialize` and `deserialize` of one module",
            same: &[WITH],
            write: "with = path::to::module".to_owned(),
            otherwise: "to store it as its type says",
        },
        "default" => Instead {
            because: "which gives a field that is not stored its initial value",
            same: &[INITIAL],
            write: format!("initial = {}()", value.unwrap_or("Default::default")),
            otherwise: "if its type's `Default` is right",
        },
        "skip_serializing_if" => Instead {
            because: "which leaves out a field at its initial value",
            same: &[INITIAL],
            write: "initial = expression".to_owned(),
            otherwise: "if its type's `Default` is that value",
        },
        "flatten" => Instead {
            because: "which stores a field of its own for each field of a nested session",
            same: &[NESTED],
            write: "nested".to_owned(),
            otherwise: "to store it as one field",
        },
        "getter" => return without_counterpart(&setting.key, errors),
        _ => return,
    };
    let of_struct = instead.same == [INITIAL] && model.attrs.initial.is_some();
    let of_field = instead.same.iter().any(|name| field.attrs.keys.iter().any(|key| key == name));
    if !of_struct && !of_field {
        instead.report(&setting.key, errors);
    }
}

fn on_struct(model: &Model, setting: &SerdeSetting, errors: &Errors) {
    let key = setting.key.unraw().to_string();
    match key.as_str() {
        "rename_all" => errors.at(
            setting.key.span(),
            "serde's `rename_all` has no effect on a session, which names its stored fields itself; write \
             `#[session(rename = \"…\")]` on the fields, or `#[session(serde = \"ignored\")]` on the struct to store \
             them under their own names",
        ),
        "default" if model.attrs.initial.is_none() => Instead {
            because: "which gives a field that is not stored its initial value",
            same: &[INITIAL],
            write: format!("initial = {}()", setting.value.as_deref().unwrap_or("Self::default")),
            otherwise: "if each field begins with its type's `Default`",
        }
        .report(&setting.key, errors),
        "transparent" | "tag" | "from" | "try_from" | "into" | "deny_unknown_fields" => {
            without_counterpart(&setting.key, errors);
        }
        _ => {}
    }
}

impl Instead {
    fn report(&self, key: &Ident, errors: &Errors) {
        let Self { because, write, otherwise, .. } = self;
        errors.at(
            key.span(),
            format_args!(
                "serde's `{}` has no effect on a session, {because}; write `#[session({write})]`, or \
                 `#[session(serde = \"ignored\")]` {otherwise}",
                key.unraw()
            ),
        );
    }
}

fn without_counterpart(key: &Ident, errors: &Errors) {
    errors.at(
        key.span(),
        format_args!(
            "serde's `{}` has no effect on a session, which stores its fields one by one; remove it, or write \
             `#[session(serde = \"ignored\")]` if it is there for another use of the struct",
            key.unraw()
        ),
    );
}

impl SerdeSetting {
    /// The session's way to write this `rename`: stored under one name, read under the other too.
    fn renamed(&self) -> String {
        match (self.value.as_deref().or_else(|| self.of("serialize")), self.of("deserialize")) {
            (Some(name), Some(other)) if name != other => format!("rename = {name:?}, alias = {other:?}"),
            (Some(name), _) => format!("rename = {name:?}"),
            (None, _) => names::usage(RENAME, false).1.to_owned(),
        }
    }

    /// The name of a `rename` that leaves the name in the store as it is.
    fn only_read(&self) -> Option<&str> {
        self.of("deserialize").filter(|_| self.of("serialize").is_none())
    }

    fn of(&self, direction: &str) -> Option<&str> {
        self.both.iter().find(|(key, _)| key == direction).map(|(_, name)| name.as_str())
    }
}
