//! Any bytes, and lines that are nearly right.

use std::io::Cursor;

use proptest::prelude::*;

use super::super::*;

const LINES: &[&str] = &[
    "971211336\t1\tGET\t/a\t200",
    "2000-10-10T13:55:36-07:00\t7\tsay\t12\t-",
    r#"192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326"#,
    r#"www.example.com:443 2001:db8::7 - - [29/Feb/2024:23:59:60 +0530] "POST /a?b=c HTTP/1.1" 302 - "-" "x""#,
    r#"{"ts":1646861401.52,"request":{"client_ip":"192.0.2.7","method":"GET","uri":"/","headers":{}},"status":0}"#,
    r#"{"msec":"971211336.250","remote_addr":"192.0.2.7:1","request":"GET /a HTTP/1.1","status":"200"}"#,
    r#"{"@timestamp":971211336250,"client.ip":"h","http":{"request":{"method":"GET"}},"url.path":"/a"}"#,
];

/// A line in which a part was taken out and something else stands.
fn damaged() -> impl Strategy<Value = String> {
    let put = prop_oneof![".{0,6}", "[-+0-9.:TZ/]{0,20}", Just("\u{feff}".to_owned()), Just("9".repeat(25))];
    (proptest::sample::select(LINES), any::<[prop::sample::Index; 2]>(), put).prop_map(|(line, places, put)| {
        let signs: Vec<char> = line.chars().collect();
        let [one, other] = places.map(|place| place.index(signs.len() + 1));
        let (start, end) = (one.min(other), one.max(other).min(one.min(other) + 8));
        signs[..start].iter().copied().chain(put.chars()).chain(signs[end..].iter().copied()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_makes_the_reader_panic(line in prop_oneof![4 => damaged(), 1 => ".{0,80}"]) {
        if let Ok(read) = parse(&line) {
            prop_assert!(read.status.is_none_or(|status| (100..1000).contains(&status)));
        }
    }

    #[test]
    fn every_line_is_a_request_or_counted(lines in prop::collection::vec(damaged(), 0..6)) {
        let text = lines.join("\n");
        let mut traffic = Traffic::default();
        let bad = traffic.read_lines(&mut Cursor::new(text.as_bytes()), 0, Path::new("log")).expect("memory can be read");
        let told = text.split('\n').filter(|line| {
            let line = line.strip_prefix('\u{feff}').unwrap_or(line);
            !line.trim().is_empty() && !line.starts_with('#') && line.trim_end_matches('\r') != tsv::HEADER
        });
        prop_assert_eq!(traffic.requests.len() + bad.count, told.count());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        start in prop::sample::select(vec![&b""[..], b"\x1f\x8b\x08\0", b"\xfd7zXZ\0\0\x04", b"\x28\xb5\x2f\xfd", b"\x52\x2a\x4d\x18", b"{"]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        fuzz::read(&[start, &rest].concat());
    }
}
