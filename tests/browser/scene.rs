//! A shop, and browsers that visit it.

use axum::Router;
use axum::routing::post;
use session_examples::shop::{self, Shopper};
use session_runtime::axum::WebSession;
use session_runtime::store::{Call, LogStore};
use session_runtime::{AnyStore, connect};
use session_tests::{FaultyStore, Gate, all_stored};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::browser::Browser;
use crate::chromedriver::{self, Chromedriver, Scripts};

/// Plays a scene, if there is a browser to play it in.
pub(crate) async fn play(scene: impl AsyncFnOnce(&mut Scene)) {
    let Some(program) = chromedriver::find() else { return };
    let mut place = Scene::open(Chromedriver::start(program)).await;
    scene(&mut place).await;
}

/// A shop on a store of its own, and a program that opens browsers.
pub(crate) struct Scene {
    pub(crate) store: LogStore<FaultyStore<AnyStore>>,
    /// Where the shop's slow form waits.
    pub(crate) gate: Gate,
    pub(crate) shop: String,
    driver: Chromedriver,
    _folder: TempDir,
}

/// A session: its key in the store, and its stored fields.
pub(crate) type Stored = (String, Vec<(String, String)>);

impl Scene {
    async fn open(driver: Chromedriver) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("shop.db").display());
        let store = LogStore::new(FaultyStore::new(connect(&url).await.expect("a store")));
        let gate = Gate::default();
        let shop = serve(&store, &gate).await;
        Self { store, gate, shop, driver, _folder: folder }
    }

    /// The same shop, served anew from now on, as by another process. Browsers give it their cookies, whatever its port.
    pub(crate) async fn restart(&mut self) {
        self.shop = serve(&self.store, &self.gate).await;
    }

    /// Somebody's browser, on the front page.
    pub(crate) async fn visitor(&self, who: &str) -> Browser {
        self.visitor_with(Scripts::Run, who).await
    }

    pub(crate) async fn visitor_with(&self, scripts: Scripts, who: &str) -> Browser {
        let browser = Browser::new(self.driver.open(who, scripts).await, &self.shop);
        browser.go("/").await;
        browser
    }

    /// The sessions that are stored.
    pub(crate) async fn sessions(&self) -> Vec<Stored> {
        all_stored(&self.store, "shopper").await
    }

    /// The only session that is stored.
    pub(crate) async fn session(&self) -> Stored {
        let mut sessions = self.sessions().await;
        let session = sessions.pop().expect("a session");
        assert!(sessions.is_empty(), "more than one");
        session
    }

    /// What the store was asked for since the last time.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.store.take()
    }
}

async fn serve(store: &LogStore<FaultyStore<AnyStore>>, gate: &Gate) -> String {
    let gate = gate.clone();
    let order = async move |mut visitor: WebSession<Shopper>| {
        visitor.edit().basket().insert("mint".to_owned(), 3);
        gate.pass().await;
    };
    let more = Router::new().route("/slow", post(order));
    let shop = shop::router(store.clone(), more).await.expect("a shop");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move { axum::serve(listener, shop).await });
    format!("http://localhost:{port}")
}
