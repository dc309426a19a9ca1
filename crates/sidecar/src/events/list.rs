//! `GET /v1/events` and `POST /v1/events/redeliver`: for a receiver that was away, or that lost what it had.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::content::Content;
use crate::app::App;
use crate::problem::{Problem, Problems};
use crate::told::Told;

/// How many events one answer holds.
const PAGE: usize = 100;

/// What happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct Events {
    /// The oldest first, at most 100.
    events: Vec<Listed>,
    /// The number of the newest event that there has been, whether or not it is kept.
    last_sequence: i64,
}

/// One event and how its delivery stands.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedEvent)]
pub(crate) struct Listed {
    event: Content,
    /// `due`, `delivered` or `parked`.
    delivery: String,
    /// How often it was tried.
    attempts: i64,
}

/// From where on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    /// The sequence of the last event that the receiver has; 0 for all that are kept.
    #[serde(default)]
    #[param(minimum = 0)]
    after: i64,
}

/// List events
///
/// Each as it was posted, or will be, and how its delivery stands. Kept for 30 days after it was taken.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "Events",
    params(After),
    responses((status = 200, description = "The events after that one", body = Events), Problems)
)]
pub(crate) async fn list(
    State(app): State<App>,
    after: Result<Query<After>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Events>, Problem> {
    let after = after.ok().filter(|after| after.after >= 0);
    let Query(After { after }) = after.ok_or_else(|| {
        Problem::field("after", "use the sequence of the last event that you have")
    })?;
    let found = app.events_after(after, PAGE).await?;
    let events = found.into_iter().map(|event| Listed {
        event: event.content,
        delivery: event.delivery,
        attempts: event.attempts,
    });
    Ok(Json(Events {
        events: events.collect(),
        last_sequence: app.last_sequence().await?,
    }))
}

/// From where on, in a body.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedeliveryAsked {
    /// Parked events after this number.
    #[serde(default)]
    #[schema(minimum = 0)]
    after: u32,
}

/// How many parked events are offered again.
#[derive(Serialize, ToSchema)]
pub(crate) struct OfferedAgain {
    offered_again: u64,
}

/// Offer parked events again
///
/// And what waits for its next attempt is tried at once.
#[utoipa::path(
    post,
    path = "/v1/events/redeliver",
    tag = "Events",
    request_body = RedeliveryAsked,
    responses((status = 200, description = "They are due", body = OfferedAgain), Problems)
)]
pub(crate) async fn redeliver(
    State(app): State<App>,
    Told(asked): Told<RedeliveryAsked>,
) -> Result<Json<OfferedAgain>, Problem> {
    let offered_again = app.offer_again(asked.after.into()).await?;
    Ok(Json(OfferedAgain { offered_again }))
}
