//! What the caller hears when something is refused: `application/problem+json` [RFC 9457], a stable code, and a sentence to
//! act on. No value of a person stands in any.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use connector::desk::StartFault;
use serde::Serialize;
use store::StoreError;
use traces::Refused;
use utoipa::{IntoResponses, ToSchema};

/// Why something is refused: a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// No API key, or none that is known.
    Unauthorized,
    /// There is nothing at this address.
    NotFound,
    /// Not with this method.
    MethodNotAllowed,
    /// The body is not what this address reads.
    BodyUnreadable,
    /// A member says something that cannot be meant.
    FieldInvalid,
    /// The body is larger than is read here.
    BodyTooLarge,
    /// The body is of another media type.
    UnsupportedMediaType,
    /// The key is no key.
    IdempotencyKeyInvalid,
    /// The key came with another body before.
    IdempotencyKeyReused,
    /// The first request with this key is not answered yet.
    IdempotencyKeyInUse,
    /// A callback that belongs to no journey of this session.
    CallbackNotOurs,
    /// No further identity may be tried in this session.
    NoMoreTries,
    /// The identity comes first.
    VerifyIdentity,
    /// A confirmation comes first.
    Confirm,
    /// What was confirmed is not what the record says now.
    ConfirmAgain,
    /// The old copy comes first.
    AnswerAboutOldCopy,
    /// The record is another employee's.
    RecordOfSomebodyElse,
    /// No credential has this serial number.
    NoSuchCredential,
    /// No mail about it was given up.
    NoSuchMail,
    /// No identity to be looked at has this id.
    NoSuchReview,
    /// Nothing is known of this person.
    NoSuchPerson,
    /// Something of theirs is in force, or on its way.
    CredentialsInForce,
    /// What the record says cannot become a credential.
    RequestUnusable,
    /// The gateway does not answer.
    GatewayUnavailable,
    /// The gateway said no.
    GatewayRefused,
    /// The gateway is not the one that the configuration means, or keeps to no contract.
    GatewayUnusable,
    /// The database does not answer.
    StoreUnavailable,
    /// The request took too long.
    TooSlow,
    /// A fault of this program.
    Internal,
}

impl Code {
    /// Every code, for the description.
    pub const ALL: [Self; 29] = [
        Self::Unauthorized,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::BodyUnreadable,
        Self::FieldInvalid,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::IdempotencyKeyInvalid,
        Self::IdempotencyKeyReused,
        Self::IdempotencyKeyInUse,
        Self::CallbackNotOurs,
        Self::NoMoreTries,
        Self::VerifyIdentity,
        Self::Confirm,
        Self::ConfirmAgain,
        Self::AnswerAboutOldCopy,
        Self::RecordOfSomebodyElse,
        Self::NoSuchCredential,
        Self::NoSuchMail,
        Self::NoSuchReview,
        Self::NoSuchPerson,
        Self::CredentialsInForce,
        Self::RequestUnusable,
        Self::GatewayUnavailable,
        Self::GatewayRefused,
        Self::GatewayUnusable,
        Self::StoreUnavailable,
        Self::TooSlow,
        Self::Internal,
    ];

    /// The status, the stable code, and what to do.
    #[rustfmt::skip]
    const fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Unauthorized => (401, "unauthorized", "Send an API key of this sidecar as `Authorization: Bearer …`."),
            Self::NotFound => (404, "not-found", "There is nothing at this address."),
            Self::MethodNotAllowed => (405, "method-not-allowed", "This address takes another method; see `Allow`."),
            Self::BodyUnreadable => (400, "body-unreadable", "The body is not the JSON that this address reads."),
            Self::FieldInvalid => (400, "field-invalid", "Correct the member that is named and send it again."),
            Self::BodyTooLarge => (413, "body-too-large", "Send less at once."),
            Self::UnsupportedMediaType => (415, "unsupported-media-type", "Send a media type that this address reads."),
            Self::IdempotencyKeyInvalid => (400, "idempotency-key-invalid", "An Idempotency-Key has 1 to 255 printable ASCII characters."),
            Self::IdempotencyKeyReused => (422, "idempotency-key-reused", "This key came with another body before: make a new one for each request."),
            Self::IdempotencyKeyInUse => (409, "idempotency-key-in-use", "The first request with this key is still being worked on: wait a moment and send it again."),
            Self::CallbackNotOurs => (409, "callback-not-ours", "This callback belongs to no journey of this session: show the employee the list and nothing of it."),
            Self::NoMoreTries => (409, "no-more-tries", "No further identity may be tried in this session: tell the employee whom to ask."),
            Self::VerifyIdentity => (409, "verify-identity", "The identity was not verified in this session: start a verification first."),
            Self::Confirm => (409, "confirm", "The employee has not confirmed this record, or too long ago: show it, and send what was confirmed."),
            Self::ConfirmAgain => (409, "confirm-again", "The record is not what was confirmed: show it again, and send what is confirmed now."),
            Self::AnswerAboutOldCopy => (409, "answer-about-old-copy", "A credential of this record is out: ask the employee what became of the copy in the wallet first."),
            Self::RecordOfSomebodyElse => (409, "record-of-somebody-else", "This record id belongs to another employee: an id is one record's of one person."),
            Self::NoSuchCredential => (404, "no-such-credential", "No credential with this serial number was asked for here."),
            Self::NoSuchMail => (404, "no-such-mail", "No mail about this credential was given up, or its employee has no address to write to."),
            Self::NoSuchReview => (404, "no-such-review", "There is nothing to decide, or not any more: the record was corrected, or it was too long ago."),
            Self::NoSuchPerson => (404, "no-such-person", "Nothing is held of this person."),
            Self::CredentialsInForce => (409, "credentials-in-force", "A credential of theirs is in force or on its way, or a revocation or mail waits: revoke first, or ask for both."),
            Self::RequestUnusable => (422, "request-unusable", "What the record says cannot become a credential."),
            Self::GatewayUnavailable => (503, "gateway-unavailable", "The gateway does not answer: nothing has happened; try again later."),
            Self::GatewayRefused => (502, "gateway-refused", "The gateway refused the request: the log of this sidecar and of the gateway say why."),
            Self::GatewayUnusable => (502, "gateway-unusable", "The gateway is not the one that the configuration means: its operator has to look."),
            Self::StoreUnavailable => (503, "store-unavailable", "The database does not answer: send it again later. Whether it was done is not known."),
            Self::TooSlow => (503, "too-slow", "The request took too long, and may have been done all the same: ask for the state, then send it again."),
            Self::Internal => (500, "internal", "A fault of this program; its log says more."),
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().1
    }

    /// What to do.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// A refusal on its way to the caller.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: Option<String>,
}

