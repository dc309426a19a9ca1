//! `POST /events` and `POST /events/redeliver`: for a receiver that was away, or that lost what it had.
//!
//! Forms like that of `outcome`, for the same reasons; a client sees its own events only (SEC-33).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use standards::oauth::form::{Form, FormError};
use utoipa::ToSchema;

use super::content::Content;
use super::rows;
use crate::app::App;
use crate::client::{self, ClientError};
use crate::limits::{Kind, TooMany};
use crate::openapi::{BackChannelErrors, ClientForm, FORM};
use store::StoreError;

/// How many events one answer holds.
const PAGE: usize = 100;

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

/// Why a request about events was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListError {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Client(#[from] ClientError),
    /// SEC-34.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error("after must be the sequence of the last event that you have, or 0")]
    After,
    #[error("the gateway cannot answer now; try again")]
    Store(#[from] StoreError),
}

impl IntoResponse for ListError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::Form(_) | Self::After => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::Client(error) => return error.answer(),
            Self::TooMany(many) => return client::answer_too_many(many),
            Self::Store(error) => {
                tracing::error!(%error, "events could not be read or offered again");
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        };
        client::answer_error(status, code, &self.to_string())
    }
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
) -> Result<Response, ListError> {
    let form = Form::parse(&body)?;
    let party = client::authenticate(&app, &headers, &form).await?;
    let _place = app.admit(Kind::LookUp, &party)?;
    let after = after(&form)?;
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
) -> Result<Response, ListError> {
    let form = Form::parse(&body)?;
    let party = client::authenticate(&app, &headers, &form).await?;
    let _place = app.admit(Kind::LookUp, &party)?;
    let (client_id, after) = (&party.client_id, after(&form)?);
    let offered_again = rows::offer_again(&app.store, client_id, after, app.now()).await?;
    tracing::info!(
        client_id,
        after,
        offered_again,
        "parked events are offered again"
    );
    Ok(answer(OfferedAgain { offered_again }))
}

fn after(form: &Form) -> Result<i64, ListError> {
    match form.find("after") {
        None => Ok(0),
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse().map_err(|_| ListError::After)
        }
        Some(_) => Err(ListError::After),
    }
}

fn answer(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
