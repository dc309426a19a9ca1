//! Pages without an interaction: nothing is known for sure, so nobody is redirected (SEC-03).

use axum::http::StatusCode;
use axum::response::Response;
use ui::headers::Policy;

use super::view::{Notice, NoticePage};
use crate::app::App;

/// The client's request is at fault. The reason is for its developer: it goes into the log under the
/// reference that the page shows.
pub fn bad_request(app: &App, reason: &str) -> Response {
    bad_request_of(app, StatusCode::BAD_REQUEST, reason)
}

/// The same, where the status says more.
pub fn bad_request_of(app: &App, status: StatusCode, reason: &str) -> Response {
    let reference = app.random.reference();
    tracing::warn!(
        reference,
        reason,
        "an authorization request cannot be answered"
    );
    notice(app, status, Notice::CannotContinue, Some(reference), None)
}

/// The link was used, or the browser is not the one that began.
pub fn already_used(app: &App, relying_party: Option<&str>) -> Response {
    notice(
        app,
        StatusCode::GONE,
        Notice::AlreadyUsed,
        None,
        relying_party,
    )
}

/// A wallet sent the person to another browser than the one that began.
pub fn another_browser(app: &App) -> Response {
    notice(app, StatusCode::FORBIDDEN, Notice::OtherBrowser, None, None)
}

/// Too much is asked for at once, from this network or by everybody.
pub fn too_many(app: &App, status: StatusCode) -> Response {
    notice(app, status, Notice::TooMany, None, None)
}

/// The database did not answer; the log has said why.
pub fn service_problem(app: &App) -> Response {
    notice(
        app,
        StatusCode::SERVICE_UNAVAILABLE,
        Notice::ServiceProblem,
        None,
        None,
    )
}

fn notice(
    app: &App,
    status: StatusCode,
    notice: Notice,
    reference: Option<String>,
    relying_party: Option<&str>,
) -> Response {
    let page = NoticePage::new(
        &app.brand,
        notice,
        reference,
        relying_party.map(str::to_owned),
    );
    ui::render_with(status, &page, &Policy::new())
}
