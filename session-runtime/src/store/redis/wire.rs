//! The bytes that travel between this crate and its scripts, and that stand in a record.
//!
//! The header is 64 bytes long, because longer values cost a small hash its compact encoding. Numbers are big-endian;
//! times have seven bytes and are held within ±2^53 ms, which is as far as a script can count and 285,000 years.

use bytes::Bytes;
use redis::Value;

use super::error::{self, corrupt};
use crate::expiry::{Lifetime, Timestamp};
use crate::store::rule::{Commits, Header, State};
use crate::store::{
    Action, Base, Commit, CommitId, ExpiryChange, Head, Incarnation, Load, Record, RegistrationId, StoreError,
    StoredField, Write,
};

/// The field that holds the header.
pub(super) const HEADER: &str = "#h";
/// The field that holds the last commit ids, newest first.
pub(super) const COMMITS: &str = "#c";

/// What `load.lua` did.
pub(super) const ABSENT: i64 = 0;
pub(super) const ENDED: i64 = 1;
pub(super) const FOUND: i64 = 2;
pub(super) const TOUCHED: i64 = 3;
/// A touch was due, but the engine takes no writes.
pub(super) const UNTOUCHED: i64 = 4;

/// What `commit.lua` did.
pub(super) const REFUSED: i64 = 0;
pub(super) const APPLIED: i64 = 1;
pub(super) const OCCUPIED: i64 = 2;

const FORMAT: u8 = 1;
const LATEST: i64 = (1 << 53) - 1;
const LAST_REVISION: u64 = (1 << 48) - 1;

/// Which optional parts of a header are there; the two lowest bits are its state.
const ORIGIN: u8 = 4;
const FIXED_END: u8 = 8;
const EXPIRES: u8 = 16;
const RETAINED: u8 = 32;

/// A time or a duration in seven bytes.
fn put_time(out: &mut Vec<u8>, millis: i64) {
    out.extend_from_slice(&millis.clamp(-LATEST, LATEST).to_be_bytes()[1..]);
}

fn put_id(out: &mut Vec<u8>, id: u64) {
    out.extend_from_slice(&id.to_be_bytes());
}

/// A number in as few bytes as it needs: seven bits in each, the lowest first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        out.push(number.to_le_bytes()[0] | 128);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// A duration; none is negative.
fn put_duration(out: &mut Vec<u8>, millis: i64) {
    put_number(out, millis.clamp(0, LATEST).unsigned_abs());
}

/// What `load.lua` takes.
pub(super) fn load(load: &Load) -> Vec<u8> {
    let Lifetime { inactivity, creation, touch_after, retention } = load.lifetime.unwrap_or(Lifetime::unruled(0));
    let touches = load.lifetime.is_some();
    let mut out = Vec::with_capacity(36);
    out.push(u8::from(inactivity.is_some()) | u8::from(creation.is_some()) << 1 | u8::from(touches) << 2);
    for millis in [load.clock.0, inactivity.unwrap_or(0), creation.unwrap_or(0), touch_after, retention] {
        put_time(&mut out, millis);
    }
    out
}

/// What `commit.lua` takes, without the changes, of which `sets` set a field. Only what applies is sent.
pub(super) fn commit(commit: &Commit, sets: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    let action = match commit.action {
        Action::Write(_) => 0,
        Action::Destroy => 1,
        Action::Renew { .. } => 2,
    };
    let creates = action == 2 || matches!(commit.base, Base::Absent { .. });
    let (base, valid_until) = match commit.base {
        Base::Record { .. } => (4, None),
        Base::Absent { saw: None, valid_until } => (0, valid_until),
        Base::Absent { saw: Some(_), valid_until } => (32, valid_until),
    };
    let write = commit.write();
    let is = |option: fn(&Write) -> bool| u8::from(write.is_some_and(option));
    let options = is(|write| write.replace) << 3 | is(|write| write.keep_empty) << 4 | u8::from(creates) << 6;
    let expiry = write.map(|write| write.expiry).unwrap_or_default();
    let (fixed_end, expiry) = match expiry {
        ExpiryChange::Keep => (None, 0),
        ExpiryChange::ByRule => (None, 8),
        ExpiryChange::At(date) => (Some(date), 4 | 8),
    };
    let Lifetime { inactivity, creation, retention, .. } = commit.lifetime;
    let times = u8::from(inactivity.is_some())
        | u8::from(creation.is_some()) << 1
        | expiry
        | u8::from(valid_until.is_some()) << 4
        | u8::from(commit.clock.0 != 0) << 5;

    out.extend_from_slice(&[action | base | options, times]);
    put_id(&mut out, commit.id.0);
    put_id(&mut out, write.map_or(0, |write| write.registration.0));
    put_number(&mut out, write.map_or(0, |write| write.version).into());
    put_number(&mut out, sets as u64);
    put_duration(&mut out, retention);
    match commit.base {
        Base::Record { incarnation, revision, last_commit } => {
            put_id(&mut out, incarnation.0);
            put_id(&mut out, last_commit.0);
            put_number(&mut out, revision.min(LAST_REVISION));
        }
        Base::Absent { saw, .. } => saw.into_iter().for_each(|saw| put_id(&mut out, saw.0)),
    }
    if creates {
        put_id(&mut out, write.map_or(0, |write| write.creates.0));
    }
    [inactivity, creation].into_iter().flatten().for_each(|millis| put_duration(&mut out, millis));
    for time in [fixed_end, valid_until].into_iter().flatten() {
        put_time(&mut out, time.as_millis());
    }
    if commit.clock.0 != 0 {
        put_time(&mut out, commit.clock.0);
    }
    out
}

