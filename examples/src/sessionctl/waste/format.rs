//! Tells by its bytes which library wrote a value, and takes it apart.
//!
//! A part is a field of the session, or where a field holds an object, a field of that: `theme`, `user.name`.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::ZlibDecoder;

use super::digest::{Digest, Format, Part};
use super::tree::{Node, hash_of};

/// The most bytes that a compressed value is taken apart to.
const LARGEST: u64 = 4 << 20;

/// What is kept of a value. Whatever it is, it is something: in the end, bytes.
#[must_use]
pub fn digest(value: &[u8]) -> Digest {
    let known = match value {
        [b'{' | b'[' | b' ' | b'\n' | b'\t' | b'\r', ..] => Node::from_json(value).and_then(|node| of_json(&node)),
        // Python's protocols 2 to 5; what follows could be MessagePack's empty map only if it were all.
        [0x80, 2..=5, ..] => Some(Digest::opaque(Format::Pickle, value)),
        // An array of three, or a map.
        [0x93, ..] => Node::from_message_pack(value).and_then(|node| of_tower_sessions(&node)),
        [0x80..=0x8f | 0xde | 0xdf, ..] => {
            Node::from_message_pack(value).and_then(|node| Some(of_fields(Format::MessagePack, node.fields()?, 0)))
        }
        _ => of_django(value),
    };
    known.unwrap_or_else(|| Digest::opaque(Format::Bytes, value))
}

/// A record: its id, which is the key, then the session, and when it ends, as nine numbers.
fn of_tower_sessions(record: &Node) -> Option<Digest> {
    let [_, data, expiry] = record.items()? else { return None };
    if expiry.items()?.len() != 9 {
        return None;
    }
    Some(of_fields(Format::TowerSessions, data.fields()?, expiry.hash))
}

fn of_json(node: &Node) -> Option<Digest> {
    let Some(fields) = node.fields() else {
        return Some(Digest::of_parts(Format::Json, vec![(0, node.hash)], 0));
    };
    of_express_session(fields)
        .or_else(|| of_grammy(fields))
        .or_else(|| of_actix_session(fields))
        .or_else(|| Some(of_fields(Format::Json, fields, 0)))
}

/// The session beside a cookie, whose end moves with each request, and its age by a millisecond now and then.
fn of_express_session(fields: &[(String, Node)]) -> Option<Digest> {
    let cookie = field(fields, "cookie")?.fields()?;
    let age = field(cookie, "originalMaxAge")?.hash;
    let expires = field(cookie, "expires").map_or(0, |expires| expires.hash);
    let of_cookie = ["originalMaxAge", "expires"].map(|name| hash_of(("cookie", name)));
    let parts = parts_of(fields).into_iter().filter(|(name, _)| !of_cookie.contains(name)).collect();
    Some(Digest::of_parts(Format::ExpressSession, parts, hash_of((age, expires))))
}

/// The session as `__d`, its version as `v` and its end as `e`.
fn of_grammy(fields: &[(String, Node)]) -> Option<Digest> {
    let mut parts = match field(fields, "__d")? {
        data if data.fields().is_some() => parts_of(data.fields()?),
        data => vec![(0, data.hash)],
    };
    parts.extend(field(fields, "v").map(|version| (hash_of("v"), version.hash)));
    Some(Digest::of_parts(Format::Grammy, parts, field(fields, "e").map_or(0, |end| end.hash)))
}

/// Each value is JSON once more, as a text.
fn of_actix_session(fields: &[(String, Node)]) -> Option<Digest> {
    let value = |(name, node): &(String, Node)| Some((name.clone(), Node::from_json(node.text()?.as_bytes())?));
    let fields: Vec<_> = fields.iter().map(value).collect::<Option<_>>()?;
    (!fields.is_empty()).then(|| of_fields(Format::ActixSession, &fields, 0))
}

/// `payload:time:signature`, where the payload is JSON in base64, after a dot if it is compressed.
fn of_django(value: &[u8]) -> Option<Digest> {
    let text = std::str::from_utf8(value).ok()?;
    let (payload, signed) = text.split_once(':')?;
    let (time, signature) = signed.split_once(':')?;
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_word(time) || !is_word(signature) {
        return None;
    }
    let json = match payload.strip_prefix('.') {
        Some(compressed) => inflate(&URL_SAFE_NO_PAD.decode(compressed).ok()?)?,
        None => URL_SAFE_NO_PAD.decode(payload).ok()?,
    };
    Some(of_fields(Format::Django, Node::from_json(&json)?.fields()?, hash_of(signed)))
}

fn inflate(compressed: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    ZlibDecoder::new(compressed).take(LARGEST).read_to_end(&mut plain).ok()?;
    Some(plain)
}

