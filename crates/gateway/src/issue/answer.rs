//! What a wallet hears when something of the issuing side is refused.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;
use standards::oauth::error::description_text;
use standards::openid4vci::CredentialErrorCode;

use crate::interaction::StepError;
use crate::interaction::rows::AdvanceError;
use crate::keys::NoKey;
use crate::metrics;
use store::StoreError;

/// A refusal on the wire: the standard's `error`, a sentence, and our own stable `code`.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    error: &'static str,
    code: &'static str,
    description: String,
}

impl Refused {
    /// Status 400, as the standards have it for nearly everything.
    pub(super) fn new(
        error: &'static str,
        code: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            code,
            description: description.into(),
        }
    }

    /// One of the credential endpoint's errors. [VCI-17]
    pub(super) fn credential(
        error: CredentialErrorCode,
        code: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self::new(error.as_str(), code, description)
    }

    /// The access token is missing or wrong. [RFC 6750 3.1]
    pub(super) fn token(code: &'static str, description: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::new("invalid_token", code, description)
        }
    }

    /// Nothing of ours has that address.
    pub(super) fn unknown(code: &'static str, description: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::new("invalid_request", code, description)
        }
    }

    /// Something of ours failed; the wallet may try again.
    pub(super) fn unavailable() -> Self {
        let description = "the gateway cannot answer now; try again";
        let refused = Self::new(
            "temporarily_unavailable",
            "temporarily-unavailable",
            description,
        );
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            ..refused
        }
    }

    /// A link that was good once: 410 tells a wallet not to try again.
    pub(super) fn gone(self) -> Self {
        Self {
            status: StatusCode::GONE,
            ..self
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the issuing side could not reach the database");
        Self::unavailable()
    }
}

impl From<NoKey> for Refused {
    fn from(error: NoKey) -> Self {
        tracing::error!(%error, "the issuing side has no key");
        Self::unavailable()
    }
}

impl From<AdvanceError> for Refused {
    fn from(error: AdvanceError) -> Self {
        tracing::error!(%error, "a step of an issuing interaction could not be stored");
        Self::unavailable()
    }
}

/// A link followed at the wrong time.
impl From<StepError> for Refused {
    fn from(error: StepError) -> Self {
        let code = match error {
            StepError::AlreadyUsed => "link-used",
            StepError::Expired => "link-expired",
            StepError::OutOfOrder => {
                return Self::new("invalid_request", "link-not-open", error.to_string());
            }
        };
        Self::new("invalid_request", code, error.to_string()).gone()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = Json(json!({
            "error": self.error,
            "error_description": description_text(&format!("{}: {}", self.code, self.description)),
            "code": self.code,
        }));
        let mut response = (
            self.status,
            [(header::CACHE_CONTROL, "no-store")],
            Extension(metrics::Refused(self.code)),
            body,
        )
            .into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            // [RFC 6750 3.1] Whoever sent no token is told of no error there.
            let challenge = HeaderValue::from_static(match self.code {
                "token-missing" => "Bearer",
                _ => "Bearer error=\"invalid_token\"",
            });
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A JSON answer that nobody may keep.
pub(super) fn answer_json(body: serde_json::Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
