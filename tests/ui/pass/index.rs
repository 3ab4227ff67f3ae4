//! Sessions are found by values of indexed fields, each by its own type.

use serde::{Deserialize, Serialize};
use session_runtime::{MemoryStore, Session, Sessions};

#[derive(Session)]
#[session(index = VisitorBy)]
pub struct Visitor {
    visits: u32,
    /// The user who is logged in.
    #[session(index)]
    user: Option<UserId>,
    #[session(index, rename = "mail", sensitive)]
    email: String,
    #[session(index, with = shop)]
    shop: u8,
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct UserId(u64);

mod shop {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(shop: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("shop {shop}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text["shop ".len()..].parse().unwrap_or_default())
    }
}

#[derive(Session)]
#[session(name = "of")]
struct Of<T, U> {
    #[session(index)]
    owner: T,
    other: Vec<U>,
}

#[derive(Session)]
struct Pair(u8, #[session(index)] Option<String>);

fn by(user: &Option<UserId>) -> VisitorBy<'_> {
    VisitorBy::User(user)
}

fn main() -> Result<(), session_runtime::Error> {
    let runtime = tokio();
    runtime.block_on(async {
        let sessions = Sessions::<Visitor>::builder(MemoryStore::new()).index_key([7; 32]).build();
        sessions
            .update("42", |visitor| {
                *visitor.edit().visits() += 1;
                *visitor.edit().user() = Some(UserId(7));
                *visitor.edit().email() = "a@b.example".to_owned();
                *visitor.edit().shop() = 3;
            })
            .await?;
        assert_eq!(sessions.count_found(by(&Some(UserId(7)))).await?, 1);
        assert_eq!(sessions.count_found(by(&Some(UserId(8)))).await?, 0);
        assert_eq!(sessions.count_found(VisitorBy::Email(&"a@b.example".to_owned())).await?, 1);
        assert_eq!(sessions.count_found(VisitorBy::Shop(&3)).await?, 1);
        assert_eq!(format!("{:?}", VisitorBy::Shop(&3)), "VisitorBy::Shop(..)");

        let sessions = Sessions::<Of<u8, String>>::new(MemoryStore::new());
        sessions.update("42", |of| *of.edit().owner() = 7).await?;
        assert_eq!(sessions.destroy_found(OfIndex::Owner(&7)).await?, 1);

        let sessions = Sessions::<Pair>::new(MemoryStore::new());
        sessions.update("42", |pair| *pair.edit()._1() = Some("x".to_owned())).await?;
        assert_eq!(sessions.list_found(PairIndex::_1(&Some("x".to_owned()))).await?.len(), 1);
        Ok(())
    })
}

struct Runtime;

fn tokio() -> Runtime {
    Runtime
}

impl Runtime {
    /// The memory store waits for nothing.
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        loop {
            if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
                return done;
            }
        }
    }
}
