use std::sync::Arc;

use tokio_postgres::Row;

use super::arguments::Value;
use super::row::{self, column};
use super::{PostgresStore, commit, prepare, sql};
use crate::expiry::{ClockOffset, Lifetime};
use crate::store::{
    Commit, Cursor, Find, Found, FoundPage, Housekeeping, Key, Keys, Load, Loaded, Purged, Registration, Registrations,
    Reply, Store, StoreError, StoreErrorKind,
};

/// How many keys one step of a purge looks at, so that no commit waits long for it.
const PURGED_AT_ONCE: i64 = 200;

impl PostgresStore {
    /// Reads a session anew and moves its expiry, if that is still due.
    async fn touch(&self, key: &Key, lifetime: Lifetime, clock: ClockOffset) -> Result<Loaded, StoreError> {
        let arguments = vec![
            ("p_name", Value::Text(key.name())),
            ("p_key", Value::Bytes(key.id().as_bytes())),
            ("p_inactivity", Value::Int(lifetime.inactivity)),
            ("p_creation", Value::Int(lifetime.creation)),
            ("p_touch_after", Value::Int(Some(lifetime.touch_after))),
            ("p_offset", Value::Int(Some(clock.0))),
        ];
        let row = self.call(&self.inner.statements.touch, arguments).await?;
        let now = row::now(&row, 0)?;
        let found = match row::header(&row, 4)? {
            None => Found::Absent { saw: None },
            Some(header) if header.is_live(now) => Found::Record(row::record(&row, 2, &header)?),
            Some(header) => Found::Absent { saw: Some(header.past()) },
        };
        Ok(Loaded { now, touched: column(&row, 1, "touched")?, found })
    }
}

impl Store for PostgresStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        prepare::prepare(&self.inner).await
    }

    async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
        let values = [Value::Text(key.name()), Value::Bytes(key.id().as_bytes()), Value::Int(Some(load.clock.0))];
        let row = self.row(&self.inner.statements.look, &values).await?;
        let now = row::now(&row, 0)?;
        let found = match row::header(&row, 1)? {
            None => Found::Absent { saw: None },
            Some(header) if !header.is_live(now) => Found::Absent { saw: Some(header.past()) },
            Some(header) => {
                let touched = load.lifetime.and_then(|lifetime| header.touched(&lifetime, now));
                if let (Some(lifetime), true) = (load.lifetime, touched.is_some()) {
                    match self.touch(key, lifetime.sliding(header.head.sliding), load.clock).await {
                        // A session can be read where nothing can be written.
                        Err(error) if matches!(error.kind(), StoreErrorKind::ReadOnly | StoreErrorKind::Full) => {}
                        answer => return answer,
                    }
                }
                Found::Record(row::record(&row, 14, &header)?)
            }
        };
        Ok(Loaded { now, touched: false, found })
    }

    async fn commit(&self, key: &Key, commit: &Commit) -> Result<Reply, StoreError> {
        commit::commit(self, key, commit).await
    }

    async fn find(&self, find: &Find) -> Result<FoundPage, StoreError> {
        let after = find.after.as_ref().map_or(&[][..], |after| &after.0);
        let limit = find.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let values = [
            Value::Text(&find.name),
            Value::Int(Some(find.clock.0)),
            Value::Text(&find.field),
            Value::Text(find.term.as_str()),
            Value::Bytes(after),
            Value::Int(Some(limit)),
        ];
        let rows = self.rows(&self.inner.statements.find, &values).await?;
        let now = row::now(rows.first().ok_or_else(sql::unknown_answer)?, 1)?;
        let mut sessions = Vec::new();
        for row in &rows {
            // Where nothing is found there is one row, which tells the time.
            let Some(header) = row::header(row, 2)? else { continue };
            let id = std::str::from_utf8(column(row, 0, "key")?).map_err(|_| row::corrupt("key"))?;
            sessions.push((Key::new(find.name.clone(), id).map_err(|_| row::corrupt("key"))?, header.head));
        }
        let full = find.limit == Some(sessions.len());
        let next = sessions.last().filter(|_| full).map(|(key, _)| Cursor(key.id().as_bytes().into()));
        Ok(FoundPage { now, sessions, next })
    }

    async fn registration(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        let values = [Value::Text(name), Value::Int(Some(version.into()))];
        self.rows(&self.inner.statements.registration, &values).await?.first().map(row::registration).transpose()
    }

    async fn register(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        let fields = &proposal.fields;
        let arguments = vec![
            ("p_name", Value::Text(&proposal.name)),
            ("p_version", Value::Int(Some(proposal.version.into()))),
            ("p_id", Value::id(proposal.id.0)),
            ("p_codec", Value::Text(&proposal.codec)),
            ("p_fields", Value::Texts(fields.iter().map(|field| &*field.name).collect())),
            ("p_initials", Value::AllBytes(fields.iter().map(|field| field.initial.as_deref()).collect())),
            ("p_sensitive", Value::Flags(fields.iter().map(|field| field.sensitive).collect())),
        ];
        self.call(&self.inner.statements.register, arguments).await?;
        let registered = self.registration(&proposal.name, proposal.version).await?;
        registered.ok_or_else(|| {
            let message = "the registration was withdrawn while it was made; try again";
            StoreError::new(StoreErrorKind::Busy, message).not_applied()
        })
    }
}

