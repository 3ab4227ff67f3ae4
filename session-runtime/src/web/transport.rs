//! How a token travels between client and server.

use std::borrow::Cow;

use super::cookie::Form;
use super::lease::Notice;
use super::token::Token;

#[derive(Debug, Clone)]
pub(crate) enum Transport {
    Cookie(Form),
    /// `Authorization: Bearer TOKEN`. The handler hands out the token itself.
    Bearer,
}

impl Transport {
    /// The header of requests that a token stands in, in lower case.
    pub(crate) fn header(&self) -> &'static str {
        match self {
            Self::Cookie(_) => "cookie",
            Self::Bearer => "authorization",
        }
    }

    /// The token in these lines of [`header`](Transport::header), if there is a well-formed one.
    pub(crate) fn find<'a>(&self, mut lines: impl Iterator<Item = &'a [u8]>) -> Option<Token> {
        match self {
            Self::Cookie(form) => form.find(lines),
            Self::Bearer => {
                let (scheme, token) = lines.next()?.split_at_checked("Bearer ".len())?;
                scheme.eq_ignore_ascii_case(b"Bearer ").then(|| Token::parse(token.trim_ascii()))?
            }
        }
    }

    /// The headers of a response, names in lower case, that tell a client this.
    pub(super) fn tell(&self, notice: &Notice) -> Vec<(&'static str, Cow<'static, str>)> {
        match (self, notice) {
            (_, Notice::Nothing) | (Self::Bearer, Notice::Removal) => Vec::new(),
            (Self::Cookie(form), notice) => {
                let line = match notice {
                    Notice::Token(token, age) => form.set(token, *age),
                    _ => form.remove(),
                };
                // A cache that keeps the page must not give its cookie to others.
                vec![("set-cookie", line.into()), ("cache-control", "no-cache=\"Set-Cookie\"".into())]
            }
            // The token is likely to stand in the body.
            (Self::Bearer, Notice::Token(..)) => vec![("cache-control", "no-store".into())],
        }
    }
}
