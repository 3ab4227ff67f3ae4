//! Where processes share their sessions: each engine that they can, for real.

use session_runtime::AnyStore;
use session_runtime::store::connect;
use session_tests::postgres_server::{self, fresh_schema};
use session_tests::redis_server;
use tempfile::TempDir;

/// Runs these tests of a file on each engine. A test is a function of what opens its place, which can be missing, and of
/// its own path.
macro_rules! on_each_engine {
    ($($test:ident),* $(,)?) => {
        $crate::place::on_each_engine! { @ sqlite [$($test)*] }
        $crate::place::on_each_engine! { @ redis [$($test)*] }
        $crate::place::on_each_engine! { @ postgres [$($test)*] }
    };
    (@ $engine:ident [$($test:ident)*]) => {
        mod $engine {
            use crate::place::Place;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test(Place::$engine, concat!(module_path!(), "::", stringify!($test))).await;
                }
            )*
        }
    };
}
pub(crate) use on_each_engine;

/// `None`, with a word about it, if there is no server.
pub(crate) type Open = fn() -> Option<Place>;

/// A store of one test.
pub(crate) struct Place {
    /// By which every process reaches it.
    pub(crate) url: String,
    /// What the file is in.
    _folder: Option<TempDir>,
}

#[allow(clippy::unnecessary_wraps, reason = "all are opened alike, and a server can be missing")]
impl Place {
    pub(crate) fn sqlite() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
        Some(Self { url, _folder: Some(folder) })
    }

    pub(crate) fn redis() -> Option<Self> {
        redis_server::shared().as_deref().map(Self::on_server)
    }

    pub(crate) fn postgres() -> Option<Self> {
        postgres_server::shared().as_deref().map(Self::on_server)
    }

    /// Beside what other tests keep there.
    fn on_server(url: &str) -> Self {
        let joint = if url.contains('?') { '&' } else { '?' };
        Self { url: format!("{url}{joint}namespace={}", fresh_schema()), _folder: None }
    }

    /// The store as a process of its own opens it.
    pub(crate) async fn open(&self) -> AnyStore {
        connect(&self.url).await.expect("a store")
    }
}
