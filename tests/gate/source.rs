//! The files of a crate, and which of them name items of which: enough of Rust's rules of names for our own code.
//!
//! A file points at another if it names something that the other defines. A name that a module only passes on, with
//! `pub use` or by importing it, is followed to the file that defines it; passing on and `mod name;` are no arrows.
//! Tests are left out: what stands behind `#[cfg(test)]`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, iter};

/// The files of a crate, by their path below its `src`.
pub(crate) struct Crate {
    files: BTreeMap<String, File>,
    /// Which file holds a module.
    modules: BTreeMap<Vec<String>, String>,
}

struct File {
    paths: Vec<Named>,
    /// The macros that it defines, which are named from the crate's root.
    macros: BTreeSet<String>,
}

/// A path that a file names.
struct Named {
    line: usize,
    path: Vec<String>,
    /// The name under which it is imported, if it is.
    import: Option<String>,
    /// Whether it is only passed on: imported with `pub use`, and not used here.
    passed_on: bool,
}

/// One file names something of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) line: usize,
    pub(crate) path: String,
}

impl Crate {
    /// Reads the crate whose sources are in `folder`.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut sources = BTreeMap::new();
        collect(folder, folder, &mut sources);
        Self::new(&sources)
    }

    /// A crate of these files.
    pub(crate) fn new(sources: &BTreeMap<String, String>) -> Self {
        let sources: BTreeMap<_, _> = sources.iter().map(|(file, text)| (file, tokens(text))).collect();
        let tests: BTreeSet<Vec<String>> = sources
            .iter()
            .flat_map(|(file, tokens)| test_modules(tokens).map(|name| child(&module(file), name)))
            .collect();
        let is_test = |module: &[String]| (0..=module.len()).any(|end| tests.contains(&module[..end]));
        let kept = || {
            sources.iter().map(|(file, tokens)| (*file, tokens, module(file))).filter(|(_, _, module)| !is_test(module))
        };
        let modules: BTreeMap<_, _> = kept().map(|(file, _, module)| (module, file.clone())).collect();
        let files = kept()
            .map(|(file, tokens, module)| {
                let paths = Reader::new(tokens, &module, &modules).paths();
                (file.clone(), File { paths, macros: macros(tokens) })
            })
            .collect();
        Self { files, modules }
    }

    /// All arrows between files, one for each place.
    pub(crate) fn arrows(&self) -> BTreeSet<Arrow> {
        let mut arrows = BTreeSet::new();
        for (from, file) in &self.files {
            for named in &file.paths {
                if named.passed_on {
                    continue;
                }
                if let Some(to) = self.definer(&named.path, 8).filter(|to| to != from) {
                    arrows.insert(Arrow { from: from.clone(), to, line: named.line, path: named.path.join("::") });
                }
            }
        }
        arrows
    }

    /// The file that defines what a path names, as far as names that are passed on can be followed.
    fn definer(&self, path: &[String], patience: usize) -> Option<String> {
        if let [name] = path
            && let Some((file, _)) = self.files.iter().find(|(_, file)| file.macros.contains(name))
        {
            return Some(file.clone());
        }
        let depth = (0..=path.len()).rev().find(|&depth| self.modules.contains_key(&path[..depth]))?;
        let file = &self.modules[&path[..depth]];
        let passed_on = |name: &String| {
            let named = self.files[file].paths.iter().find(|named| named.import.as_ref() == Some(name))?;
            self.definer(&named.path, patience.checked_sub(1)?)
        };
        path.get(depth).and_then(passed_on).or_else(|| Some(file.clone()))
    }
}

/// The names with which the paths of a source begin: those of other crates among them.
pub(crate) fn path_starts(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let begins =
        |at: &usize| is(&tokens[at + 1..], &["::"]) && at.checked_sub(1).is_none_or(|at| tokens[at].text != "::");
    (0..tokens.len()).filter(begins).map(|at| tokens[at].text.clone()).collect()
}

fn collect(root: &Path, folder: &Path, sources: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix(root).expect("below the root").display().to_string();
            sources.insert(file, fs::read_to_string(&path).expect("a source"));
        }
    }
}

