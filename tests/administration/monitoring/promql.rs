//! As much of Prometheus' query language as dashboards and alerts use: enough to tell which metrics and labels they name.
//! What it does not know is an error, so that nothing is passed over.

use std::iter::Peekable;

/// What a query names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) selectors: Vec<Selector>,
    /// The labels by which results are grouped.
    pub(super) grouped: Vec<String>,
}

/// A metric, and what its labels are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) metric: String,
    pub(super) matchers: Vec<Matcher>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) label: String,
    pub(super) operator: String,
    pub(super) value: String,
}

impl Matcher {
    /// The values that the matcher names. A variable of a dashboard stands for any.
    pub(super) fn values(&self) -> Vec<&str> {
        match &*self.operator {
            _ if self.value.contains('$') => Vec::new(),
            "=~" | "!~" => self.value.split('|').collect(),
            _ => vec![&self.value],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    /// A number, or the range of a selector: nothing that names anything.
    Value,
    Sign(String),
}

const FUNCTIONS: &[&str] = &["sum", "rate", "increase", "absent", "histogram_quantile", "label_values"];
const GROUPINGS: &[&str] = &["by", "without", "on", "ignoring"];
const OPERATORS: &[&str] = &["+", "-", "*", "/", ">", "<", ">=", "<=", "==", "(", ")", ","];

impl Query {
    /// Reads a query.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut query = Self::default();
        let mut tokens = tokens(text)?.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                Token::Word(word) if GROUPINGS.contains(&&*word) => query.grouped.extend(list(&mut tokens)?),
                Token::Word(word) if FUNCTIONS.contains(&&*word) => {}
                Token::Word(word) if tokens.peek() == Some(&sign("(")) => return Err(format!("the function {word}")),
                Token::Word(metric) => query.selectors.push(Selector { metric, matchers: matchers(&mut tokens)? }),
                Token::Value => {}
                Token::Sign(sign) if OPERATORS.contains(&&*sign) => {}
                other => return Err(format!("{other:?} in {text}")),
            }
        }
        Ok(query)
    }
}

/// A metric with its labels, as an exporter writes it too, and what stands behind.
pub(super) fn sample(line: &str) -> Result<(Selector, &str), String> {
    let (name, value) = line.rsplit_once(' ').ok_or("no value")?;
    let query = Query::parse(name)?;
    Ok((query.selectors.into_iter().next().ok_or("no metric")?, value))
}

fn sign(sign: &str) -> Token {
    Token::Sign(sign.to_owned())
}

/// Labels between brackets.
fn list(tokens: &mut impl Iterator<Item = Token>) -> Result<Vec<String>, String> {
    if tokens.next() != Some(sign("(")) {
        return Err("labels without brackets".to_owned());
    }
    let mut labels = Vec::new();
    loop {
        match tokens.next() {
            Some(Token::Word(label)) => labels.push(label),
            Some(token) if token == sign(",") => {}
            Some(token) if token == sign(")") => return Ok(labels),
            other => return Err(format!("{other:?} in a list of labels")),
        }
    }
}

/// What stands in braces behind a metric, if anything.
fn matchers(tokens: &mut Peekable<impl Iterator<Item = Token>>) -> Result<Vec<Matcher>, String> {
    let mut matchers = Vec::new();
    if tokens.next_if_eq(&sign("{")).is_none() {
        return Ok(matchers);
    }
    loop {
        match tokens.next() {
            Some(Token::Word(label)) => match (tokens.next(), tokens.next()) {
                (Some(Token::Sign(operator)), Some(Token::Text(value)))
                    if ["=", "!=", "=~", "!~"].contains(&&*operator) =>
                {
                    matchers.push(Matcher { label, operator, value });
                }
                other => return Err(format!("{other:?} behind the label {label}")),
            },
            Some(token) if token == sign(",") => {}
            Some(token) if token == sign("}") => return Ok(matchers),
            other => return Err(format!("{other:?} in braces")),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let take = |is_part: fn(char) -> bool| rest.find(|character| !is_part(character)).unwrap_or(rest.len());
        let (token, length) = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = take(|character| character.is_ascii_alphanumeric() || character == '_');
                (Token::Word(rest[..length].to_owned()), length)
            }
            '0'..='9' => (Token::Value, take(|character| character.is_ascii_digit() || character == '.')),
            '[' => (Token::Value, rest.find(']').ok_or("a range without an end")? + 1),
            '"' => {
                let length = rest[1..].find('"').ok_or("a text without an end")?;
                (Token::Text(rest[1..=length].to_owned()), length + 2)
            }
            '=' | '!' | '<' | '>' => {
                let length = take(|character| "=!<>~".contains(character));
                (sign(&rest[..length]), length)
            }
            other => (sign(&other.to_string()), other.len_utf8()),
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

#[test]
fn a_query_names_its_metrics_and_labels() {
    let query =
        Query::parse(r#"sum by (a, b) (rate(x_total{c="d e", f!~"g|h"}[5m])) / on (a) increase(y[$__range]) > 0.01"#);
    let matcher = |label: &str, operator: &str, value: &str| Matcher {
        label: label.to_owned(),
        operator: operator.to_owned(),
        value: value.to_owned(),
    };
    let query = query.expect("a query");
    let x =
        Selector { metric: "x_total".to_owned(), matchers: vec![matcher("c", "=", "d e"), matcher("f", "!~", "g|h")] };
    assert_eq!(x.matchers[1].values(), ["g", "h"]);
    assert_eq!(query.selectors, [x, Selector { metric: "y".to_owned(), matchers: Vec::new() }]);
    assert_eq!(query.grouped, ["a", "b", "a"]);
}

#[test]
fn what_is_not_understood_is_an_error() {
    for query in ["irate(x[5m])", "x{a}", "x{a=b}", "sum by a (x)", "x[5m", "x @ 5", "x or y{", "\"x\""] {
        assert!(Query::parse(query).is_err(), "{query}");
    }
}
