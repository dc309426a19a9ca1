//! The way back from the gateway. What the browser brings is dealt with here, on the server; the browser is led on to
//! a page that can be loaded again.

pub(crate) mod page;

use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use connector::desk::{Return, VerifyOutcome};
use serde_json::json;
use store::StoreError;

use crate::app::App;
use crate::session::cookie::Cookie;
use crate::token::reference_of;
use crate::trouble::Trouble;
use crate::visit::{Holder, Visit};
use crate::{added, identity, not_applicable, problem};
use page::FinishingView;

/// Where the gateway sends the browser back to, as it is registered there.
pub(crate) const PATH: &str = "/callback";
/// The page that says that it takes a moment.
pub(crate) const FINISHING: &str = "/returned";
/// Longer than this nobody looks at a page that does not come (screens E9).
const A_MOMENT: Duration = Duration::from_secs(2);

/// `GET /callback`.
pub(crate) async fn callback(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let Some(visit) = Visit::find_returning(&app, &headers).await? else {
        // Nothing that came is used: whoever logs in again can begin again.
        return Ok(page::show_elsewhere(&app.look));
    };
    if !app.applies_to(&visit.employee) {
        return Ok(not_applicable::page::show(&app.look, &visit.visitor()));
    }
    let session = visit.session.clone();
    // A task of its own: it goes on when the browser hangs up or has waited long enough.
    let mut work = tokio::spawn(traces::carried(deal_with(visit, query.unwrap_or_default())));
    match tokio::time::timeout(A_MOMENT, &mut work).await {
        Ok(Ok(Ok(Some(next)))) => Ok(Redirect::to(&next).into_response()),
        Ok(Ok(Ok(None))) => Ok(page::show_elsewhere(&app.look)),
        Ok(Ok(Err(error))) => Err(error.into()),
        // It ended in a panic, which is logged where it happened; or it is not over.
        Ok(Err(_)) | Err(_) => {
            app.come_back(&session).await?;
            Ok(Redirect::to(FINISHING).into_response())
        }
    }
}

/// What the browser brought, and the page that follows; nothing if it belongs to no journey of this session.
async fn deal_with(visit: Visit, query: String) -> Result<Option<String>, StoreError> {
    let (app, person) = (&visit.app, visit.employee.person());
    let next = match app.desk.come_back(visit.at_desk(), &person, &query).await? {
        Return::Verify { outcome, return_to } => {
            let record = return_to.as_deref();
            let reference = identity::reference(&visit);
            tracing::info!(%reference, outcome = outcome.code(), "an identity check ended");
            if outcome == VerifyOutcome::GatewayFailed {
                problem::path(&reference, &identity::path_for(record))
            } else {
                identity::done_path_for(record)
            }
        }
        Return::Issue {
            record,
            serial_number,
            ..
        } => {
            let reference = reference_of(&serial_number.to_string());
            tracing::info!(%reference, "a browser is back from adding a credential");
            added::path_of(&record, &reference)
        }
        Return::Unfinished { .. } => {
            app.come_back(&visit.session).await?;
            return Ok(Some(FINISHING.to_owned()));
        }
        Return::NotOurs => {
            tracing::warn!(
                code = "not-ours",
                "a callback belongs to no journey of its session"
            );
            return Ok(None);
        }
    };
    app.settle(&visit.session, &next).await?;
    Ok(Some(next))
}

/// `GET /returned`.
pub(crate) async fn finishing(State(app): State<App>, holder: Holder) -> Response {
    if is_settled(&app, &holder) {
        return Redirect::to(away_to(&holder)).into_response();
    }
    let view = FinishingView {
        status_url: "/returned/status".to_owned(),
        continue_href: FINISHING.to_owned(),
        reference: identity::reference(&holder),
    };
    page::show_finishing(&app.look, &holder.visitor(), view)
}

/// `GET /returned/status`. Asking is not activity.
pub(crate) async fn status(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Json<serde_json::Value>, Trouble> {
    let session = match Cookie::Session.read(&app, &headers) {
        Some(token) => app.find_session(&token).await?,
        None => None,
    };
    let answers_since = app.ago(app.answer_lasts);
    // Where nobody is logged in any more, the next page says so.
    let finished = session.is_none_or(|session| session.is_settled(answers_since));
    Ok(Json(json!({ "finished": finished })))
}

fn is_settled(app: &App, visit: &Visit) -> bool {
    visit.session.is_settled(app.ago(app.answer_lasts))
}

fn away_to(visit: &Visit) -> &str {
    visit.session.away_to.as_deref().unwrap_or("/credentials")
}
