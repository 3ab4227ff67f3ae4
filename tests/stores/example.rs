//! The store with which the documentation of the trait opens, from the same text.

#[path = "../../session-runtime/src/store/example.rs"]
#[allow(missing_docs, unreachable_pub, reason = "it is written for those who read the documentation")]
mod text;

session_runtime::conformance!(async { text::MapStore::default() });
