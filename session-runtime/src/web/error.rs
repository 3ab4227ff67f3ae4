use crate::codec::Codec;
use crate::error::Error;
use crate::session::Session;

/// Why a request has no session, or why its session could not be stored.
///
/// As a response it is a status and a short line; what went wrong is in the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// The handler is not inside of a layer for sessions of this type and codec.
    #[error("there is no layer for sessions of type `{session}`, encoded by `{codec}`, around this handler; add {add}")]
    NoLayer {
        /// The session's type.
        session: &'static str,
        /// The type of its codec.
        codec: &'static str,
        /// What to add to the application.
        add: &'static str,
    },

    /// Another extractor of the same request still has the session.
    #[error(
        "the session is lent to somebody else in this request; a handler takes it once, and a middleware drops it before it calls the next service"
    )]
    InUse,

    /// [`WebSession::into_handle`](super::WebSession::into_handle) took the session out of the request.
    #[error("the session's handle was taken out of this request by `into_handle`")]
    Taken,

    /// The response is already on its way.
    #[error("the response to this request is already on its way, so its session is finished")]
    Finished,

    /// The handler returned and still has the session: it moved it into a task, or into the response's body.
    #[error(
        "the session was kept longer than its response, and nothing was stored; drop it before the handler returns, or commit and go on with `into_handle`"
    )]
    Kept,

    /// Other requests of the session did not finish within the deadline, and the requests of a session take turns.
    #[error("the other requests of the session did not finish within the deadline")]
    OthersTakeTooLong,

    /// The session could not be loaded or stored.
    #[error(transparent)]
    Session(#[from] Error),
}

impl WebError {
    pub(crate) fn no_layer<T: Session, C: Codec>(add: &'static str) -> Self {
        let (session, codec) = (std::any::type_name::<T>(), std::any::type_name::<C>());
        Self::NoLayer { session, codec, add }
    }

    /// The HTTP status that says it to a client.
    ///
    /// ```
    /// use session_runtime::Error;
    /// use session_runtime::axum::WebError;
    ///
    /// assert_eq!(WebError::from(Error::Destroyed).status(), 409);
    /// assert_eq!(WebError::InUse.status(), 500);
    /// ```
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Session(error) => status(error),
            Self::OthersTakeTooLong => 503,
            Self::NoLayer { .. } | Self::InUse | Self::Taken | Self::Finished | Self::Kept => 500,
        }
    }
}

/// The HTTP status that says it to a client.
pub(crate) fn status(error: &Error) -> u16 {
    match error {
        Error::Destroyed | Error::Renewed | Error::Expired | Error::Conflict { .. } => 409,
        Error::TooLarge { .. } => 413,
        error if error.is_transient() => 503,
        _ => 500,
    }
}

/// Logs an error that becomes the response of a request, and says what the client is told of it: a short line, because
/// what went wrong is nothing for a client.
pub(crate) fn tell(error: &(dyn std::error::Error + 'static), status: u16) -> &'static str {
    let source = error.source().map(tracing::field::display);
    if status < 500 {
        // What a client caused is no alarm.
        tracing::debug!(%error, source, status, "a request was refused because of its session");
    } else {
        tracing::error!(%error, source, status, "a request failed because of its session");
    }
    match status {
        409 => "Your session was changed or ended in the meantime. Please load the page again.",
        413 => "That is more than your session can hold.",
        503 => "Please try again in a moment.",
        _ => "Something went wrong.",
    }
}
