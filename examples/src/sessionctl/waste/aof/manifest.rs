//! The list of an append-only file's parts, which Redis keeps since version 7.

use std::fs;
use std::path::{Path, PathBuf};

use super::Part;
use crate::sessionctl::waste::monitor::unquote;

/// The list in a folder, or in the folder `appendonlydir` in it.
pub(in super::super) fn find(folder: &Path) -> Option<PathBuf> {
    [folder.to_owned(), folder.join("appendonlydir")].iter().find_map(|folder| {
        let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        files.filter(|file| file.extension().is_some_and(|ending| ending == "manifest")).min()
    })
}

/// Reads lines such as `file appendonly.aof.1.incr.aof seq 1 type i`, in the order in which they were written. `None` if
/// it is no such list.
pub(super) fn parse(text: &str) -> Option<Vec<Part>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parts: Vec<Option<Part>> = lines.map(parse_line).collect::<Option<_>>()?;
    Some(parts.into_iter().flatten().collect())
}

/// A part; none if it is one that was replaced already.
fn parse_line(line: &str) -> Option<Option<Part>> {
    let words = words_of(line)?;
    let value = |name: &str| {
        let pair = words.chunks(2).find(|pair| pair[0] == name)?;
        pair.get(1).map(String::as_str)
    };
    // A name, and no way out of the folder.
    let file = value("file").filter(|file| !file.contains(['/', '\\']) && !matches!(*file, "." | ".."))?;
    match value("type")? {
        "h" => Some(None),
        kind @ ("b" | "i") => Some(Some(Part { file: file.into(), is_base: kind == "b" })),
        _ => None,
    }
}

/// Words, with quotes where Redis put them.
fn words_of(line: &str) -> Option<Vec<String>> {
    let (mut words, mut rest) = (Vec::new(), line.trim().as_bytes());
    while !rest.is_empty() {
        let (word, after) = if let Some(quoted) = rest.strip_prefix(b"\"") {
            unquote(quoted)?
        } else {
            let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
            (rest[..end].to_vec(), &rest[end..])
        };
        words.push(String::from_utf8(word).ok()?);
        rest = after.trim_ascii_start();
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<Vec<(String, bool)>> {
        let of = |part: Part| (part.file.display().to_string(), part.is_base);
        parse(text).map(|parts| parts.into_iter().map(of).collect())
    }

    #[test]
    fn parts_stand_in_their_order() {
        let text = "file a.1.base.rdb seq 1 type b\n# note\nfile a.0.incr.aof seq 0 type h\nfile \"a b.2.incr.aof\" seq 2 type i startoffset 7\n";
        assert_eq!(parts(text), Some(vec![("a.1.base.rdb".to_owned(), true), ("a b.2.incr.aof".to_owned(), false)]));
    }

    #[test]
    fn other_lists_and_ways_out_are_refused() {
        for text in [
            "file a seq 1",
            "file ../a seq 1 type i",
            "file .. type i",
            "file /a type i",
            "file a type x",
            "a",
            "file \"a type i",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
