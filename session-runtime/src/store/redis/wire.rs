//! The bytes that travel between this crate and its scripts, and that stand in a record.
//!
//! The header is 64 bytes long, because longer values cost a small hash its compact encoding. Numbers are big-endian;
//! times have seven bytes and are held within ±2^53 ms, which is as far as a script can count and 285,000 years.

use super::error::{self, corrupt};
use super::resp::{self, Value};
use crate::expiry::{Lifetime, Timestamp};
use crate::store::rule::{Commits, Header, State};
use crate::store::{
    Action, Base, Commit, CommitId, ExpiryChange, Head, Incarnation, RegistrationId, StoreError, StoredField, Write,
};
use bytes::Bytes;

/// The field that holds the header.
pub(super) const HEADER: &str = "#h";
/// The field that holds how long the header is kept once the session has ended (seven bytes), the sliding lifetime of
/// the session's own if it has one (seven bytes), and the ids of the commits before the last, newest first. Of a stored
/// session with a lifetime of its own, the first is told by the header instead, by when it expires and may be purged.
pub(super) const COMMITS: &str = "#c";

/// What `commit.lua` did.
pub(super) const REFUSED: i64 = 0;
pub(super) const APPLIED: i64 = 1;
pub(super) const OCCUPIED: i64 = 2;
pub(super) const UNREGISTERED: i64 = 3;
pub(super) const LATE: i64 = 4;

/// Says that field [`COMMITS`] holds a sliding lifetime of the session's own.
const SLIDING: u8 = 128;

/// Stands in the flags of every header of this format.
const FORMAT: u8 = 64;
/// How many fields a common commit sets at most.
const MOST_COMMON: usize = 100;
/// How long durations of a common commit are at most.
const LONGEST: i64 = 1 << 50;
const LATEST: i64 = (1 << 53) - 1;
const LAST_REVISION: u64 = (1 << 48) - 1;

/// How long a header is, and where its flags are.
const LENGTH: usize = 64;
const FLAGS: usize = 34;

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

/// What a commit names as its base: the first 22 bytes of the header.
fn put_base(out: &mut Vec<u8>, incarnation: u64, revision: u64, last_commit: u64) {
    put_id(out, incarnation);
    put_revision(out, revision);
    put_id(out, last_commit);
}

fn put_revision(out: &mut Vec<u8>, revision: u64) {
    out.extend_from_slice(&revision.min(LAST_REVISION).to_be_bytes()[2..]);
}

fn put_writer(out: &mut Vec<u8>, version: u32, registration: RegistrationId) {
    out.extend_from_slice(&version.to_be_bytes());
    put_id(out, registration.0);
}

/// A lifetime of which each part, added to a time, can be counted by a script: what is longer is as good as that.
pub(super) fn countable(lifetime: Lifetime) -> Lifetime {
    let most = |millis: i64| millis.min(LATEST / 2);
    let Lifetime { inactivity, creation, touch_after, retention } = lifetime;
    Lifetime { inactivity: inactivity.map(most), creation: creation.map(most), touch_after, retention: most(retention) }
}

