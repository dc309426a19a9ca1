//! Revoking by hand: one credential by its serial number, or everything of one person.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use connector::desk::Cause;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::problem::{Code, Problem, Problems};
use crate::told::{Told, text};

/// A credential that is to be revoked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationAsked {
    /// Which.
    serial_number: Uuid,
    /// Why, from the closed list that mails have sentences for.
    #[schema(value_type = String, example = "corrected")]
    cause: Cause,
}

/// It is written down, and will happen.
#[derive(Serialize, ToSchema)]
pub(crate) struct Wanted {
    /// Which.
    serial_number: Uuid,
}

/// Revoke a credential
///
/// It is written down before this is answered, and done as soon as the gateway answers; the employee is told by mail. Asking
/// twice has one effect.
#[utoipa::path(
    post,
    path = "/v1/revocations",
    tag = "Credentials",
    request_body = RevocationAsked,
    responses(
        (status = 202, description = "It will happen", body = Wanted),
        (status = 404, description = "No such credential", body = crate::problem::ProblemBody,
            content_type = "application/problem+json"),
        Problems
    )
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    Told(asked): Told<RevocationAsked>,
) -> Result<(StatusCode, Json<Wanted>), Problem> {
    let serial_number = asked.serial_number;
    if !app.desk.revoke_one(serial_number, asked.cause).await? {
        return Err(Code::NoSuchCredential.into());
    }
    Ok((StatusCode::ACCEPTED, Json(Wanted { serial_number })))
}

/// Why everything of a person is to be revoked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllRevocationsAsked {
    /// Why, from the closed list that mails have sentences for.
    #[schema(value_type = String, example = "ended-early")]
    cause: Cause,
}

/// How many are to be revoked now.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllWanted {
    /// Besides those on their way, which are revoked when they arrive.
    revocations: u64,
}

/// Revoke everything of a person
///
/// For a lost phone: all of it is revoked, and can be added again to the new one without a question about the old copy.
#[utoipa::path(
    post,
    path = "/v1/people/{employee}/revocations",
    tag = "People",
    params(("employee" = String, Path, description = "The host's id")),
    request_body = AllRevocationsAsked,
    responses((status = 202, description = "It will happen", body = AllWanted), Problems)
)]
pub(crate) async fn revoke_all(
    State(app): State<App>,
    Path(employee): Path<String>,
    Told(asked): Told<AllRevocationsAsked>,
) -> Result<(StatusCode, Json<AllWanted>), Problem> {
    text("employee", &employee)?;
    let revocations = app.desk.revoke_all(&employee, asked.cause).await?;
    Ok((StatusCode::ACCEPTED, Json(AllWanted { revocations })))
}
