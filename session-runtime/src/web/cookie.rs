//! The cookie in which a token travels.

use std::fmt::Write;
use std::time::Duration;

use super::token::Token;

/// Which requests from other sites carry the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SameSite {
    /// None, not even a link that is followed: a visitor who comes from another site seems new at first.
    Strict,
    /// Links that are followed, and nothing that changes anything. The default.
    #[default]
    Lax,
    /// All: for pages that other sites embed. Add [`SessionCookie::partitioned`], and a protection against forged
    /// requests.
    None,
}

impl SameSite {
    fn name(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// How the session's cookie is set.
///
/// By default it is called `__Host-` and the session's name, and has the attributes `Path=/`, `Secure`, `HttpOnly` and
/// `SameSite=Lax`: only the host that set it gets it, only encrypted, and no script sees it.
///
/// ```
/// # use session_runtime::axum::{SameSite, SessionCookie};
/// let cookie = SessionCookie::new().same_site(SameSite::None).partitioned();
/// # let _ = cookie;
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct SessionCookie {
    same_site: SameSite,
    domain: Option<String>,
    partitioned: bool,
    insecure: bool,
}

impl SessionCookie {
    /// The default one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which requests from other sites carry it.
    pub fn same_site(self, same_site: SameSite) -> Self {
        Self { same_site, ..self }
    }

    /// Shares it with all hosts below this domain, such as `example.com`. Each of them can then set it too, so its name
    /// begins with `__Secure-` instead of `__Host-`.
    ///
    /// Characters that no domain has are left out.
    pub fn domain(self, domain: &str) -> Self {
        let domain = domain.chars().filter(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).collect();
        Self { domain: Some(domain), ..self }
    }

    /// Keeps one for each site that embeds this one (`Partitioned`), for pages in frames of others.
    pub fn partitioned(self) -> Self {
        Self { partitioned: true, ..self }
    }

    /// Lets it travel over plain http, for development on a machine of one's own: without `Secure`, `Partitioned` and
    /// the prefix of the name, and with `SameSite=Lax` instead of `None`, which browsers take only encrypted.
    ///
    /// Never for a server that others reach: whoever listens takes over their sessions.
    pub fn insecure_for_development(self) -> Self {
        Self { insecure: true, ..self }
    }

    /// The cookie of the sessions with this name.
    pub(crate) fn called(&self, session: &str) -> Form {
        let prefix = match self {
            Self { insecure: true, .. } => "",
            Self { domain: Some(_), .. } => "__Secure-",
            Self { domain: None, .. } => "__Host-",
        };
        let same_site = if self.insecure && self.same_site == SameSite::None { SameSite::Lax } else { self.same_site };
        let secure = if self.insecure { "" } else { "; Secure" };
        let mut attributes = format!("Path=/{secure}; HttpOnly; SameSite={}", same_site.name());
        if let Some(domain) = &self.domain {
            // Writing to a string cannot fail.
            let _ = write!(attributes, "; Domain={domain}");
        }
        if self.partitioned && !self.insecure {
            attributes += "; Partitioned";
        }
        Form { name: format!("{prefix}{session}"), attributes }
    }
}

/// The cookie of one session type, as text.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    name: String,
    attributes: String,
}

impl Form {
    /// The first well-formed token under this name.
    pub(crate) fn find<'a>(&self, mut lines: impl Iterator<Item = &'a [u8]>) -> Option<Token> {
        lines.find_map(|line| line.split(|&byte| byte == b';').find_map(|pair| self.token_in(pair)))
    }

    fn token_in(&self, pair: &[u8]) -> Option<Token> {
        let value = pair.trim_ascii_start().strip_prefix(self.name.as_bytes())?.strip_prefix(b"=")?;
        Token::parse(value.trim_ascii_end())
    }

    /// The line that sets it: until `age` has passed, or for as long as the browser runs.
    pub(crate) fn set(&self, token: &Token, age: Option<Duration>) -> String {
        let Self { name, attributes } = self;
        let mut line = format!("{name}={}; {attributes}", token.text());
        if let Some(age) = age {
            let _ = write!(line, "; Max-Age={}", age.as_secs());
        }
        line
    }

    /// The line that removes it.
    pub(crate) fn remove(&self) -> String {
        let Self { name, attributes } = self;
        format!("{name}=; {attributes}; Max-Age=0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cookie: &SessionCookie) -> String {
        let token = Token::parse(&[b'A'; 47]).expect("a token");
        cookie.called("visitor").set(&token, None).replace(token.text(), "T")
    }

    #[test]
    fn the_default_is_as_strict_as_a_browser_can_be_told() {
        assert_eq!(line(&SessionCookie::new()), "__Host-visitor=T; Path=/; Secure; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_cookie_of_a_domain_has_the_prefix_that_allows_one() {
        let cookie = SessionCookie::new().domain("example.com; x").same_site(SameSite::Strict);
        let expected = "__Secure-visitor=T; Path=/; Secure; HttpOnly; SameSite=Strict; Domain=example.comx";
        assert_eq!(line(&cookie), expected);
    }

    #[test]
    fn a_cookie_for_frames_is_partitioned() {
        let cookie = SessionCookie::new().same_site(SameSite::None).partitioned();
        assert_eq!(line(&cookie), "__Host-visitor=T; Path=/; Secure; HttpOnly; SameSite=None; Partitioned");
    }

    #[test]
    fn over_http_a_cookie_has_nothing_that_asks_for_encryption() {
        let cookie = SessionCookie::new().same_site(SameSite::None).partitioned().insecure_for_development();
        assert_eq!(line(&cookie), "visitor=T; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_token_is_found_among_other_cookies_of_any_kind() {
        let form = SessionCookie::new().called("visitor");
        let token = Token::fresh();
        let own = format!("__Host-visitor={}", token.text());
        let find = |lines: &[&str]| form.find(lines.iter().map(|line| line.as_bytes()));
        for found in [&[&*own][..], &["a=1; é=ü", &format!("b; {own} ;c=")], &[&format!("__Host-visitor=forged;{own}")]]
        {
            assert!(find(found) == Some(token.clone()), "{found:?}");
        }
        for none in
            [&[][..], &["__Host-visitor"], &[&format!("x{own}")], &[&format!("__Host-visitor2={}", token.text())]]
        {
            assert!(find(none).is_none(), "{none:?}");
        }
    }

    #[test]
    fn a_lasting_cookie_says_how_long() {
        let form = SessionCookie::new().called("visitor");
        assert!(form.set(&Token::fresh(), Some(Duration::from_secs(60))).ends_with("; Max-Age=60"));
        assert_eq!(form.remove(), "__Host-visitor=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
