//! The pages: a link leads somewhere, the book lists its pages and each leads to the next, examples are compiled, and
//! what is shown as generated is generated. `UPDATE_EXPECT=1` writes the last lines of the book's pages anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::metadata::{read, root};

/// The pages in a folder of the repository.
fn pages_in(folder: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(root().join(folder)).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut pages: Vec<_> = entries.map(|name| Path::new(folder).join(name)).collect();
    pages.retain(|page| is_page(page));
    pages.sort();
    pages
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "md")
}

/// What stands outside of blocks of code, by lines.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// The blocks of code that begin with this fence.
fn blocks<'text>(text: &'text str, fence: &str) -> Vec<&'text str> {
    let begin = format!("```{fence}\n");
    text.split(&*begin).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// The links in a text: what is shown, and where it leads.
fn links(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in prose(text) {
        // Inline code is no link, though it may be shown as one.
        let plain: String =
            line.split('`').enumerate().map(|(place, part)| if place % 2 == 0 { part } else { "code" }).collect();
        for (before, after) in plain.match_indices("](").map(|(place, _)| (&plain[..place], &plain[place + 2..])) {
            let shown = before.rsplit('[').next().unwrap_or_default().to_owned();
            found.push((shown, after.split(')').next().unwrap_or_default().to_owned()));
        }
    }
    found
}

/// The names by which the headings of a page are linked.
fn anchors(text: &str) -> BTreeSet<String> {
    let kept = |letter: char| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter => letter.is_alphanumeric().then(|| letter.to_ascii_lowercase()),
    };
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim().chars().filter_map(kept).collect())
        .collect()
}

#[test]
fn each_link_of_a_page_leads_somewhere() {
    let folders = [".", "docs", "session-runtime", "session-derive"];
    let pages: Vec<_> = folders.iter().flat_map(|folder| pages_in(folder)).collect();
    assert!(pages.len() > 15, "only {pages:?}");
    for page in pages {
        let text = read(&page);
        for (_, link) in links(&text).into_iter().filter(|(_, link)| !link.starts_with("https://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().expect("a folder").join(path) };
            let place = page.display();
            assert!(root().join(&target).exists(), "{place} links {link}, and nothing is there");
            // A book has no pages but its own.
            let is_outside = page.starts_with("docs") && path.starts_with("../") && is_page(Path::new(path));
            assert!(!is_outside, "{place} links {link}, which is no page of the book");
            assert!(
                anchor.is_empty() || anchors(&read(&target)).contains(anchor),
                "{place} links {link}: no such heading"
            );
        }
    }
}

/// The pages of the book in their order: title and file.
fn chapters(table: &str) -> Vec<(String, String)> {
    let mut chapters = links(&read(table));
    chapters.retain(|(_, file)| !file.contains("://") && file != "README.md");
    chapters
}

#[test]
fn the_book_lists_each_of_its_pages() {
    let chapters = chapters("docs/SUMMARY.md");
    assert_eq!(chapters, self::chapters("docs/README.md"), "docs/README.md and docs/SUMMARY.md list other pages");
    let files: BTreeSet<_> = chapters.iter().map(|(_, file)| file).collect();
    assert_eq!(files.len(), chapters.len(), "docs/SUMMARY.md lists a page twice, and mdBook would write it twice");
    let listed: BTreeSet<_> = chapters.into_iter().map(|(_, file)| Path::new("docs").join(file)).collect();
    let mut there: BTreeSet<_> = pages_in("docs").into_iter().collect();
    there.retain(|page| !page.ends_with("README.md") && !page.ends_with("SUMMARY.md"));
    assert_eq!(listed, there, "docs/SUMMARY.md lists other pages than docs has");
}

#[test]
fn each_page_of_the_book_leads_to_the_next() {
    const RULE: &str = "\n---\n";
    let chapters = chapters("docs/SUMMARY.md");
    for (place, (title, file)) in chapters.iter().enumerate() {
        let before =
            place.checked_sub(1).map(|before| &chapters[before]).map(|(title, file)| format!("[← {title}]({file}) · "));
        let after = chapters.get(place + 1).map(|(title, file)| format!(" · [{title} →]({file})"));
        let way = format!("{}[Contents](README.md){}\n", before.unwrap_or_default(), after.unwrap_or_default());
        let page = Path::new("docs").join(file);
        let text = read(&page);
        let (content, found) = text.rsplit_once(RULE).unwrap_or((&text, ""));
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(root().join(page), format!("{}\n{RULE}\n{way}", content.trim_end())).expect("a page");
        } else {
            assert_eq!(found.trim_start(), way, "the end of {file}, {title}; UPDATE_EXPECT=1 writes it");
        }
    }
}

#[test]
fn the_examples_of_each_page_are_compiled() {
    let compiled = read("tests/src/lib.rs");
    for page in pages_in("docs").into_iter().chain(pages_in(".")).chain(pages_in("session-runtime")) {
        let has_examples = read(&page).lines().any(|line| ["```rust", "```rust,no_run"].contains(&line));
        let path = page.strip_prefix(".").unwrap_or(&page).display().to_string();
        let include = format!("include_str!(\"../../{path}\")");
        assert!(
            !has_examples || compiled.contains(&include),
            "nothing compiles the examples of {path}: tests/src/lib.rs"
        );
    }
}

#[test]
fn the_code_that_the_book_shows_as_generated_is_generated() {
    let page = read("docs/how-it-works.md");
    // A test of the derive compares what stands there with what it generates.
    let documentation = read("session-derive/src/derive.md");
    let (_, generated) = documentation.split_once("# The generated code").expect("the generated code");
    let shown = blocks(&page, "rust,ignore");
    assert!(shown.len() > 4, "only {} pieces", shown.len());
    for block in shown {
        assert!(generated.contains(block), "docs/how-it-works.md shows, and the derive does not generate:\n{block}");
    }
}
