//! What an address says.

use std::error::Error as _;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::super::{StoreError, StoreErrorKind};
use super::pool::LOCK_TIMEOUT;

/// What the driver takes for "nothing was said".
const KEEPALIVE_UNSET: Duration = Duration::from_secs(2 * 60 * 60);

/// Whether connections are encrypted, and how the server shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Not encrypted: `disable`.
    Off,
    /// Encrypted if the server can, whoever it is: `prefer`, the default.
    Preferred,
    /// By a certificate of an authority that is trusted, for whatever host: `verify-ca`.
    ByAuthority,
    /// By a certificate of an authority that is trusted, for this very host: `verify-full`, and `require`.
    ByName,
}

/// Reads the address of a server.
pub(super) fn parse(url: &str) -> Result<(Config, Encryption), StoreError> {
    let (url, verification) = split_verification(url);
    let mut config: Config = url.parse().map_err(not_understood)?;
    let encryption = verification.unwrap_or(match config.get_ssl_mode() {
        SslMode::Disable => Encryption::Off,
        SslMode::Prefer => Encryption::Preferred,
        _ => Encryption::ByName,
    });
    if config.get_application_name().is_none() {
        config.application_name("session-runtime");
    }
    // A network that dropped a connection is noticed also while nothing is said on it.
    if config.get_keepalives() && config.get_keepalives_idle() == KEEPALIVE_UNSET {
        config.keepalives_idle(Duration::from_secs(30));
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(Duration::from_secs(10));
        }
        if config.get_keepalives_retries().is_none() {
            config.keepalives_retries(3);
        }
    }
    Ok((config, encryption))
}

/// Asks for plans that find rows by their keys. A connection plans its statements while the tables can be empty or of
/// unknown size, and keeps the plans: without this it would go through whole tables until they are analyzed. It also
/// bounds how long a statement waits for a lock, because others may wait behind it.
///
/// What the address says comes later and wins.
pub(super) fn plan_by_keys(config: &mut Config) {
    let said = config.get_options().unwrap_or_default();
    let options =
        format!("-c enable_seqscan=off -c plan_cache_mode=force_generic_plan -c lock_timeout={LOCK_TIMEOUT} {said}");
    config.options(options.trim_end());
}

/// Writes `require` in place of the two modes that the driver does not know.
fn split_verification(url: &str) -> (String, Option<Encryption>) {
    let (before, parameters) = match url.split_once('?') {
        Some((before, parameters)) if url.starts_with("postgres") => (Some(before), parameters),
        _ => (None, url),
    };
    let separator = if before.is_some() { '&' } else { ' ' };
    let mut verification = None;
    let parameters: Vec<&str> = parameters
        .split(separator)
        .map(|parameter| {
            verification = match parameter {
                "sslmode=verify-full" | "sslmode='verify-full'" => Some(Encryption::ByName),
                "sslmode=verify-ca" | "sslmode='verify-ca'" => Some(Encryption::ByAuthority),
                _ => return parameter,
            };
            "sslmode=require"
        })
        .collect();
    let parameters = parameters.join(&separator.to_string());
    (before.map_or_else(|| parameters.clone(), |before| format!("{before}?{parameters}")), verification)
}

fn not_understood(source: tokio_postgres::Error) -> StoreError {
    // It names an option and no value.
    let said = source.source().map(ToString::to_string).unwrap_or_default();
    let message = if said.starts_with("unknown option") || said.starts_with("invalid value for option") {
        format!("the address of the PostgreSQL server has an {said}; correct it or leave it out")
    } else {
        "this is no address of a PostgreSQL server, which looks like `postgres://user:password@host/database`"
            .to_owned()
    };
    StoreError::new(StoreErrorKind::Configuration, message).with_source(source).not_applied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encryption(url: &str) -> Encryption {
        parse(url).unwrap().1
    }

    #[test]
    fn every_sslmode_of_libpq_that_says_what_it_does_is_understood() {
        for (mode, meant) in [
            ("disable", Encryption::Off),
            ("prefer", Encryption::Preferred),
            ("require", Encryption::ByName),
            ("verify-ca", Encryption::ByAuthority),
            ("verify-full", Encryption::ByName),
        ] {
            assert_eq!(encryption(&format!("postgres://app@db/app?connect_timeout=3&sslmode={mode}")), meant);
            assert_eq!(encryption(&format!("host=db user=app sslmode={mode} dbname=app")), meant);
        }
        assert_eq!(encryption("postgres://app@db/app"), Encryption::Preferred);
        let (config, _) = parse("postgres://app:a%3Fsslmode=verify-ca@db/app?sslmode=disable").unwrap();
        assert_eq!(config.get_password(), Some(&b"a?sslmode=verify-ca"[..]));
    }

    #[test]
    fn an_option_that_is_not_known_is_named_and_no_value_is_shown() {
        for (url, named) in [
            ("postgres://app:hunter2@db/app?sslmod=require", "an unknown option `sslmod`; correct it"),
            ("postgres://app:hunter2@db/app?sslmode=hunter2", "an invalid value for option `sslmode`; correct it"),
            ("host=db password=hunter2 port=hunter2", "an invalid value for option `port`; correct it"),
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Configuration);
            assert!(error.to_string().contains(named), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn plans_find_rows_by_their_keys_unless_the_address_says_otherwise() {
        let (mut config, _) = parse("postgres://app@db/app").unwrap();
        plan_by_keys(&mut config);
        assert_eq!(
            config.get_options(),
            Some("-c enable_seqscan=off -c plan_cache_mode=force_generic_plan -c lock_timeout=50")
        );
        let (mut config, _) = parse("host=db user=app options='-c enable_seqscan=on'").unwrap();
        plan_by_keys(&mut config);
        assert!(config.get_options().unwrap().ends_with(" -c enable_seqscan=on"));
    }

    #[test]
    fn keepalives_are_sent_unless_the_address_says_otherwise() {
        let (config, _) = parse("postgres://app@db/app").unwrap();
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(30));
        assert_eq!(
            (config.get_keepalives_interval(), config.get_keepalives_retries()),
            (Some(Duration::from_secs(10)), Some(3))
        );
        let (config, _) = parse("postgres://app@db/app?keepalives_idle=5&keepalives_retries=9").unwrap();
        assert_eq!((config.get_keepalives_idle(), config.get_keepalives_retries()), (Duration::from_secs(5), Some(9)));
        assert!(!parse("postgres://app@db/app?keepalives=0").unwrap().0.get_keepalives());
    }
}
