//! What waits, and whether this sidecar can serve.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use store::Statement;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::problem::{Problem, Problems};

/// What waits, the oldest first; no more than a thousand of each kind.
#[derive(Serialize, ToSchema)]
pub(crate) struct Backlog {
    /// Revocations that the gateway has not confirmed yet.
    revocations: Vec<Waiting>,
    /// Mails that were not accepted yet, and those that never will be.
    mails: Vec<Waiting>,
    /// People who are to be erased and are not yet.
    erasures: Vec<WaitingErasure>,
}

/// A person who is to be erased.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaitingErasure {
    employee: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    next_at: Timestamp,
    /// What stands against it; missing where nothing does any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, example = "revocation-waiting")]
    waits_for: Option<&'static str>,
}

/// A revocation or a mail that is not done.
#[derive(Serialize, ToSchema)]
#[schema(as = WaitingWork)]
pub(crate) struct Waiting {
    /// Of, or about, this credential.
    serial_number: Uuid,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// How often it was tried.
    attempts: u32,
    #[schema(value_type = String, format = DateTime)]
    next_at: Timestamp,
    /// Why the last try failed: a code, a colon, and words without personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fault: Option<String>,
    /// It will not be tried again: somebody must reach the employee another way.
    given_up: bool,
}

/// List what waits
#[utoipa::path(
    get,
    path = "/v1/backlog",
    tag = "Operation",
    responses((status = 200, description = "What waits", body = Backlog), Problems)
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Backlog>, Problem> {
    let backlog = app.desk.backlog().await?;
    let revocations = backlog.revocations.into_iter().map(|one| Waiting {
        serial_number: one.serial_number,
        since: one.wanted_at,
        attempts: one.attempts,
        next_at: one.next_at,
        fault: one.fault,
        given_up: false,
    });
    let mails = backlog.mails.into_iter().map(|one| Waiting {
        serial_number: one.serial_number,
        since: one.written_at,
        attempts: one.attempts,
        next_at: one.next_at,
        fault: one.fault,
        given_up: one.given_up,
    });
    let erasures = backlog.erasures.into_iter().map(|one| WaitingErasure {
        employee: one.employee,
        since: one.wanted_at,
        next_at: one.next_at,
        waits_for: one.waits_for,
    });
    Ok(Json(Backlog {
        revocations: revocations.collect(),
        mails: mails.collect(),
        erasures: erasures.collect(),
    }))
}

/// Whether the program runs
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "Operation",
    security(()),
    responses((status = 204, description = "It runs"))
)]
pub(crate) async fn healthy() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Whether it can serve
///
/// The database answers. The gateway may be down: what it is needed for says so, and everything else goes on.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Operation",
    security(()),
    responses(
        (status = 204, description = "It can"),
        (status = 503, description = "The database does not answer", body = crate::problem::ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<StatusCode, Problem> {
    let select = Statement::new("SELECT last_sequence FROM sidecar_stream WHERE id = 1");
    app.store.read_one(select).await?;
    Ok(StatusCode::NO_CONTENT)
}
