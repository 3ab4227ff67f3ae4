/// Implements methods of [`Store`](crate::store::Store) and [`Housekeeping`](crate::store::Housekeeping) by the same
/// methods of a store inside.
///
/// For stores that wrap another and change only a part of what it does: name the field that holds the store, and the
/// methods to pass on.
///
/// ```
/// use session_runtime::store::{Commit, Housekeeping, Key, Load, Loaded, Reply, Store, StoreError};
///
/// /// Counts nothing, changes nothing, but says when a session is loaded.
/// #[derive(Clone)]
/// struct Chatty<S> {
///     inner: S,
/// }
///
/// impl<S: Store> Store for Chatty<S> {
///     async fn load(&self, key: &Key, load: Load) -> Result<Loaded, StoreError> {
///         println!("a session called {} is loaded", key.name());
///         self.inner.load(key, load).await
///     }
///
///     session_runtime::delegate_store!(inner: prepare commit find registration register);
/// }
///
/// impl<S: Housekeeping> Housekeeping for Chatty<S> {
///     session_runtime::delegate_store!(inner: keys count purge registrations withdraw);
/// }
/// ```
#[macro_export]
macro_rules! delegate_store {
    ($inner:ident: $($method:ident)+) => {
        $($crate::delegate_store!(@$method $inner);)+
    };
    (@prepare $inner:ident) => {
        async fn prepare(&self) -> ::core::result::Result<(), $crate::store::StoreError> {
            $crate::store::Store::prepare(&self.$inner).await
        }
    };
    (@load $inner:ident) => {
        async fn load(
            &self,
            key: &$crate::store::Key,
            load: $crate::store::Load,
        ) -> ::core::result::Result<$crate::store::Loaded, $crate::store::StoreError> {
            $crate::store::Store::load(&self.$inner, key, load).await
        }
    };
    (@commit $inner:ident) => {
        async fn commit(
            &self,
            key: &$crate::store::Key,
            commit: &$crate::store::Commit,
        ) -> ::core::result::Result<$crate::store::Reply, $crate::store::StoreError> {
            $crate::store::Store::commit(&self.$inner, key, commit).await
        }
    };
    (@find $inner:ident) => {
        async fn find(
            &self,
            find: &$crate::store::Find,
        ) -> ::core::result::Result<$crate::store::FoundPage, $crate::store::StoreError> {
            $crate::store::Store::find(&self.$inner, find).await
        }
    };
    (@registration $inner:ident) => {
        async fn registration(
            &self,
            name: &str,
            version: u32,
        ) -> ::core::result::Result<::core::option::Option<$crate::store::Registration>, $crate::store::StoreError> {
            $crate::store::Store::registration(&self.$inner, name, version).await
        }
    };
    (@register $inner:ident) => {
        async fn register(
            &self,
            proposal: &$crate::store::Registration,
        ) -> ::core::result::Result<$crate::store::Registration, $crate::store::StoreError> {
            $crate::store::Store::register(&self.$inner, proposal).await
        }
    };
    (@withdraw $inner:ident) => {
        async fn withdraw(
            &self,
            name: &str,
            version: u32,
        ) -> ::core::result::Result<bool, $crate::store::StoreError> {
            $crate::store::Housekeeping::withdraw(&self.$inner, name, version).await
        }
    };
    (@registrations $inner:ident) => {
        async fn registrations(
            &self,
        ) -> ::core::result::Result<$crate::store::Registrations, $crate::store::StoreError> {
            $crate::store::Housekeeping::registrations(&self.$inner).await
        }
    };
    (@keys $inner:ident) => {
        async fn keys(
            &self,
            name: &str,
            after: ::core::option::Option<$crate::store::Cursor>,
            limit: usize,
            clock: $crate::expiry::ClockOffset,
        ) -> ::core::result::Result<$crate::store::Keys, $crate::store::StoreError> {
            $crate::store::Housekeeping::keys(&self.$inner, name, after, limit, clock).await
        }
    };
    (@count $inner:ident) => {
        async fn count(
            &self,
            name: &str,
            clock: $crate::expiry::ClockOffset,
        ) -> ::core::result::Result<u64, $crate::store::StoreError> {
            $crate::store::Housekeeping::count(&self.$inner, name, clock).await
        }
    };
    (@purge $inner:ident) => {
        async fn purge(
            &self,
            limit: usize,
            clock: $crate::expiry::ClockOffset,
        ) -> ::core::result::Result<$crate::store::Purged, $crate::store::StoreError> {
            $crate::store::Housekeeping::purge(&self.$inner, limit, clock).await
        }
    };
}
