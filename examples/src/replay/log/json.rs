//! JSON lines: Caddy's access log, nginx's `log_format … escape=json`, and what other servers write in their manner.
//!
//! No standard says how the parts of a request are called, so each is looked for under the names in use, the most
//! telling first. They differ in writing too: `remote_addr`, `RemoteAddr` and `remote-addr` are the same here.

use std::borrow::Cow;
use std::net::SocketAddr;

use serde_json::{Map, Number, Value};

use super::line::{Client, Fault, Line, parse_status};
use super::time;

/// Objects inside a line that describe its request and the answer.
const INSIDE: &[&str] = &["request", "response", "httprequest", "http", "client", "source", "url"];

const TIMES: &[&str] =
    &["timeiso8601", "msec", "ts", "startutc", "startlocal", "timestamp", "time", "timelocal", "datetime", "date"];
const CLIENTS: &[&str] = &[
    "clientip",
    "remoteip",
    "remoteaddr",
    "clienthost",
    "clientaddr",
    "remotehost",
    "ip",
    "address",
    "client",
    "remote",
];
const METHODS: &[&str] = &["requestmethod", "method", "httpmethod", "verb"];
const TARGETS: &[&str] = &["requesturi", "uri", "requestpath", "requesturl", "path", "url", "original", "target"];
const STATUSES: &[&str] = &["status", "statuscode", "downstreamstatus", "responsestatus", "responsecode", "response"];
/// The first line of a request: `GET /path HTTP/1.1`.
const REQUESTS: &[&str] = &["request", "requestline"];

/// Whether a line is in this format.
pub(super) fn is(line: &str) -> bool {
    line.starts_with('{')
}

pub(super) fn parse(line: &str) -> Result<Line<'_>, Fault> {
    let object: Map<String, Value> = serde_json::from_str(line).map_err(|_| Fault::NotJson)?;
    let mut parts = Parts::default();
    parts.collect(&object);
    let request = parts.find(REQUESTS, text).unwrap_or_default();
    let mut words = request.split(' ').filter(|word| !word.is_empty());
    let (verb, target) = (words.next(), words.next());
    let word = |word: Option<&str>| word.map(|word| Cow::Owned(word.to_owned()));
    Ok(Line {
        at: parts.find(TIMES, moment).ok_or(Fault::NoTime)?,
        client: Client::Host(parts.find(CLIENTS, address).ok_or(Fault::NoClient)?.into()),
        verb: parts.find(METHODS, text).map(Cow::Owned).or_else(|| word(verb)).unwrap_or("-".into()),
        label: parts.find(TARGETS, text).map(Cow::Owned).or_else(|| word(target)).ok_or(Fault::NoTarget)?,
        status: parts.find(STATUSES, scalar).map_or(Ok(None), |status| parse_status(&status))?,
    })
}

/// What a line says about its request, by name.
#[derive(Default)]
struct Parts<'a>(Vec<(String, &'a Value)>);

impl<'a> Parts<'a> {
    /// Takes what stands in an object, and then what stands in the objects inside.
    fn collect(&mut self, object: &'a Map<String, Value>) {
        let begin = self.0.len();
        self.0.extend(object.iter().map(|(key, value)| (name(key), value)));
        let added: Vec<_> = self.0.iter().skip(begin).filter(|(name, _)| INSIDE.contains(&&**name)).collect();
        let objects: Vec<_> = added.into_iter().filter_map(|(_, value)| value.as_object()).collect();
        for object in objects {
            self.collect(object);
        }
    }

    /// The first part of these names that can be taken for what is looked for.
    fn find<T>(&self, names: &[&str], take: fn(&Value) -> Option<T>) -> Option<T> {
        let first =
            |name: &&str| self.0.iter().filter(move |(found, _)| found == name).find_map(|(_, value)| take(value));
        names.iter().find_map(first)
    }
}

/// A key without what may be written one way or another; of `http.request.method` the method.
fn name(key: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let mut rest = key;
    while let Some((object, inside)) = rest.split_once('.')
        && INSIDE.contains(&&*plain(object))
    {
        rest = inside;
    }
    plain(rest)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !matches!(*text, "" | "-")).map(str::to_owned)
}

/// A text or a number.
fn scalar(value: &Value) -> Option<String> {
    text(value).or_else(|| value.as_number().map(Number::to_string))
}

fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => time::parse(text),
        // Without an exponent, which large numbers are written with.
        Value::Number(number) if number.is_f64() => time::parse(&format!("{:.0}", number.as_f64()?.floor())),
        Value::Number(number) => time::parse(&number.to_string()),
        _ => None,
    }
}

/// An address without its port; the first of several.
fn address(value: &Value) -> Option<String> {
    let text = text(value)?;
    let first = text.split(',').next().map(str::trim).filter(|first| !first.is_empty())?;
    Some(first.parse().map_or_else(|_| first.to_owned(), |address: SocketAddr| address.ip().to_string()))
}
