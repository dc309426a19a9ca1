//! Telling employees: what is held back, who may not know, and the door for what GOV.UK Notify has to tell.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use connector::desk::{HoldReason, HoldScope, NotTold, NotifyCallbackError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::problem::{Code, Problem, Problems};
use crate::told::{Told, text};

/// Whose mails, or which: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scope {
    /// Every mail to this employee.
    #[serde(default)]
    #[schema(example = "e-1042")]
    employee: Option<String>,
    /// The mail about this credential.
    #[serde(default)]
    serial_number: Option<Uuid>,
}

impl Scope {
    fn read(self) -> Result<HoldScope, Problem> {
        match (self.employee, self.serial_number) {
            (Some(employee), None) => {
                text("employee", &employee)?;
                Ok(HoldScope::Employee(employee))
            }
            (None, Some(serial_number)) => Ok(HoldScope::Credential(serial_number)),
            _ => {
                let reason = "name either an employee or a serial number";
                Err(Problem::field("employee", reason))
            }
        }
    }
}

/// A hold that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldAsked {
    /// Whose mails, or which.
    of: Scope,
    /// `phone-first`, `tell-in-person`, `asked-by-employee` or `address-in-doubt`.
    #[schema(value_type = String, example = "phone-first")]
    reason: HoldReason,
}

/// Hold mails back
///
/// The revocation itself is never held up.
#[utoipa::path(
    post,
    path = "/v1/mail-holds",
    tag = "Mails",
    request_body = HoldAsked,
    responses((status = 204, description = "They wait until somebody lets them go"), Problems)
)]
pub(crate) async fn hold(
    State(app): State<App>,
    Told(asked): Told<HoldAsked>,
) -> Result<StatusCode, Problem> {
    let scope = asked.of.read()?;
    app.desk.hold_mail(&scope, asked.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose mails, or which, are let go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseAsked {
    /// Whose mails, or which.
    of: Scope,
}

/// Let mails go
#[utoipa::path(
    post,
    path = "/v1/mail-holds/release",
    tag = "Mails",
    request_body = ReleaseAsked,
    responses((status = 204, description = "They go out, if nothing else holds them"), Problems)
)]
pub(crate) async fn release(
    State(app): State<App>,
    Told(asked): Told<ReleaseAsked>,
) -> Result<StatusCode, Problem> {
    let scope = asked.of.read()?;
    if app.desk.release_mail(&scope).await? {
        app.desk.wake();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// People who may still hold a cancelled credential.
#[derive(Serialize, ToSchema)]
pub(crate) struct MayStillHold {
    /// The longest first, at most a thousand.
    people: Vec<NotKnownToBeTold>,
}

/// A credential that is revoked, and whose holder is not known to have been told.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotKnownToBeTold {
    /// The host's id.
    employee: String,
    serial_number: Uuid,
    /// What pages call the credential.
    label: String,
    #[schema(value_type = String, format = DateTime)]
    revoked_at: Timestamp,
    /// `no-mail`, `address-failed`, `given-up`, `held` or `not-delivered`.
    #[schema(example = "no-mail")]
    why: &'static str,
    /// Why the mail is held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, example = "phone-first")]
    held: Option<HoldReason>,
}

/// List people who may still hold a cancelled credential
///
/// Somebody has to reach them another way, and say so.
#[utoipa::path(
    get,
    path = "/v1/may-still-hold",
    tag = "Mails",
    responses((status = 200, description = "A task for a person each", body = MayStillHold), Problems)
)]
pub(crate) async fn may_still_hold(State(app): State<App>) -> Result<Json<MayStillHold>, Problem> {
    let found = app.desk.may_still_hold().await?;
    let people = found.into_iter().map(|one| NotKnownToBeTold {
        employee: one.employee,
        serial_number: one.serial_number,
        label: one.label,
        revoked_at: one.revoked_at,
        why: one.why.code(),
        held: match one.why {
            NotTold::Held(reason) => Some(reason),
            _ => None,
        },
    });
    Ok(Json(MayStillHold {
        people: people.collect(),
    }))
}

/// Whom somebody reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToldAnotherWay {
    /// About this credential.
    serial_number: Uuid,
}

/// Say that somebody was told another way
#[utoipa::path(
    post,
    path = "/v1/may-still-hold/told",
    tag = "Mails",
    request_body = ToldAnotherWay,
    responses(
        (status = 204, description = "They are off the list"),
        (status = 404, description = "No such revoked credential", body = crate::problem::ProblemBody,
            content_type = "application/problem+json"),
        Problems
    )
)]
pub(crate) async fn told_another_way(
    State(app): State<App>,
    Told(told): Told<ToldAnotherWay>,
) -> Result<StatusCode, Problem> {
    if !app.desk.told_another_way(told.serial_number).await? {
        return Err(Code::NoSuchCredential.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Which mail is sent again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendAgainAsked {
    /// About this credential.
    serial_number: Uuid,
}

/// Send a mail again that was given up
///
/// When what was wrong is mended: to the address that the employee has now.
#[utoipa::path(
    post,
    path = "/v1/mails/again",
    tag = "Mails",
    request_body = SendAgainAsked,
    responses(
        (status = 204, description = "It is tried anew"),
        (status = 404, description = "No mail about this credential was given up, or its employee has no address",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        Problems
    )
)]
pub(crate) async fn send_again(
    State(app): State<App>,
    Told(asked): Told<SendAgainAsked>,
) -> Result<StatusCode, Problem> {
    if !app.desk.send_mail_again(asked.serial_number).await? {
        return Err(Code::NoSuchMail.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Take a callback of GOV.UK Notify
///
/// With the bearer token that was entered there, and no API key. Whoever sends it hears no more than whether it was taken.
#[utoipa::path(
    post,
    path = "/notify/callback",
    tag = "Mails",
    security(()),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 200, description = "Taken"),
        (status = 400, description = "Not as Notify writes it"),
        (status = 401, description = "Not the token that was agreed"),
        (status = 404, description = "No mail of ours, or mails do not go by Notify"),
        (status = 503, description = "It could not be kept: send it again")
    )
)]
pub(crate) async fn notify_callback(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let authorization = headers.get(AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    let bearer = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let taken = app.desk.notify_callback(bearer.unwrap_or_default(), &body);
    match taken.await {
        Ok(()) => StatusCode::OK,
        Err(NotifyCallbackError::WrongToken) => StatusCode::UNAUTHORIZED,
        Err(NotifyCallbackError::Malformed) => StatusCode::BAD_REQUEST,
        Err(NotifyCallbackError::NotKept) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::NOT_FOUND,
    }
}
