//! What a URL of a server or a cluster says.

use std::fmt;

use super::socket::Place;
use crate::store::{StoreError, StoreErrorKind};

/// Where sessions are kept, and how to be let in.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// One server, or some nodes of a cluster.
    pub(super) places: Vec<Place>,
    pub(super) is_cluster: bool,
    pub(super) is_encrypted: bool,
    pub(super) login: Login,
}

/// What a new connection begins with.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
}

/// Shows neither user nor password.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Address {
    /// Reads a URL. `redis+cluster://` and `rediss+cluster://` take several nodes: `host:port,host:port`.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(unknown)?;
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let mut login = Login::default();
        let (is_encrypted, is_cluster) = match scheme {
            "redis" => (false, false),
            "rediss" => (true, false),
            "redis+cluster" => (false, true),
            "rediss+cluster" => (true, true),
            "redis+unix" | "unix" => {
                login.read(options)?;
                let places = vec![Place::File(decoded(rest)?.into())];
                return Ok(Self { places, is_cluster: false, is_encrypted: false, login });
            }
            _ => return Err(unknown()),
        };
        login.read(options)?;
        // A password may have been written with a bare @ in it.
        let (credentials, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        login.user = Some(decoded(user)?).filter(|user| !user.is_empty()).or(login.user);
        login.password = Some(decoded(password)?).filter(|password| !password.is_empty()).or(login.password);
        let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
        if !database.is_empty() {
            login.database = database.parse().map_err(|_| unknown())?;
        }
        if is_cluster && login.database != 0 {
            return Err(wrong("a Redis cluster has no numbered databases: leave the number out of the URL"));
        }
        let places = if is_cluster { hosts.split(',').collect() } else { vec![hosts] };
        let places = places.into_iter().map(host).collect::<Result<_, _>>()?;
        Ok(Self { places, is_cluster, is_encrypted, login })
    }
}

impl Login {
    /// Reads what follows a `?`.
    fn read(&mut self, options: &str) -> Result<(), StoreError> {
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("db", number)) => self.database = number.parse().map_err(|_| unknown())?,
                Some(("user", user)) => self.user = Some(decoded(user)?),
                Some(("pass", password)) => self.password = Some(decoded(password)?),
                _ => return Err(wrong("a URL of Redis knows the options `db`, `user` and `pass`, and no other")),
            }
        }
        Ok(())
    }
}

fn host(text: &str) -> Result<Place, StoreError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(six) => {
            let (host, port) = six.split_once(']').ok_or_else(unknown)?;
            (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("6379")))
        }
        None => text.split_once(':').map_or((text, Some("6379")), |(host, port)| (host, Some(port))),
    };
    let port = port.and_then(|port| port.parse().ok()).ok_or_else(unknown)?;
    if host.is_empty() { Err(unknown()) } else { Ok(Place::Host(decoded(host)?, port)) }
}

/// Takes `%40` for `@`.
fn decoded(text: &str) -> Result<String, StoreError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (code, rest) = part.split_at_checked(2).ok_or_else(unknown)?;
        bytes.push(u8::from_str_radix(code, 16).map_err(|_| unknown())?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| unknown())
}

fn unknown() -> StoreError {
    wrong(
        "this is no URL of a Redis server: write redis://[user:password@]host[:port][/db], rediss://… for TLS, \
         redis+unix:///path, or redis+cluster://host:port,host:port",
    )
}

fn wrong(message: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration, message).not_applied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: Option<&str>, password: Option<&str>, database: u32) -> Login {
        Login { user: user.map(Into::into), password: password.map(Into::into), database }
    }

    #[test]
    fn urls_say_where_and_how() {
        let at = |host: &str, port| Place::Host(host.into(), port);
        for (url, places, flags, expected) in [
            ("redis://db", vec![at("db", 6379)], (false, false), login(None, None, 0)),
            ("redis://db:1/", vec![at("db", 1)], (false, false), login(None, None, 0)),
            ("rediss://u:p%40%2Fs@[::1]:7/3", vec![at("::1", 7)], (false, true), login(Some("u"), Some("p@/s"), 3)),
            ("redis://:p@ss@db/2", vec![at("db", 6379)], (false, false), login(None, Some("p@ss"), 2)),
            ("redis://db?db=4", vec![at("db", 6379)], (false, false), login(None, None, 4)),
            ("redis+cluster://:p@a:1,b", vec![at("a", 1), at("b", 6379)], (true, false), login(None, Some("p"), 0)),
            ("rediss+cluster://a:1/", vec![at("a", 1)], (true, true), login(None, None, 0)),
            (
                "redis+unix:///run/r.sock?db=1&pass=p",
                vec![Place::File("/run/r.sock".into())],
                (false, false),
                login(None, Some("p"), 1),
            ),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.places, places, "{url}");
            assert_eq!((address.is_cluster, address.is_encrypted), flags, "{url}");
            assert!(address.login == expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_redis_is_refused_without_showing_it() {
        for url in [
            "",
            "redis",
            "redis://",
            "redis://db:port/",
            "redis://db:secret/x",
            "http://secret",
            "redis://db/x",
            "redis://%zz@db",
            "redis+cluster://a:1/2",
            "redis+cluster://a:1,:secret",
            "redis://db?secret=1",
            "redis://[::1",
        ] {
            let Err(error) = Address::parse(url) else { panic!("{url}") };
            assert_eq!(error.kind(), StoreErrorKind::Configuration, "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
