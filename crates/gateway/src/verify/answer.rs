//! What a wallet hears from the verifier when something is refused.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;
use standards::oauth::error::description_text;

use crate::interaction::refusal::Kind;
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Refusal, StepError};
use crate::metrics;
use store::StoreError;

/// A refusal on the wire: an OAuth `error`, a sentence, and our own stable `code`.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    error: &'static str,
    code: &'static str,
    description: String,
}

impl Refused {
    /// Status 400 `invalid_request`.
    pub(super) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: "invalid_request",
            code,
            description: description.into(),
        }
    }

    /// Nothing of ours has that address.
    pub(super) fn unknown() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::new(
                "link-unknown",
                "there is no presentation request at this address",
            )
        }
    }

    /// Something of ours failed; the wallet may try again.
    pub(super) fn unavailable() -> Self {
        let refused = Self::new(
            "temporarily-unavailable",
            "the gateway cannot answer now; try again",
        );
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            error: "temporarily_unavailable",
            ..refused
        }
    }

    /// A link that was good once, followed at the wrong time: 410 tells a wallet not to try again.
    pub(super) fn link(error: StepError) -> Self {
        let code = match error {
            StepError::AlreadyUsed => "link-used",
            StepError::Expired => "link-expired",
            StepError::OutOfOrder => return Self::new("link-not-open", error.to_string()),
        };
        Self {
            status: StatusCode::GONE,
            ..Self::new(code, error.to_string())
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the verifying side could not reach the database");
        Self::unavailable()
    }
}

impl From<AdvanceError> for Refused {
    fn from(error: AdvanceError) -> Self {
        tracing::error!(%error, "a step of a verifying interaction could not be stored");
        Self::unavailable()
    }
}

/// A verdict against the presentation. What could not be looked up is 503, and still a refusal.
impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let (status, error) = match (refusal, refusal.kind()) {
            (_, Kind::ServiceProblem) => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
            (_, Kind::CredentialUnusable | Kind::Declined) => {
                (StatusCode::BAD_REQUEST, "access_denied")
            }
            _ => (StatusCode::BAD_REQUEST, "invalid_request"),
        };
        Self {
            status,
            error,
            code: refusal.code(),
            description: refusal.description().to_owned(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = Json(json!({
            "error": self.error,
            "error_description": description_text(&format!("{}: {}", self.code, self.description)),
            "code": self.code,
        }));
        (
            self.status,
            [(header::CACHE_CONTROL, "no-store")],
            Extension(metrics::Refused(self.code)),
            body,
        )
            .into_response()
    }
}