/// Takes a stored header apart.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn id(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn revision(&mut self) -> Option<u64> {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&self.take::<6>()?);
        Some(u64::from_be_bytes(bytes))
    }

    fn time(&mut self) -> Option<Timestamp> {
        let mut bytes = [0; 8];
        bytes[..7].copy_from_slice(&self.take::<7>()?);
        // The shift fills the first byte with the sign.
        Some(Timestamp::from_millis(i64::from_be_bytes(bytes) >> 8))
    }
}

/// The header in the fields [`HEADER`] and [`COMMITS`].
pub(super) fn header(raw: &[u8], commits: &[u8]) -> Result<Header, StoreError> {
    let commits = read_commits(commits).ok_or_else(|| corrupt(COMMITS))?;
    read_header(raw, commits).ok_or_else(|| corrupt(HEADER))
}

fn read_commits(raw: &[u8]) -> Option<Commits> {
    let (ids, rest) = raw.as_chunks::<8>();
    let fits = rest.is_empty() && (1..=Commits::KEPT).contains(&ids.len());
    fits.then(|| ids.iter().map(|id| CommitId(u64::from_be_bytes(*id))).collect())
}

fn read_header(raw: &[u8], commits: Commits) -> Option<Header> {
    let mut reader = Reader(raw);
    let [format, flags] = reader.take()?;
    if format != FORMAT || flags > 63 || raw.len() != 64 {
        return None;
    }
    let state = match flags & 3 {
        0 => State::Stored,
        1 => State::Emptied,
        2 => State::Destroyed,
        _ => State::Renewed,
    };
    let incarnation = Incarnation(reader.id()?);
    let revision = reader.revision()?;
    let version = u32::from_be_bytes(reader.take()?);
    let registration = RegistrationId(reader.id()?);
    let origin = Incarnation(reader.id()?);
    let [created_at, fixed_end, expires_at, retained_until] =
        [reader.time()?, reader.time()?, reader.time()?, reader.time()?];
    let head = Head {
        incarnation,
        revision,
        last_commit: commits.iter().next()?,
        version,
        registration,
        created_at,
        fixed_end: Some(fixed_end).filter(|_| flags & FIXED_END != 0),
        expires_at: Some(expires_at).filter(|_| flags & EXPIRES != 0),
        stored: state == State::Stored,
    };
    Some(Header {
        head,
        state,
        origin: Some(origin).filter(|_| flags & ORIGIN != 0),
        commits,
        retained_until: Some(retained_until).filter(|_| flags & RETAINED != 0),
    })
}

/// What a script found in a hash: its header and its fields, or nothing.
pub(super) fn hash(found: Vec<Value>) -> Result<Option<(Header, Vec<StoredField>)>, StoreError> {
    if found.is_empty() {
        return Ok(None);
    }
    let (mut raw, mut commits) = (None, None);
    let mut fields = Vec::with_capacity((found.len() / 2).saturating_sub(2));
    let mut found = found.into_iter();
    while let (Some(name), Some(value)) = (found.next(), found.next()) {
        let (Value::BulkString(name), Value::BulkString(value)) = (name, value) else {
            return Err(error::unexpected());
        };
        match name.as_slice() {
            b"#h" => raw = Some(value),
            b"#c" => commits = Some(value),
            [b'#', ..] => return Err(corrupt("#, a name that no session field has")),
            name => {
                let name = std::str::from_utf8(name).map_err(|_| corrupt("one whose name is not UTF-8"))?;
                fields.push(StoredField { name: name.into(), value: Bytes::from(value) });
            }
        }
    }
    let header = header(&raw.ok_or_else(|| corrupt(HEADER))?, &commits.ok_or_else(|| corrupt(COMMITS))?)?;
    Ok(Some((header, fields)))
}

/// A record of what a script found.
pub(super) fn record(header: &Header, fields: Vec<StoredField>) -> Record {
    Record { head: header.head, fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stored_bytes_make_a_header_panic() {
        for len in 0..80 {
            for byte in [0, 1, 63, 64, 255] {
                let mut raw = vec![byte; len];
                let _ = header(&raw, &[0; 8]);
                if let Some(format) = raw.first_mut() {
                    *format = FORMAT;
                }
                let _ = header(&raw, &vec![0; len]);
            }
        }
    }

    #[test]
    fn a_header_of_another_format_or_length_names_the_field() {
        let mut raw = vec![0; 64];
        raw[0] = 2;
        assert!(header(&raw, &[0; 8]).unwrap_err().to_string().contains("#h"));
        raw[0] = FORMAT;
        assert!(header(&raw, &[0; 8]).is_ok());
        assert!(header(&raw, &[0; 7]).unwrap_err().to_string().contains("#c"));
        assert!(header(&raw[..63], &[0; 8]).unwrap_err().to_string().contains("#h"));
    }

    #[test]
    fn times_before_the_epoch_are_read_as_they_were_written() {
        let mut out = Vec::new();
        put_time(&mut out, -5);
        put_time(&mut out, i64::MAX);
        let mut reader = Reader(&out);
        assert_eq!(reader.time(), Some(Timestamp::from_millis(-5)));
        assert_eq!(reader.time(), Some(Timestamp::from_millis(LATEST)));
    }
}
