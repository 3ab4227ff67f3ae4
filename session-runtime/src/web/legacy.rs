//! The cookie by which clients know the sessions that another library stored.

use std::fmt;
use std::sync::Arc;

use super::token::Token;
use crate::codec::Codec;
use crate::session::Session;
use crate::sessions::{Legacy, Sessions};
use crate::store::Key;

/// The cookie in which another library gave clients the ids of their sessions, for [moving in](crate::legacy).
///
/// ```
/// use session_runtime::legacy::LegacyCookie;
///
/// let cookie = LegacyCookie::new("id"); // that of tower-sessions and actix-session, unless they were told otherwise
/// # drop(cookie);
/// ```
///
/// What stands in it is the key that [`Legacy`] is asked for. Where that is signed or encrypted,
/// [`read`](LegacyCookie::read) says what is behind it.
#[derive(Clone)]
#[must_use]
pub struct LegacyCookie {
    name: String,
    path: String,
    domain: Option<String>,
    read: Arc<Read>,
}

/// Makes an id of what stands in a cookie.
type Read = dyn Fn(&str) -> Option<String> + Send + Sync;

impl LegacyCookie {
    /// The cookie of this name, with the path `/` and without a domain.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), path: "/".to_owned(), domain: None, read: Arc::new(|value| Some(value.to_owned())) }
    }

    /// The path that it was set with. It can be removed only with the same.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// The domain that it was set with. It can be removed only with the same.
    pub fn domain(self, domain: impl Into<String>) -> Self {
        Self { domain: Some(domain.into()), ..self }
    }

    /// What makes the key of its value, once `%` and two digits are a byte again. What it makes nothing of is no old
    /// session's cookie: one with a wrong signature, for example.
    pub fn read(self, read: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { read: Arc::new(read), ..self }
    }

    /// The id of the old session, if a client brought one.
    fn find<'a>(&self, lines: impl Iterator<Item = &'a [u8]>) -> Option<String> {
        lines
            .flat_map(|line| line.split(|&byte| byte == b';'))
            .filter_map(|pair| pair.trim_ascii_start().strip_prefix(self.name.as_bytes())?.strip_prefix(b"="))
            .filter_map(|value| (self.read)(&decoded(value.trim_ascii_end())?))
            .find(|id| !id.is_empty() && id.len() <= Key::MAX_LEN - Token::PLACE)
    }

    /// The line that removes it.
    fn removal(&self) -> String {
        let Self { name, path, domain, .. } = self;
        let secure = if name.starts_with("__") { "; Secure" } else { "" };
        let domain = domain.as_ref().map(|domain| format!("; Domain={domain}")).unwrap_or_default();
        format!("{name}=; Path={path}{domain}{secure}; Max-Age=0")
    }
}

/// A value with its escaped bytes, if it is text.
fn decoded(value: &[u8]) -> Option<String> {
    let digit = |place: usize| value.get(place).and_then(|&digit| char::from(digit).to_digit(16));
    let (mut bytes, mut place) = (Vec::with_capacity(value.len()), 0);
    while let Some(&byte) = value.get(place) {
        let escaped = digit(place + 1).zip(digit(place + 2)).filter(|_| byte == b'%');
        bytes.push(escaped.map_or(byte, |(high, low)| (high << 4 | low).to_le_bytes()[0]));
        place += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(bytes).ok()
}

/// Where the old sessions of a layer come from.
pub(crate) struct Predecessor<T: Session, C: Codec> {
    cookie: LegacyCookie,
    /// The sessions that find them, under keys that no token has.
    pub(super) sessions: Sessions<T, C>,
}

impl<T: Session, C: Codec> Predecessor<T, C> {
    pub(super) fn new(sessions: &Sessions<T, C>, cookie: LegacyCookie, legacy: Legacy<T>) -> Self {
        Self { cookie, sessions: sessions.with_legacy(legacy.behind(Token::PLACE)) }
    }

    /// The key of the old session that a client brought the cookie of.
    pub(super) fn key_in<'a>(&self, lines: impl Iterator<Item = &'a [u8]>) -> Option<String> {
        self.cookie.find(lines).map(|id| Token::place_of(&id))
    }

    pub(super) fn removal(&self) -> String {
        self.cookie.removal()
    }
}

/// Shows no key of a signature.
impl fmt::Debug for LegacyCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegacyCookie").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_among_other_cookies_and_unescaped() {
        let found = |line: &str| LegacyCookie::new("id").find([line.as_bytes()].into_iter());
        for (line, id) in [("id=a", "a"), ("x=1; id=a%2Bb%3d ;id=c", "a+b="), ("id=; id=b", "b"), ("id=%zz%", "%zz%")] {
            assert_eq!(found(line).as_deref(), Some(id), "{line}");
        }
        for line in ["", "id", "id=", "xid=a", "id2=a", "id=%ff", &format!("id={}", "a".repeat(508))] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn it_is_removed_with_the_attributes_that_it_was_set_with() {
        let cookie = LegacyCookie::new("__Secure-id").path("/shop").domain("example.com");
        assert_eq!(cookie.removal(), "__Secure-id=; Path=/shop; Domain=example.com; Secure; Max-Age=0");
        assert_eq!(LegacyCookie::new("id").removal(), "id=; Path=/; Max-Age=0");
    }
}
