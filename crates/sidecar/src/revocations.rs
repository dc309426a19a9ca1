//! Revoking by hand: one credential by its serial number, or everything of one person.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use connector::desk::{Cause, Revoking};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::problem::{Code, Problem, Problems};
use crate::told::{Employee, Told};

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

/// It is written down.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevocationKept {
    /// Which.
    serial_number: Uuid,
    /// `wanted`: it will happen. `if-it-arrives`: as far as is known it is in no wallet; should it arrive, it is revoked at
    /// once. `before`: it was asked for before, or is done; the first cause stays.
    #[schema(example = "wanted")]
    revocation: &'static str,
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
        (status = 202, description = "It is written down", body = RevocationKept),
        (status = 404, description = "No such credential", body = crate::problem::ProblemBody,
            content_type = "application/problem+json"),
        Problems
    )
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    Told(asked): Told<RevocationAsked>,
) -> Result<(StatusCode, Json<RevocationKept>), Problem> {
    let serial_number = asked.serial_number;
    let revoking = app.desk.revoke(serial_number, asked.cause).await?;
    if revoking == Revoking::Unknown {
        return Err(Code::NoSuchCredential.into());
    }
    let kept = RevocationKept {
        serial_number,
        revocation: revoking.code(),
    };
    Ok((StatusCode::ACCEPTED, Json(kept)))
}

/// Why everything of a person is to be revoked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllRevocationsAsked {
    /// Why, from the closed list that mails have sentences for.
    #[schema(value_type = String, example = "wallet-lost")]
    cause: Cause,
}

/// How many are to be revoked now.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllRevocationsKept {
    /// Credentials that will be revoked now.
    revocations: u64,
    /// Credentials that are in no wallet as far as is known, and are revoked should they arrive.
    if_they_arrive: u64,
}

/// Revoke everything of a person
///
/// For a lost phone say `wallet-lost`: all of it is revoked, and can be added again to the new one without a question about
/// the old copy.
#[utoipa::path(
    post,
    path = "/v1/people/{employee}/revocations",
    tag = "People",
    params(("employee" = String, Path, description = "The host's id")),
    request_body = AllRevocationsAsked,
    responses((status = 202, description = "It will happen", body = AllRevocationsKept), Problems)
)]
pub(crate) async fn revoke_all(
    State(app): State<App>,
    Employee(employee): Employee,
    Told(asked): Told<AllRevocationsAsked>,
) -> Result<(StatusCode, Json<AllRevocationsKept>), Problem> {
    let all = app.desk.revoke_all(&employee, asked.cause).await?;
    let kept = AllRevocationsKept {
        revocations: all.wanted,
        if_they_arrive: all.if_they_arrive,
    };
    Ok((StatusCode::ACCEPTED, Json(kept)))
}
