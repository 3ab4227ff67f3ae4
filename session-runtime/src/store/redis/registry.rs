//! Registered initial values: a hash for each session name and version, and a set that names them all.
//!
//! A field of the hash begins with its place (four bytes) and how it is registered (one letter: `v` for a value, `s`
//! for a sensitive one, `p` for a pinned field, which has none, `q` for a sensitive pinned one); the value follows.

use bytes::Bytes;
use redis::{FromRedisValue, Value};

use super::script::REGISTER;
use super::{RedisStore, error};
use crate::store::{RegisteredField, Registration, RegistrationId, StoreError};

fn packed(field: &RegisteredField) -> Vec<u8> {
    let kind = match (&field.initial, field.sensitive) {
        (Some(_), false) => b'v',
        (Some(_), true) => b's',
        (None, false) => b'p',
        (None, true) => b'q',
    };
    let mut out = vec![kind];
    out.extend_from_slice(field.initial.as_deref().unwrap_or_default());
    out
}

/// A field and its place.
fn unpacked(name: &[u8], packed: Vec<u8>) -> Option<(u32, RegisteredField)> {
    let name = std::str::from_utf8(name).ok()?.into();
    let place = u32::from_be_bytes(*packed.first_chunk()?);
    let kind = *packed.get(4)?;
    let initial = Bytes::from(packed).slice(5..);
    let (initial, sensitive) = match kind {
        b'v' => (Some(initial), false),
        b's' => (Some(initial), true),
        b'p' => (None, false),
        b'q' => (None, true),
        _ => return None,
    };
    Some((place, RegisteredField { name, initial, sensitive }))
}

/// What the hash of a registration says; nothing if there is none.
fn registration(name: &str, version: u32, found: Value) -> Result<Option<Registration>, StoreError> {
    let found: Vec<(Vec<u8>, Vec<u8>)> = FromRedisValue::from_redis_value(found).map_err(|_| error::unexpected())?;
    if found.is_empty() {
        return Ok(None);
    }
    let (mut id, mut codec, mut fields) = (None, None, Vec::new());
    for (field, value) in found {
        match field.as_slice() {
            b"#id" => id = value.try_into().ok().map(u64::from_be_bytes),
            b"#codec" => codec = String::from_utf8(value).ok(),
            field => {
                let field = unpacked(field, value).ok_or_else(|| error::corrupt("of a registration"))?;
                fields.push(field);
            }
        }
    }
    fields.sort_unstable_by_key(|(place, _)| *place);
    Ok(Some(Registration {
        id: RegistrationId(id.ok_or_else(|| error::corrupt("#id of a registration"))?),
        name: name.into(),
        version,
        codec: codec.ok_or_else(|| error::corrupt("#codec of a registration"))?.into(),
        fields: fields.into_iter().map(|(_, field)| field).collect(),
    }))
}

impl RedisStore {
    pub(super) async fn registered(&self, name: &str, version: u32) -> Result<Option<Registration>, StoreError> {
        let mut command = redis::cmd("HGETALL");
        command.arg(self.names.registration(name, version));
        registration(name, version, self.link.send(&command).await?)
    }

    pub(super) async fn agree(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        let Registration { name, version, .. } = proposal;
        let (place, all) = (self.names.registration(name, *version), self.names.registrations());
        let fields: Vec<_> = proposal.fields.iter().map(|field| (field, packed(field))).collect();
        let keys = [&*place, &*all];
        let answer = self.link.script(&REGISTER, &keys, |command| {
            command.arg(format!("{name}:{version}")).arg(&proposal.id.0.to_be_bytes()).arg(&*proposal.codec);
            for (field, packed) in &fields {
                command.arg(&*field.name).arg(packed);
            }
        });
        registration(name, *version, answer.await?)?.ok_or_else(error::unexpected)
    }

    pub(super) async fn disagree(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        let mut remove = redis::cmd("UNLINK");
        remove.arg(self.names.registration(name, version));
        let removed = self.link.send(&remove).await? == Value::Int(1);
        let mut unlist = redis::cmd("SREM");
        unlist.arg(self.names.registrations()).arg(format!("{name}:{version}"));
        self.link.send(&unlist).await?;
        Ok(removed)
    }

    pub(super) async fn all_registered(&self) -> Result<Vec<Registration>, StoreError> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.names.registrations());
        let answer = self.link.send(&command).await?;
        let members: Vec<String> = FromRedisValue::from_redis_value(answer).map_err(|_| error::unexpected())?;
        let mut names: Vec<(&str, u32)> = members.iter().filter_map(|member| split(member)).collect();
        names.sort_unstable();
        let mut registrations = Vec::with_capacity(names.len());
        for (name, version) in names {
            registrations.extend(self.registered(name, version).await?);
        }
        Ok(registrations)
    }
}

fn split(member: &str) -> Option<(&str, u32)> {
    let (name, version) = member.split_once(':')?;
    Some((name, version.parse().ok()?))
}
