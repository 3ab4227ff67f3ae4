//! The dependencies: their licences, versions and sources are those that `deny.toml` allows, no newer compiler is needed
//! for them than for ours, and each is used.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::metadata::{Metadata, Package, read};
use super::source::path_starts;

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

/// What one crate may have besides.
#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    skip: Vec<Skip>,
}

#[derive(Deserialize)]
struct Skip {
    #[serde(rename = "crate")]
    name: String,
}

fn deny() -> Deny {
    toml::from_str(&read("deny.toml")).expect("deny.toml")
}

/// Dependencies that no line of code names: they are there for a feature, or for examples in comments.
const UNNAMED: &[(&str, &str)] = &[("session-runtime", "axum"), ("session-runtime", "getrandom")];

#[test]
fn licences_are_those_that_users_can_live_with() {
    let Licenses { allow, exceptions } = deny().licenses;
    for package in Metadata::read().built_by_users() {
        let excepted = exceptions.iter().filter(|exception| exception.name == package.name);
        let allowed: Vec<_> = excepted.flat_map(|exception| &exception.allow).chain(&allow).cloned().collect();
        let license = package.license.as_deref().unwrap_or_default();
        assert!(allows(&allowed, license), "{} {} has the licence `{license}`", package.name, package.version);
    }
}

/// Whether a licence expression can be met with these licences. `/` is the older way to write `OR`.
fn allows(allowed: &[String], expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let answer = either(allowed, &mut words);
    answer && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(allowed: &[String], words: &mut Words<'_>) -> bool {
    let mut answer = both(allowed, words);
    while words.next_if_eq(&"OR").is_some() {
        answer |= both(allowed, words);
    }
    answer
}

fn both(allowed: &[String], words: &mut Words<'_>) -> bool {
    let mut answer = one(allowed, words);
    while words.next_if_eq(&"AND").is_some() {
        answer &= one(allowed, words);
    }
    answer
}

fn one(allowed: &[String], words: &mut Words<'_>) -> bool {
    match words.next() {
        Some("(") => either(allowed, words) & (words.next() == Some(")")),
        Some(name) => {
            // An exception permits more than its licence.
            if words.next_if_eq(&"WITH").is_some() {
                words.next();
            }
            allowed.iter().any(|license| license == name)
        }
        None => false,
    }
}

#[test]
fn a_licence_expression_is_met_by_what_it_asks_for() {
    let allowed = ["MIT", "ISC"].map(str::to_owned);
    for met in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT/Apache-2.0",
        "MIT AND ISC",
        "(GPL-3.0 OR MIT) AND ISC",
        "MIT WITH some-exception",
    ] {
        assert!(allows(&allowed, met), "{met}");
    }
    for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "GPL-3.0 OR MIT AND Zlib", "(MIT", "MIT ISC"] {
        assert!(!allows(&allowed, unmet), "{unmet}");
    }
}

#[test]
fn no_crate_is_built_in_two_versions_without_a_reason() {
    let skipped = deny().bans.skip;
    let is_skipped = |package: &Package| {
        skipped.iter().any(|skip| {
            let (name, version) = skip.name.split_once('@').unwrap_or((&skip.name, ""));
            let rest = package.version.strip_prefix(version);
            name == package.name
                && rest.is_some_and(|rest| rest.is_empty() || version.is_empty() || rest.starts_with('.'))
        })
    };
    let metadata = Metadata::read();
    let packages = metadata.built_by_users();
    let kept: Vec<_> = packages.iter().filter(|package| !is_skipped(package)).collect();
    for pair in kept.windows(2) {
        assert_ne!(pair[0].name, pair[1].name, "versions {} and {}", pair[0].version, pair[1].version);
    }
    let unused = skipped.len() - (packages.len() - kept.len());
    assert_eq!(unused, 0, "deny.toml skips {unused} versions that nobody builds");
}

#[test]
fn all_crates_come_from_the_registry_or_from_here() {
    let metadata = Metadata::read();
    for package in metadata.built_by_users() {
        let is_ours = metadata.members().any(|member| member.name == package.name);
        let is_registered = package.source.as_deref().is_some_and(|source| source.starts_with("registry+"));
        assert!(is_ours || is_registered, "{} comes from {:?}", package.name, package.source);
    }
}

#[test]
fn no_dependency_needs_a_newer_compiler_than_is_promised() {
    let numbers = |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    let metadata = Metadata::read();
    let ours = metadata.published().find_map(|package| package.rust_version.as_deref()).expect("a version");
    for package in metadata.built_by_users() {
        let needed = package.rust_version.as_deref().unwrap_or("1.0");
        assert!(numbers(needed) <= numbers(&format!("{ours}.99")), "{} needs Rust {needed}, not {ours}", package.name);
    }
}

#[test]
fn each_dependency_is_used() {
    let mut unused = Vec::new();
    for package in Metadata::read().members() {
        let folder = package.manifest_path.parent().expect("a folder");
        let mut named = Vec::new();
        collect(folder, &mut named);
        for dependency in &package.dependencies {
            let name = dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_");
            if !named.contains(&name) && !UNNAMED.contains(&(&package.name, &dependency.name)) {
                unused.push(format!("{} does not use {}", package.name, dependency.name));
            }
        }
    }
    assert!(unused.is_empty(), "{unused:#?}");
}

/// What paths begin with in a package's sources, and in its pages, whose examples are compiled. Packages inside have their own.
fn collect(folder: &Path, named: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is = |extension: &str| path.extension().is_some_and(|found| found == extension);
        if path.is_dir() && !path.join("Cargo.toml").exists() && !path.ends_with("target") {
            collect(&path, named);
        } else if is("rs") || is("md") {
            named.extend(path_starts(&fs::read_to_string(&path).expect("a text")));
        }
    }
    named.sort();
    named.dedup();
}
