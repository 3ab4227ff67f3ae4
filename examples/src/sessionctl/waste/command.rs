//! What a command of Redis does to keys.

use super::digest::{Digest, Format, GONE, Part};
use super::event::{Fields, Key, What};
use super::format::digest;
use super::tree::hash_of;

/// Where the Redis store of this project keeps what is no session: what was agreed on, and what it tries out when it
/// connects. Colons in keys of sessions are escaped, so none has such a part.
const BESIDE_SESSIONS: [&[u8]; 2] = [b"{#registrations}:", b"{#trial}:"];

/// What a command does, if it concerns values under keys that begin with the prefix. Anything else does nothing.
#[must_use]
pub fn meaning(database: u64, words: &[Vec<u8>], cut: bool, prefix: &[u8]) -> Vec<What> {
    let Some((name, arguments)) = words.split_first() else { return Vec::new() };
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let key = |key: &[u8]| (key.starts_with(prefix) && !is_beside_sessions(key)).then(|| Key::of(&(database, key)));
    let each = |keys: &[Vec<u8>], what: fn(Key) -> What| {
        keys.iter().filter_map(|word| key(word)).map(what).collect::<Vec<_>>()
    };
    match (&*name, arguments) {
        ("get" | "hgetall" | "hget" | "hmget" | "hvals" | "json.get", [first, ..]) => {
            each(std::slice::from_ref(first), What::Read)
        }
        ("mget", keys) => each(keys, What::Read),
        ("del" | "unlink" | "getdel", keys) => each(keys, What::Remove),
        ("rename" | "renamenx", [from, to]) => {
            key(from).map(What::Remove).into_iter().chain(key(to).map(What::Replace)).collect()
        }
        ("flushdb" | "flushall" | "swapdb", _) => vec![What::Forget],
        ("expire" | "pexpire" | "expireat" | "pexpireat" | "persist", [first, ..]) => {
            each(std::slice::from_ref(first), What::Touch)
        }
        ("getex", [first, ..]) => key(first).map_or_else(Vec::new, |key| vec![What::Read(key), What::Touch(key)]),
        (
            "set" | "setex" | "psetex" | "setnx" | "getset" | "append" | "setrange" | "hset" | "hmset" | "hsetnx"
            | "hdel" | "hincrby" | "hincrbyfloat" | "incr" | "incrby" | "decr" | "decrby" | "restore" | "json.set",
            [first, rest @ ..],
        ) => key(first).map_or_else(Vec::new, |key| write(&name, key, rest, cut)),
        ("mset" | "msetnx", pairs) => pairs
            .chunks(2)
            .filter_map(|pair| key(pair.first()?).map(|key| (key, pair.get(1))))
            .map(|(key, value)| value.map_or(What::Unclear { key, bytes: 0 }, |value| whole(key, value, None)))
            .collect(),
        _ => Vec::new(),
    }
}

fn is_beside_sessions(key: &[u8]) -> bool {
    let stands_in_it = |part: &[u8]| key.windows(part.len()).any(|bytes| bytes == part);
    BESIDE_SESSIONS.into_iter().any(stands_in_it)
}

/// What a command writes under a key.
fn write(name: &str, key: Key, arguments: &[Vec<u8>], cut: bool) -> Vec<What> {
    let unclear = || vec![What::Unclear { key, bytes: arguments.iter().map(Vec::len).sum() }];
    if cut {
        return unclear();
    }
    match (name, arguments) {
        ("set", [value, options @ ..]) => {
            let has = |wanted: &str| options.iter().any(|word| word.eq_ignore_ascii_case(wanted.as_bytes()));
            let condition = has("nx").then_some(false).or(has("xx").then_some(true));
            let write = whole(key, value, condition);
            if has("get") { vec![What::Read(key), write] } else { vec![write] }
        }
        ("setex" | "psetex", [_, value]) => vec![whole(key, value, None)],
        ("setnx", [value]) => vec![whole(key, value, Some(false))],
        ("getset", [value]) => vec![What::Read(key), whole(key, value, None)],
        ("hset" | "hmset", pairs) if !pairs.is_empty() && pairs.len().is_multiple_of(2) => vec![fields(key, pairs)],
        ("hdel", names) => vec![removed(key, names)],
        _ => unclear(),
    }
}

fn whole(key: Key, value: &[u8], expected: Option<bool>) -> What {
    What::Write { key, digest: digest(value), bytes: value.len(), expected }
}

