//! `POST /v1/callbacks`: the browser is back from the gateway.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use connector::desk::{Person, Return, VerifyOutcome};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::problem::{Code, Problem, Problems};
use crate::reviews::codes;
use crate::states::State as CredentialState;
use crate::told::{SessionOf, Told};

/// The longest query of a callback, in bytes.
const LONGEST_QUERY: usize = 8 * 1024;

/// A callback as it reached the host.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallbackTold {
    /// The host's key of the log-in of the browser that came.
    #[schema(example = "9b1f0c6e…")]
    session: String,
    /// The host's id of whoever is logged in in it.
    #[schema(example = "e-1042")]
    employee: String,
    /// What stands behind the `?` of the callback's address, as it came.
    #[schema(example = "code=…&state=…&iss=…")]
    query: String,
}

/// What the browser came back with. It is stored before it is said.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum CameBack {
    /// A verification ended.
    Verification {
        /// `verified`; `review` (somebody has to look first); `mismatch`, `no-unique-identifier` (show both alike);
        /// `declined`, `not-accepted`, `timed-out`, `gateway-failed`.
        outcome: &'static str,
        /// What the comparison found, where the outcome is `review`; empty otherwise. Not for the employee: it would tell of
        /// whoever's identity it is.
        #[schema(example = json!([]))]
        why: Vec<&'static str>,
        /// What `POST /v1/verifications` was told.
        return_to: Option<String>,
        /// How many more identities may be tried in this session that do not match.
        tries_left: u32,
    },
    /// An issuing ended, or it is not known how.
    Issuing {
        /// The host's id of the record.
        record: String,
        /// By which the credential is revoked.
        serial_number: Uuid,
        /// What `POST /v1/issuings` was told.
        return_to: Option<String>,
        /// How the credential stands now.
        state: CredentialState,
    },
    /// This callback is being worked on, or was cut off: ask for the state or the standing in a moment.
    Unfinished {
        /// The record, where it is about one.
        record: Option<String>,
    },
}

/// Take a browser back
///
/// A callback counts once, in the session that began. Answer the browser with a redirect to a page of its own, so that
/// reload and Back are harmless.
#[utoipa::path(
    post,
    path = "/v1/callbacks",
    tag = "Identity",
    request_body = CallbackTold,
    responses(
        (status = 200, description = "It ended", body = CameBack),
        (status = 202, description = "It is being worked on", body = CameBack),
        Problems
    )
)]
pub(crate) async fn take(
    State(app): State<App>,
    Told(told): Told<CallbackTold>,
) -> Result<Response, Problem> {
    if told.query.len() > LONGEST_QUERY {
        return Err(Problem::field("query", "it is longer than 8 KiB"));
    }
    let of = SessionOf {
        session: told.session,
        employee: told.employee,
    };
    let session = of.check()?;
    // Whoever has asked for no verification here has nobody's names: an identity would be compared with nothing.
    let person = app.find_person(&of.employee).await?.unwrap_or(Person {
        employee: of.employee.clone(),
        first_names: String::new(),
        surname: String::new(),
        known_as: None,
        date_of_birth: None,
        email: None,
    });
    let came_back = match app.desk.come_back(session, &person, &told.query).await? {
        Return::Verify { outcome, return_to } => {
            let standing = app.desk.standing(session).await?;
            let review = standing.review.filter(|_| outcome == VerifyOutcome::Review);
            CameBack::Verification {
                outcome: outcome.code(),
                why: review.as_ref().map(codes).unwrap_or_default(),
                return_to,
                tries_left: standing.tries_left,
            }
        }
        Return::Issue {
            record,
            serial_number,
            return_to,
        } => CameBack::Issuing {
            state: app.state_of(&of.employee, &record).await?,
            record,
            serial_number,
            return_to,
        },
        Return::Unfinished { record } => {
            let unfinished = CameBack::Unfinished { record };
            return Ok((StatusCode::ACCEPTED, Json(unfinished)).into_response());
        }
        Return::NotOurs => return Err(Code::CallbackNotOurs.into()),
    };
    Ok(Json(came_back).into_response())
}
