//! A session, a store that notes its calls, and pages that do one thing each.

use session_runtime::axum::WebSession;
use session_runtime::store::{Call, LogStore};
use session_runtime::{AnyStore, Error, MemoryStore, Session, Sessions};
use session_tests::FaultyStore;
pub(crate) use session_tests::Gate;

use crate::site::{App, Existing, Framework, Layer, Site, Status};

#[derive(Session)]
#[session(name = "visitor")]
pub(crate) struct Visitor {
    pub(crate) visits: u32,
    #[session(initial = "light".to_owned())]
    pub(crate) theme: String,
    pub(crate) user: Option<u64>,
}

#[derive(Session)]
#[session(name = "cart")]
pub(crate) struct Cart {
    pub(crate) items: u32,
}

pub(crate) type TestStore = LogStore<FaultyStore<AnyStore>>;

pub(crate) fn test_store() -> TestStore {
    LogStore::new(FaultyStore::new(AnyStore::new(MemoryStore::new())))
}

/// The pages, without a layer.
pub(crate) fn pages(gate: &Gate) -> Site {
    let (slow, slow_theme) = (gate.clone(), gate.clone());
    Site::default()
        .page("/none", async |(): ()| "nothing")
        .page("/read", async |visitor: WebSession<Visitor>| shown(&visitor))
        .page("/maybe", async |Existing(visitor)| {
            visitor.map_or_else(|| "nobody".to_owned(), |visitor| shown(&visitor))
        })
        .page("/visit", async |mut visitor: WebSession<Visitor>| {
            *visitor.edit().visits() += 1;
            shown(&visitor)
        })
        .page("/same", async |mut visitor: WebSession<Visitor>| {
            let theme = visitor.theme.clone();
            *visitor.edit().theme() = theme;
        })
        .page("/back", async |mut visitor: WebSession<Visitor>| *visitor.edit_all() = Visitor::initial())
        .page("/commit", async |mut visitor: WebSession<Visitor>| {
            *visitor.edit().visits() += 1;
            visitor.commit().await.map(drop)
        })
        .page("/fail", async |mut visitor: WebSession<Visitor>| {
            *visitor.edit().visits() += 1;
            Status(500)
        })
        .page("/refuse", async |mut visitor: WebSession<Visitor>| {
            *visitor.edit().visits() += 1;
            Status(404)
        })
        .page("/login", login)
        .page("/logout", async |mut visitor: WebSession<Visitor>| visitor.destroy().await.map(drop))
        .page("/farewell", async |mut visitor: WebSession<Visitor>| {
            visitor.destroy().await?;
            "goodbye".clone_into(visitor.edit().theme());
            Ok::<_, Error>(())
        })
        .page("/slow", async move |mut visitor: WebSession<Visitor>| {
            *visitor.edit().visits() += 1;
            slow.pass().await;
        })
        .page("/slow-theme", async move |mut visitor: WebSession<Visitor>| {
            "dark".clone_into(visitor.edit().theme());
            slow_theme.pass().await;
        })
}

async fn login(mut visitor: WebSession<Visitor>) -> Result<(), Error> {
    *visitor.edit().user() = Some(7);
    visitor.renew().await?;
    Ok(())
}

pub(crate) fn shown(visitor: &Visitor) -> String {
    format!("{} {} {:?}", visitor.visits, visitor.theme, visitor.user)
}

/// A layer of a process that knows the store's clock, so that the calls in the log are those of requests.
pub(crate) async fn layer(store: &TestStore) -> Layer {
    let sessions = Sessions::new(store.clone());
    sessions.start("clock").await.expect("a store");
    words(store);
    Layer::new(sessions)
}

/// The pages, with the default layer.
pub(crate) async fn site(framework: Framework) -> (App, TestStore, Gate) {
    let (store, gate) = (test_store(), Gate::default());
    (pages(&gate).layer(layer(&store).await).on(framework).await, store, gate)
}

/// Calls in a word each.
pub(crate) fn words(store: &TestStore) -> Vec<String> {
    let fields = |set: &[(String, String)], unset: &[String]| {
        let names: Vec<_> = set.iter().map(|(name, _)| &**name).chain(unset.iter().map(|name| &**name)).collect();
        names.join(",")
    };
    let word = |call: &Call| match call {
        Call::Load { .. } => "load".to_owned(),
        Call::Commit { set, unset, .. } => format!("commit {}", fields(set, unset)),
        Call::Destroy { .. } => "destroy".to_owned(),
        Call::Renew { .. } => "renew".to_owned(),
        Call::Find { .. } => "find".to_owned(),
    };
    store.take().iter().map(word).collect()
}
