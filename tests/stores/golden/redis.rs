//! The keys of the Redis store, as the commands that make them: each word is quoted, as `redis-cli` takes it.

use session_runtime::store::RedisStore;
use session_tests::redis_server::{RedisServer, is_available};

use super::check::check;
use super::{Advice, read, record, script};

const FILE: &str = "redis.txt";

fn start() -> RedisServer {
    RedisServer::start(&["appendonly no"])
}

#[tokio::test]
async fn what_is_in_redis_today_is_read_by_later_builds() {
    if !is_available() {
        return;
    }
    let (server, _advice) = (start(), Advice);
    for line in read(FILE).lines().filter(|line| !line.starts_with('#')) {
        let words = unquoted(line);
        let answer = server.command(&words.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert!(answer.starts_with(b":"), "{line}: {}", answer.escape_ascii());
    }
    check(&RedisStore::open(server.url()).await.unwrap()).await;
}

#[tokio::test]
#[ignore = "scripts/golden records with it"]
async fn record_redis() {
    if !is_available() {
        return;
    }
    let server = start();
    script::play(&RedisStore::open(server.url()).await.unwrap()).await;
    let mut keys = answered(&server.command(&[b"KEYS", b"*"]));
    keys.sort();
    record(FILE, "#", &keys.iter().flat_map(|key| dump(&server, key)).collect::<Vec<_>>());
}

/// The commands that make a key.
fn dump(server: &RedisServer, key: &[u8]) -> Vec<String> {
    let words = match &*server.command(&[b"TYPE", key]) {
        b"+hash\r\n" => {
            let words = answered(&server.command(&[b"HGETALL", key]));
            let mut fields: Vec<_> = words.chunks(2).map(<[_]>::to_vec).collect();
            fields.sort();
            [vec![b"HSET".to_vec(), key.to_vec()], fields.concat()].concat()
        }
        b"+set\r\n" => [vec![b"SADD".to_vec(), key.to_vec()], answered(&server.command(&[b"SMEMBERS", key]))].concat(),
        other => panic!("cannot record {}", other.escape_ascii()),
    };
    let mut lines = vec![quoted(&words)];
    // When the engine removes the key by itself.
    let end = server.command(&[b"PEXPIRETIME", key]);
    match end.strip_prefix(b":").and_then(|end| end.strip_suffix(b"\r\n")) {
        Some(b"-1") => {}
        Some(end) => lines.push(quoted(&[b"PEXPIREAT".to_vec(), key.to_vec(), end.to_vec()])),
        None => panic!("recording needs Redis 7: {}", end.escape_ascii()),
    }
    lines
}

/// The words of an answer that is a list of words.
fn answered(answer: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = after_line(answer).1;
    while !rest.is_empty() {
        let (length, word) = after_line(rest);
        let length: usize = str::from_utf8(&length[1..]).unwrap().parse().unwrap();
        words.push(word[..length].to_vec());
        rest = &word[length + 2..];
    }
    words
}

/// The first line, and what follows it.
fn after_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
    (&bytes[..end], &bytes[end + 2..])
}

fn quoted(words: &[Vec<u8>]) -> String {
    words.iter().map(|word| format!("\"{}\"", word.escape_ascii())).collect::<Vec<_>>().join(" ")
}

/// The words of a line, each of which was [`quoted`].
fn unquoted(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = line.bytes();
    while rest.by_ref().any(|byte| byte == b'"') {
        let mut word = Vec::new();
        while let Some(byte) = rest.next().filter(|byte| *byte != b'"') {
            word.push(if byte == b'\\' { unescaped(&mut rest) } else { byte });
        }
        words.push(word);
    }
    words
}

fn unescaped(rest: &mut impl Iterator<Item = u8>) -> u8 {
    match rest.next().unwrap() {
        b'x' => {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
        }
        b't' => b'\t',
        b'r' => b'\r',
        b'n' => b'\n',
        itself => itself,
    }
}
