//! Responses and errors, as axum has them.

use std::borrow::Cow;

use axum_core::BoxError;
use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use http_body::Body as HttpBody;

use crate::error::Error;
use crate::web::{Handled, Header, WebError, constants_of, status, tell};

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        respond(&self, self.status())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        respond(&self, status(&self))
    }
}

constants_of!(http::header);

/// A status and a short line for the client, and the whole in the log.
fn respond(error: &(dyn std::error::Error + 'static), status: u16) -> Response {
    let text = tell(error, status);
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), text).into_response()
}

impl<B, E> Handled for Result<http::Response<B>, E>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Answer = Result<Response, E>;
    type Instead = Response;

    fn status(&self) -> Option<u16> {
        self.as_ref().ok().map(|response| response.status().as_u16())
    }

    fn answer(self) -> Self::Answer {
        self.map(|response| response.map(Body::new))
    }

    fn replace(answer: Self::Answer, instead: Response) -> Self::Answer {
        answer.map(|_| instead)
    }

    fn add(answer: &mut Self::Answer, header: Header, value: Cow<'static, str>) -> bool {
        let Ok(response) = answer else { return true };
        let value = match value {
            Cow::Borrowed(value) => Ok(HeaderValue::from_static(value)),
            Cow::Owned(value) => HeaderValue::try_from(value),
        };
        let Ok(value) = value else { return false };
        response.headers_mut().append(HeaderName::from(header), value);
        true
    }
}
