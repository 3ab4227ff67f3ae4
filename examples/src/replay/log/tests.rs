use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

const COMMON: &str = r#"host.example - frank [10/Oct/2000:13:55:36 -0700] "GET /apache.gif HTTP/1.0" 200 2326"#;
const COMBINED: &str = r#"10.0.0.1 - - [10/Oct/2000:13:55:37 -0700] "POST /cart?a=1 HTTP/1.1" 302 - "http://www.example.com/a \"b\"" "Mozilla/5.0 (X11; Linux)""#;

fn file(content: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(content).expect("room for it");
    file
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn read(contents: &[&[u8]]) -> Traffic {
    let files: Vec<_> = contents.iter().map(|content| file(content)).collect();
    let paths: Vec<_> = files.iter().map(|file| file.path().to_owned()).collect();
    Traffic::read(&paths).expect("readable")
}

fn request(at: i64, client: usize, verb: &str, label: &str, status: Option<u16>) -> Request {
    Request { at, client, verb: verb.into(), label: label.into(), status }
}

#[test]
fn the_tsv_format_is_read_past_comments_and_header() {
    let traffic = read(&[b"# source: x\nt\tclient\tverb\tlabel\tstatus\n10\t1\tGET\t/a\t200\n\n11\t2\tsay\t7\t-\n"]);
    assert_eq!(traffic.requests, [request(10, 0, "GET", "/a", Some(200)), request(11, 1, "say", "7", None)]);
    assert_eq!(traffic.clients, ["1:1", "1:2"]);
    assert_eq!(traffic.bad_lines.count, 0);
}

#[test]
fn the_common_and_the_combined_log_format_are_read() {
    let traffic = read(&[format!("{COMMON}\r\n{COMBINED}").as_bytes()]);
    let expected = [
        request(971_211_336, 0, "GET", "/apache.gif", Some(200)),
        request(971_211_337, 1, "POST", "/cart?a=1", Some(302)),
    ];
    assert_eq!(traffic.requests, expected);
    assert_eq!(traffic.clients, ["host.example", "10.0.0.1"]);
}

#[test]
fn odd_requests_of_real_servers_are_requests() {
    let time = "[10/Oct/2000:13:55:36 -0700]";
    for (request, verb, label) in [
        (r#""GET /"quoted" page" HTTP/1.0""#, "GET", "/\"quoted\""),
        (r#""GET /old""#, "GET", "/old"),
        (r#""-""#, "-", "-"),
        (r#""""#, "", "-"),
        (r#""\x16\x03\x01""#, r"\x16\x03\x01", "-"),
    ] {
        let line = format!("h - john smith {time} {request} 400 0");
        let parsed = parse(&line).expect("a request");
        assert_eq!((parsed.verb, parsed.label, parsed.status), (verb, label, Some(400)), "{line}");
    }
}

#[test]
fn gzipped_files_are_told_by_their_content_also_when_they_have_several_parts() {
    let parts = [gzip(b"10\t1\tGET\t/a\t200\n"), gzip(b"11\t1\tGET\t/b\t200\n")].concat();
    assert_eq!(read(&[&parts]).requests.len(), 2);
}

#[test]
fn numbered_clients_belong_to_their_file_and_hosts_to_all() {
    let tsv = b"10\t1\tGET\t/a\t200\n";
    let traffic = read(&[tsv, tsv, COMMON.as_bytes(), COMMON.as_bytes()]);
    assert_eq!(traffic.clients, ["1:1", "2:1", "host.example"]);
    assert_eq!(traffic.requests.len(), 4);
}

#[test]
fn bad_lines_are_counted_and_the_first_ones_named() {
    let long = format!("10\t1\tGET\t/{}\t200\n", "a".repeat(100_000));
    let key = format!("10\t{}\tGET\t/\t200\n", "a".repeat(300));
    let bad = [
        "10\t1\tGET\t/a\n",            // a column is missing
        "10\t1\tGET\t/a\t200\tmore\n", // one is too many
        "ten\t1\tGET\t/a\t200\n",      // no time
        "10\t1\tGET\t/a\tfine\n",      // no status
        "10\t\tGET\t/a\t200\n",        // no client
        "99999999999999999999\t1\tGET\t/a\t200\n",
        "h - - [never] \"GET / HTTP/1.0\" 200 1\n",
        "h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\n",
        &long,
        &key,
    ];
    let mut content = b"9\t1\tGET\t/a\t200\n".to_vec();
    content.extend_from_slice(bad.concat().as_bytes());
    content.extend_from_slice(b"\xff\xfe\x00\n11\t1\tGET\t/\xff\t200\n");
    let traffic = read(&[&content]);
    assert_eq!(traffic.bad_lines.count, bad.len() + 1);
    let numbers: Vec<_> = traffic.bad_lines.first.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, [2, 3, 4, 5, 6]);
    let times: Vec<_> = traffic.requests.iter().map(|request| request.at).collect();
    assert_eq!(times, [9, 11], "what follows a bad line is read");
}

#[test]
fn times_that_go_back_are_counted_and_stay_where_they_are() {
    let traffic = read(&[b"10\t1\tGET\t/a\t200\n8\t1\tGET\t/b\t200\n9\t1\tGET\t/c\t200\n1\t1\tGET\t/d\t200\n"]);
    assert_eq!(traffic.back_in_time, 2);
    let pages: Vec<_> = traffic.requests.iter().map(|request| request.label.as_str()).collect();
    assert_eq!(pages, ["/a", "/b", "/c", "/d"]);
}

#[test]
fn a_file_that_is_missing_or_cut_short_is_named() {
    let error = Traffic::read(&["no/such.log".into()]).expect_err("it is missing");
    assert_eq!(error.to_string(), "cannot read the log no/such.log");

    let whole = gzip(b"10\t1\tGET\t/a\t200\n");
    let cut = file(&whole[..whole.len() - 6]);
    let error = Traffic::read(&[cut.path().to_owned()]).expect_err("its end is missing");
    assert!(error.to_string().ends_with(&cut.path().display().to_string()));
}
