//! A client that says whether a request can have arrived.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than whatever a shop waits for, so that a request that is given up has ended there too.
const PATIENCE: Duration = Duration::from_secs(90);

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Nobody listened: it was not sent.
    NotSent,
    /// It was sent, and no whole answer came.
    Lost,
    Got(Response),
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The value of the cookie that it sets, if it sets one; empty if it takes the cookie away.
    pub(crate) cookie: Option<String>,
    pub(crate) body: String,
}

/// Sends a request to a shop: a form if there is one.
pub(crate) async fn send(port: u16, path: &str, cookie: Option<&str>, form: Option<&str>) -> Answer {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await else { return Answer::NotSent };
    let cookie = cookie.map(|cookie| format!("Cookie: {COOKIE}={cookie}\r\n")).unwrap_or_default();
    let head = match form {
        Some(form) => format!(
            "POST {path} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            form.len()
        ),
        None => format!("GET {path} HTTP/1.1\r\n"),
    };
    let form = form.unwrap_or_default();
    let request = format!("{head}Host: localhost\r\nConnection: close\r\n{cookie}\r\n{form}");
    match timeout(PATIENCE, exchange(stream, &request)).await {
        Ok(Ok(answer)) => read(&answer).map_or(Answer::Lost, Answer::Got),
        _ => Answer::Lost,
    }
}

/// The cookie of the shop.
const COOKIE: &str = "shopper";

async fn exchange(mut stream: TcpStream, request: &str) -> io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// An answer that is whole.
fn read(answer: &str) -> Option<Response> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    };
    let length: usize = header("content-length")?.parse().ok()?;
    if body.len() != length {
        return None;
    }
    let cookie = header("set-cookie").and_then(|cookie| {
        let value = cookie.strip_prefix(COOKIE)?.strip_prefix('=')?.split(';').next()?;
        Some(if cookie.contains("Max-Age=0") { String::new() } else { value.to_owned() })
    });
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response { status, cookie, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_answer_is_none() {
        let answer = "HTTP/1.1 303 See Other\r\nSet-Cookie: shopper=abc; Path=/\r\ncontent-length: 4\r\n\r\nfour";
        let response = read(answer).expect("it is whole");
        assert_eq!((response.status, response.cookie.as_deref(), &*response.body), (303, Some("abc"), "four"));
        for cut in 0..answer.len() {
            assert!(read(&answer[..cut]).is_none(), "{cut}");
        }
        let gone = answer.replace("abc;", "; Max-Age=0;");
        assert_eq!(read(&gone).and_then(|response| response.cookie).as_deref(), Some(""));
    }
}
