//! The TSV format: `t client verb label status`, tab separated, with comment lines and a header.

use super::line::{Client, Fault, Line, parse_status};
use super::time;

/// The line that names the columns.
pub(super) const HEADER: &str = "t\tclient\tverb\tlabel\tstatus";

/// Whether a line is in this format. In others no tab stands before the first space.
pub(super) fn is(line: &str) -> bool {
    line.split_once('\t').is_some_and(|(first, _)| !first.contains(' ') || time::parse(first).is_some())
}

pub(super) fn parse(line: &str) -> Result<Line<'_>, Fault> {
    let columns: Vec<&str> = line.splitn(6, '\t').collect();
    let [at, client, verb, label, status] = columns[..] else { return Err(Fault::NotTsv) };
    if verb.is_empty() {
        return Err(Fault::NotTsv);
    }
    Ok(Line {
        at: time::parse(at).ok_or(Fault::NoTime)?,
        client: Client::Numbered(client),
        verb: verb.into(),
        label: label.into(),
        status: parse_status(status)?,
    })
}
