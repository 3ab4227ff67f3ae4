use std::io::Write;

use super::*;

mod any;
mod compressed;

const COMMON: &str = r#"host.example - frank [10/Oct/2000:13:55:36 -0700] "GET /apache.gif HTTP/1.0" 200 2326"#;
const COMBINED: &str = r#"10.0.0.1 - - [10/Oct/2000:13:55:37 -0700] "POST /cart?a=1 HTTP/1.1" 302 - "http://www.example.com/a \"b\"" "Mozilla/5.0 (X11; Linux)""#;

fn file(content: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(content).expect("room for it");
    file
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
        assert_eq!((&*parsed.verb, &*parsed.label, parsed.status), (verb, label, Some(400)), "{line}");
    }
}

#[test]
fn the_virtual_host_may_stand_first() {
    let rest = r#"- - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.1" 200 5316 "-" "Mozilla/5.0 (X11; Linux)""#;
    for (start, client) in [
        ("www.example.com:443 192.0.2.7", "192.0.2.7"),
        ("www.example.com:80 2001:db8::7", "2001:db8::7"),
        ("www.example.com:80 pool-7.example.net", "pool-7.example.net"),
        ("[2001:db8::1]:443 192.0.2.7", "192.0.2.7"),
        ("www.example.com 192.0.2.7", "192.0.2.7"),
        ("2001:db8::80", "2001:db8::80"),
        ("192.0.2.7", "192.0.2.7"),
        ("localhost", "localhost"),
    ] {
        let line = format!("{start} {rest}");
        let parsed = parse(&line).expect("a request");
        assert_eq!((parsed.client, parsed.at), (Client::Host(client.into()), 971_211_336), "{line}");
    }
}

#[test]
fn times_may_be_iso_times_in_every_format() {
    let lines = [
        "2000-10-10T13:55:36-07:00\t1\tGET\t/a\t200",
        "2000-10-10 20:55:36\t1\tGET\t/a\t200",
        r#"h - - [2000-10-10T20:55:36+00:00] "GET /a HTTP/1.1" 200 1"#,
        r#"{"time":"2000-10-10T20:55:36.250Z","remote_addr":"192.0.2.7","uri":"/a","status":200}"#,
    ];
    for line in lines {
        assert_eq!(parse(line).expect("a request").at, 971_211_336, "{line}");
    }
}

#[test]
fn json_lines_of_caddy_are_read() {
    let line = r#"{"level":"info","ts":1646861401.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.1","remote_port":"41342","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"POST","host":"example.com","uri":"/cart?a=1","headers":{"User-Agent":["curl/7.82.0"],"Accept":["*/*"]},"tls":{"resumed":false,"version":772}},"bytes_read":0,"user_id":"","duration":0.000929675,"size":10900,"status":302,"resp_headers":{"Server":["Caddy"]}}"#;
    let traffic = read(&[line.as_bytes()]);
    assert_eq!(traffic.requests, [request(1_646_861_401, 0, "POST", "/cart?a=1", Some(302))]);
    assert_eq!(traffic.clients, ["192.0.2.7"], "the client before the proxy");
    let older = line.replace(
        r#""remote_ip":"192.0.2.1","remote_port":"41342","client_ip":"192.0.2.7""#,
        r#""remote_addr":"192.0.2.9:5000""#,
    );
    let older = older.replace("1646861401.5241024", "\"2022/03/09 21:30:01.524\"").replace(":302", ":0");
    let traffic = read(&[older.as_bytes()]);
    assert_eq!(traffic.requests, [request(1_646_861_401, 0, "POST", "/cart?a=1", None)]);
    assert_eq!(traffic.clients, ["192.0.2.9"]);
}

#[test]
fn json_lines_are_read_as_people_have_nginx_and_others_write_them() {
    for line in [
        r#"{"time_iso8601":"2000-10-10T13:55:36-07:00","remote_addr":"192.0.2.7","request_method":"GET","request_uri":"/a","status":"200","http_user_agent":"x"}"#,
        r#"{"msec":"971211336.250","remote_addr":"192.0.2.7","request":"GET /a HTTP/1.1","status":200,"request_time":"0.1"}"#,
        r#"{"time_local":"10/Oct/2000:13:55:36 -0700","remote_addr":"192.0.2.7","request":"GET /a HTTP/1.1","status":"200"}"#,
        r#"{"@timestamp":"2000-10-10T20:55:36Z","clientip":"192.0.2.7","verb":"GET","uri":"/a","response":200}"#,
        r#"{"@timestamp":"2000-10-10T20:55:36Z","client":{"ip":"192.0.2.7"},"http":{"request":{"method":"GET"},"response":{"status_code":200}},"url":{"path":"/a"}}"#,
        r#"{"@timestamp":"2000-10-10T20:55:36Z","source.ip":"192.0.2.7","http.request.method":"GET","http.response.status_code":200,"url.original":"/a"}"#,
        r#"{"ClientHost":"192.0.2.7","ClientAddr":"192.0.2.7:1","DownstreamStatus":200,"RequestMethod":"GET","RequestPath":"/a","RequestHost":"example.com","StartUTC":"2000-10-10T20:55:36.1Z","time":"2000-10-10T20:55:37Z"}"#,
        r#"{"timestamp":971211336250,"ip":"[2001:db8::7]:80","method":"GET","path":"/a","statusCode":200}"#,
        r#"{"httpRequest":{"requestMethod":"GET","requestUrl":"/a","status":200,"remoteIp":"192.0.2.7"},"timestamp":"2000-10-10T20:55:36.25Z"}"#,
        r#"{"ts":9.71211336e8,"remote_addr":"-","client":"192.0.2.7, 192.0.2.1","method":"GET","url":"/a","status":200}"#,
    ] {
        let client = Client::Host(if line.contains("2001") { "2001:db8::7" } else { "192.0.2.7" }.into());
        let expected = Line { at: 971_211_336, client, verb: "GET".into(), label: "/a".into(), status: Some(200) };
        assert_eq!(parse(line), Ok(expected), "{line}");
    }
}

