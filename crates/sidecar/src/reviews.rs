//! Identities that a comparison neither matched nor refused: who showed them, why, and what somebody found who looked.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use connector::desk::{Decision, Review};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::problem::{Code, Problem, Problems};
use crate::told::{Told, text};

/// Identities to be looked at.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reviews {
    /// The longest first; behind them those of which was decided, as long as that counts. At most a thousand.
    reviews: Vec<ReviewTold>,
}

/// An identity that is written otherwise than the record, and looks like the same person's. No value of it is kept.
#[derive(Serialize, ToSchema)]
#[schema(as = Review)]
pub(crate) struct ReviewTold {
    /// By which it is decided.
    id: Uuid,
    /// The host's id of whoever showed it.
    employee: String,
    /// What the comparison found.
    #[schema(example = json!(["surname-differs", "names-similar"]))]
    why: Vec<&'static str>,
    /// The last four characters of the identity's unique identifier, by which it is found in the employee's wallet.
    #[schema(example = "9d10")]
    ends_with: String,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// `same` or `not-same`, once somebody has looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    decided_at: Option<Timestamp>,
}

/// The codes of what a comparison found.
pub(crate) fn codes(review: &Review) -> Vec<&'static str> {
    review.why.iter().map(|reason| reason.code()).collect()
}

impl From<Review> for ReviewTold {
    fn from(review: Review) -> Self {
        Self {
            id: review.id,
            why: codes(&review),
            employee: review.employee,
            ends_with: review.ends_with,
            first_at: review.first_at,
            last_at: review.last_at,
            decision: review.decision.map(|(decision, _)| decision.code()),
            decided_at: review.decision.map(|(_, at)| at),
        }
    }
}

/// List identities to be looked at
///
/// Somebody who knows the employee looks at their identity credential and at the record. Where the record is wrong, correct
/// it: the next verification is told of it, and the line goes. Where both are right, decide.
#[utoipa::path(
    get,
    path = "/v1/reviews",
    tag = "Identity",
    responses((status = 200, description = "A task for a person each", body = Reviews), Problems)
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Reviews>, Problem> {
    let reviews = app.desk.reviews().await?;
    Ok(Json(Reviews {
        reviews: reviews.into_iter().map(ReviewTold::from).collect(),
    }))
}

/// What somebody found.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decided {
    /// Of which identity.
    id: Uuid,
    decision: Found,
    /// The host's id of whoever looked: another person than the employee.
    #[schema(example = "e-7")]
    by: String,
}

/// Whether identity and record are of one person.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Found {
    Same,
    NotSame,
}

impl From<Found> for Decision {
    fn from(found: Found) -> Self {
        match found {
            Found::Same => Self::Same,
            Found::NotSame => Self::NotSame,
        }
    }
}

/// Decide about an identity
///
/// `same` verifies nobody: the employee shows that identity once more, in this session or another one within 30 days, and
/// is verified. `not-same` makes it a mismatch, and ends what it has verified. It may be decided anew.
#[utoipa::path(
    post,
    path = "/v1/reviews/decide",
    tag = "Identity",
    request_body = Decided,
    responses(
        (status = 204, description = "It is kept"),
        (status = 404, description = "There is nothing to decide, or not any more", body = crate::problem::ProblemBody,
            content_type = "application/problem+json"),
        Problems
    )
)]
pub(crate) async fn decide(
    State(app): State<App>,
    Told(decided): Told<Decided>,
) -> Result<StatusCode, Problem> {
    text("by", &decided.by)?;
    let review = app.desk.find_review(decided.id).await?;
    let review = review.ok_or(Code::NoSuchReview)?;
    if review.employee == decided.by {
        return Err(Problem::field("by", "nobody decides about themselves"));
    }
    let decision = decided.decision.into();
    if !app.desk.decide(review.id, decision, &decided.by).await? {
        return Err(Code::NoSuchReview.into());
    }
    Ok(StatusCode::NO_CONTENT)
}
