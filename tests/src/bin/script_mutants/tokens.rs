//! The words of a script: of Lua, or of PostgreSQL's SQL and PL/pgSQL, which are near enough to each other.

use std::ops::Range;

/// What a script is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Sql,
    Lua,
}

/// A text in tokens, with the brackets that belong together.
#[derive(Debug)]
pub(crate) struct Tokens<'t> {
    pub(crate) text: &'t str,
    pub(crate) language: Language,
    spans: Vec<Range<usize>>,
    /// The other bracket, for each that has one. A `CASE` and its `END` are brackets.
    partners: Vec<Option<usize>>,
    /// The innermost bracket around each token.
    around: Vec<Option<usize>>,
    /// Whether each stands in a body of PL/pgSQL or SQL.
    in_body: Vec<bool>,
}

impl<'t> Tokens<'t> {
    pub(crate) fn of(text: &'t str, language: Language) -> Self {
        let spans = split(text);
        let (count, mut open) = (spans.len(), Vec::new());
        let (mut partners, mut around, mut in_body) = (vec![None; count], vec![None; count], vec![false; count]);
        let mut is_in_body = false;
        for (at, span) in spans.iter().enumerate() {
            let word = &text[span.clone()];
            let ends_case =
                word == "END" && open.last().is_some_and(|open: &usize| &text[spans[*open].clone()] == "CASE");
            if (matches!(word, ")" | "]" | "}") || ends_case)
                && let Some(open) = open.pop()
            {
                partners[open] = Some(at);
                partners[at] = Some(open);
            }
            around[at] = open.last().copied();
            if matches!(word, "(" | "[" | "{") || language == Language::Sql && word == "CASE" {
                open.push(at);
            }
            is_in_body ^= word == "$body$";
            in_body[at] = is_in_body;
        }
        Self { text, language, spans, partners, around, in_body }
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The token at this place; nothing beyond the ends.
    pub(crate) fn word(&self, at: usize) -> &'t str {
        self.spans.get(at).map_or("", |span| &self.text[span.clone()])
    }

    /// The token before; nothing before the first.
    pub(crate) fn before(&self, at: usize) -> &'t str {
        at.checked_sub(1).map_or("", |before| self.word(before))
    }

    pub(crate) fn are(&self, at: usize, words: &[&str]) -> bool {
        words.iter().zip(at..).all(|(word, at)| self.word(at) == *word)
    }

    /// The bytes of some tokens.
    pub(crate) fn span(&self, tokens: Range<usize>) -> Range<usize> {
        self.spans[tokens.start].start..self.spans[tokens.end - 1].end
    }

    pub(crate) fn is_in_body(&self, at: usize) -> bool {
        self.in_body[at]
    }

    /// The bracket around a token.
    pub(crate) fn bracket(&self, at: usize) -> &'t str {
        self.around[at].map_or("", |open| self.word(open))
    }

    /// Where the bracket that opens here is closed.
    pub(crate) fn closes(&self, at: usize) -> Option<usize> {
        self.partners[at].filter(|partner| *partner > at)
    }

    /// Whether a statement of Lua begins here, after one that nothing marks the end of.
    pub(crate) fn begins_line(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        let is_word = |word: &str| word.starts_with(|first: char| first.is_alphanumeric() || "_'\"#".contains(first));
        self.language == Language::Lua
            && self.text[self.spans[before].end..self.spans[at].start].contains('\n')
            && is_word(self.word(at))
            && !matches!(self.word(at), "and" | "or" | "then" | "do")
            && (is_word(self.word(before)) || matches!(self.word(before), ")" | "]" | "}"))
            && !matches!(self.word(before), "and" | "or" | "not" | "return")
    }

    /// From here to the first token at this depth that is one of these, or to the end of the brackets around.
    pub(crate) fn until(&self, start: usize, is_end: impl Fn(usize) -> bool) -> usize {
        let mut at = start;
        while at < self.len() {
            if is_end(at) || at > start && self.begins_line(at) {
                break;
            }
            match self.partners[at] {
                Some(partner) if partner > at => at = partner,
                Some(_) => break,
                None => {}
            }
            at += 1;
        }
        at
    }

    /// The same backwards: where what ends before `end` begins.
    pub(crate) fn since(&self, end: usize, is_end: impl Fn(usize) -> bool) -> usize {
        let mut at = end;
        while at > 0 {
            if is_end(at - 1) || at < end && self.begins_line(at) {
                break;
            }
            match self.partners[at - 1] {
                Some(partner) if partner < at - 1 => at = partner,
                Some(_) => break,
                None => at -= 1,
            }
        }
        at
    }
}

/// Where the tokens are; comments are none.
fn split(text: &str) -> Vec<Range<usize>> {
    const LONG: [&str; 10] = [":=", "<=", ">=", "<>", "=>", "~=", "==", "||", "..", "::"];
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let (mut spans, mut at) = (Vec::new(), 0);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        } else if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if first == '\'' || first == '"' {
            rest[1..].find(first).map_or(rest.len(), |end| end + 2)
        } else {
            LONG.iter().find(|long| rest.starts_with(**long)).map_or(first.len_utf8(), |long| long.len())
        };
        spans.push(at..at + length);
        at += length;
    }
    spans
}
