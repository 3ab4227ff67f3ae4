use std::fmt;

use super::shapes::{Change, Effect};

/// What is wrong with a change of a session type, or has to be meant.
///
/// `Display` gives one sentence: the rule, its reason, the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub(super) rule: Rule,
    pub(super) field: Option<String>,
    pub(super) sentence: String,
    pub(super) attribute: Option<String>,
}

/// What a [`Difference`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The sessions are called by another name.
    Name,
    /// Another type, in another place and with other fields, has the name.
    Type,
    /// The codec is another one.
    Codec,
    /// The version was raised, and the deployed build will meet sessions that it cannot read.
    Raised,
    /// No `from` leads to an older version that can have stored sessions.
    NoMigration,
    /// The version is lower than the deployed one.
    Lowered,
    /// A field is gone, and with it what was stored of it.
    Gone,
    /// A field is gone and another is new, which may be the same under another name.
    Renamed,
    /// An alias is gone under which the field can be stored.
    Alias,
    /// A new field has the name of one that was given up.
    Reused,
    /// An initial value changed.
    Initial,
    /// The type of a field changed.
    FieldType,
}

impl Difference {
    /// What it is about.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The stored name of the field that it is about, if it is about one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The attribute to paste, if one is a way out.
    #[must_use]
    pub fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }

    fn new(rule: Rule, sentence: String) -> Self {
        Self { rule, field: None, sentence, attribute: None }
    }

    fn of(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    fn paste(self, attribute: impl Into<String>) -> Self {
        Self { attribute: Some(attribute.into()), ..self }
    }

    pub(super) fn name(was: &str, is: &str) -> Self {
        let attribute = format!("#[session(name = \"{was}\")]");
        Self::new(
            Rule::Name,
            format!(
                "the sessions are called `{is}` and were called `{was}`: those that are stored would be left behind, so \
                 write `{attribute}`, or accept that every session begins anew"
            ),
        )
        .paste(attribute)
    }

    pub(super) fn other_type(was: &str, is: &str) -> Self {
        Self::new(
            Rule::Type,
            format!(
                "the type is `{is}` and was `{was}`, with other fields: a store takes it for another one and refuses it, \
                 so move the type in one deployment and change its fields in the next, or give it another `name`"
            ),
        )
    }

    pub(super) fn codec(was: &str, is: &str) -> Self {
        Self::new(
            Rule::Codec,
            format!(
                "values are encoded as {is} and were encoded as {was}: a program with another codec is refused, so keep \
                 the codec, or give the session another `name` and leave the stored ones behind"
            ),
        )
    }

    pub(super) fn raised(was: u32, is: u32) -> Self {
        Self::new(
            Rule::Raised,
            format!(
                "the version is {is} and was {was}: sessions that this build changed cannot be read by the deployed one \
                 any more, which answers `NewerVersion` and keeps them as they are, so accept that for as long as both \
                 run"
            ),
        )
    }

    pub(super) fn no_migration(was: u32, is: u32) -> Self {
        let attribute = format!("#[session(version = {is}, from = Older)]");
        Self::new(
            Rule::NoMigration,
            format!(
                "the version is {is}, and no `from` leads to version {was}: what that version stored could not be read, so \
                 keep the older type and write `{attribute}` with its name, or accept it if nothing of it is stored any \
                 more"
            ),
        )
        .paste(attribute)
    }

    pub(super) fn lowered(was: u32, is: u32) -> Self {
        let attribute = format!("#[session(version = {was})]");
        Self::new(
            Rule::Lowered,
            format!(
                "the version is {is} and was {was}: what the deployed build stored cannot be read by an older version, so \
                 write `{attribute}`, or a higher one"
            ),
        )
        .paste(attribute)
    }

    pub(super) fn gone(name: &str) -> Self {
        let attribute = format!("#[session(alias = \"{name}\")]");
        Self::new(
            Rule::Gone,
            format!(
                "the field `{name}` is gone: what is stored of it stays unseen by this build while the deployed one goes \
                 on using it, so write `{attribute}` on the field of the same struct that has its values now, raise the \
                 `version` if they move elsewhere, or accept that they are given up"
            ),
        )
        .of(name)
        .paste(attribute)
    }

    /// A field that is gone, and one of which it can be an alias.
    pub(super) fn renamed(was: &str, is: &str) -> Option<Self> {
        let (alias, place) = alias(was, is)?;
        let attribute = format!("#[session(alias = \"{alias}\")]");
        let sentence = format!(
            "the field `{was}` is gone and `{is}` is new: under another name its stored values are not found, so write \
             `{attribute}` on `{place}` if it was renamed, or accept that the values are given up"
        );
        Some(Self::new(Rule::Renamed, sentence).of(was).paste(attribute))
    }

    pub(super) fn alias(name: &str, alias: &str) -> Self {
        let attribute = format!("#[session(alias = \"{alias}\")]");
        Self::new(
            Rule::Alias,
            format!(
                "the field `{name}` has lost its alias `{alias}`: where it is registered under that name it is stored \
                 under it, so write `{attribute}` until the next `version`, or accept it if no store has the name"
            ),
        )
        .of(name)
        .paste(attribute)
    }

    pub(super) fn reused(name: &str) -> Self {
        Self::new(
            Rule::Reused,
            format!(
                "the field `{name}` is new and has the name of one that was given up: sessions show what was stored under \
                 it then, so take another name, or accept it if that is meant"
            ),
        )
        .of(name)
    }

    pub(super) fn initial(name: &str, was: &str, is: &str) -> Self {
        let attribute = "#[session(pin)]";
        Self::new(
            Rule::Initial,
            format!(
                "the initial value of `{name}` is {is} and was {was}: sessions that do not store the field have the value \
                 that is registered, and a program with another one is refused, so write `{attribute}` to begin new \
                 sessions alone with it, build with `Agreement::Adopt` to go on with the registered one, or raise the \
                 `version`"
            ),
        )
        .of(name)
        .paste(attribute)
    }

    pub(super) fn unreadable_initial(name: &str, was: &str, version: u32) -> Self {
        let attribute = next_version(version);
        Self::new(
            Rule::Initial,
            format!(
                "the field `{name}` cannot hold {was}, which is its registered initial value: a program that cannot is \
                 refused, so write `{attribute}` with the name of the type as it was"
            ),
        )
        .of(name)
        .paste(attribute)
    }

    pub(super) fn field_type(name: &str, change: &Change, version: u32) -> Self {
        let Change { part, was, is, effect } = change;
        let reason = match effect {
            Effect::DeployedCannotRead => "the deployed build cannot read all that this one stores",
            Effect::CannotRead => "this build cannot read all that the deployed one stored",
            Effect::Neither => "neither build can read what the other stores",
            Effect::DeployedDrops => {
                "the deployed build leaves out what is new whenever it changes the field, and this one reads a value \
                 without it only if it has `#[serde(default)]`"
            }
            Effect::Drops => {
                "this build leaves out what is gone whenever it changes the field, which the deployed one reads only if \
                 it has `#[serde(default)]` there"
            }
        };
        let attribute = next_version(version);
        let harmless = match effect {
            Effect::DeployedCannotRead | Effect::DeployedDrops => {
                ", or accept it if no session can have such a value until the deployed build is gone"
            }
            Effect::CannotRead | Effect::Drops => ", or accept it if no stored session has such a value",
            Effect::Neither => "",
        };
        Self::new(
            Rule::FieldType,
            format!(
                "`{name}{part}` is `{is}` and was `{was}`: {reason}, so write `{attribute}` with the name of the type as \
                 it was{harmless}"
            ),
        )
        .of(name)
        .paste(attribute)
    }

    /// The same of the type that `from` names.
    pub(super) fn in_older_type(self, version: u32) -> Self {
        let sentence = format!(
            "the type of version {version} that `from` leads to is not the one that is deployed, and has to stay as it \
             was: {}",
            self.sentence
        );
        Self { sentence, ..self }
    }
}

fn next_version(version: u32) -> String {
    format!("#[session(version = {}, from = Older)]", u64::from(version) + 1)
}

/// Which alias to write on which field when a stored name became another: the outer field's, where only that changed.
/// No alias leads into a nested session or out of one.
fn alias<'a>(was: &'a str, is: &'a str) -> Option<(&'a str, &'a str)> {
    match (was.split_once('.'), is.split_once('.')) {
        (None, None) => Some((was, is)),
        (Some((outer, inner)), Some((own, same))) if inner == same => Some((outer, own)),
        (Some((outer, inner)), Some((same, own))) if outer == same => alias(inner, own),
        _ => None,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
