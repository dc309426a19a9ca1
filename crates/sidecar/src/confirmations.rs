//! Step 5: exactly this was seen and confirmed, and what became of the old copy.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use connector::desk::OldCopy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::{Problem, Problems};
use crate::records::RecordTold;
use crate::told::{Told, text};

/// What an employee confirmed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmationTold {
    /// The host's id of whoever confirmed.
    #[schema(example = "e-1042")]
    employee: String,
    /// Exactly what the page showed.
    record: RecordTold,
}

/// What is kept of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Confirmed {
    /// It counts for an hour from then.
    #[schema(value_type = String, format = DateTime)]
    confirmed_at: Timestamp,
    /// SHA-256 of the canonical JSON of what the credential will say, in hexadecimal.
    digest: String,
}

/// Keep a confirmation
///
/// A credential of this record that is out and says something else is revoked: the record is what the employee was shown.
#[utoipa::path(
    post,
    path = "/v1/confirmations",
    tag = "Credentials",
    request_body = ConfirmationTold,
    responses((status = 201, description = "Kept", body = Confirmed), Problems)
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    Told(told): Told<ConfirmationTold>,
) -> Result<(StatusCode, Json<Confirmed>), Problem> {
    text("employee", &told.employee)?;
    let record = told.record.check()?;
    app.keep_record(&told.employee, &record).await?;
    let confirmed = Confirmed {
        confirmed_at: app.desk.confirm(&told.employee, &record).await?,
        digest: record.digest(),
    };
    Ok((StatusCode::CREATED, Json(confirmed)))
}

/// What an employee answered about the copy in their wallet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OldCopyTold {
    /// The host's id of whoever answered.
    #[schema(example = "e-1042")]
    employee: String,
    /// The host's id of the record.
    #[schema(example = "r-77")]
    record: String,
    answer: OldCopyAnswer,
}

/// What became of the old copy.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OldCopyAnswer {
    /// The employee deleted it.
    Deleted,
    /// It is in no wallet any more: a lost or new phone.
    NotThere,
}

/// Keep an answer about the old copy
///
/// Needed where `way_in` of a state is `again`. 'No, go back' is no answer to send: nothing happens then.
#[utoipa::path(
    post,
    path = "/v1/old-copies",
    tag = "Credentials",
    request_body = OldCopyTold,
    responses((status = 204, description = "Kept for an hour"), Problems)
)]
pub(crate) async fn answer_about_old_copy(
    State(app): State<App>,
    Told(told): Told<OldCopyTold>,
) -> Result<StatusCode, Problem> {
    text("employee", &told.employee)?;
    text("record", &told.record)?;
    let answer = match told.answer {
        OldCopyAnswer::Deleted => OldCopy::Deleted,
        OldCopyAnswer::NotThere => OldCopy::NotThere,
    };
    app.desk
        .answer_about_old_copy(&told.employee, &told.record, answer)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
