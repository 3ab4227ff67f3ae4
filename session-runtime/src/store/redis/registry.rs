//! Registered initial values: a hash for each session name and version, and a set that names them all.
//!
//! A field of the hash begins with its place (four bytes) and how it is registered (one letter: `v` for a value, `s`
//! for a sensitive one, `p` for a pinned field, which has none, `q` for a sensitive pinned one); the value follows.

use super::resp::{Request, Value};
use super::script::REGISTER;
use super::{RedisStore, error};
use crate::store::{RegisteredField, Registration, RegistrationId, Registrations, StoreError};
use bytes::Bytes;

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
fn unpacked(name: &[u8], packed: &Bytes) -> Option<(u32, RegisteredField)> {
    let name = std::str::from_utf8(name).ok()?.into();
    let place = u32::from_be_bytes(*packed.first_chunk()?);
    let kind = *packed.get(4)?;
    let initial = packed.slice(5..).into();
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
pub(super) fn registration(name: &str, version: u32, found: Value) -> Result<Option<Registration>, StoreError> {
    let found = found.list().ok_or_else(error::unexpected)?;
    if found.is_empty() {
        return Ok(None);
    }
    let (mut id, mut codec, mut fields) = (None, None, Vec::new());
    let mut found = found.into_iter().map_while(Value::bytes);
    while let (Some(field), Some(value)) = (found.next(), found.next()) {
        match &field[..] {
            b"#id" => id = <[u8; 8]>::try_from(&value[..]).ok().map(u64::from_be_bytes),
            b"#codec" => codec = String::from_utf8(value.to_vec()).ok(),
            field => {
                let field = unpacked(field, &value).ok_or_else(|| error::corrupt("of a registration"))?;
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
        let place = self.names.registration(name, version);
        let mut answers = self.link.send(&place, &Request::of(&[b"HGETALL", place.as_bytes()])).await?;
        registration(name, version, answers.pop().ok_or_else(error::unexpected)?)
    }

    /// Whether the store has this registration.
    pub(super) async fn is_registered(&self, named: (&str, u32, RegistrationId)) -> Result<bool, StoreError> {
        let (name, version, id) = named;
        let place = self.names.registration(name, version);
        let found = self.link.send(&place, &Request::of(&[b"HGET", place.as_bytes(), b"#id"])).await?.pop();
        Ok(found.and_then(Value::bytes).is_some_and(|found| found[..] == id.0.to_be_bytes()))
    }

    pub(super) async fn agree(&self, proposal: &Registration) -> Result<Registration, StoreError> {
        let Registration { name, version, .. } = proposal;
        let (place, all) = (self.names.registration(name, *version), self.names.registrations());
        let (member, id) = (format!("{name}:{version}"), proposal.id.0.to_be_bytes());
        let fields: Vec<_> = proposal.fields.iter().map(|field| (field, packed(field))).collect();
        let mut arguments = vec![member.as_bytes(), &id, proposal.codec.as_bytes()];
        for (field, packed) in &fields {
            arguments.extend([field.name.as_bytes(), packed]);
        }
        let (answer, _) = self.link.script(&REGISTER, &[&place, &all], &arguments).await?;
        registration(name, *version, answer)?.ok_or_else(error::unexpected)
    }

    pub(super) async fn disagree(&self, name: &str, version: u32) -> Result<bool, StoreError> {
        let (place, all) = (self.names.registration(name, version), self.names.registrations());
        // Both keys are in one slot.
        let mut request = Request::of(&[b"UNLINK", place.as_bytes()]);
        request.add(&[b"SREM", all.as_bytes(), format!("{name}:{version}").as_bytes()]);
        let removed = self.link.send(&place, &request).await?;
        Ok(removed.first() == Some(&Value::Number(1)))
    }

    pub(super) async fn all_registered(&self) -> Result<Registrations, StoreError> {
        let all = self.names.registrations();
        let answer = self.link.send(&all, &Request::of(&[b"SMEMBERS", all.as_bytes()])).await?;
        let members = answer.into_iter().next().and_then(Value::list).ok_or_else(error::unexpected)?;
        let members: Vec<Bytes> = members.into_iter().filter_map(Value::bytes).collect();
        let mut names: Vec<(&str, u32)> = members.iter().filter_map(|member| split(member)).collect();
        names.sort_unstable();
        let mut registrations = Registrations::default();
        for (name, version) in names {
            registrations.add(name, version, self.registered(name, version).await)?;
        }
        Ok(registrations)
    }
}

fn split(member: &[u8]) -> Option<(&str, u32)> {
    let (name, version) = std::str::from_utf8(member).ok()?.split_once(':')?;
    Some((name, version.parse().ok()?))
}
