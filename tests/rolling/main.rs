//! Rolling deployments: two builds of a session type serve the same keys at once, on each store.

#![allow(missing_docs, unreachable_pub, reason = "a test's name says what it shows, and nobody imports it")]

mod aside;
mod builds;
mod changes;
mod checked;
mod compatible;
mod file;
mod incompatible;
mod indexing;
mod racing;

/// The same tests on each store; a test is left out, with a word about it, where there is no server.
macro_rules! on_each_store {
    ($($test:ident: $run:path;)*) => {
        $(
            mod $test {
                use super::places;

                #[tokio::test(flavor = "multi_thread")]
                async fn memory() {
                    $run(session_runtime::MemoryStore::new()).await;
                }

                #[tokio::test(flavor = "multi_thread")]
                async fn sqlite() {
                    let folder = tempfile::tempdir().expect("a temporary folder");
                    $run(session_runtime::SqliteStore::open(folder.path().join("sessions.db")).await.expect("a store")).await;
                }

                #[tokio::test(flavor = "multi_thread")]
                async fn redis() {
                    if let Some(store) = places::redis() {
                        $run(store).await;
                    }
                }

                #[tokio::test(flavor = "multi_thread")]
                async fn postgres() {
                    if let Some((store, schema)) = places::postgres() {
                        $run(store).await;
                        schema.drop().await;
                    }
                }
            }
        )*
    };
}

on_each_store! {
    p10_the_check_passes_no_change_that_a_deployment_would_not_bear: crate::changes::run;
    p10_builds_that_differ_compatibly_show_the_same_values_at_any_time: crate::compatible::run;
    p10_builds_that_differ_compatibly_lose_nothing_to_each_other: crate::racing::run;
    p11_builds_of_two_versions_lose_nothing_and_a_rollback_serves_what_is_not_migrated: crate::incompatible::run;
    p11_what_another_build_stored_undecodably_is_set_aside_and_goes_with_its_session: crate::aside::run;
}

mod places {
    use session_runtime::store::{PostgresOptions, PostgresStore, RedisOptions, RedisStore};
    use session_tests::{postgres_server, redis_server};

    /// Keys of the test's own on the server that tests share.
    pub fn redis() -> Option<RedisStore> {
        let prefix = format!("{}:", postgres_server::fresh_schema());
        Some(RedisOptions::new(redis_server::shared()?).prefix(prefix).build().expect("a store"))
    }

    /// A schema of the test's own on the server that tests share.
    pub fn postgres() -> Option<(PostgresStore, Schema)> {
        let schema = Schema { url: postgres_server::shared()?, name: postgres_server::fresh_schema() };
        let store = PostgresOptions::new(&schema.url).schema(&schema.name).build().expect("a store");
        Some((store, schema))
    }

    pub struct Schema {
        url: String,
        name: String,
    }

    impl Schema {
        pub async fn drop(self) {
            let client = postgres_server::client(&self.url).await;
            client.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.name)).await.expect("it is there");
        }
    }
}
