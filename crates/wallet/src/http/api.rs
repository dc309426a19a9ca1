//! The API for programs. Paths and members are fixed: outside programs rely on them.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use ui::local::{loopback_only, refusal};

use crate::{CredentialSummary, Fault, HolderSummary, Scan, Scanned, Wallet, WalletError};

pub(super) fn router(wallet: Wallet) -> Router {
    Router::new()
        .route("/api/holders", get(holders))
        .route("/api/holders/{holder}/scan", post(scan))
        .route("/api/holders/{holder}/credentials", get(credentials))
        .route(
            "/api/holders/{holder}/credentials/{credential}",
            delete(delete_credential),
        )
        .route("/api/holders/{holder}/misbehave", post(misbehave))
        .with_state(wallet)
        .layer(axum::middleware::from_fn(loopback_only))
}

async fn holders(State(wallet): State<Wallet>) -> Json<Vec<HolderSummary>> {
    Json(wallet.holders())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScanBody {
    link: String,
    consent: bool,
    #[serde(default)]
    choose: Choose,
    #[serde(default)]
    transaction_code: Option<String>,
}

/// One name, or several in order of preference.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Choose {
    #[default]
    Nothing,
    One(String),
    Several(Vec<String>),
}

async fn scan(
    State(wallet): State<Wallet>,
    Path(holder): Path<String>,
    body: Result<Json<ScanBody>, JsonRejection>,
) -> Result<Json<Scanned>, ApiError> {
    let Json(ScanBody {
        link,
        consent,
        choose,
        transaction_code,
    }) = body?;
    let choose = match choose {
        Choose::Nothing => Vec::new(),
        Choose::One(one) => vec![one],
        Choose::Several(several) => several,
    };
    Ok(Json(
        wallet
            .scan(
                &holder,
                Scan {
                    link,
                    consent,
                    choose,
                    transaction_code,
                },
            )
            .await?,
    ))
}

async fn credentials(
    State(wallet): State<Wallet>,
    Path(holder): Path<String>,
) -> Result<Json<Vec<CredentialSummary>>, ApiError> {
    Ok(Json(wallet.credentials(&holder).await?))
}

async fn delete_credential(
    State(wallet): State<Wallet>,
    Path((holder, credential)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    wallet.delete(&holder, &credential).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MisbehaveBody {
    /// `null` disarms.
    fault: Option<String>,
}

async fn misbehave(
    State(wallet): State<Wallet>,
    Path(holder): Path<String>,
    body: Result<Json<MisbehaveBody>, JsonRejection>,
) -> Result<Json<serde_json::Value>, ApiError> {
    let Json(MisbehaveBody { fault }) = body?;
    let fault = match fault {
        Some(name) => Some(Fault::parse(&name).ok_or(ApiError::UnknownFault(name))?),
        None => None,
    };
    wallet.misbehave(&holder, fault)?;
    Ok(Json(serde_json::json!({"fault": fault})))
}

/// What a program can hear besides an outcome.
#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error(transparent)]
    Wallet(#[from] WalletError),
    #[error("{text}", text = .0.body_text())]
    Body(#[from] JsonRejection),
    #[error("there is no fault {0:?}; the faults are {list}", list = Fault::ALL.map(Fault::name).join(", "))]
    UnknownFault(String),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::Wallet(WalletError::UnknownHolder(_)) => {
                (StatusCode::NOT_FOUND, "unknown-holder")
            }
            Self::Wallet(WalletError::UnknownCredential(_)) => {
                (StatusCode::NOT_FOUND, "unknown-credential")
            }
            Self::Wallet(_) => (StatusCode::INTERNAL_SERVER_ERROR, "wallet-failure"),
            Self::Body(rejection) => (rejection.status(), "invalid-request"),
            Self::UnknownFault(_) => (StatusCode::BAD_REQUEST, "unknown-fault"),
        };
        refusal(status, code, &self.to_string())
    }
}
