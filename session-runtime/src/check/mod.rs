//! For tests: tells before a deployment what a change of a session type does to stored sessions.
//!
//! A test writes the type down in a file that is committed with the program:
//!
//! ```no_run
//! use session_runtime::Session;
//!
//! #[derive(Session)]
//! #[session(name = "visitor")]
//! struct Visitor {
//!     visits: u32,
//!     #[session(initial = "light".to_owned())]
//!     theme: String,
//! }
//!
//! // A test: it has `#[test]` in front.
//! fn stored_visitors_can_be_read() {
//!     session_runtime::check::snapshot::<Visitor>("tests/visitor.session");
//! }
//! ```
//!
//! | what it finds | what it does |
//! |---|---|
//! | no file | it writes one, and passes; where the variable `CI` is set, it fails |
//! | the type as the file has it | it passes |
//! | a change that both builds bear: a new field, an alias, another order, `pin` | it writes the file anew, and passes; where `CI` is set it fails until that file is committed, because the next change is compared with it |
//! | any other change | it fails with a sentence for each thing that is wrong, and the attribute to paste; with `SESSION_CHECK=accept` it writes the file anew, and passes |
//! | a file that is no snapshot | it fails, and leaves the file as it is |
//!
//! `CI` counts as set unless it is empty, `0` or `false`. A path is relative to the folder of the package, where Cargo
//! runs tests.
//!
//! What is compared with what is registered is compared by the code that a program runs when it starts, so the check
//! passes nothing that a deployment would refuse. It tells more than that: what one build could not read of what the
//! other stores, or would drop, by the types of the fields down to their last part. These it learns from how a type
//! deserializes. It takes for granted that the type serializes alike, and knows nothing of what is inside a type that
//! looks at the data first (`#[serde(untagged)]`, `#[serde(tag)]`, `#[serde(flatten)]`, `serde_json::Value`) but its
//! name. That a value is used with another meaning it cannot know.
//!
//! [`snapshot_of`] does the same for sessions with a codec, a name or initial values of their own; [`compare`] returns
//! the differences instead of panicking; [`Admin::check`](crate::Admin::check) and `sessionctl check` compare a file with
//! what a store has registered.

use std::path::Path;

use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::store::MemoryStore;

mod difference;
mod file;
mod initial;
mod judge;
mod shapes;
mod snapshot;
mod text;

pub use difference::{Difference, Rule};
pub(crate) use judge::registered;
pub use snapshot::Snapshot;
pub use text::NoSnapshot;

/// Compares a session type with the file that has it as it is deployed: see [the module](self).
///
/// # Panics
/// When the deployed build and this one would not get on, when the file cannot be read, written, or is no snapshot, and
/// where `CI` is set also when it is missing or not up to date.
#[track_caller]
pub fn snapshot<T: Session>(path: impl AsRef<Path>) {
    snapshot_of(&Sessions::<T>::new(MemoryStore::new()), path);
}

/// As [`snapshot`], for sessions with settings: their name, codec, initial values and
/// [`Agreement`](crate::Agreement) count. Their store is not called.
///
/// ```no_run
/// use session_runtime::{Agreement, MemoryStore, Session, Sessions, check};
///
/// #[derive(Session)]
/// struct Visitor {
///     visits: u32,
/// }
///
/// let sessions = Sessions::<Visitor>::builder(MemoryStore::new()).name("shop.visitor").agreement(Agreement::Adopt);
/// check::snapshot_of(&sessions.build(), "tests/visitor.session");
/// ```
///
/// # Panics
/// As [`snapshot`].
#[track_caller]
pub fn snapshot_of<T: Session, C: Codec>(sessions: &Sessions<T, C>, path: impl AsRef<Path>) {
    let done = file::Mode::of_environment().and_then(|mode| file::check(sessions, path.as_ref(), mode));
    if let Err(reason) = done {
        panic!("{reason}");
    }
}

/// In what the type of these sessions differs from a snapshot, in ways that stand against a deployment.
///
/// ```
/// use session_runtime::check::{self, Rule, Snapshot};
/// use session_runtime::{MemoryStore, Session, Sessions};
///
/// #[derive(Session)]
/// #[session(name = "visitor")]
/// struct Older {
///     language: String,
/// }
///
/// #[derive(Session)]
/// #[session(name = "visitor")]
/// struct Visitor {
///     visits: u32,
///     locale: String,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let deployed = Snapshot::of(&Sessions::<Older>::new(MemoryStore::new()))?;
/// let differences = check::compare(&deployed, &Sessions::<Visitor>::new(MemoryStore::new()))?;
/// let renamed = differences.iter().find(|one| one.rule() == Rule::Renamed).expect("a field was renamed");
/// assert_eq!(renamed.attribute(), Some(r#"#[session(alias = "language")]"#));
/// # Ok(()) }
/// ```
///
/// # Errors
/// Those of [`Snapshot::of`].
pub fn compare<T: Session, C: Codec>(deployed: &Snapshot, sessions: &Sessions<T, C>) -> Result<Vec<Difference>, Error> {
    judge::compare(deployed, sessions)
}
