//! Client authentication: who is calling, before anything else is looked at (SEC-06).
//!
//! Shared by the relying parties' door and by revocation.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde_json::json;
use standards::oauth::form::Form;

use crate::limits::TooMany;
use crate::organisation::{Organisations, RelyingParty};

/// Why a client was not recognised. Which half was wrong is told to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// No such client, or a wrong secret.
    #[error("client authentication failed: check client_id and client_secret")]
    Invalid {
        /// It used the `Authorization` header, so the answer must name the scheme [RFC 6749 5.2].
        basic: bool,
    },
    /// Credentials in the header and in the body [RFC 6749 2.3].
    #[error("use one way of client authentication, not two")]
    Twice,
}

impl ClientError {
    /// The answer [RFC 6749 5.2].
    pub fn answer(self) -> Response {
        let (status, code) = match self {
            Self::Invalid { .. } => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::Twice => (StatusCode::BAD_REQUEST, "invalid_request"),
        };
        let mut answer = answer_error(status, code, &self.to_string());
        if matches!(self, Self::Invalid { basic: true }) {
            answer.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"gateway\""),
            );
        }
        answer
    }
}

/// An OAuth error as JSON. Descriptions are ours, plain ASCII, and carry no personal value.
pub fn answer_error(status: StatusCode, code: &str, description: &str) -> Response {
    let body = Json(json!({ "error": code, "error_description": description }));
    (status, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}

/// Too much was asked for: what, and when to try again [RFC 6585 4].
pub fn answer_too_many(many: &TooMany) -> Response {
    let description = format!("{}: {many}", many.code);
    let answer = answer_error(many.status(), "temporarily_unavailable", &description);
    answer_later(answer, many)
}

/// An answer that says when to try again.
pub fn answer_later(mut answer: Response, many: &TooMany) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(many.seconds()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Recognises the client by `client_secret_basic` or `client_secret_post`.
pub fn authenticate(
    organisations: &Organisations,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Arc<RelyingParty>, ClientError> {
    let posted = form.find("client_secret");
    let Some(authorization) = headers.get(header::AUTHORIZATION) else {
        let client_id = form
            .find("client_id")
            .ok_or(ClientError::Invalid { basic: false })?;
        return check(organisations, client_id, posted.unwrap_or(""));
    };
    if posted.is_some() {
        return Err(ClientError::Twice);
    }
    let invalid = ClientError::Invalid { basic: true };
    let (client_id, secret) = authorization.to_str().ok().and_then(basic).ok_or(invalid)?;
    if form
        .find("client_id")
        .is_some_and(|named| named != client_id)
    {
        return Err(invalid);
    }
    check(organisations, &client_id, &secret).map_err(|_| invalid)
}

/// Compares a client's secret in constant time; a client that does not exist costs the same.
pub fn check(
    organisations: &Organisations,
    client_id: &str,
    secret: &str,
) -> Result<Arc<RelyingParty>, ClientError> {
    let invalid = ClientError::Invalid { basic: false };
    match organisations.relying_party(client_id) {
        Some(party) if party.knows(secret) => Ok(party.clone()),
        Some(_) => Err(invalid),
        None => {
            std::hint::black_box(aws_lc_rs::digest::digest(
                &aws_lc_rs::digest::SHA256,
                secret.as_bytes(),
            ));
            Err(invalid)
        }
    }
}

/// Both halves are form-encoded before they are joined [RFC 6749 2.3.1].
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = String::from_utf8(
        base64::engine::general_purpose::STANDARD
            .decode(encoded.trim())
            .ok()?,
    )
    .ok()?;
    let (client_id, secret) = joined.split_once(':')?;
    let decoded = |text: &str| {
        let pair = format!("v={text}");
        url::form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((decoded(client_id)?, decoded(secret)?))
}