/// The module that a file holds.
fn module(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

fn child(module: &[String], name: &str) -> Vec<String> {
    module.iter().map(String::as_str).chain(iter::once(name)).map(str::to_owned).collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

/// The words and signs of a source, without comments and the contents of strings.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let is_word = |sign: char| sign.is_alphanumeric() || sign == '_';
        let (kept, length) = if rest.starts_with("//") {
            (false, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (false, rest.find("*/").map_or(rest.len(), |end| end + 2))
        } else if let Some(length) = string(rest) {
            (false, length)
        } else if first.is_whitespace() {
            (false, first.len_utf8())
        } else if is_word(first) {
            (true, rest.find(|sign| !is_word(sign)).unwrap_or(rest.len()))
        } else if rest.starts_with("::") {
            (true, 2)
        } else {
            (true, first.len_utf8())
        };
        let (token, after) = rest.split_at(length);
        if kept {
            tokens.push(Token { text: token.to_owned(), line });
        }
        line += token.matches('\n').count();
        rest = after;
    }
    tokens
}

/// The length of the string or character that stands here, if one does.
fn string(text: &str) -> Option<usize> {
    let prefix = text.find(|sign| !matches!(sign, 'b' | 'r' | 'c')).filter(|length| *length <= 2)?;
    let is_raw = text[..prefix].contains('r');
    let after = &text[prefix..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    if after[hashes..].starts_with('"') && (is_raw || hashes == 0) {
        let start = prefix + hashes + 1;
        if is_raw {
            let end = format!("\"{}", "#".repeat(hashes));
            return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
        }
        return Some(unescaped(text, start, '"'));
    }
    // A character, and not a lifetime.
    let mut signs = after.strip_prefix('\'')?.chars();
    let (first, second) = (signs.next()?, signs.next()?);
    (first == '\\' || second == '\'')
        .then(|| if first == '\\' { unescaped(text, prefix + 1, '\'') } else { prefix + 2 + first.len_utf8() })
}

/// Where the first `end` behind `start` ends that no backslash takes away.
fn unescaped(text: &str, start: usize, end: char) -> usize {
    let mut escaped = false;
    for (at, sign) in text[start..].char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if sign == end => return start + at + sign.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The names of the modules behind `#[cfg(test)]` that have files of their own.
fn test_modules(tokens: &[Token]) -> impl Iterator<Item = &str> {
    tokens
        .windows(10)
        .filter(|window| is_test(window) && is(&window[7..], &["mod"]) && is(&window[9..], &[";"]))
        .map(|window| &*window[8].text)
}

fn is_test(tokens: &[Token]) -> bool {
    is(tokens, &["#", "[", "cfg", "(", "test", ")", "]"]) || is(tokens, &["#", "[", "cfg", "(", "all", "(", "test"])
}

fn is(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && texts.iter().zip(tokens).all(|(text, token)| token.text == *text)
}

/// How many tokens the item behind an attribute takes, with the attribute.
fn item(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match &*token.text {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Whether a name stands anywhere but in a `use`, or where something is defined or called a member.
fn uses(tokens: &[Token], name: &str) -> bool {
    let mut imports = false;
    let mut before = "";
    tokens.iter().any(|token| {
        imports = (imports || token.text == "use") && token.text != ";";
        let found = token.text == name && !imports && !matches!(before, "mod" | "fn" | "." | "::");
        before = &token.text;
        found
    })
}

/// The macros that a file defines.
fn macros(tokens: &[Token]) -> BTreeSet<String> {
    let defined = tokens.windows(3).filter(|window| is(window, &["macro_rules", "!"]));
    defined.map(|window| window[2].text.clone()).collect()
}

/// Reads the paths of this crate that a file names.
struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The module whose items stand here: that of the file, or one in it.
    module: Vec<String>,
    /// At which depth of braces each module in the file began.
    inner: Vec<usize>,
    depth: usize,
    modules: &'a BTreeMap<Vec<String>, String>,
    /// Whether a `use` goes on here, and whether it is public.
    import: Option<bool>,
    found: Vec<Named>,
}

impl<'a> Reader<'a> {
    fn new(tokens: &'a [Token], module: &[String], modules: &'a BTreeMap<Vec<String>, String>) -> Self {
        let (inner, found) = (Vec::new(), Vec::new());
        Self { tokens, at: 0, module: module.to_vec(), inner, depth: 0, modules, import: None, found }
    }

    fn paths(mut self) -> Vec<Named> {
        while let Some(token) = self.tokens.get(self.at) {
            let before = self.at.checked_sub(1).map_or("", |before| &*self.tokens[before].text);
            if is_test(&self.tokens[self.at..]) {
                self.at += item(&self.tokens[self.at..]);
                continue;
            }
            match &*token.text {
                "use" => self.import = Some(matches!(before, "pub" | ")")),
                ";" => self.import = None,
                "{" => {
                    self.depth += 1;
                    if self.at > 1 && self.tokens[self.at - 2].text == "mod" {
                        self.module.push(before.to_owned());
                        self.inner.push(self.depth);
                    }
                }
                "}" => {
                    if self.inner.last() == Some(&self.depth) {
                        self.inner.pop();
                        self.module.pop();
                    }
                    self.depth = self.depth.saturating_sub(1);
                }
                _ => {}
            }
            let begins = !matches!(before, "::" | "in") && is(&self.tokens[self.at + 1..], &["::"]);
            let base = match &*token.text {
                _ if !begins => None,
                "crate" => Some((Vec::new(), 2)),
                "self" => Some((self.module.clone(), 2)),
                "super" => Some((self.module.split_last().map_or_else(Vec::new, |(_, parent)| parent.to_vec()), 2)),
                name if self.modules.contains_key(&child(&self.module, name)) => Some((self.module.clone(), 0)),
                _ => None,
            };
            match base {
                Some((base, skipped)) => {
                    self.at += skipped;
                    self.path(&base);
                }
                None => self.at += 1,
            }
        }
        for named in &mut self.found {
            named.passed_on &= !named.import.as_deref().is_some_and(|name| uses(self.tokens, name));
        }
        self.found
    }

    /// Reads what follows `base` in a path, with its branches in braces.
    fn path(&mut self, base: &[String]) {
        let mut path = base.to_vec();
        while let Some(token) = self.tokens.get(self.at) {
            match &*token.text {
                "{" if self.import.is_some() => {
                    self.at += 1;
                    while self.tokens.get(self.at).is_some_and(|token| token.text != "}") {
                        if self.tokens[self.at].text == "," { self.at += 1 } else { self.path(&path) }
                    }
                    self.at += 1;
                    return;
                }
                "super" => drop(path.pop()),
                "self" => {}
                name => path.push(name.to_owned()),
            }
            self.at += 1;
            let rest = &self.tokens[self.at..];
            if is(rest, &["::"]) && !is(rest, &["::", "<"]) {
                self.at += 1;
                continue;
            }
            let mut name = path.last().cloned();
            if self.import.is_some() && is(rest, &["as"]) {
                name = rest.get(1).map(|token| token.text.clone());
                self.at += 2;
            }
            // What a glob names is not known: it stands for the module.
            if name.as_deref() == Some("*") {
                path.pop();
            }
            let import = self.import.and(name);
            let passed_on = self.import == Some(true);
            self.found.push(Named { line: token.line, path, import, passed_on });
            return;
        }
    }
}