fn of_fields(format: Format, fields: &[(String, Node)], added: u64) -> Digest {
    Digest::of_parts(format, parts_of(fields), added)
}

fn parts_of(fields: &[(String, Node)]) -> Vec<Part> {
    let mut parts = Vec::with_capacity(fields.len());
    for (name, node) in fields {
        match node.fields() {
            Some(inner) if !inner.is_empty() => {
                parts.extend(inner.iter().map(|(inner, node)| (hash_of((name, inner)), node.hash)));
            }
            _ => parts.push((hash_of(name), node.hash)),
        }
    }
    parts
}

fn field<'a>(fields: &'a [(String, Node)], name: &str) -> Option<&'a Node> {
    fields.iter().find(|(found, _)| found == name).map(|(_, node)| node)
}

#[cfg(test)]
mod tests {
    //! The records are what the libraries wrote, each by a program that did to its session what the test says.

    use super::super::digest::Change;
    use super::*;

    /// What the second value made of the first.
    fn change(before: &[u8], after: &[u8]) -> (Format, Change) {
        let (before, after) = (digest(before), digest(after));
        assert_eq!(before.format, after.format);
        (after.format, before.change_to(&after))
    }

    /// express-session 1.19 with connect-redis 9.0, a cookie of an hour, `visits` and a `user`.
    const EXPRESS: &str = r#"{"cookie":{"originalMaxAge":3600000,"expires":"2026-11-26T20:35:30.014Z","httpOnly":true,"path":"/"},"visits":1,"user":{"id":7,"name":"Zoë"}}"#;