#[test]
fn json_that_is_no_request_is_refused_with_the_reason() {
    for (line, fault) in [
        ("{", Fault::NotJson),
        (r#"{"time":0,"remote_addr":"h","uri":"/"}}"#, Fault::NotJson),
        ("{}", Fault::NoTime),
        (r#"{"time":"yesterday","remote_addr":"h","uri":"/"}"#, Fault::NoTime),
        (r#"{"time":1e300,"remote_addr":"h","uri":"/"}"#, Fault::NoTime),
        (r#"{"level":"info","ts":1646861401.5,"logger":"tls","msg":"cleaned up storage"}"#, Fault::NoClient),
        (r#"{"time":0,"remote_addr":"","uri":"/"}"#, Fault::NoClient),
        (r#"{"time":0,"remote_addr":"h","uri":7}"#, Fault::NoTarget),
        (r#"{"time":0,"remote_addr":"h","uri":"/","status":"fine"}"#, Fault::NoStatus),
    ] {
        assert_eq!(parse(line), Err(fault), "{line}");
    }
    let deep = format!("{{\"time\":{}", "[".repeat(50_000));
    assert_eq!(parse(&deep), Err(Fault::NotJson));
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
    let faults: Vec<_> = traffic.bad_lines.first.iter().map(|line| (line.number, line.fault)).collect();
    let expected =
        [(2, Fault::NotTsv), (3, Fault::NotTsv), (4, Fault::NoTime), (5, Fault::NoStatus), (6, Fault::NoClient)];
    assert_eq!(faults, expected);
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
fn each_bad_line_has_its_reason() {
    for (line, fault) in [
        ("99999999999999999999\t1\tGET\t/a\t200".to_owned(), Fault::NoTime),
        (r#"h - - [never] "GET / HTTP/1.0" 200 1"#.to_owned(), Fault::NoTime),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0"#.to_owned(), Fault::NoStatus),
        (r#"h - - [10/Oct/2000:13:55:36 -0700] "GET /" ok 1"#.to_owned(), Fault::NoStatus),
        ("host".to_owned(), Fault::NoFormat),
        ("a sentence of words".to_owned(), Fault::NoFormat),
        (format!("10\t{}\tGET\t/\t200", "a".repeat(300)), Fault::LongClient),
    ] {
        assert_eq!(parse(&line), Err(fault), "{line}");
    }
    let long = format!("10\t1\tGET\t/{}\t200\n{COMMON}", "a".repeat(100_000));
    assert_eq!(read(&[long.as_bytes()]).bad_lines.first[0].fault, Fault::TooLong);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    for line in [COMMON, "10\t1\tGET\t/a\t200", "# comment", r#"{"time":1,"ip":"h","uri":"/"}"#] {
        let traffic = read(&[format!("\u{feff}{line}\n\u{feff}{COMMON}").as_bytes()]);
        assert_eq!(traffic.bad_lines.count, 0, "{line}");
        assert!(traffic.clients.contains(&"host.example".to_owned()));
    }
}

#[test]
fn a_log_in_which_nothing_can_be_read_is_an_error_that_names_what_is_understood() {
    let odd = file(b"# odd\nneither\nnor\n");
    let error = Traffic::read(&[odd.path().to_owned()]).expect_err("nothing is understood").to_string();
    let path = odd.path().display();
    assert!(
        error.starts_with(&format!("nothing in the log {path} can be read, its line 2 because it is in none")),
        "{error}"
    );
    assert!(error.ends_with(&format!("understood are {FORMATS}")), "{error}");

    let wide: Vec<u8> = COMMON.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = file(&[&[0xff, 0xfe], &wide[..]].concat());
    let error = Traffic::read(&[wide.path().to_owned()]).expect_err("it is UTF-16");
    assert!(std::error::Error::source(&error).expect("a reason").to_string().contains("UTF-16"));

    assert_eq!(read(&[b"", b"# only a comment\n", COMMON.as_bytes()]).requests.len(), 1, "an empty log is no error");
}

#[test]
fn a_file_that_is_missing_or_cut_short_is_named() {
    let cut = file(b"\x1f\x8b\x08\0\0\0\0\0\0");
    let error = Traffic::read(&[cut.path().to_owned()]).expect_err("it ends within its header").to_string();
    assert_eq!(error, format!("the log {} is cut short", cut.path().display()));
    let error = Traffic::read(&["no/such.log".into()]).expect_err("it is missing");
    assert_eq!(error.to_string(), "cannot read the log no/such.log");
}
