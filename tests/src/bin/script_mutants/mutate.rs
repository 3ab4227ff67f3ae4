//! What can be changed in a script: one place at a time.

use std::ops::Range;

use crate::tokens::{Language, Tokens};

/// One change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) place: Range<usize>,
    pub(crate) by: String,
}

impl Change {
    pub(crate) fn apply(&self, text: &str) -> String {
        format!("{}{}{}", &text[..self.place.start], self.by, &text[self.place.end..])
    }
}

/// All changes of a text.
pub(crate) fn changes(text: &str, language: Language) -> Vec<Change> {
    let tokens = Tokens::of(text, language);
    let mut found = Found { tokens: &tokens, changes: Vec::new() };
    for at in 0..tokens.len() {
        found.operands(at);
        found.condition(at);
        found.bound(at);
        found.arguments(at);
        match language {
            Language::Sql => {
                found.elements(at);
                found.statement(at);
                found.columns(at);
                found.clause(at);
            }
            Language::Lua => found.line(at),
        }
    }
    found.changes
}

struct Found<'t> {
    tokens: &'t Tokens<'t>,
    changes: Vec<Change>,
}

impl Found<'_> {
    fn add(&mut self, tokens: Range<usize>, by: &str) {
        if !tokens.is_empty() {
            let change = Change { place: self.tokens.span(tokens), by: by.to_owned() };
            if self.tokens.text[change.place.clone()] != change.by && !self.changes.contains(&change) {
                self.changes.push(change);
            }
        }
    }

    /// A condition that always holds, and one that never does.
    fn decide(&mut self, tokens: Range<usize>) {
        self.add(tokens.clone(), "true");
        // To Lua, `nil` is as false.
        if tokens.len() != 1 || self.tokens.word(tokens.start) != "nil" {
            self.add(tokens, "false");
        }
    }

    /// What stands on both sides of an AND or OR.
    fn operands(&mut self, at: usize) {
        if self.is_and_or(at) {
            let tokens = self.tokens;
            let left = tokens.since(at, |at| self.is_and_or(at) || ends_operand(tokens, at));
            let right = tokens.until(at + 1, |at| self.is_and_or(at) || ends_operand(tokens, at));
            self.decide(left..at);
            self.decide(at + 1..right);
        }
    }

    fn is_and_or(&self, at: usize) -> bool {
        let tokens = self.tokens;
        match (tokens.language, tokens.word(at)) {
            (Language::Lua, "and" | "or") => true,
            (Language::Sql, "OR") => tokens.before(at) != "CREATE",
            (Language::Sql, "AND") => {
                let before = tokens
                    .since(at, |at| matches!(tokens.word(at), "AND" | "OR" | "BETWEEN") || ends_operand(tokens, at));
                tokens.before(before) != "BETWEEN"
            }
            _ => false,
        }
    }

    /// A whole condition.
    fn condition(&mut self, at: usize) {
        let tokens = self.tokens;
        let begins = match (tokens.language, tokens.word(at)) {
            (Language::Lua, "if" | "elseif" | "while") | (Language::Sql, "WHERE" | "ELSIF") => true,
            (Language::Sql, "ON") => tokens.word(at + 1) != "CONFLICT" && tokens.before(at) != "INDEX",
            (Language::Sql, "IF") => !matches!(tokens.before(at), "END" | "TABLE"),
            (Language::Sql, "WHEN") => tokens.before(at) != "EXCEPTION",
            _ => false,
        };
        if begins {
            let end = tokens.until(at + 1, |at| ends_operand(tokens, at));
            self.decide(at + 1..end);
        }
    }

    /// A comparison that takes the bound in, or leaves it out.
    fn bound(&mut self, at: usize) {
        let other = match self.tokens.word(at) {
            "<" => "<=",
            "<=" => "<",
            ">" => ">=",
            ">=" => ">",
            _ => return,
        };
        self.add(at..at + 1, other);
    }

    /// A call that chooses among its arguments or adds them up: each of them alone.
    fn arguments(&mut self, at: usize) {
        let tokens = self.tokens;
        let chooses = matches!(tokens.word(at), "coalesce" | "least" | "greatest" | "plus" | "min" | "max");
        let start = if tokens.before(at) == "." { at.saturating_sub(2) } else { at };
        if !chooses || tokens.word(at + 1) != "(" || tokens.before(start).eq_ignore_ascii_case("function") {
            return;
        }
        let Some(end) = tokens.closes(at + 1) else { return };
        for part in self.parts(at + 2, end) {
            let alone = tokens.text[tokens.span(part)].to_owned();
            self.add(start..end + 1, &alone);
        }
    }

    /// What stands between commas.
    fn parts(&self, start: usize, end: usize) -> Vec<Range<usize>> {
        let (mut parts, mut start) = (Vec::new(), start);
        while start < end {
            let comma = self.tokens.until(start, |at| at == end || self.tokens.word(at) == ",").min(end);
            parts.push(start..comma);
            start = comma + 1;
        }
        parts
    }

    /// A list without one of its elements.
    fn elements(&mut self, at: usize) {
        if self.tokens.are(at, &["IN", "("])
            && let Some(end) = self.tokens.closes(at + 1)
        {
            self.leave_out(at + 2, end);
        }
    }

    /// What stands between commas without one of it, unless it is alone.
    fn leave_out(&mut self, start: usize, end: usize) {
        let parts = self.parts(start, end);
        for (number, part) in parts.iter().enumerate() {
            if parts.len() > 1 {
                let comma = if number == 0 { part.start..part.end + 1 } else { part.start - 1..part.end };
                self.add(comma, "");
            }
        }
    }

    /// A statement of PL/pgSQL.
    fn statement(&mut self, at: usize) {
        let tokens = self.tokens;
        let begins = matches!(tokens.before(at), ";" | "THEN" | "ELSE" | "BEGIN" | "LOOP")
            && tokens.is_in_body(at)
            && tokens.bracket(at).is_empty();
        let target = if tokens.word(at + 1) == "." { at + 3 } else { at + 1 };
        let verbs = ["UPDATE", "DELETE", "INSERT", "PERFORM", "SELECT", "RAISE", "CONTINUE", "RETURN", "EXIT"];
        if begins && (verbs.contains(&tokens.word(at)) || tokens.word(target) == ":=") {
            let end = tokens.until(at, |at| tokens.word(at) == ";");
            self.add(at..end, "NULL");
        }
    }

    /// An update without one of its columns.
    fn columns(&mut self, at: usize) {
        let tokens = self.tokens;
        if tokens.word(at) == "SET" && tokens.word(at + 1) != "(" {
            let end = tokens.until(at, |at| matches!(tokens.word(at), "FROM" | "WHERE" | ";"));
            self.leave_out(at + 1, end);
        }
    }

    /// What a statement says of order, number and locks.
    fn clause(&mut self, at: usize) {
        let tokens = self.tokens;
        let ends = |at| matches!(tokens.word(at), "LIMIT" | "FOR" | ";" | "INTO");
        if tokens.are(at, &["ON", "CONFLICT", "DO", "NOTHING"]) {
            self.add(at..at + 4, "");
        } else if tokens.are(at, &["FOR", "UPDATE"]) {
            let end = if tokens.word(at + 2) == "SKIP" { at + 4 } else { at + 2 };
            self.add(at..end, "");
        } else if tokens.are(at, &["SKIP", "LOCKED"]) {
            self.add(at..at + 2, "");
        } else if tokens.word(at) == "ORDER" {
            self.add(at..tokens.until(at, ends), "");
        } else if tokens.word(at) == "LIMIT" {
            self.add(at..at + 2, "");
        }
    }

    /// A statement of Lua on lines of its own, or an entry of a table.
    fn line(&mut self, at: usize) {
        let tokens = self.tokens;
        let is_entry =
            tokens.bracket(at) == "{" && tokens.word(at + 1) == "=" && matches!(tokens.before(at), "{" | ",");
        if is_entry {
            let end = tokens.until(at, |at| tokens.word(at) == ",");
            self.add(at..(end + 1).min(tokens.len()), "");
        } else if tokens.begins_line(at) && !KEYWORDS.contains(&tokens.word(at)) {
            let end = tokens.until(at, |at| KEYWORDS.contains(&tokens.word(at)) && tokens.word(at) != "nil");
            self.add(at..end, "");
        }
    }
}

/// What no statement of Lua that can be left out begins with.
const KEYWORDS: [&str; 11] =
    ["local", "if", "for", "return", "end", "else", "elseif", "while", "function", "until", "nil"];

/// Whether an operand of a condition ends before this token, or begins after it.
fn ends_operand(tokens: &Tokens<'_>, at: usize) -> bool {
    let word = tokens.word(at);
    match tokens.language {
        Language::Lua => {
            matches!(
                word,
                "," | "="
                    | "if"
                    | "elseif"
                    | "then"
                    | "else"
                    | "do"
                    | "while"
                    | "return"
                    | "end"
                    | "local"
                    | "function"
                    | "until"
            )
        }
        Language::Sql => matches!(
            word,
            "," | ";"
                | ":="
                | "WHERE"
                | "ON"
                | "IF"
                | "ELSIF"
                | "WHEN"
                | "THEN"
                | "ELSE"
                | "RETURN"
                | "SELECT"
                | "FROM"
                | "JOIN"
                | "LEFT"
                | "LOOP"
                | "GROUP"
                | "ORDER"
                | "LIMIT"
                | "FOR"
                | "RETURNING"
                | "USING"
                | "AS"
                | "$body$"
        ),
    }
}