    #[test]
    fn express_session_moves_the_end_of_its_cookie() {
        let later = EXPRESS.replace("30.014Z", "30.058Z");
        assert_eq!(change(EXPRESS.as_bytes(), EXPRESS.as_bytes()), (Format::ExpressSession, Change::Nothing));
        assert_eq!(change(EXPRESS.as_bytes(), later.as_bytes()), (Format::ExpressSession, Change::Added));
        let younger = later.replace("3600000", "3599999");
        assert_eq!(change(EXPRESS.as_bytes(), younger.as_bytes()).1, Change::Added, "as its clock ticks meanwhile");
        for (from, to, parts) in [
            (r#""visits":1"#, r#""visits":2"#, 1),
            (r#""name":"Zoë""#, r#""name":"Zoe""#, 1),
            (r#""user":{"id":7,"name":"Zoë"}"#, r#""user":{"id":8}"#, 2),
            (r#""httpOnly":true"#, r#""httpOnly":false"#, 1),
        ] {
            let changed = later.replace(from, to);
            assert_eq!(change(EXPRESS.as_bytes(), changed.as_bytes()).1, Change::Parts(parts), "{to}");
        }
    }

    /// tower-sessions with its store on Redis 0.16: `visits` 3, `theme` "dark" and `user` 7, until 2100-02-03 04:05:06.789.
    const TOWER: &[u8] = b"\x93\xc4\x10\x08\xb5\xb0;nZ9\xa6\xed\xb6\xcdfXOI\x86\x83\xa6visits\x03\xa4user\x07\xa5theme\xa4dark\x99\xcd\x084\x22\x04\x05\x06\xce/\x07/@\0\0\0";

    #[test]
    fn tower_sessions_keeps_the_end_and_its_map_has_no_order() {
        let replaced = |from: &[u8], to: &[u8]| {
            let at = TOWER.windows(from.len()).position(|bytes| bytes == from).expect("it is there");
            [&TOWER[..at], to, &TOWER[at + from.len()..]].concat()
        };
        for (after, expected) in [
            (TOWER.to_vec(), Change::Nothing),
            (replaced(b"\xa6visits\x03\xa4user\x07", b"\xa4user\x07\xa6visits\x03"), Change::Nothing),
            (replaced(b"\xce/\x07/@", b"\xce/\x07/A"), Change::Added),
            (replaced(b"\xa6visits\x03", b"\xa6visits\x04"), Change::Parts(1)),
            (replaced(b"\x83\xa6visits\x03\xa4user\x07", b"\x81"), Change::Parts(2)),
        ] {
            assert_eq!(change(TOWER, &after), (Format::TowerSessions, expected), "{}", after.escape_ascii());
        }
    }

    /// actix-session 0.11 with the same session.
    const ACTIX: &str = r#"{"user":"7","theme":"\"dark\"","visits":"3"}"#;

    #[test]
    fn actix_session_keeps_texts_of_json() {
        let other_order = r#"{"visits":"3","user":"7","theme":"\"dark\""}"#;
        let changed = ACTIX.replace(r#""3""#, r#""4""#);
        assert_eq!(change(ACTIX.as_bytes(), other_order.as_bytes()), (Format::ActixSession, Change::Nothing));
        assert_eq!(change(ACTIX.as_bytes(), changed.as_bytes()), (Format::ActixSession, Change::Parts(1)));
        let user = |user: &str| ACTIX.replace(r#""7""#, user);
        let (before, after) = (user(r#""{\"id\":7,\"name\":\"Zoë\"}""#), user(r#""{\"id\":7,\"name\":\"Zoe\"}""#));
        assert_eq!(change(before.as_bytes(), after.as_bytes()).1, Change::Parts(1));
    }

    /// grammY 1.46 with its Redis adapter 2.6, and with `enhanceStorage` around it.
    const GRAMMY: [&str; 2] =
        [r#"{"visits":1,"theme":"light"}"#, r#"{"__d":{"visits":1,"theme":"light"},"e":1795725452992}"#];

    #[test]
    fn grammy_keeps_json_or_json_with_its_end() {
        let [plain, enhanced] = GRAMMY;
        let dark = |text: &str| text.replace("light", "dark").into_bytes();
        assert_eq!(change(plain.as_bytes(), plain.as_bytes()), (Format::Json, Change::Nothing));
        assert_eq!(change(plain.as_bytes(), &dark(plain)), (Format::Json, Change::Parts(1)));
        let later = enhanced.replace("2992", "2993");
        assert_eq!(change(enhanced.as_bytes(), later.as_bytes()), (Format::Grammy, Change::Added));
        assert_eq!(change(enhanced.as_bytes(), &dark(&later)), (Format::Grammy, Change::Parts(1)));
    }

    /// Django 5.2: `{"visits": 1, "user": {"id": 7}}`, then with two visits and a cart so long that it is compressed.
    const DJANGO: [&str; 2] = [
        "eyJ2aXNpdHMiOjEsInVzZXIiOnsiaWQiOjd9fQ:1xWfFi:TTAca1MbOVPiawxAmwi5BJjVS7ypnDJvnjLFN5gymzc",
        ".eJyrVirLLM4sKVayMtJRKi1OLVKyqlbKTFGyMq_VUUpOLCpRsopWcjRU0hkliCFiawGYwkEG:1xWfFi:VLzH2Dyd14tT8NDLuvbsF2VDRuj7addzXuhTExvrx2c",
    ];
    /// As its cache on Redis pickles `{"visits": 1}`.
    const PICKLE: &[u8] = b"\x80\x05\x95\x0f\0\0\0\0\0\0\0}\x94\x8c\x06visits\x94K\x01s.";

    #[test]
    fn django_signs_what_it_writes() {
        let [first, compressed] = DJANGO;
        let signed_later = first.replace(":1xWfFi:TT", ":1xWfFj:TU");
        assert_eq!(change(first.as_bytes(), first.as_bytes()), (Format::Django, Change::Nothing));
        assert_eq!(change(first.as_bytes(), signed_later.as_bytes()), (Format::Django, Change::Added));
        assert_eq!(change(first.as_bytes(), compressed.as_bytes()), (Format::Django, Change::Parts(2)));
        assert_eq!(change(PICKLE, PICKLE), (Format::Pickle, Change::Nothing));
        assert_eq!(change(PICKLE, &[PICKLE, b"."].concat()), (Format::Pickle, Change::Something));
    }

    #[test]
    fn what_no_library_is_known_by_is_json_message_pack_or_bytes() {
        for (value, format) in [
            (&b"[1, 2]"[..], Format::Json),
            (b"{}", Format::Json),
            (b"{\"a\": 1", Format::Bytes),
            (b"\x81\xa6visits\x01", Format::MessagePack),
            (b"\x81\xa6visits", Format::Bytes),
            (b"\x93\x01\x02\x03", Format::Bytes),
            (b"12:30:45", Format::Bytes),
            (b"", Format::Bytes),
            (b"\xff\x00", Format::Bytes),
        ] {
            assert_eq!(digest(value).format, format, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn a_bomb_is_not_taken_apart() {
        let bomb = {
            let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
            let blank = vec![b' '; 1 << 20];
            (0..8).try_for_each(|_| std::io::Write::write_all(&mut zlib, &blank)).expect("memory");
            zlib.finish().expect("memory")
        };
        let value = format!(".{}:1xWfFi:VLzH", URL_SAFE_NO_PAD.encode(bomb));
        assert_eq!(digest(value.as_bytes()).format, Format::Bytes);
    }

    proptest::proptest! {
        #[test]
        fn whatever_was_written_is_something(value: Vec<u8>, begin in 0..8_usize) {
            let begins: [&[u8]; 8] = [b"", b"{\"", b"[", b"\x93", b"\x81\xa1a", b"\x80\x04", b"eyJ:a:", b".eJ:a:b"];
            let _ = digest(&[begins[begin], &value].concat());
        }
    }
}
