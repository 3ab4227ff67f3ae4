//! What a server must be like to keep sessions.

use super::RedisStore;
use super::link::send_to;
use super::resp::{Request, Value};
use super::script::TRIAL;
use super::server::Server;
use crate::store::{StoreError, StoreErrorKind};

/// The oldest version that has all that is used.
const OLDEST: (u32, u32) = (6, 2);

impl RedisStore {
    /// Checks the version and the settings of each server, and that the user may do what sessions need.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        for node in self.link.masters().await? {
            self.check_version(&node).await?;
            self.check_eviction(&node).await?;
        }
        let keys = self.names.trial();
        match self.link.script(&TRIAL, &keys.each_ref().map(String::as_str), &[]).await {
            // Sessions can be read until it takes writes again, and each write will say why it is refused.
            Err(error) if matches!(error.kind(), StoreErrorKind::Full | StoreErrorKind::ReadOnly) => {
                tracing::warn!(%error, "sessions can be read, but not be stored");
                Ok(())
            }
            answer => answer.map(drop),
        }
    }

    async fn check_version(&self, node: &Server) -> Result<(), StoreError> {
        let info = texts(send_to(node, &Request::of(&[b"INFO", b"server"])).await?);
        match info.first().and_then(|info| version(info)) {
            Some(version) if version < OLDEST => Err(incompatible(format!(
                "sessions need Redis {}.{} or newer, or Valkey; this is Redis {}.{}",
                OLDEST.0, OLDEST.1, version.0, version.1
            ))),
            Some(_) => Ok(()),
            None => {
                tracing::warn!("this server does not tell its version; sessions need Redis 6.2 or newer, or Valkey");
                Ok(())
            }
        }
    }

    async fn check_eviction(&self, node: &Server) -> Result<(), StoreError> {
        let Ok(answer) = send_to(node, &Request::of(&[b"CONFIG", b"GET", b"maxmemory-policy"])).await else {
            tracing::warn!(
                "this Redis user may not read maxmemory-policy: make sure that it is noeviction, \
                 else destroyed sessions can come back and registrations can be lost"
            );
            return Ok(());
        };
        let policy = answer
            .into_iter()
            .next()
            .and_then(Value::list)
            .and_then(|setting| texts(setting).pop())
            .unwrap_or_default();
        if !policy.starts_with("allkeys-") && !policy.starts_with("volatile-") {
            return Ok(());
        }
        if self.accept_eviction {
            tracing::warn!(
                policy,
                "Redis may remove sessions when its memory is full; destroyed ones can come back and registrations be lost"
            );
            return Ok(());
        }
        Err(incompatible(format!(
            "maxmemory-policy is {policy}, so Redis may remove the headers of destroyed sessions and the registered \
             initial values: set it to noeviction, or choose RedisOptions::accept_eviction"
        )))
    }
}

fn texts(values: Vec<Value>) -> Vec<String> {
    let bytes = values.into_iter().filter_map(Value::bytes);
    bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

fn incompatible(message: String) -> StoreError {
    StoreError::new(StoreErrorKind::Incompatible, message).not_applied()
}

/// The version in the answer to `INFO server`. Valkey names the version of Redis that it is compatible with.
fn version(info: &str) -> Option<(u32, u32)> {
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"))?;
    let mut parts = version.trim().split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}
