//! The rules across attributes and across fields, one function each.

use std::collections::BTreeMap;

use proc_macro2::Ident;
use syn::GenericParam;
use syn::ext::IdentExt;

use crate::errors::Errors;
use crate::model::{Field, Kind, Model};
use crate::names::{self, unraw};
use crate::serde::serde_has_no_effect;
use crate::types::reference;
use crate::unordered::unordered_has_an_effect;

/// Reports every rule that the struct breaks.
pub(crate) fn check(model: &Model, errors: &Errors) {
    session_name(model, errors);
    generic_session_is_named(model, errors);
    from_needs_a_version(model, errors);
    generated_items_differ(model, errors);
    index_names_something(model, errors);
    no_lifetimes(model, errors);
    serde_has_no_effect(model, errors);
    for field in &model.fields {
        skipped_is_not_tracked(field, errors);
        stored_value_owns(model, field, errors);
        nested_decides_for_itself(field, errors);
        unordered_has_an_effect(field, errors);
        indexed_value_has_one_encoding(field, errors);
        merge_never_conflicts(field, errors);
        one_initial_value(model, field, errors);
        one_conflict_rule(model, field, errors);
        stored_names_are_valid(field, errors);
        rename_changes_the_name(field, errors);
    }
    stored_names_differ(model, errors);
    methods_differ(model, errors);
    variants_differ(model, errors);
}

/// The name is part of every key, so it has to suit every store.
fn session_name(model: &Model, errors: &Errors) {
    let span = model.attrs.name.as_ref().map_or_else(|| model.ident.span(), |name| name.value.span());
    if let Some(message) = names::session_name_error(&model.name) {
        errors.at(span, message);
    }
}

/// `Pair<u8>` and `Pair<String>` would clobber each other under the type's name.
fn generic_session_is_named(model: &Model, errors: &Errors) {
    let generic = model.generics.params.iter().any(|param| !matches!(param, GenericParam::Lifetime(_)));
    if generic && model.attrs.name.is_none() {
        errors.at(
            model.ident.span(),
            "a generic session needs a name of its own, because its type's name does not tell its instances apart; \
             write `#[session(name = \"…\")]`",
        );
    }
}

/// Version 0 has no predecessor.
fn from_needs_a_version(model: &Model, errors: &Errors) {
    let version = model.attrs.version.as_ref().map_or(0, |version| version.value);
    if let Some(from) = &model.attrs.from
        && version == 0
    {
        errors.at(
            from.span(),
            "`from` migrates records of a lower version, and this session has version 0; add `version = 1`",
        );
    }
}

/// All are items beside the struct.
fn generated_items_differ(model: &Model, errors: &Errors) {
    let written = [
        (names::EDIT, &model.attrs.edit, &model.edit),
        (names::FIELD, &model.attrs.field, &model.field),
        (names::INDEX, &model.attrs.index, &model.index),
    ];
    for (key, setting, name) in &written {
        if let Some(setting) = setting
            && *name == model.ident
        {
            errors.at(
                setting.value.span(),
                format_args!("`{key}` names a generated item, and the struct has this name already; choose another"),
            );
        }
    }
    if let Some(setting) = model.attrs.field.as_ref().or(model.attrs.edit.as_ref())
        && model.edit == model.field
    {
        errors.at(setting.value.span(), "`edit` and `field` name two generated items; choose two names");
    }
    if let Some(setting) = &model.attrs.index
        && (model.index == model.edit || model.index == model.field)
    {
        errors.at(
            setting.value.span(),
            "`index` names a generated item of its own, and `edit` or `field` has this name already; choose another",
        );
    }
}

/// Without an indexed field there is no such enum.
fn index_names_something(model: &Model, errors: &Errors) {
    if let Some(setting) = &model.attrs.index
        && model.indexed().next().is_none()
    {
        errors.at(
            setting.span(),
            "`index` names the enum of the indexed fields, and no field is indexed; write `#[session(index)]` on a field, \
             or remove it",
        );
    }
}

/// Sessions are found by the encoding of a value, which is another in another order.
fn indexed_value_has_one_encoding(field: &Field, errors: &Errors) {
    if let (Some(index), Some(_), None) = (&field.attrs.index, &field.attrs.unordered, &field.attrs.skip) {
        errors.at(
            index.span(),
            "`index` finds a value by its encoding, and an `unordered` value has many; remove one of the two, or index a \
             field that holds one number or string",
        );
    }
}

/// A skipped field is neither compared nor stored.
fn skipped_is_not_tracked(field: &Field, errors: &Errors) {
    if field.attrs.skip.is_none() {
        return;
    }
    for key in field.attrs.keys.iter().filter(|&key| key != names::SKIP && key != names::INITIAL) {
        errors.at(
            key.span(),
            format_args!("`{key}` has no effect on a skipped field, which is never stored; remove one of the two"),
        );
    }
}

/// A session is handed to tasks that live as long as they like.
fn no_lifetimes(model: &Model, errors: &Errors) {
    for param in model.generics.lifetimes() {
        errors.at(
            param.lifetime.span(),
            format_args!(
                "a session borrows nothing, because it outlives what it was loaded from; remove `{}`, and write `String`, \
                 `Vec` or `Cow<'static, str>` for what is borrowed",
                param.lifetime
            ),
        );
    }
}

