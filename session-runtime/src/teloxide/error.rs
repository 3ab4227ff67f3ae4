use crate::error::Error;

/// Why an update has no session.
///
/// The error of a bot's handlers is made of it: with teloxide's usual `Box<dyn std::error::Error + Send + Sync>` that
/// goes by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The session is lent already. One place has it at a time: drop it before another asks for it.
    #[error("the session of this update is lent already; drop it before you ask for it again")]
    InUse,

    /// The update was delivered before, and is done: what it changed is stored. The handler is to end, which it does if
    /// it passes this error on; then the update counts as handled.
    #[error("this update was delivered before, and what it changed is stored")]
    DoneBefore,

    /// The handler has returned, and the session was committed or forgotten.
    #[error("the handler has returned, and the session of its update with it")]
    Finished,

    /// The handler has returned `Ok` while something still had the session, so nothing was stored.
    #[error("the session was not given back when the handler returned, so nothing is stored of it")]
    Kept,

    /// The update has no key, and [`required_session`](super::required_session) asks for one.
    #[error("this update has no key of a session")]
    NoKey,

    /// The session cannot be loaded or stored.
    #[error(transparent)]
    Session(#[from] Error),
}
