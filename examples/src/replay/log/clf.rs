//! The Common Log Format, `host ident user [time] "request" status bytes`, the Combined Log Format, which appends
//! `"referer" "agent"`, and both with the virtual host first, like Debian's `vhost_combined`.

use std::net::IpAddr;

use super::line::{Client, Fault, Line, parse_status};
use super::time;

pub(super) fn parse(line: &str) -> Result<Line<'_>, Fault> {
    let (first, rest) = line.split_once(' ').ok_or(Fault::NoFormat)?;
    let (second, _) = rest.split_once(' ').ok_or(Fault::NoFormat)?;
    let (host, rest) = if is_virtual_host(first, second) {
        (second, rest.strip_prefix(second).unwrap_or(rest))
    } else {
        (first, rest)
    };
    // The user's name may contain spaces, so the time is what the first bracket encloses.
    let (_, rest) = rest.split_once('[').ok_or(Fault::NoFormat)?;
    let (at, rest) = rest.split_once("] \"").ok_or(Fault::NoFormat)?;
    let (request, status) = split_request(rest).ok_or(Fault::NoStatus)?;
    let mut words = request.split(' ');
    Ok(Line {
        at: time::parse(at).ok_or(Fault::NoTime)?,
        client: Client::Host(host.into()),
        verb: words.next().unwrap_or("-").into(),
        label: words.next().unwrap_or("-").into(),
        status,
    })
}

/// Whether the first word is not the client but the host that it asked: it has a port, or a client's address follows.
fn is_virtual_host(first: &str, second: &str) -> bool {
    let has_port = first.rsplit_once(':').is_some_and(|(name, port)| {
        let is_name = !name.is_empty() && (!name.contains(':') || name.ends_with(']'));
        is_name && port.parse::<u16>().is_ok()
    });
    has_port || second.parse::<IpAddr>().is_ok()
}

/// Splits at the quote that ends the request: some servers write quotes of the request itself as they are, so it is
/// the first one before a status.
fn split_request(rest: &str) -> Option<(&str, Option<u16>)> {
    rest.match_indices("\" ").find_map(|(end, quote)| {
        let after = rest.get(end + quote.len()..)?;
        let status = parse_status(after.split(' ').next()?).ok()?;
        Some((rest.get(..end)?, status))
    })
}
