//! `/admin/v1/audit`: read, check, export.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, try_unfold};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::caller::Operator;
use super::problem::{Code, Problem, Problems};
use super::read::Asked;
use super::role::Right;
use super::routes::Routes;
use crate::app::App;
use crate::audit::export::{Export, ExportError, Format};
use crate::audit::verify::{Report, verify};
use crate::audit::{self, Kept, Question};
use crate::keys::{GATEWAY, KeyPurpose};

/// The most entries in one answer.
const MOST: u32 = 500;
/// The longest time that one export spans.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 400);

/// The routes.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .with(Right::AuditRead, routes!(list))
        .with(Right::AuditRead, routes!(check))
        .with(Right::AuditExport, routes!(hand_out))
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Of this actor only, such as `operator:op-k7q2-9mfd`.
    actor: Option<String>,
    /// Of this act only.
    act: Option<String>,
    /// About this object only, such as `proposal:pr-4x7m-0qkz`.
    object: Option<String>,
    /// From where the answer before ended: its `next`.
    before: Option<i64>,
    /// At most so many, 1 to 500; 100 if left out.
    limit: Option<u32>,
}

/// Entries.
#[derive(Serialize, ToSchema)]
struct Entries {
    /// The newest first.
    entries: Vec<Kept>,
    /// For `before` of the next question; absent where there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// Read the audit
#[utoipa::path(
    get,
    path = "/admin/v1/audit",
    tag = "Audit",
    params(Which),
    responses((status = 200, description = "Entries", body = Entries), Problems)
)]
async fn list(
    State(app): State<App>,
    operator: Operator,
    Asked(which): Asked<Which>,
) -> Result<Json<Entries>, Problem> {
    let limit = which.limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::field("limit", "it is a number from 1 to 500"));
    }
    let question = Question {
        organisation: operator.organisation(),
        actor: which.actor.as_deref(),
        act: which.act.as_deref(),
        object: which.object.as_deref(),
        before: which.before,
        limit,
    };
    let (entries, next) = audit::list(&app.store, &question).await?;
    Ok(Json(Entries { entries, next }))
}

/// Check the whole chain and its checkpoints
#[utoipa::path(
    get,
    path = "/admin/v1/audit/verification",
    tag = "Audit",
    responses((status = 200, description = "What was found", body = Report), Problems)
)]
async fn check(State(app): State<App>, by: Operator) -> Result<Json<Report>, Problem> {
    // The chain is everybody's: whoever sees one organisation only does not learn how much the others did.
    if by.organisation().is_some() {
        return Err(Code::NotFound.into());
    }
    let keys: Vec<_> = app
        .keys
        .published(KeyPurpose::Audit, GATEWAY)
        .cloned()
        .collect();
    let report = verify(&app.store, &app.base, &keys).await?;
    if !report.faults.is_empty() {
        tracing::error!(
            faults = report.faults.len(),
            "the audit is not what was written"
        );
    }
    Ok(Json(report))
}

/// From when to when, and in which form.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Range {
    /// The first moment, such as `2026-11-01T00:00:00Z`.
    #[param(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The moment at which it ends, not itself included. At most 400 days later.
    #[param(value_type = String, format = DateTime)]
    to: Timestamp,
    /// `jsonl` if left out.
    #[param(inline)]
    format: Option<Format>,
}

/// Export the audit
#[utoipa::path(
    get,
    path = "/admin/v1/audit/export",
    tag = "Audit",
    params(Range),
    responses((status = 200, description = "JSON lines, CSV or CEF", body = String, content_type = "application/jsonl"), Problems)
)]
async fn hand_out(
    State(app): State<App>,
    operator: Operator,
    Asked(range): Asked<Range>,
) -> Result<Response, Problem> {
    let Range { from, to, format } = range;
    if to <= from || to.duration_since(from) > LONGEST {
        return Err(Problem::field(
            "to",
            "it is later than `from`, and at most 400 days",
        ));
    }
    let format = format.unwrap_or(Format::Jsonl);
    let organisation = operator.organisation();
    let mut export = Export::begin(&app.store, &app.base, (from, to), organisation, format).await?;
    // What cannot be read from the beginning is a problem like any other, and no broken answer.
    let first = export.next().await.map_err(|error| match error {
        ExportError::Store(error) => error.into(),
        ExportError::Changed => Problem::from(Code::ChangedMeanwhile),
    })?;
    // Before it is handed out: nobody has an export that nothing tells of.
    let told = export.entry(operator.actor(), app.now());
    app.store.write([told.into()]).await?;
    let body = Body::from_stream(pieces(first, export));
    Ok(([(header::CONTENT_TYPE, format.media_type())], body).into_response())
}

/// The pieces as whoever reads them takes them. An error ends the connection in the middle of the answer, so that nobody takes
/// what they have for the whole.
fn pieces(
    first: Option<String>,
    export: Export,
) -> impl Stream<Item = Result<String, ExportError>> {
    try_unfold((first, export), |(first, mut export)| async move {
        let piece = match first {
            Some(first) => Some(first),
            None => export.next().await.inspect_err(|error| {
                tracing::error!(%error, "an export of the audit broke off");
            })?,
        };
        Ok(piece.map(|piece| (piece, (None, export))))
    })
}
