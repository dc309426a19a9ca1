//! Pages without an interaction: nothing is known for sure, so nobody is redirected (SEC-03).
//!
//! They are answered from deep inside, where nobody knows any more who asked, and for what. So they are put into the
//! person's language, and get a link to themselves, on the way out, by [`finish`]. Each shows a reference (screens 2.1),
//! under which the log has what happened.

use std::fmt::Display;

use axum::http::StatusCode;
use axum::response::Response;
use ui::headers::Policy;
use ui::{Brand, Language};

use super::super::look::Look;
pub use super::view::Again;
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
    write_first(app, status, Notice::CannotContinue, reference)
}

/// The link was used, or the browser is not the one that began.
pub fn already_used(app: &App, relying_party: Option<&str>) -> Response {
    let known = relying_party.map(str::to_owned);
    notice(app, StatusCode::GONE, Notice::AlreadyUsed(known))
}

/// No code is written like this one, or it is over.
pub fn unknown_code(app: &App) -> Response {
    notice(app, StatusCode::NOT_FOUND, Notice::UnknownCode)
}

/// A wallet sent the person to another browser than the one that began.
pub fn another_browser(app: &App) -> Response {
    notice(app, StatusCode::FORBIDDEN, Notice::OtherBrowser)
}

/// The browser was given its cookie, and came without it.
pub fn no_cookie(app: &App) -> Response {
    notice(app, StatusCode::BAD_REQUEST, Notice::NoCookie)
}

/// Too much is asked for at once, from this network or by everybody.
pub fn too_many(app: &App, status: StatusCode) -> Response {
    let reference = app.random.reference();
    // Whom the limits hold back is told once a minute: a flood of requests is not one of lines (SEC-34).
    tracing::debug!(reference, "a page said that there is too much");
    write_first(app, status, Notice::TooMany, reference)
}

/// Something of ours did not work: `what`, because of `error`.
pub fn service_problem(app: &App, error: &dyn Display, what: &str) -> Response {
    let reference = app.random.reference();
    tracing::error!(reference, %error, "{what}");
    let status = StatusCode::SERVICE_UNAVAILABLE;
    write_first(app, status, Notice::ServiceProblem, reference)
}

/// It took so long that nobody waits any longer. Whoever comes again finds how things stand.
pub fn too_slow(app: &App) -> Response {
    service_problem(app, &"it took too long", "a page could not be shown")
}

/// What a response shows, in whatever language.
#[derive(Clone)]
struct Shown {
    notice: Notice,
    reference: String,
}

fn notice(app: &App, status: StatusCode, notice: Notice) -> Response {
    let reference = app.random.reference();
    let status_code = status.as_u16();
    tracing::info!(
        reference,
        status = status_code,
        "a page that leads nowhere was shown"
    );
    write_first(app, status, notice, reference)
}

fn write_first(app: &App, status: StatusCode, notice: Notice, reference: String) -> Response {
    let shown = Shown { notice, reference };
    let mut response = write(
        &app.brand,
        Language::English,
        status,
        shown.clone(),
        Again::Never,
    );
    response.extensions_mut().insert(shown);
    response
}

fn write(
    brand: &std::sync::Arc<Brand>,
    language: Language,
    status: StatusCode,
    shown: Shown,
    again: Again,
) -> Response {
    let look = Look::new(brand, language);
    let page = NoticePage::new(&look, shown.notice, shown.reference, again);
    ui::render_with(status, &page, &Policy::new())
}

/// Writes a notice anew in the language of whoever asked, with the address that it can be had at again: none after a
/// form. Headers that were added since, such as a cookie, stay.
pub fn finish(app: &App, language: Language, again: Again, mut response: Response) -> Response {
    let Some(shown) = response.extensions_mut().remove::<Shown>() else {
        return response;
    };
    let finished = write(&app.brand, language, response.status(), shown, again);
    *response.body_mut() = finished.into_body();
    response
}
