//! The spans around calls to a store.

use tracing::{Span, debug_span};

use crate::store::{Key, KeyHash};

/// Around a call about the sessions of a name.
pub(crate) fn span(operation: &'static str, session: &str) -> Span {
    debug_span!("session_store", operation, session)
}

/// Around a call about one key, of which it tells a hash.
pub(crate) fn key_span(operation: &'static str, key: &Key) -> Span {
    debug_span!("session_store", operation, session = key.name(), key = %KeyHash::of(key))
}
