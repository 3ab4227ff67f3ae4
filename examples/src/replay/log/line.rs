//! What a line of a log says, whatever its format.

use std::borrow::Cow;
use std::fmt;

/// The longest name of a client, in bytes: it becomes the key of a session.
const LONGEST_CLIENT: usize = 255;

/// A line that is a request, and the client's name in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) at: i64,
    pub(super) client: Client<'a>,
    pub(super) verb: Cow<'a, str>,
    pub(super) label: Cow<'a, str>,
    pub(super) status: Option<u16>,
}

/// How a log names a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Client<'a> {
    /// By a number of its own: client 7 of another file is somebody else.
    Numbered(&'a str),
    /// By its address: the same in every file.
    Host(Cow<'a, str>),
}

/// Why a line is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is longer than any request.
    TooLong,
    /// It is in none of the formats.
    NoFormat,
    /// It begins like the TSV format and goes on otherwise.
    NotTsv,
    /// It begins like JSON and is no JSON object.
    NotJson,
    /// It does not say when the request was made, or not in a way that is understood.
    NoTime,
    /// It does not name a client.
    NoClient,
    /// The client's name is longer than a session's key may be.
    LongClient,
    /// It is JSON that does not say what was asked for.
    NoTarget,
    /// It has no request in quotes with a status behind it, or its status is none.
    NoStatus,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "it is longer than 64 KiB",
            Self::NoFormat => "it is in none of the formats",
            Self::NotTsv => "it does not have the five columns `t client verb label status`",
            Self::NotJson => "it is not a JSON object",
            Self::NoTime => "it has no time that is understood",
            Self::NoClient => "it names no client",
            Self::LongClient => "the client's name is longer than 255 bytes",
            Self::NoTarget => "it does not say what was asked for",
            Self::NoStatus => "it has no status of the answer",
        })
    }
}

impl Line<'_> {
    /// The line, if its client can have a session.
    pub(super) fn checked(self) -> Result<Self, Fault> {
        let client = match &self.client {
            Client::Numbered(client) => client,
            Client::Host(client) => &**client,
        };
        match client.len() {
            0 => Err(Fault::NoClient),
            1..=LONGEST_CLIENT => Ok(self),
            _ => Err(Fault::LongClient),
        }
    }
}

/// The status of an answer, if there was one.
pub(super) fn parse_status(status: &str) -> Result<Option<u16>, Fault> {
    match status {
        // Nobody waited for the answer.
        "-" | "0" | "000" => Ok(None),
        status => {
            let number = status.parse().ok().filter(|status| (100..1000).contains(status));
            number.map(Some).ok_or(Fault::NoStatus)
        }
    }
}