/// What `commit.lua` takes, without the changes, of which `sets` set a field: what it is based on (22 bytes), what the
/// header has after it (revision, id, writer: 26), and how it is to be applied, of which only what is needed is sent.
/// `lengths` tells the script where the names are from which it makes the key of the registration; `until` when it is too
/// late to apply it.
pub(super) fn commit(commit: &Commit, sets: usize, lengths: [u8; 2], until: Option<i64>) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    let (base, valid_until) = match commit.base {
        Base::Record { incarnation, revision, last_commit } => {
            put_base(&mut out, incarnation.0, revision, last_commit.0);
            (4, None)
        }
        Base::Absent { saw, valid_until } => {
            put_base(&mut out, saw.map_or(0, |saw| saw.0), 0, 0);
            (u8::from(saw.is_some()) << 5, valid_until)
        }
    };
    put_revision(&mut out, commit.base.revision().saturating_add(1));
    put_id(&mut out, commit.id.0);
    let write = commit.write();
    put_writer(
        &mut out,
        write.map_or(0, |write| write.version),
        write.map_or(RegistrationId(0), |write| write.registration),
    );

    let action = match commit.action {
        Action::Write(_) => 0,
        Action::Destroy => 1,
        Action::Renew { .. } => 2,
    };
    // What is based on a record creates one only at another key.
    let creates = write.map(|write| write.creates).filter(|_| action == 2 || base != 4);
    let is = |option: fn(&Write) -> bool| u8::from(write.is_some_and(option));
    out.push(
        action
            | base
            | is(|write| write.replace) << 3
            | is(|write| write.keep_empty) << 4
            | u8::from(creates.is_some()) << 6
            | u8::from(until.is_some()) << 7,
    );

    let Lifetime { inactivity, creation, retention, .. } = commit.lifetime;
    let (fixed_end, expiry) = match write.map(|write| write.expiry).unwrap_or_default() {
        ExpiryChange::Keep => (None, 0),
        ExpiryChange::ByRule => (None, 8),
        ExpiryChange::At(date) => (Some(date), 4 | 8),
        ExpiryChange::After(_) => (None, 128 | 8),
    };
    let sliding = write.and_then(|write| write.expiry.apply_to_sliding(None)).map(|millis| millis.min(LATEST / 2));
    let is_common = until.is_none() && is_common(commit, sets);
    out.push(
        u8::from(inactivity.is_some())
            | u8::from(creation.is_some()) << 1
            | expiry
            | u8::from(valid_until.is_some()) << 4
            | u8::from(commit.clock.0 != 0) << 5
            | u8::from(is_common) << 6,
    );
    out.extend_from_slice(&lengths);
    put_time(&mut out, retention);
    put_time(&mut out, inactivity.unwrap_or(0));
    let clock = Some(commit.clock.0).filter(|offset| *offset != 0);
    let [fixed_end, valid_until] = [fixed_end, valid_until].map(|time| time.map(Timestamp::as_millis));
    for millis in [creation, fixed_end, valid_until, clock, sliding].into_iter().flatten() {
        put_time(&mut out, millis);
    }
    if let Some(creates) = creates {
        put_id(&mut out, creates.0);
    }
    if let Some(until) = until {
        put_time(&mut out, until);
    }
    out.extend_from_slice(&u32::try_from(sets).unwrap_or(u32::MAX).to_be_bytes()[1..]);
    out
}

/// Whether a commit only sets some fields of a stored session, and its durations are such that no sum of them and a
/// time is too large for a script.
fn is_common(commit: &Commit, sets: usize) -> bool {
    let Lifetime { inactivity, creation, retention, .. } = commit.lifetime;
    let durations = [inactivity, creation, Some(retention)];
    matches!(&commit.action, Action::Write(write) if !write.replace && write.expiry == ExpiryChange::Keep)
        && matches!(commit.base, Base::Record { .. })
        && commit.clock.0 == 0
        && sets == commit.changes().len()
        && (1..=MOST_COMMON).contains(&sets)
        && durations.into_iter().flatten().all(|millis| (0..LONGEST).contains(&millis))
}

fn has_sliding(raw: &[u8]) -> bool {
    raw.get(FLAGS).is_some_and(|flags| flags & (SLIDING | FORMAT) == SLIDING | FORMAT)
}