impl Housekeeping for PostgresStore {
    async fn keys(
        &self,
        name: &str,
        after: Option<Cursor>,
        limit: usize,
        clock: ClockOffset,
    ) -> Result<Keys, StoreError> {
        let after = after.as_ref().map_or(&[][..], |after| &after.0);
        let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = [Value::Text(name), Value::Int(Some(clock.0)), Value::Bytes(after), Value::Int(Some(at_most))];
        let rows = self.rows(&self.inner.statements.keys, &values).await?;
        let name: Arc<str> = name.into();
        let key = |row: &Row| {
            let id = std::str::from_utf8(column(row, 0, "key")?).map_err(|_| row::corrupt("key"))?;
            Key::new(name.clone(), id).map_err(|_| row::corrupt("key"))
        };
        let keys = rows.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        let next = keys.last().filter(|_| keys.len() == limit).map(|key| Cursor(key.id().as_bytes().into()));
        Ok(Keys { keys, next })
    }

    async fn count(&self, name: &str, clock: ClockOffset) -> Result<u64, StoreError> {
        let row = self.row(&self.inner.statements.count, &[Value::Text(name), Value::Int(Some(clock.0))]).await?;
        column::<i64>(&row, 0, "count").map(i64::unsigned_abs)
    }

    async fn purge(&self, limit: usize, clock: ClockOffset) -> Result<Purged, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut removed: i64 = 0;
        while removed < limit {
            let batch = (limit - removed).min(PURGED_AT_ONCE);
            let arguments = vec![("p_batch", Value::Int(Some(batch))), ("p_offset", Value::Int(Some(clock.0)))];
            let row = self.call(&self.inner.statements.purge, arguments).await?;
            removed += column::<i64>(&row, 1, "removed")?;
            // Keys that were only looked at are not due any more, so each step is nearer to the end.
            if column::<i64>(&row, 0, "looked_at")? < batch {
                return Ok(Purged { removed: removed.unsigned_abs(), more: false });
            }
        }
        Ok(Purged { removed: removed.unsigned_abs(), more: true })
    }

    async fn registrations(&self) -> Result<Registrations, StoreError> {
        let mut registrations = Registrations::default();
        for row in self.rows(&self.inner.statements.registrations, &[]).await? {
            let (name, version): (&str, i64) = (column(&row, 0, "name")?, column(&row, 1, "version")?);
            let version = u32::try_from(version).unwrap_or(u32::MAX);
            registrations.add(name, version, row::registration(&row).map(Some))?;
        }
        Ok(registrations)
    }

    async fn withdraw(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        let arguments = vec![("p_name", Value::Text(name)), ("p_version", Value::Int(Some(version.into())))];
        column(&self.call(&self.inner.statements.withdraw, arguments).await?, 0, "withdraw")
    }
}
