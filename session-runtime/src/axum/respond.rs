//! Errors as responses: a status and a short line for the client, and the whole in the log.

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;

use crate::error::Error;
use crate::web::{WebError, status};

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let status = self.status();
        log(&self, status);
        answer(status)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = status(&self);
        log(&self, status);
        answer(status)
    }
}

/// What a client caused is no alarm.
fn log(error: &(dyn std::error::Error + 'static), status: u16) {
    let source = error.source().map(tracing::field::display);
    if status < 500 {
        tracing::debug!(%error, source, status, "a request was refused because of its session");
    } else {
        tracing::error!(%error, source, status, "a request failed because of its session");
    }
}

fn answer(status: u16) -> Response {
    let text = match status {
        409 => "Your session was changed or ended in the meantime. Please load the page again.",
        413 => "That is more than your session can hold.",
        503 => "Please try again in a moment.",
        _ => "Something went wrong.",
    };
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), text).into_response()
}