fn is_stored(raw: &[u8]) -> bool {
    raw.get(FLAGS).is_some_and(|flags| flags % 4 == 0)
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
pub(super) fn header(raw: &[u8], older: &[u8]) -> Result<Header, StoreError> {
    let mut reader = Reader(older);
    let mut millis = || reader.time().map(Timestamp::as_millis).ok_or_else(|| corrupt(COMMITS));
    let slides = has_sliding(raw);
    let retention = if slides && is_stored(raw) { None } else { Some(millis()?) };
    let sliding = if slides { Some(millis()?) } else { None };
    let (older, rest) = reader.0.as_chunks::<8>();
    if !rest.is_empty() || older.len() >= Commits::KEPT {
        return Err(corrupt(COMMITS));
    }
    read_header(raw, retention, sliding, older).ok_or_else(|| corrupt(HEADER))
}

/// The part of a header that sessions see, as the answer to a commit tells of it.
pub(super) fn head(told: &[u8]) -> Result<Head, StoreError> {
    let (raw, mut rest) =
        told.split_at_checked(LENGTH).map(|(raw, rest)| (raw, Reader(rest))).ok_or_else(error::unexpected)?;
    let sliding = if has_sliding(raw) { rest.time().map(Timestamp::as_millis) } else { None };
    read_header(raw, Some(0), sliding, &[]).map(|header| header.head).ok_or_else(|| corrupt(HEADER))
}

/// The retention is `None` where the header tells it.
fn read_header(raw: &[u8], retention: Option<i64>, sliding: Option<i64>, older: &[[u8; 8]]) -> Option<Header> {
    let mut reader = Reader(raw);
    let (incarnation, revision, last_commit) = (Incarnation(reader.id()?), reader.revision()?, CommitId(reader.id()?));
    let (version, registration) = (u32::from_be_bytes(reader.take()?), RegistrationId(reader.id()?));
    let [flags] = reader.take()?;
    let origin = Incarnation(reader.id()?);
    let [created_at, expires_at, retained_until] = [reader.time()?, reader.time()?, reader.time()?];
    if !reader.0.is_empty() || flags & FORMAT == 0 {
        return None;
    }
    let state = match flags & 3 {
        0 => State::Stored,
        1 => State::Emptied,
        2 => State::Destroyed,
        _ => State::Renewed,
    };
    let head = Head {
        incarnation,
        revision,
        last_commit,
        version,
        registration,
        created_at,
        sliding,
        // A session with a fixed end expires then.
        fixed_end: Some(expires_at).filter(|_| flags & FIXED_END != 0),
        expires_at: Some(expires_at).filter(|_| flags & EXPIRES != 0),
        stored: state == State::Stored,
    };
    let older = older.iter().map(|id| CommitId(u64::from_be_bytes(*id)));
    Some(Header {
        head,
        state,
        origin: Some(origin).filter(|_| flags & ORIGIN != 0),
        commits: std::iter::once(last_commit).chain(older).collect(),
        retention: retention.unwrap_or_else(|| retained_until.as_millis().saturating_sub(expires_at.as_millis())),
        retained_until: Some(retained_until).filter(|_| flags & RETAINED != 0),
    })
}

/// A header as it is stored.
pub(super) fn packed(header: &Header) -> Vec<u8> {
    let Header { head, state, origin, retained_until, .. } = header;
    let mut out = Vec::with_capacity(64);
    put_base(&mut out, head.incarnation.0, head.revision, head.last_commit.0);
    put_writer(&mut out, head.version, head.registration);
    let state = match state {
        State::Stored => 0,
        State::Emptied => 1,
        State::Destroyed => 2,
        State::Renewed => 3,
    };
    let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
    out.push(
        FORMAT
            | state
            | flag(origin.is_some(), ORIGIN)
            | flag(head.fixed_end.is_some(), FIXED_END)
            | flag(head.sliding.is_some(), SLIDING)
            | flag(head.expires_at.is_some(), EXPIRES)
            | flag(retained_until.is_some(), RETAINED),
    );
    put_id(&mut out, origin.map_or(0, |origin| origin.0));
    for time in [Some(head.created_at), head.expires_at, *retained_until] {
        put_time(&mut out, time.map_or(0, Timestamp::as_millis));
    }
    out
}

/// What a hash holds, as names and values.
pub(super) struct Stored {
    pub(super) header: Header,
    /// The bytes of the header.
    pub(super) raw: Bytes,
    pub(super) fields: Vec<StoredField>,
}

/// What a hash holds; nothing if there is none.
pub(super) fn hash(found: Vec<Value>) -> Result<Option<Stored>, StoreError> {
    if found.is_empty() {
        return Ok(None);
    }
    let (mut raw, mut older) = (None, None);
    let mut fields = Vec::with_capacity(found.len() / 2);
    let mut found = found.into_iter();
    while let Some(name) = found.next() {
        let (Some(name), Some(value)) = (name.bytes(), found.next().and_then(Value::bytes)) else {
            return Err(error::unexpected());
        };
        match &name[..] {
            b"#h" => raw = Some(value),
            b"#c" => older = Some(value),
            [b'#', ..] => return Err(corrupt("#, a name that no session field has")),
            name => {
                let name = std::str::from_utf8(name).map_err(|_| corrupt("one whose name is not UTF-8"))?;
                fields.push(StoredField { name: name.into(), value: value.into() });
            }
        }
    }
    let raw = raw.ok_or_else(|| corrupt(HEADER))?;
    let header = header(&raw, &older.ok_or_else(|| corrupt(COMMITS))?)?;
    Ok(Some(Stored { header, raw, fields }))
}

/// The full minute after a time: then the engine removes what may be purged from that time on.
pub(super) fn full_minute(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(60_000).saturating_add(1).saturating_mul(60_000).max(1)
}

/// What TIME answers.
pub(super) fn time(answer: Value) -> Result<Timestamp, StoreError> {
    let numbers = |parts: Vec<Value>| {
        let mut parts = parts.into_iter().map(|part| resp::number(&part.bytes()?).ok());
        Some((parts.next()??, parts.next()??))
    };
    let (seconds, micros) = answer.list().and_then(numbers).ok_or_else(error::unexpected)?;
    Ok(Timestamp::from_millis(seconds.saturating_mul(1000).saturating_add(micros / 1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: [u8; 64] = {
        let mut raw = [7; 64];
        raw[34] = FORMAT | ORIGIN | EXPIRES | RETAINED;
        raw
    };

    #[test]
    fn no_stored_bytes_make_a_header_panic() {
        for len in 0..80 {
            for byte in [0, 1, 63, 64, 255] {
                let mut raw = vec![byte; len];
                let _ = header(&raw, &[0; 15]);
                if let Some(flags) = raw.get_mut(34) {
                    *flags = FORMAT;
                }
                let _ = header(&raw, &vec![0; len]);
            }
        }
    }

    #[test]
    fn a_header_of_another_format_or_length_names_the_field() {
        assert!(header(&RAW, &[0; 7]).is_ok() && header(&RAW, &[0; 63]).is_ok());
        for older in [&[][..], &[0; 6], &[0; 8], &[0; 71]] {
            assert!(header(&RAW, older).unwrap_err().to_string().contains("#c"));
        }
        for (raw, flags) in [(&RAW[..63], 64), (&RAW, 0), (&RAW, 128), (&[7; 65], 64)] {
            let mut raw = raw.to_vec();
            raw[34] = flags;
            assert!(header(&raw, &[0; 7]).unwrap_err().to_string().contains("#h"), "{flags}");
        }
    }

    #[test]
    fn a_sliding_lifetime_stands_in_place_of_the_retention_that_the_header_of_a_stored_session_tells() {
        let mut raw = RAW;
        raw[FLAGS] |= SLIDING;
        raw[57..].copy_from_slice(&[7, 7, 7, 7, 7, 7, 16]);
        let found = header(&raw, &[&[0, 0, 0, 0, 0, 1, 0][..], &[3; 56]].concat()).unwrap();
        assert_eq!((found.retention, found.head.sliding, found.commits.iter().count()), (9, Some(256), 8));
        assert_eq!(packed(&found), raw);
        assert!(header(&raw, &[0; 64]).unwrap_err().to_string().contains("#c"));
    }

    #[test]
    fn a_sliding_lifetime_stands_behind_the_retention_of_an_ended_session_and_in_answers_behind_the_header() {
        let mut raw = RAW;
        raw[FLAGS] |= SLIDING | 2;
        let older = [[0, 0, 0, 0, 0, 0, 9], [0, 0, 0, 0, 0, 1, 0]].concat();
        let found = header(&raw, &[&older[..], &[3; 16]].concat()).unwrap();
        assert_eq!((found.retention, found.head.sliding, found.commits.iter().count()), (9, Some(256), 3));
        assert_eq!(packed(&found), raw);
        assert_eq!(head(&[&raw[..], &older[7..]].concat()).unwrap(), found.head);
        for short in [&older[..7], &older[..13]] {
            assert!(header(&raw, short).unwrap_err().to_string().contains("#c"));
        }
        assert!(head(&raw[..63]).is_err());
    }

    #[test]
    fn a_header_is_packed_as_it_was() {
        for flags in 0..64 {
            let mut raw = RAW;
            raw[34] = FORMAT | flags;
            // What is not there is zero.
            for (flag, part) in [(ORIGIN, 35..43), (EXPIRES, 50..57), (RETAINED, 57..64)] {
                if flags & flag == 0 {
                    raw[part].fill(0);
                }
            }
            if flags & FIXED_END == 0 || flags & EXPIRES != 0 {
                assert_eq!(packed(&header(&raw, &[0; 7]).unwrap()), raw, "{flags}");
            }
        }
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
