/// A module `$name` with tower-sessions as a contender, on any store of one version of its core.
///
/// Its stores need different versions, so the same code is compiled against each.
#[macro_export]
macro_rules! tower {
    ($name:ident, $core:ident) => {
        pub mod $name {
            use std::sync::Arc;

            use $core::session::{Id, Record};
            use $core::{Session, SessionStore};
            use $crate::serde_json::{Value, json};

            /// The fields are keys of the session, as tower-sessions' documentation shows.
            pub struct Tower<S> {
                pub store: Arc<S>,
            }

            impl<S: SessionStore> Tower<S> {
                pub fn new(store: S) -> Self {
                    Self { store: Arc::new(store) }
                }

                fn session(&self, key: u32) -> Session {
                    Session::new(Some(id(key)), self.store.clone(), None)
                }
            }

            fn id(key: u32) -> Id {
                // Looks as random as a real id, which matters to the indexes of engines.
                Id(i128::from(key + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128 as i128))
            }

            impl<S: SessionStore> $crate::Contender for Tower<S> {
                type Held = Record;

                async fn fill(&self, key: u32, notes: usize) {
                    let Ok(Value::Object(fields)) = $crate::serde_json::to_value($crate::filled(notes)) else {
                        unreachable!("a struct is an object")
                    };
                    let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::weeks(2);
                    let mut record = Record { id: id(key), data: fields.into_iter().collect(), expiry_date };
                    self.store.create(&mut record).await.expect("creates");
                    assert_eq!(record.id, id(key), "the key is free");
                }

                async fn read(&self, key: u32) {
                    let visits: Option<u32> = self.session(key).get("visits").await.expect("loads");
                    assert!(std::hint::black_box(visits).is_some(), "the session is stored");
                }

                async fn change(&self, key: u32) {
                    let session = self.session(key);
                    let visits: Option<u32> = session.get("visits").await.expect("loads");
                    let visits = visits.expect("the session is stored");
                    session.insert("visits", visits.wrapping_add(1)).await.expect("encodes");
                    session.save().await.expect("saves");
                }

                async fn hold(&self, key: u32) -> Record {
                    self.store.load(&id(key)).await.expect("loads").expect("the session is stored")
                }

                async fn write(&self, record: &mut Record) {
                    let visits = record.data.get("visits").and_then(Value::as_u64).expect("a number");
                    record.data.insert("visits".to_owned(), json!(visits + 1));
                    self.store.save(record).await.expect("saves");
                }
            }
        }
    };
}
