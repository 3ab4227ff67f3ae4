//! A client with the cookies of a browser, and the clock of none.

use tokio::task::JoinHandle;

use crate::site::App;

/// What a client sends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

/// Sends requests to an application, one after the other or, as clones, several at once.
#[derive(Clone)]
pub(crate) struct Client {
    app: App,
    /// The cookies, by their names.
    cookies: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn new(app: &App) -> Self {
        Self { app: app.clone(), cookies: Vec::new() }
    }

    /// A client that comes with this cookie.
    pub(crate) fn with(app: &App, cookie: &str) -> Self {
        let mut client = Self::new(app);
        client.keep(cookie);
        client
    }

    /// Requests a page and keeps the cookies that come with it.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.look(path).await;
        for line in answer.cookies() {
            self.keep(&line);
        }
        answer
    }

    /// Requests a page and forgets the cookies that come with it.
    pub(crate) async fn look(&self, path: &str) -> Answer {
        let cookie = (!self.cookies.is_empty()).then(|| ("cookie", self.cookie()));
        self.app.send(Request { path: path.to_owned(), headers: cookie.into_iter().collect() }).await
    }

    /// Begins to request a page, which others do not wait for.
    pub(crate) fn start(&self, path: &'static str) -> JoinHandle<Answer> {
        let client = self.clone();
        tokio::task::spawn_local(async move { client.look(path).await })
    }

    /// The cookies as they are sent.
    pub(crate) fn cookie(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// The token in the only cookie.
    pub(crate) fn token(&self) -> &str {
        let [(_, token)] = &*self.cookies else { panic!("one cookie: {:?}", self.cookies.len()) };
        token
    }

    pub(crate) fn has_cookie(&self) -> bool {
        !self.cookies.is_empty()
    }

    pub(crate) fn keep(&mut self, line: &str) {
        let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
        self.cookies.retain(|(kept, _)| kept != name);
        if !line.contains("Max-Age=0") {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

impl Answer {
    /// The values of a header.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        self.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value.clone()).collect()
    }

    /// The cookies that it sets or removes.
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.lines("set-cookie")
    }
}
