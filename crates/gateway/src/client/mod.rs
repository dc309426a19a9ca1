//! Client authentication: who is calling, before anything else is looked at (SEC-06).
//!
//! Shared by the relying parties' door and by revocation. A client is known by its secret or by a JWT that it signed
//! ([`assertion`]); afterwards, for what it may do without an employee, by an access token ([`bearer`]).

mod access_token;
mod assertion;
pub mod bearer;
mod look_up;

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde_json::json;
use standards::oauth::form::Form;

pub use access_token::{AccessToken, Revocation, Userinfo};
pub use look_up::{LookUp, LookUpError};

use crate::app::Parts;
use crate::limits::TooMany;
use crate::organisation::RelyingParty;
use crate::organisation::relying_party::AuthMethod;

/// Why a client was not recognised. Which half was wrong is told to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// No such client, a wrong secret, or another way than the client is registered for.
    #[error("client authentication failed: check client_id and client_secret")]
    Invalid {
        /// It used the `Authorization` header, so the answer must name the scheme [RFC 6749 5.2].
        basic: bool,
    },
    /// An assertion that is not, or not now, this client's; or another way than it is registered for.
    #[error(
        "client authentication failed: check the client assertion (iss and sub, aud, exp, jti, kid)"
    )]
    Assertion,
    /// More than one way at a time [RFC 6749 2.3; RFC 7521 4.2].
    #[error("use one way of client authentication, not two")]
    Twice,
    /// Nothing is known against the client: its keys, or the database, cannot be reached.
    #[error("the client cannot be authenticated at the moment; try again")]
    Unavailable,
    /// It is known, and has signed in too often.
    #[error(transparent)]
    TooMany(TooMany),
}

impl ClientError {
    /// The status and the OAuth error code.
    pub fn says(self) -> (StatusCode, &'static str) {
        match self {
            Self::Invalid { .. } | Self::Assertion => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::Twice => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            Self::TooMany(many) => (many.status(), "temporarily_unavailable"),
        }
    }

    /// The answer [RFC 6749 5.2].
    pub fn answer(self) -> Response {
        if let Self::TooMany(many) = self {
            return answer_too_many(&many);
        }
        let (status, code) = self.says();
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

/// Recognises the client by the one way that it is registered for.
pub async fn authenticate(
    parts: &Parts,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Arc<RelyingParty>, ClientError> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let (authorization, another) = (authorizations.next(), authorizations.next());
    let secret = form.find("client_secret");
    let assertion = assertion::Sent::find(form);
    match (authorization, secret, assertion) {
        _ if another.is_some() => Err(ClientError::Twice),
        (Some(authorization), None, None) => by_header(parts, authorization, form),
        (None, secret, None) => {
            let client_id = form.find("client_id");
            let client_id = client_id.ok_or(ClientError::Invalid { basic: false })?;
            by_posted_secret(parts, client_id, secret.unwrap_or(""))
        }
        (None, None, Some(sent)) => assertion::authenticate(parts, sent, form).await,
        _ => Err(ClientError::Twice),
    }
}

fn by_header(
    parts: &Parts,
    authorization: &HeaderValue,
    form: &Form,
) -> Result<Arc<RelyingParty>, ClientError> {
    let invalid = ClientError::Invalid { basic: true };
    let (client_id, secret) = authorization.to_str().ok().and_then(basic).ok_or(invalid)?;
    let named = form.find("client_id");
    if named.is_some_and(|named| named != client_id) {
        return Err(invalid);
    }
    let method = AuthMethod::ClientSecretBasic;
    by_secret(parts, &client_id, &secret, method).ok_or(invalid)
}

/// Recognises a client by a secret that it sent in the body of a request.
pub fn by_posted_secret(
    parts: &Parts,
    client_id: &str,
    secret: &str,
) -> Result<Arc<RelyingParty>, ClientError> {
    let method = AuthMethod::ClientSecretPost;
    by_secret(parts, client_id, secret, method).ok_or(ClientError::Invalid { basic: false })
}

/// Compares a client's secret in constant time; a client that does not exist, or has another way, costs the same.
fn by_secret(
    parts: &Parts,
    client_id: &str,
    secret: &str,
    method: AuthMethod,
) -> Option<Arc<RelyingParty>> {
    let Some(party) = parts.organisations.relying_party(client_id) else {
        std::hint::black_box(aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            secret.as_bytes(),
        ));
        return None;
    };
    let now = parts.now();
    let proof = party.knows(secret, now)?;
    if !party.authenticates_with(method) {
        return None;
    }
    if let Some(secret) = proof.secret {
        parts.secret_uses.note(secret, now);
    }
    Some(party.clone())
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
