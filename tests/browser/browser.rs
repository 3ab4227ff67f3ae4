//! A browser as a person has it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use thirtyfour::Cookie;
use thirtyfour::extensions::query::ElementPollerWithTimeout;
use thirtyfour::prelude::*;

/// What a browser is asked to do is done, or the test fails.
const DONE: &str = "the browser does it";

/// A visitor's browser.
pub(crate) struct Browser {
    /// There until it is dropped.
    driver: Option<WebDriver>,
    shop: String,
}

impl Browser {
    pub(crate) fn new(driver: WebDriver, shop: &str) -> Self {
        let poller = ElementPollerWithTimeout::new(Duration::from_secs(20), Duration::from_millis(10));
        driver.set_poller(Arc::new(poller));
        Self { driver: Some(driver), shop: shop.to_owned() }
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("it is there until it is dropped")
    }

    /// Opens a page of the shop.
    pub(crate) async fn go(&self, path: &str) {
        self.go_to(&format!("{}{path}", self.shop)).await;
    }

    /// Opens any address.
    pub(crate) async fn go_to(&self, url: &str) {
        self.leaves(async || self.driver().goto(url).await.expect(DONE)).await;
    }

    /// Finds the shop somewhere else from now on.
    pub(crate) fn turn_to(&mut self, shop: &str) {
        shop.clone_into(&mut self.shop);
    }

    pub(crate) async fn reload(&self) {
        self.leaves(async || self.driver().refresh().await.expect(DONE)).await;
    }

    /// Presses what a selector of CSS finds, and waits for the page that it leads to.
    pub(crate) async fn press(&self, selector: &str) {
        self.leaves(async || self.find(selector).await.click().await.expect(DONE)).await;
    }

    /// Lets a script lead to another page.
    pub(crate) async fn leave_by(&self, script: &str) {
        self.leaves(async || drop(self.run(script).await)).await;
    }

    /// Does what leads to another page, and waits until all of that is there: a browser that is busy can say that it is
    /// done before it begins to leave.
    async fn leaves(&self, act: impl AsyncFnOnce()) {
        let page = self.find("html").await;
        act().await;
        page.wait_until().stale().await.expect(DONE);
        self.find("body > *").await;
        let loaded =
            "document.readyState == 'complete' ? arguments[0]() : addEventListener('load', () => arguments[0]())";
        self.driver().execute_async(loaded, Vec::new()).await.expect(DONE);
    }

    /// Logs in as somebody.
    pub(crate) async fn log_in(&self, name: &str, remember: bool) {
        self.go("/login").await;
        self.find("input[name=name]").await.send_keys(name).await.expect(DONE);
        if remember {
            self.find("input[name=remember]").await.click().await.expect(DONE);
        }
        self.press("form.login button").await;
    }

    /// Puts a tea into the basket.
    pub(crate) async fn buy(&self, sku: &str) {
        self.press(&format!("button[value={sku}]")).await;
    }

    async fn find(&self, selector: &str) -> WebElement {
        self.driver().query(By::Css(selector)).first().await.expect(DONE)
    }

    /// Waits until the page has something.
    pub(crate) async fn sees(&self, selector: &str) {
        self.find(selector).await;
    }

    /// The texts of all that a selector finds.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self.driver().find_all(By::Css(selector)).await.expect(DONE) {
            texts.push(element.text().await.expect(DONE));
        }
        texts
    }

    /// What the head of the page offers.
    pub(crate) async fn menu(&self) -> String {
        self.texts("nav a, nav button").await.join(" | ")
    }

    /// The look of the page.
    pub(crate) async fn theme(&self) -> String {
        self.find("html").await.attr("data-theme").await.expect(DONE).unwrap_or_default()
    }

    /// The cookies of the shop.
    pub(crate) async fn cookies(&self) -> Vec<Cookie> {
        self.driver().get_all_cookies().await.expect(DONE)
    }

    /// The shop's only cookie.
    pub(crate) async fn cookie(&self) -> Cookie {
        let mut cookies = self.cookies().await;
        let cookie = cookies.pop().expect("a cookie");
        assert!(cookies.is_empty(), "more than one");
        cookie
    }

    /// Puts a cookie there, as somebody with access to the browser does.
    pub(crate) async fn plant(&self, cookie: Cookie) {
        self.driver().add_cookie(cookie).await.expect(DONE);
    }

    /// What a script on the page returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.driver().execute(script, Vec::new()).await.expect(DONE).json().clone()
    }

    /// Sends the slow form, and does not wait for its answer. The page that sends it has to stay open.
    pub(crate) async fn send_slowly(&self) {
        self.run("window.slow = fetch('/slow', { method: 'POST' }).then((answer) => answer.status)").await;
    }

    /// The status of the answer to the slow form.
    pub(crate) async fn slow_status(&self) -> u64 {
        let script = "window.slow.then(arguments[0])";
        let status = self.driver().execute_async(script, Vec::new()).await.expect(DONE);
        status.json().as_u64().expect("a status")
    }

    /// Does something in a second tab, on the front page, and comes back.
    pub(crate) async fn in_second_tab(&self, act: impl AsyncFnOnce()) {
        let first = self.driver().window().await.expect(DONE);
        let second = self.driver().new_tab().await.expect(DONE);
        self.driver().switch_to_window(second).await.expect(DONE);
        self.go("/").await;
        act().await;
        self.driver().switch_to_window(first).await.expect(DONE);
    }

    /// Makes the window so large that its page has this size.
    pub(crate) async fn size(&self, width: u32, height: u32) {
        self.driver().set_window_rect(0, 0, width, height).await.expect(DONE);
    }

    pub(crate) async fn picture(&self) -> Vec<u8> {
        self.driver().screenshot_as_png().await.expect(DONE)
    }

    /// Ends it, as its user does.
    pub(crate) async fn quit(mut self) {
        if let Some(driver) = self.driver.take() {
            driver.quit().await.expect(DONE);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A test that failed does not wait for the browser's end: the driver's takes it along.
        self.driver.take().map(WebDriver::leak);
    }
}
