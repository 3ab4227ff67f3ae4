//! What a server may answer, and what may stand under a session's key.

use std::sync::Arc;

use bytes::Bytes;

use super::cluster::{range_of, redirection};
use super::keys::Names;
use super::registry::registration;
use super::resp::{Cut, Value, values};
use super::socket::Place;
use super::wire::{self, Stored};
use super::{Slots, error, reply};
use crate::expiry::Timestamp;
use crate::store::material::Material;
use crate::store::{Key, rule};

/// Takes bytes for answers: however they come in pieces, they end at the same place.
///
/// # Panics
/// When they do not.
pub fn answers(bytes: &[u8]) {
    for count in 0..3 {
        let whole = Cut::default().end(bytes, count);
        let mut cut = Cut::default();
        let in_pieces = (0..=bytes.len()).map(|len| cut.end(bytes.get(..len).unwrap_or_default(), count));
        let in_pieces = in_pieces.take(512).find(|end| !matches!(end, Ok(None)));
        if let Some(end) = in_pieces {
            assert_eq!(end, whole, "in pieces");
        }
        if let Ok(Some(end)) = whole {
            assert!(end <= bytes.len(), "behind what came");
            if let Ok(values) = values(Bytes::copy_from_slice(bytes.get(..end).unwrap_or_default()), count) {
                assert_eq!(values.len(), count, "answers");
                values.into_iter().for_each(understand);
            }
        }
    }
}

/// Takes one answer for each that this store may wait for.
fn understand(value: Value) {
    if let Some(text) = value.error() {
        let _ = (error::from_engine(text), redirection(text, &Place::Host("here".into(), 1)));
    }
    let _ = wire::time(value.clone());
    let _ = registration("Visitor", 1, value.clone());
    let _ = range_of(value.clone(), &Place::Host("here".into(), 1));
    let _ = reply(value.clone(), &Material(&[1; 40]).commit());
    let _ = value.list().map(wire::hash);
}

/// Takes bytes for the fields of a hash, and for a commit to it.
///
/// # Panics
/// When a key or a header that was written is read as another one.
pub fn records(bytes: &[u8]) {
    let mut material = Material(bytes);
    let (commit, lifetime) = (material.commit(), material.lifetime());
    let now = Timestamp::from_millis(material.number());
    let slots = if material.flag() { Slots::PerName } else { Slots::PerKey };
    let (name, names) = (Arc::from("Visitor"), Names { prefix: "session:".into(), slots });
    let _ = wire::commit(&commit, commit.changes().len(), [7, 2], material.flag().then_some(7));

    let mut found = Vec::new();
    while !material.is_empty() {
        let field = match material.byte() % 8 {
            0 => material.some_bytes(),
            1..=3 => wire::HEADER.as_bytes(),
            4 | 5 => wire::COMMITS.as_bytes(),
            6 => b"#id",
            _ => b"#codec",
        };
        let value = match material.byte() % 4 {
            0 => material.some_bytes(),
            1 => material.bytes(64),
            2 => material.bytes(8),
            _ => material.bytes(9),
        };
        let _ = names.parse(field, &name);
        if let Ok(key) = Key::new(name.clone(), &*String::from_utf8_lossy(value)) {
            assert_eq!(names.parse(names.session(&key).as_bytes(), &name), Some(key), "the key of a session");
        }
        found.extend([field, value].map(|bytes| Value::Bytes(Bytes::copy_from_slice(bytes))));
    }
    let _ = registration("Visitor", 1, Value::List(found.clone()));
    let refused = [Value::Number(wire::REFUSED), Value::Number(now.as_millis()), Value::List(found.clone())];
    let _ = reply(Value::List(refused.to_vec()), &commit);
    if let Ok(Some(Stored { header, .. })) = wire::hash(found) {
        let _ = (header.is_live(now), header.is_purgeable(now), header.touched(&wire::countable(lifetime), now));
        let _ = (rule::next(Some(&header), &commit, false, now), header.retained_until.map(wire::full_minute));
        let packed = wire::packed(&header);
        let again =
            wire::header(&packed, &[0; 14][..if packed[34] >= 128 { 14 } else { 7 }]).map(|again| wire::packed(&again));
        assert_eq!(again.ok(), Some(packed), "a header that was written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::material::try_damaged;

    #[test]
    fn no_answer_of_a_server_makes_the_store_panic() {
        let samples: [&[u8]; 6] = [
            b"*2\r\n$2\r\n#h\r\n$-1\r\n+OK\r\n",
            b"-MOVED 3999 127.0.0.1:6381\r\n:-5\r\n",
            b"*2\r\n$10\r\n1646861401\r\n$6\r\n524102\r\n",
            b"*3\r\n:0\r\n:1646861401000\r\n*4\r\n$2\r\n#c\r\n$0\r\n\r\n$1\r\na\r\n$1\r\n1\r\n",
            b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:6379\r\n",
            b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*0\r\n$99999999999999999999\r\n",
        ];
        try_damaged(30_000, &samples, answers);
    }

    #[test]
    fn nothing_that_stands_under_a_key_makes_the_store_panic() {
        let mut sample = vec![1; 40];
        // A header with everything, ids, and a field.
        sample.extend([1, 1]);
        sample.extend([0; 34]);
        sample.extend([124]);
        sample.extend([0; 29]);
        sample.extend([4, 2, 9, 9, 9, 9, 9, 9, 9, 9, 0, 1, b'a', 0, 1, b'1']);
        try_damaged(30_000, &[&sample, &[255; 200], &[]], records);
    }
}
