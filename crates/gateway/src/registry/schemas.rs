//! The JSON Schemas of credential types, for everybody: that of each type as it is now, and of each version that a registered
//! one had, since credentials of it go on naming theirs.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::{Kind, find_history};
use crate::app::App;
use crate::live::Live;
use crate::organisation::catalogue::CredentialType;

/// What is registered now may be another tomorrow.
const NOW: &str = "public, max-age=300";
/// What was declared once stays so.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// The routes.
pub(crate) fn router() -> Router<Live> {
    Router::new()
        .route("/credential-types/{name}/schema", get(current))
        .route(
            "/credential-types/{name}/claims-schema",
            get(current_claims),
        )
        .route(
            "/credential-types/{name}/versions/{version}/schema",
            get(earlier),
        )
}

async fn current(State(app): State<App>, Path(name): Path<String>) -> Response {
    match app.organisations.credential_type(&name) {
        Some(found) => answer(found.schema(&app.base), NOW),
        None => unknown(),
    }
}

/// Of an SD-JWT VC its holder shows what they like of it: nothing is mandatory there.
async fn current_claims(State(app): State<App>, Path(name): Path<String>) -> Response {
    match app.organisations.credential_type(&name) {
        Some(found) => answer(found.claims_schema(&app.base), NOW),
        None => unknown(),
    }
}

async fn earlier(State(app): State<App>, Path((name, version)): Path<(String, i64)>) -> Response {
    let versions = match find_history(&app.store, Kind::CredentialType, &name).await {
        Ok(versions) => versions,
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let found = versions.iter().find(|one| one.version == version);
    let declared = found.and_then(|found| CredentialType::deserialize(&found.body).ok());
    match declared {
        Some(mut declared) => {
            declared.version = Some(version);
            answer(declared.schema(&app.base), FOR_GOOD)
        }
        None => unknown(),
    }
}

fn answer(schema: Value, kept: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/schema+json"),
        (header::CACHE_CONTROL, kept),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, Json(schema)).into_response()
}

fn unknown() -> Response {
    let sentence = "There is no schema of a credential type at this address.\n";
    (StatusCode::NOT_FOUND, sentence).into_response()
}
