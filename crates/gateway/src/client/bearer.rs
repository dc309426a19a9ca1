//! Access tokens as requests carry them, and the challenges when they do not. [RFC 6750]

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answer_error;

/// Why a request may not do what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Challenge {
    /// It carries no token.
    #[error("send an access token: Authorization: Bearer ...")]
    Missing,
    /// In the header and in the form, or in two headers.
    #[error("send one access token in one way")]
    Twice,
    /// Unknown, ended, revoked, or for another purpose: it tells nobody which.
    #[error("the access token is unknown, has ended, or is not for this")]
    Invalid,
}

impl Challenge {
    /// The answer [RFC 6750 3]: who sent no token at all is told no error code in the header.
    pub fn answer(self) -> Response {
        let (status, code, challenge) = match self {
            Self::Missing => (
                StatusCode::UNAUTHORIZED,
                "invalid_token",
                "Bearer realm=\"gateway\"",
            ),
            Self::Twice => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "Bearer realm=\"gateway\", error=\"invalid_request\"",
            ),
            Self::Invalid => (
                StatusCode::UNAUTHORIZED,
                "invalid_token",
                "Bearer realm=\"gateway\", error=\"invalid_token\"",
            ),
        };
        let mut answer = answer_error(status, code, &self.to_string());
        let headers = answer.headers_mut();
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        );
        answer
    }
}

/// The token in the `Authorization` header [RFC 6750 2.1], or `posted` with a form [RFC 6750 2.2].
pub fn find<'a>(headers: &'a HeaderMap, posted: Option<&'a str>) -> Result<&'a str, Challenge> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    match (sent.next(), sent.next(), posted) {
        (None, _, None) => Err(Challenge::Missing),
        (None, _, Some(token)) => Ok(token),
        (Some(value), None, None) => {
            let value = value.to_str().map_err(|_| Challenge::Invalid)?;
            let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(Challenge::Missing);
            }
            Some(token.trim())
                .filter(|token| !token.is_empty())
                .ok_or(Challenge::Invalid)
        }
        _ => Err(Challenge::Twice),
    }
}
