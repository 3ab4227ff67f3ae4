//! Responses and errors, as actix-web has them.

use std::borrow::Cow;

use actix_web::body::EitherBody;
use actix_web::dev::ServiceResponse;
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};

use crate::error::Error;
use crate::web::{Handled, Header, WebError, constants_of, status, tell};

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        code(self.status())
    }

    fn error_response(&self) -> HttpResponse {
        respond(self, self.status())
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        code(status(self))
    }

    fn error_response(&self) -> HttpResponse {
        respond(self, status(self))
    }
}

constants_of!(actix_web::http::header);

/// A status and a short line for the client, and the whole in the log.
fn respond(error: &(dyn std::error::Error + 'static), status: u16) -> HttpResponse {
    let text = tell(error, status);
    HttpResponse::build(code(status)).content_type(ContentType::plaintext()).body(text)
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An error of a middleware has a status, and becomes a response when it has left all others, so it counts as one.
impl<B> Handled for Result<ServiceResponse<B>, actix_web::Error> {
    type Answer = Result<ServiceResponse<EitherBody<B>>, actix_web::Error>;
    type Instead = HttpResponse;

    fn status(&self) -> Option<u16> {
        let status = match self {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        Some(status.as_u16())
    }

    fn answer(self) -> Self::Answer {
        self.map(ServiceResponse::map_into_left_body)
    }

    fn replace(answer: Self::Answer, instead: HttpResponse) -> Self::Answer {
        match answer {
            Ok(response) => Ok(response.into_response(instead.map_into_right_body())),
            Err(error) => Err(InternalError::from_response(error, instead).into()),
        }
    }

    fn add(answer: &mut Self::Answer, header: Header, value: Cow<'static, str>) -> bool {
        let value = match value {
            Cow::Borrowed(value) => Ok(HeaderValue::from_static(value)),
            Cow::Owned(value) => HeaderValue::try_from(value),
        };
        let (name, Ok(value)) = (HeaderName::from(header), value) else { return false };
        match answer {
            Ok(response) => response.headers_mut().append(name, value),
            Err(error) => error.add_response_mapper(move |mut response| {
                response.headers_mut().append(name.clone(), value.clone());
                response
            }),
        }
        true
    }
}
