use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Commit, Cursor, Key, Keys, Load, Loaded, Purged, Registration, Reply, Store, StoreError};
use crate::expiry::ClockOffset;

/// A store chosen at run time.
///
/// Each operation costs one allocation and one indirect call more than the store itself.
#[derive(Clone)]
pub struct BoxStore(Arc<dyn Erased>);

impl BoxStore {
    /// Forgets which store this is.
    #[must_use]
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for BoxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxStore").finish_non_exhaustive()
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

// `&Key` is an argument by reference, `=Load` one by value: only the first needs the future's lifetime.
macro_rules! erase {
    ($($method:ident($($argument:ident: $(&$borrowed:ident)? $(=$owned:ty)?),*) -> $output:ty;)*) => {
        /// [`Store`] with boxed futures.
        trait Erased: Send + Sync {
            $(#[allow(clippy::elidable_lifetime_names, reason = "some methods have an argument to bind it to")]
            fn $method<'a>(&'a self $(, $argument: $(&'a $borrowed)? $($owned)?)*) -> Answer<'a, $output>;)*
        }

        impl<S: Store> Erased for S {
            $(#[allow(clippy::elidable_lifetime_names, reason = "some methods have an argument to bind it to")]
            fn $method<'a>(&'a self $(, $argument: $(&'a $borrowed)? $($owned)?)*) -> Answer<'a, $output> {
                Box::pin(Store::$method(self $(, $argument)*))
            })*
        }

        impl Store for BoxStore {
            $(async fn $method(&self $(, $argument: $(&$borrowed)? $($owned)?)*) -> Result<$output, StoreError> {
                Erased::$method(&*self.0 $(, $argument)*).await
            })*
        }
    };
}

erase! {
    prepare() -> ();
    load(key: &Key, load: =Load) -> Loaded;
    commit(key: &Key, commit: &Commit) -> Reply;
    registration(name: &str, version: =u32) -> Option<Registration>;
    register(proposal: &Registration) -> Registration;
    withdraw(name: &str, version: =u32) -> bool;
    registrations() -> Vec<Registration>;
    keys(name: &str, after: =Option<Cursor>, limit: =usize, clock: =ClockOffset) -> Keys;
    count(name: &str, clock: =ClockOffset) -> u64;
    purge(limit: =usize, clock: =ClockOffset) -> Purged;
}
