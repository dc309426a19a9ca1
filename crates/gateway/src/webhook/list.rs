//! `POST /events` and `POST /events/redeliver`: for a receiver that was away, or that lost what it had.
//!
//! Forms like that of `outcome`, for the same reasons; a client sees its own events only (SEC-33).

use std::borrow::Cow;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use standards::oauth::form::Form;
use utoipa::ToSchema;

use super::content::Content;
use super::rows;
use crate::app::App;
use crate::client::{LookUp, LookUpError};
use crate::openapi::{BackChannelErrors, ClientForm, FORM};

/// How many events one answer holds.
const PAGE: usize = 100;

const AFTER: LookUpError = LookUpError::Question(Cow::Borrowed(
    "after must be the sequence of the last event that you have, or 0",
));

/// A client's events.
#[derive(Serialize, ToSchema)]
struct Events {
    /// The oldest first, at most 100.
    events: Vec<Listed>,
    /// The number of the newest event that there has been, whether or not it is kept.
    last_sequence: i64,
}

/// One event and how its delivery stands.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedEvent)]
struct Listed {
    event: Content,
    /// `due`, `delivered` or `parked`.
    delivery: String,
    /// How often it was tried.
    attempts: i64,
}

/// How many parked events are offered again.
#[derive(Serialize, ToSchema)]
struct OfferedAgain {
    offered_again: u64,
}

/// From where on.
#[derive(ToSchema)]
#[allow(dead_code)] // described here, read by `after`
struct AfterForm {
    /// The sequence of the last event that the receiver has; 0 for all that are kept.
    #[schema(required = false, example = "41")]
    after: String,
    /// The client, if not in the header.
    #[schema(required = false)]
    client_id: String,
    #[serde(flatten)]
    client: ClientForm,
}

/// List events
///
/// Each as it was posted, or will be, and how its delivery stands: for a receiver that was away.
#[utoipa::path(
    post,
    path = "/events",
    tag = "Outcomes and events",
    security(("client_secret_basic" = []), ()),
    request_body(content = AfterForm, content_type = FORM),
    responses((status = 200, description = "The events after that one", body = Events), BackChannelErrors)
)]
pub(super) async fn events(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, LookUpError> {
    let asked = LookUp::begin(&app, &headers, &body).await?;
    let (party, after) = (&asked.party, after(&asked.form)?);
    let found = rows::find_after(&app.store, &party.client_id, after, PAGE).await?;
    let listed = found.into_iter().map(|event| Listed {
        event: event.content,
        delivery: event.delivery,
        attempts: event.attempts,
    });
    Ok(answer(Events {
        events: listed.collect(),
        last_sequence: rows::last_sequence(&app.store, &party.client_id).await?,
    }))
}

/// Offer parked events again
///
/// And what waits for its next attempt is tried at once.
#[utoipa::path(
    post,
    path = "/events/redeliver",
    tag = "Outcomes and events",
    security(("client_secret_basic" = []), ()),
    request_body(content = AfterForm, content_type = FORM),
    responses((status = 200, description = "They are due", body = OfferedAgain), BackChannelErrors)
)]
pub(super) async fn redeliver(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, LookUpError> {
    let asked = LookUp::begin(&app, &headers, &body).await?;
    let (client_id, after) = (&asked.party.client_id, after(&asked.form)?);
    let offered_again = rows::offer_again(&app.store, client_id, after, app.now()).await?;
    tracing::info!(
        client_id,
        after,
        offered_again,
        "parked events are offered again"
    );
    Ok(answer(OfferedAgain { offered_again }))
}

fn after(form: &Form) -> Result<i64, LookUpError> {
    match form.find("after") {
        None => Ok(0),
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().map_err(|_| AFTER),
        Some(_) => Err(AFTER),
    }
}

fn answer(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
