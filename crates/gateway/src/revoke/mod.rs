//! `POST /Revocation/revokecredential`: a relying party cancels a credential that its organisation issued
//! (gateway contract 2.7, DW-74, DW-76).

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::app::App;
use crate::client::{self, ClientError};
use crate::limits::{Kind, TooMany};
use crate::status;
use store::{Statement, StoreError};

/// The longest reason that is kept; the rest is cut.
const LONGEST_REASON: usize = 500;

/// The routes of this slice. Paths are lower case here: the legacy ones are matched without regard to case.
pub fn router() -> Router<App> {
    Router::new().route("/revocation/revokecredential", post(revoke))
}

/// Why a revocation was refused.
#[derive(Debug, thiserror::Error)]
enum RevocationError {
    #[error("the body must be a JSON object")]
    NotJson,
    #[error("{0} is missing or not a text")]
    Missing(&'static str),
    #[error(transparent)]
    Client(#[from] ClientError),
    /// SEC-27.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// One answer for an unknown number, another organisation's and a wrong type: it tells nobody which.
    #[error("there is no such credential of your organisation")]
    NotFound,
    #[error("the revocation could not be stored; try again")]
    Store(#[from] StoreError),
}

impl IntoResponse for RevocationError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::NotJson | Self::Missing(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::Client(error) => return error.answer(),
            Self::TooMany(many) => return client::answer_too_many(many),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Store(error) => {
                tracing::error!(%error, "a revocation could not be stored");
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        };
        client::answer_error(status, code, &self.to_string())
    }
}

async fn revoke(State(app): State<App>, body: Bytes) -> Result<StatusCode, RevocationError> {
    let body = standards::json::parse_object(&body).map_err(|_| RevocationError::NotJson)?;
    let (client_id, secret) = (text(&body, "client_id")?, text(&body, "client_secret")?);
    let party = client::check(&app.organisations, client_id, secret)?;
    let _place = app.admit(Kind::Revoke, &party)?;

    let organisation = text(&body, "OrganisationId")?;
    let credential_type = text(&body, "CredentialTemplateName")?;
    let serial = text(&body, "SerialNumber")?;
    let reason: String = text(&body, "RevocationReason")
        .unwrap_or("")
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_REASON)
        .collect();
    let serial = Uuid::try_parse(serial).map_err(|_| RevocationError::NotFound)?;
    if organisation != party.organisation.id || credential_type.contains('\0') {
        return Err(RevocationError::NotFound);
    }

    let select = Statement::new(
        "SELECT revoked_at FROM credentials WHERE serial_number = $1 AND organisation = $2 AND credential_type = $3",
    );
    let select = select
        .bind(serial.to_string())
        .bind(organisation)
        .bind(credential_type);
    let found = app
        .store
        .read_one(select)
        .await?
        .ok_or(RevocationError::NotFound)?;
    if found.optional_integer("revoked_at")?.is_none() {
        app.store
            .write(status::revoke_statements(
                organisation,
                serial,
                &reason,
                app.now(),
            ))
            .await?;
        tracing::info!(client_id, serial_number = %serial, "credential revoked");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A member of the body; the first contract's server did not mind the case of names.
fn text<'a>(body: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, RevocationError> {
    let mut found = body
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(Value::String(text)), None) => Ok(text),
        _ => Err(RevocationError::Missing(name)),
    }
}
