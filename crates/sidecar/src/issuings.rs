//! `POST /v1/issuings`: step 7 begins.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use connector::desk::{Issuing, Session};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::{Code, Problem, Problems};
use crate::records::RecordTold;
use crate::told::{Told, text};
use crate::verifications::BrowserGoesTo;

/// What is to go into the wallet of whoever is logged in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuingAsked {
    /// The host's key of the log-in in which the identity was verified.
    #[schema(example = "9b1f0c6e…")]
    session: String,
    /// The host's id of whoever is logged in.
    #[schema(example = "e-1042")]
    employee: String,
    /// The record as it is now: it must be what was confirmed.
    record: RecordTold,
    /// The host's word for where to go on afterwards; it comes back with the callback.
    #[serde(default)]
    return_to: Option<String>,
}

/// Start issuing
///
/// The serial number is written before the gateway hears of it. What must come first is answered as 409; lead the employee
/// there.
#[utoipa::path(
    post,
    path = "/v1/issuings",
    tag = "Credentials",
    request_body = IssuingAsked,
    responses((status = 201, description = "Send the browser there", body = BrowserGoesTo), Problems)
)]
pub(crate) async fn start(
    State(app): State<App>,
    Told(asked): Told<IssuingAsked>,
) -> Result<(StatusCode, Json<BrowserGoesTo>), Problem> {
    text("session", &asked.session)?;
    text("employee", &asked.employee)?;
    if let Some(return_to) = &asked.return_to {
        text("return_to", return_to)?;
    }
    let record = asked.record.check()?;
    let session = Session {
        id: &asked.session,
        employee: &asked.employee,
    };
    let unchanged = app.unchanged(&asked.employee, &record);
    let return_to = asked.return_to.as_deref();
    let issuing = app
        .desk
        .issue_and_return_to(session, &record, unchanged, return_to);
    let code = match issuing.await? {
        Issuing::Go(url) => return Ok((StatusCode::CREATED, Json(BrowserGoesTo { url }))),
        Issuing::Identify => Code::VerifyIdentity,
        Issuing::AskAboutOldCopy => Code::AnswerAboutOldCopy,
        Issuing::Confirm => Code::Confirm,
        Issuing::Changed(_) => Code::ConfirmAgain,
    };
    Err(code.into())
}
