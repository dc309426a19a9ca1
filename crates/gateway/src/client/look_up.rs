//! How every question of a relying party about its own interactions begins, and why it may be refused.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use standards::oauth::form::{Form, FormError};
use store::StoreError;

use super::{ClientError, answer_error, answer_too_many, authenticate};
use crate::app::Parts;
use crate::limits::{Kind, Place, TooMany};
use crate::organisation::RelyingParty;

/// A question, as far as all are alike.
pub struct LookUp {
    /// Who asks, as it has proved.
    pub party: Arc<RelyingParty>,
    /// What it asks.
    pub form: Form,
    _place: Place<String>,
}

impl LookUp {
    /// Reads the form, recognises the client (SEC-06) and counts the question (SEC-34), before anything of it is looked
    /// at.
    pub async fn begin(
        parts: &Parts,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Self, LookUpError> {
        let form = Form::parse(body)?;
        let party = authenticate(parts, headers, &form).await?;
        let place = parts.admit(Kind::LookUp, &party)?;
        Ok(Self {
            party,
            form,
            _place: place,
        })
    }
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum LookUpError {
    /// The body is no form.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Nobody knows who asks.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// SEC-34.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// It is no question; in a sentence that says what would be one.
    #[error("{0}")]
    Question(Cow<'static, str>),
    /// The database did not answer as it should.
    #[error("the gateway cannot answer now; try again")]
    Store(#[from] StoreError),
}

impl IntoResponse for LookUpError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::Form(_) | Self::Question(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::Client(error) => return error.answer(),
            Self::TooMany(many) => return answer_too_many(many),
            Self::Store(error) => {
                tracing::error!(%error, "a question could not be answered");
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        };
        answer_error(status, code, &self.to_string())
    }
}
