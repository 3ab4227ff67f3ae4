//! The TSV format: `t client verb label status`, tab separated, with comment lines and a header.

use super::{Client, Line, parse_status};

/// The line that names the columns.
pub(super) const HEADER: &str = "t\tclient\tverb\tlabel\tstatus";

pub(super) fn parse(line: &str) -> Option<Line<'_>> {
    let mut columns = line.split('\t');
    let mut next = || columns.next();
    let (at, client, verb, label, status) = (next()?, next()?, next()?, next()?, next()?);
    if columns.next().is_some() || verb.is_empty() {
        return None;
    }
    Some(Line { at: at.parse().ok()?, client: Client::Numbered(client), verb, label, status: parse_status(status)? })
}