/// Fields of a hash. What is named with a `#` is this project's header, and these names are Spring Session's.
fn fields(key: Key, pairs: &[Vec<u8>]) -> What {
    let (mut parts, mut added, mut is_new) = (Vec::<Part>::new(), 0_u64, false);
    for pair in pairs.chunks_exact(2) {
        let (name, value) = (&pair[0], &pair[1]);
        if name.starts_with(b"#") || matches!(&name[..], b"lastAccessedTime" | b"maxInactiveInterval") {
            added = added.wrapping_add(hash_of((name, value)));
            is_new |= name == b"#h" && begins_a_session(value);
        } else {
            parts.push((hash_of(name), hash_of(value)));
        }
    }
    let bytes = pairs.iter().map(Vec::len).sum();
    What::Fields(Fields { key, digest: Digest::of_parts(Format::Fields, parts, added), bytes, is_new })
}

/// Whether the header of a session of this project has the first revision, which stands behind the incarnation.
fn begins_a_session(header: &[u8]) -> bool {
    header.get(8..14) == Some(&[0, 0, 0, 0, 0, 1])
}

fn removed(key: Key, names: &[Vec<u8>]) -> What {
    let parts = names.iter().map(|name| (hash_of(name), GONE)).collect();
    let bytes = names.iter().map(Vec::len).sum();
    What::Fields(Fields { key, digest: Digest::of_parts(Format::Fields, parts, 0), bytes, is_new: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn does(line: &str) -> Vec<What> {
        let words: Vec<_> = line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        meaning(0, &words, false, b"s:")
    }

    fn key(name: &str) -> Key {
        Key::of(&(0_u64, name.as_bytes()))
    }

    fn written(value: &str, expected: Option<bool>) -> What {
        What::Write { key: key("s:1"), digest: digest(value.as_bytes()), bytes: value.len(), expected }
    }

    #[test]
    fn each_way_to_write_a_value_is_known() {
        for line in ["SET s:1 {}", "set s:1 {} EX 60", "setex s:1 60 {}", "PSETEX s:1 60000 {}", "mset s:1 {} x:1 []"] {
            assert_eq!(does(line), [written("{}", None)], "{line}");
        }
        assert_eq!(does("SET s:1 {} NX EXAT 60"), [written("{}", Some(false))]);
        assert_eq!(does("SETNX s:1 {}"), [written("{}", Some(false))]);
        assert_eq!(does("SET s:1 {} XX"), [written("{}", Some(true))]);
        assert_eq!(does("SET s:1 {} GET"), [What::Read(key("s:1")), written("{}", None)]);
    }

    #[test]
    fn what_else_happens_to_a_key_is_known() {
        let one = key("s:1");
        assert_eq!(does("GET s:1"), [What::Read(one)]);
        assert_eq!(does("MGET s:1 s:2 x:3"), [What::Read(one), What::Read(key("s:2"))]);
        assert_eq!(does("GETEX s:1 EX 5"), [What::Read(one), What::Touch(one)]);
        assert_eq!(does("EXPIRE s:1 60"), [What::Touch(one)]);
        assert_eq!(does("DEL s:1 x:2"), [What::Remove(one)]);
        assert_eq!(does("RENAME s:1 s:2"), [What::Remove(one), What::Replace(key("s:2"))]);
        assert_eq!(does("FLUSHDB"), [What::Forget]);
        assert_eq!(does("APPEND s:1 abc"), [What::Unclear { key: one, bytes: 3 }]);
        assert_eq!(meaning(0, &[b"SET".to_vec(), b"s:1".to_vec()], true, b""), [What::Unclear { key: one, bytes: 0 }]);
        for line in ["GET x:1", "SET x:1 {}", "PING", "ZADD s:1 1 a", "GET", "SET", "MSET"] {
            assert_eq!(does(line), [], "{line}");
        }
    }

    #[test]
    fn what_this_project_keeps_beside_sessions_is_none() {
        for key in ["s:{#registrations}:visitor:1", "s:{#trial}:1"] {
            for line in [format!("HSET {key} #id 7 visits 0"), format!("UNLINK {key}"), format!("HGETALL {key}")] {
                assert_eq!(does(&line), [], "{line}");
            }
        }
        assert_eq!(does("DEL s:visitor:{#tag}7"), [What::Remove(key("s:visitor:{#tag}7"))]);
    }

    #[test]
    fn fields_of_a_hash_are_parts_and_a_header_is_none() {
        let [What::Fields(Fields { digest, bytes: 13, is_new: false, .. })] = &does("HSET s:1 visits 1 #h head")[..]
        else {
            panic!()
        };
        let parts = vec![(hash_of(&b"visits"[..]), hash_of(&b"1"[..]))];
        assert_eq!(digest.parts(), Digest::of_parts(Format::Fields, parts, 0).parts());
        let [What::Fields(Fields { digest, bytes: 6, .. })] = &does("HDEL s:1 visits")[..] else { panic!() };
        assert_eq!(digest.parts(), Some(&[(hash_of(&b"visits"[..]), GONE)][..]));
        assert_eq!(does("HSET s:1 visits"), [What::Unclear { key: key("s:1"), bytes: 6 }]);
    }
}
