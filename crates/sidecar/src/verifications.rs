//! `POST /v1/verifications`: step 6 begins.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use connector::desk::Session;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::{Problem, Problems};
use crate::told::{EmployeeTold, Told, text};

/// Whose identity is to be checked, in which log-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerificationAsked {
    /// The host's key of the log-in: what is verified in it counts in it and nowhere else. Kept as a hash.
    #[schema(example = "9b1f0c6e…")]
    session: String,
    employee: EmployeeTold,
    /// The host's word for where to go on afterwards; it comes back with the callback.
    #[serde(default)]
    #[schema(example = "/credentials/r-77")]
    return_to: Option<String>,
}

/// Where to send the browser.
#[derive(Serialize, ToSchema)]
pub(crate) struct BrowserGoesTo {
    /// The gateway's page: answer the employee's form with a 303 there.
    pub(crate) url: Url,
}

/// Start a verification
///
/// The employee's names and date of birth are compared with the identity credential when the browser is back. A person
/// whose names are others than before has to be verified again.
#[utoipa::path(
    post,
    path = "/v1/verifications",
    tag = "Identity",
    request_body = VerificationAsked,
    responses((status = 201, description = "Send the browser there", body = BrowserGoesTo), Problems)
)]
pub(crate) async fn start(
    State(app): State<App>,
    Told(asked): Told<VerificationAsked>,
) -> Result<(StatusCode, Json<BrowserGoesTo>), Problem> {
    text("session", &asked.session)?;
    asked.employee.check()?;
    if let Some(return_to) = &asked.return_to {
        text("return_to", return_to)?;
    }
    app.keep_person(&asked.employee).await?;
    let session = Session {
        id: &asked.session,
        employee: &asked.employee.id,
    };
    let url = app.desk.verify(session, asked.return_to.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(BrowserGoesTo { url })))
}
