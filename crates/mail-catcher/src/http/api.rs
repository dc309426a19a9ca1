//! The API for programs. Paths and members are fixed: outside programs rely on them.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use ui::local::refusal;

use crate::{Catcher, Fault, Mail};

pub(super) fn router(catcher: Catcher) -> Router {
    Router::new()
        .route("/api/messages", get(messages).delete(empty))
        .route("/api/misbehave", get(fault).post(misbehave))
        .route("/api/{*path}", any(nothing_here))
        .with_state(catcher)
}

async fn messages(State(catcher): State<Catcher>) -> Json<Vec<Mail>> {
    Json(catcher.messages())
}

async fn empty(State(catcher): State<Catcher>) -> Result<StatusCode, ApiError> {
    catcher.empty()?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Behaviour {
    fault: Option<Fault>,
}

async fn fault(State(catcher): State<Catcher>) -> Json<Behaviour> {
    Json(Behaviour {
        fault: catcher.fault(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MisbehaveBody {
    /// `null` behaves again. Left out it is a mistake, not a wish.
    #[serde(deserialize_with = "Option::deserialize")]
    fault: Option<String>,
}

async fn misbehave(
    State(catcher): State<Catcher>,
    body: Result<Json<MisbehaveBody>, JsonRejection>,
) -> Result<Json<Behaviour>, ApiError> {
    let Json(MisbehaveBody { fault }) = body?;
    let fault = match fault {
        Some(name) => Some(Fault::parse(&name).ok_or(ApiError::UnknownFault(name))?),
        None => None,
    };
    catcher.misbehave(fault);
    Ok(Json(Behaviour { fault }))
}

async fn nothing_here() -> ApiError {
    ApiError::UnknownAddress
}

/// What a program can hear besides an answer.
#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("the messages could not be deleted: {0}")]
    NotEmptied(#[from] std::io::Error),
    #[error("{text}", text = .0.body_text())]
    Body(#[from] JsonRejection),
    #[error("the API has nothing at this address")]
    UnknownAddress,
    #[error("there is no fault {0:?}; the faults are {list}", list = Fault::ALL.map(Fault::name).join(", "))]
    UnknownFault(String),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::NotEmptied(_) => (StatusCode::INTERNAL_SERVER_ERROR, "not-deleted"),
            Self::Body(rejection) => (rejection.status(), "invalid-request"),
            Self::UnknownAddress => (StatusCode::NOT_FOUND, "unknown-address"),
            Self::UnknownFault(_) => (StatusCode::BAD_REQUEST, "unknown-fault"),
        };
        refusal(status, code, &self.to_string())
    }
}