/// A value is decoded from bytes that are gone when the handler runs.
fn stored_value_owns(model: &Model, field: &Field, errors: &Errors) {
    let (Some(reference), Kind::Own(_), None) = (reference(field.ty), field.kind, &field.attrs.with) else {
        return;
    };
    // A lifetime of the struct's has been reported where it is declared.
    if !model.generics.lifetimes().any(|param| Some(&param.lifetime) == reference.lifetime.as_ref()) {
        errors.at(
            reference.and_token.span,
            "a stored value owns what it holds, because the bytes it is decoded from are gone; write `String`, `Vec` or \
             `Cow<'static, str>`",
        );
    }
}

/// The fields of a nested session are stored one by one, as their own attributes say.
fn nested_decides_for_itself(field: &Field, errors: &Errors) {
    if field.attrs.skip.is_some() || field.attrs.nested.is_none() {
        return;
    }
    for key in keys(field, &[names::WITH, names::UNORDERED, names::MERGE]) {
        errors.at(
            key.span(),
            format_args!(
                "`{key}` has no effect on a nested session, whose fields are stored one by one; write it on the fields of \
                 the nested struct"
            ),
        );
    }
    if let Some(index) = &field.attrs.index {
        errors.at(
            index.span(),
            "`index` finds sessions by one stored value, and a nested session has several; index a field of this struct, \
             and move the value to be found there",
        );
    }
}

/// A merge function is called on a conflict, which `reject` turns into an error.
fn merge_never_conflicts(field: &Field, errors: &Errors) {
    if let (Some(merge), Some(_), None) = (&field.attrs.merge, &field.attrs.conflict, &field.attrs.skip) {
        errors.at(merge.span(), "`merge` resolves what `conflict = \"reject\"` refuses; remove one of the two");
    }
}

/// The struct's initial value has the fields' in it.
fn one_initial_value(model: &Model, field: &Field, errors: &Errors) {
    if let (Some(initial), Some(_)) = (&field.attrs.initial, &model.attrs.initial) {
        errors.at(initial.span(), "the struct's `initial` gives every field its initial value; remove one of the two");
    }
}

/// The struct's rule refuses a commit before a field's rule is asked.
fn one_conflict_rule(model: &Model, field: &Field, errors: &Errors) {
    if model.attrs.conflict.is_none() || field.attrs.skip.is_some() {
        return;
    }
    for key in keys(field, &[names::CONFLICT, names::MERGE]) {
        errors.at(
            key.span(),
            format_args!(
                "`{key}` has no effect beside the struct's `conflict = \"reject\"`, which refuses every commit that others \
                 overtook; remove one of the two"
            ),
        );
    }
}

/// Stores reserve some names.
fn stored_names_are_valid(field: &Field, errors: &Errors) {
    for setting in field.attrs.rename.iter().chain(&field.attrs.aliases) {
        if let Some(message) = names::field_name_error(&setting.value.value()) {
            errors.at(setting.value.span(), message);
        }
    }
}

/// A field has its name without being told.
fn rename_changes_the_name(field: &Field, errors: &Errors) {
    if let Some(rename) = &field.attrs.rename
        && field.kind != Kind::Skipped
        && rename.value.value() == field.default_name
    {
        errors.at(rename.value.span(), "the field is stored under this name already; remove `rename`");
    }
}

/// Two fields under one name would overwrite each other.
///
/// Names of nested sessions cannot meet others: they have a `.`, and no other name has.
fn stored_names_differ(model: &Model, errors: &Errors) {
    let mut seen = BTreeMap::new();
    // All names come before all aliases, so that an error points at the alias.
    let stored = model.tracked().map(|field| {
        let span = field.attrs.rename.as_ref().map_or(field.span, |rename| rename.value.span());
        (field.name.clone(), span, field)
    });
    for (name, span, field) in stored {
        if let Some(other) = seen.insert(name.clone(), field) {
            errors.at(
                span,
                format_args!(
                    "the field `{}` is stored under `{name}` already; give this one another name with `rename`",
                    unraw(&other.method)
                ),
            );
        }
    }
    for field in model.tracked() {
        for alias in &field.attrs.aliases {
            let name = alias.value.value();
            match seen.insert(name.clone(), field) {
                None => {}
                Some(other) if std::ptr::eq(other, field) => {
                    errors.at(
                        alias.value.span(),
                        format_args!("the field is found under `{name}` already; remove this alias"),
                    );
                }
                Some(other) => errors.at(
                    alias.value.span(),
                    format_args!(
                        "the field `{}` is found under `{name}` already; remove this alias",
                        unraw(&other.method)
                    ),
                ),
            }
        }
    }
}

/// The view has one method of its own.
fn methods_differ(model: &Model, errors: &Errors) {
    for field in &model.fields {
        if field.method.unraw() == "edit_all" {
            errors.at(
                field.span,
                "a field's method would have the name of the view's own `edit_all`; rename the field, and write \
                 `#[session(rename = \"edit_all\")]` to keep the name it is stored under",
            );
        }
    }
}

/// `foo_bar` and `foo__bar` are one name in `UpperCamelCase`.
fn variants_differ(model: &Model, errors: &Errors) {
    let mut seen = BTreeMap::new();
    for field in model.tracked() {
        if let Some(other) = seen.insert(&field.variant, field) {
            let (first, second) = (unraw(&other.method), unraw(&field.method));
            errors.at(
                field.span,
                format_args!(
                    "the fields `{first}` and `{second}` would both be `{}` in the generated enum; rename one, and write \
                     `#[session(rename = \"{second}\")]` to keep the name it is stored under",
                    field.variant
                ),
            );
        }
    }
}

/// Which of these attributes the field has.
fn keys<'a>(field: &Field<'a>, names: &[&str]) -> impl Iterator<Item = &'a Ident> {
    field.attrs.keys.iter().filter(|key| names.iter().any(|name| key == name))
}