impl Problem {
    /// With words of this case; no value of a person may stand in them.
    pub fn with(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: Some(detail.into()),
        }
    }

    /// A member that cannot be meant.
    pub fn field(name: &str, reason: &str) -> Self {
        Self::with(Code::FieldInvalid, format!("`{name}`: {reason}"))
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Its words: of this case, or the title.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.code.title())
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self { code, detail: None }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Uncertain(_) | StoreError::Closed => {
                tracing::warn!(%error, "the database does not answer");
                Code::StoreUnavailable.into()
            }
            error => {
                tracing::error!(%error, "a fault of this program");
                Code::Internal.into()
            }
        }
    }
}

impl From<StartFault> for Problem {
    fn from(fault: StartFault) -> Self {
        let code = match fault {
            StartFault::Store(error) => return error.into(),
            StartFault::NoMoreTries => Code::NoMoreTries,
            ref other => match other.code() {
                "gateway-unavailable" => Code::GatewayUnavailable,
                "gateway-refused" => Code::GatewayRefused,
                "request-unusable" => Code::RequestUnusable,
                _ => Code::GatewayUnusable,
            },
        };
        let causes = connector::with_causes(&fault);
        match code {
            Code::NoMoreTries | Code::RequestUnusable => {
                tracing::info!(
                    code = code.code(),
                    fault = causes,
                    "no browser was sent to the gateway"
                );
            }
            _ => {
                tracing::warn!(
                    code = code.code(),
                    fault = causes,
                    "no browser was sent to the gateway"
                );
            }
        }
        match code {
            // The host's developer is who can mend it, and it speaks of names of claims only.
            Code::RequestUnusable | Code::GatewayRefused => Self::with(code, fault.to_string()),
            _ => code.into(),
        }
    }
}

/// A refusal [RFC 9457].
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:lanyard:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:lanyard:problem:verify-identity")]
    kind: String,
    /// What to do, the same for each problem of this code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong here. No value of a person.
    detail: String,
    /// The stable code.
    #[schema(example = "verify-identity")]
    code: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let body = ProblemBody {
            kind: format!("urn:lanyard:problem:{}", self.code.code()),
            title: self.code.title(),
            status: status.as_u16(),
            detail: self.detail().to_owned(),
            code: self.code.code(),
        };
        let mut response = (status, Json(body)).into_response();
        let refused = Refused(self.code.code());
        response.extensions_mut().insert(refused);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self.code {
            // [RFC 9110 11.6.1]
            Code::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Code::IdempotencyKeyInUse => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Code::GatewayUnavailable | Code::StoreUnavailable | Code::TooSlow => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

/// What any address may answer instead.
#[derive(IntoResponses)]
#[allow(dead_code)] // described here, written by `Problem`
pub enum Problems {
    /// The body, a member or the Idempotency-Key is not right; `detail` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    Bad(ProblemBody),
    /// No API key that is known here.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// The first request with this Idempotency-Key is still being worked on, or something comes first: see `code`.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// The body is larger than is read here.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// The body is of another media type.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(ProblemBody),
    /// This Idempotency-Key came with another body, or what the record says cannot become a credential.
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(ProblemBody),
    /// The gateway refused, or is not the one that is meant.
    #[response(status = 502, content_type = "application/problem+json")]
    Gateway(ProblemBody),
    /// The gateway or the database does not answer; `Retry-After` says when to come again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_its_own_and_says_what_to_do() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.status().as_u16() >= 400, "{code:?}");
            assert!(code.title().ends_with('.'), "{code:?}");
        }
    }
}
