//! What a log-in knows of its employee's identity, and its end.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use connector::desk;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::{Problem, Problems};
use crate::reviews::codes;
use crate::told::{SessionOf, Told, text};

/// What a session knows.
#[derive(Serialize, ToSchema)]
pub(crate) struct Standing {
    /// When the identity was verified, as long as that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    verified_at: Option<Timestamp>,
    /// How the last check ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last: Option<LastCheck>,
    /// How many more identities may be tried that do not match.
    tries_left: u32,
}

/// How a check ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct LastCheck {
    /// As the callback said.
    #[schema(example = "mismatch")]
    outcome: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What the comparison found, where the outcome is `review`; empty otherwise, and once the record was corrected.
    #[schema(example = json!([]))]
    why: Vec<&'static str>,
    /// What somebody found who looked: `same` (the employee shows the identity once more) or `not-same`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    decision: Option<&'static str>,
}

impl From<desk::Standing> for Standing {
    fn from(standing: desk::Standing) -> Self {
        let review = standing.review.as_ref();
        let decision = review.and_then(|review| review.decision);
        Self {
            verified_at: standing.verified_at,
            last: standing.last.map(|(outcome, at)| LastCheck {
                outcome: outcome.code(),
                at,
                why: review.map(codes).unwrap_or_default(),
                decision: decision.map(|(decision, _)| decision.code()),
            }),
            tries_left: standing.tries_left,
        }
    }
}

/// Ask what a session knows
#[utoipa::path(
    post,
    path = "/v1/sessions/standing",
    tag = "Identity",
    request_body = SessionOf,
    responses((status = 200, description = "What it knows", body = Standing), Problems)
)]
pub(crate) async fn standing(
    State(app): State<App>,
    Told(asked): Told<SessionOf>,
) -> Result<Json<Standing>, Problem> {
    let standing = app.desk.standing(asked.check()?).await?;
    Ok(Json(standing.into()))
}

/// A session that is over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionOver {
    /// The host's key of the log-in.
    session: String,
}

/// End a session
///
/// To be called at log-out, and when a session ends otherwise: what was verified in it counts no more.
#[utoipa::path(
    post,
    path = "/v1/sessions/end",
    tag = "Identity",
    request_body = SessionOver,
    responses((status = 204, description = "It is forgotten"), Problems)
)]
pub(crate) async fn end(
    State(app): State<App>,
    Told(over): Told<SessionOver>,
) -> Result<StatusCode, Problem> {
    text("session", &over.session)?;
    app.desk.forget_session(&over.session).await?;
    Ok(StatusCode::NO_CONTENT)
}
