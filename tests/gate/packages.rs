//! The published crates: what users and the registry look for is in them, and what their pages say is so.

use std::collections::BTreeSet;

use super::metadata::{Metadata, PUBLISHED, read, root, sources};

#[test]
fn each_published_crate_says_what_it_is() {
    let metadata = Metadata::read();
    assert_eq!(metadata.published().count(), PUBLISHED.len());
    for package in metadata.published() {
        let name = &package.name;
        assert!(package.description.as_deref().is_some_and(|text| text.len() > 40), "{name} has no description");
        assert_eq!(package.license.as_deref(), Some("MIT OR Apache-2.0"), "{name}");
        assert!(package.readme.is_some(), "{name} has no page of its own");
        assert!((1..=5).contains(&package.keywords.len()), "{name} has {} keywords", package.keywords.len());
        assert!(!package.categories.is_empty(), "{name} has no categories");
        let settings = package.metadata.as_ref().and_then(|metadata| metadata.pointer("/docs/rs/all-features"));
        assert_eq!(settings, Some(&true.into()), "the documentation of {name} leaves features out");
    }
}

/// The categories of crates.io that fit a crate of this kind, of those that its `src/boot/categories.toml` lists: an
/// unknown one is dropped with a warning when a crate is published.
const CATEGORIES: &[&str] = &[
    "asynchronous",
    "authentication",
    "caching",
    "concurrency",
    "config",
    "data-structures",
    "database",
    "encoding",
    "network-programming",
    "rust-patterns",
    "web-programming",
    "web-programming::http-server",
];

#[test]
fn the_registry_takes_the_keywords_and_categories_of_each_published_crate() {
    let metadata = Metadata::read();
    for package in metadata.published() {
        let name = &package.name;
        assert!(package.keywords.len() <= 5 && package.categories.len() <= 5, "{name} has more than five");
        for keyword in &package.keywords {
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-+".contains(letter);
            assert!(keyword.len() <= 20 && keyword.chars().all(is_plain), "{name}: {keyword}");
            assert!(keyword.starts_with(|first: char| first.is_ascii_alphanumeric()), "{name}: {keyword}");
        }
        for category in &package.categories {
            assert!(
                CATEGORIES.contains(&&**category),
                "{name}: {category} is no category of crates.io, or a new one here"
            );
        }
    }
}

#[test]
fn each_published_crate_carries_both_licences() {
    for package in PUBLISHED {
        for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(read(format!("{package}/{license}")) == read(license), "{package}/{license} is not {license}");
        }
    }
}

#[test]
fn what_looks_at_published_crates_looks_at_all_of_them_and_at_no_other() {
    let metadata = Metadata::read();
    for script in ["documentation", "minimal-versions", "package", "semver"] {
        let text = read(format!("scripts/{script}"));
        let commands = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words = commands.flat_map(|line| line.split(|letter: char| letter != '-' && !letter.is_ascii_lowercase()));
        let named: BTreeSet<_> = words.filter(|word| metadata.members().any(|member| member.name == *word)).collect();
        assert_eq!(named, PUBLISHED.into(), "scripts/{script}");
    }
}

#[test]
fn the_pages_name_each_feature_and_the_oldest_compiler() {
    let metadata = Metadata::read();
    let runtime = metadata.published().find(|package| package.name == "session-runtime").expect("the runtime");
    for page in ["README.md", "session-runtime/README.md"] {
        let text = read(page);
        let version = format!("Rust {}", runtime.rust_version.as_deref().expect("a version"));
        assert!(text.contains(&version), "{page} does not say that {version} is needed");
        for feature in runtime.features.keys().filter(|feature| *feature != "default" && !feature.starts_with('_')) {
            assert!(text.contains(&format!("`{feature}`")), "{page} does not name the feature `{feature}`");
        }
    }
}

#[test]
fn the_tests_that_pages_name_exist() {
    let folders = ["tests/faults", "tests/promises", "tests/stores", "session-runtime/src/store/conformance"];
    let sources: String = folders.iter().map(|folder| sources(&root().join(folder))).collect();
    let page = read("docs/failures.md");
    let names: Vec<_> = page.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() > 3).collect();
    assert!(names.len() > 30, "only {names:?}");
    for name in names {
        assert!(sources.contains(&format!("fn {name}(")), "docs/failures.md names {name}, and there is no such test");
    }
}
