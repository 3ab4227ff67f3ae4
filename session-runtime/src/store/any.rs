//! Stores whose type is not known at compile time.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{
    Commit, Cursor, Find, FoundPage, Housekeeping, Key, Keys, Load, Loaded, Purged, Registration, Registrations, Reply,
    Store, StoreError,
};
use crate::expiry::ClockOffset;

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

// `&Key` is an argument by reference, `=Load` one by value: only the first needs the future's lifetime.
macro_rules! erase {
    (
        $(#[$doc:meta])* $erased:ident $(: $super:ident)? = $store:ident;
        $($method:ident($($argument:ident: $(&$borrowed:ident)? $(=$owned:ty)?),*) -> $output:ty;)*
    ) => {
        $(#[$doc])*
        pub(crate) trait $erased: $($super +)? Send + Sync {
            $(#[allow(clippy::elidable_lifetime_names, reason = "some methods have an argument to bind it to")]
            fn $method<'a>(&'a self $(, $argument: $(&'a $borrowed)? $($owned)?)*) -> Answer<'a, $output>;)*
        }

        impl<S: $store> $erased for S {
            $(#[allow(clippy::elidable_lifetime_names, reason = "some methods have an argument to bind it to")]
            fn $method<'a>(&'a self $(, $argument: $(&'a $borrowed)? $($owned)?)*) -> Answer<'a, $output> {
                Box::pin($store::$method(self $(, $argument)*))
            })*
        }

        impl $store for AnyStore {
            $(async fn $method(&self $(, $argument: $(&$borrowed)? $($owned)?)*) -> Result<$output, StoreError> {
                $erased::$method(&*self.0 $(, $argument)*).await
            })*
        }
    };
}

erase! {
    /// [`Store`] with boxed futures: what sessions hold.
    Erased = Store;
    prepare() -> ();
    load(key: &Key, load: =Load) -> Loaded;
    commit(key: &Key, commit: &Commit) -> Reply;
    find(find: &Find) -> FoundPage;
    registration(name: &str, version: =u32) -> Option<Registration>;
    register(proposal: &Registration) -> Registration;
}

erase! {
    /// [`Housekeeping`] with boxed futures.
    ErasedHousekeeping: Erased = Housekeeping;
    keys(name: &str, after: =Option<Cursor>, limit: =usize, clock: =ClockOffset) -> Keys;
    count(name: &str, clock: =ClockOffset) -> u64;
    purge(limit: =usize, clock: =ClockOffset) -> Purged;
    registrations() -> Registrations;
    withdraw(name: &str, version: =u32) -> bool;
}

impl dyn Erased {
    /// Forgets which store this is.
    pub(crate) fn new(store: impl Store) -> Arc<Self> {
        // A store that forgot already is not boxed twice.
        match (&store as &dyn Any).downcast_ref::<AnyStore>() {
            Some(any) => any.0.clone(),
            None => Arc::new(store),
        }
    }
}

/// A store chosen at run time, as [`connect`](super::connect) returns it.
///
/// Each operation costs one allocation and one indirect call more than the store itself.
#[derive(Clone)]
pub struct AnyStore(Arc<dyn ErasedHousekeeping>);

impl AnyStore {
    /// Forgets which store this is.
    #[must_use]
    pub fn new(store: impl Housekeeping) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyStore").finish_non_exhaustive()
    }
}
