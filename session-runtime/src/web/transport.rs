//! How a token travels between client and server.

use std::borrow::Cow;

use super::cookie::Form;
use super::header::Header;
use super::lease::Told;
use super::token::Token;

#[derive(Debug, Clone)]
pub(crate) enum Transport {
    Cookie(Form),
    /// `Authorization: Bearer TOKEN`. The handler hands out the token itself.
    Bearer,
}

impl Transport {
    /// The header of requests that a token stands in.
    pub(crate) fn header(&self) -> Header {
        match self {
            Self::Cookie(_) => Header::Cookie,
            Self::Bearer => Header::Authorization,
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

    /// The headers of a response that tell a client this, and set one more cookie.
    pub(super) fn tell(&self, told: &Told, cookie: Option<String>) -> Vec<(Header, Cow<'static, str>)> {
        let own = match (self, told) {
            (_, Told::Nothing) | (Self::Bearer, Told::Removal) => None,
            // The token is likely to stand in the body.
            (Self::Bearer, Told::Token(..)) => return vec![(Header::CacheControl, "no-store".into())],
            (Self::Cookie(form), Told::Token(token, age)) => Some(form.set(token, *age)),
            (Self::Cookie(form), Told::Removal) => Some(form.remove()),
        };
        let mut headers: Vec<_> =
            own.into_iter().chain(cookie).map(|line| (Header::SetCookie, Cow::Owned(line))).collect();
        if !headers.is_empty() {
            // A cache that keeps the page must not give its cookie to others.
            headers.push((Header::CacheControl, "no-cache=\"Set-Cookie\"".into()));
        }
        headers
    }
}
