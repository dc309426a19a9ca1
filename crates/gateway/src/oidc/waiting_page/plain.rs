//! Pages without an interaction: nothing is known for sure, so nobody is redirected (SEC-03).
//!
//! They are answered from deep inside, where nobody knows any more who asked. So they are put into the person's
//! language on the way out, by [`translate`].

use axum::http::StatusCode;
use axum::response::Response;
use ui::headers::Policy;
use ui::{Brand, Language};

use super::super::look::Look;
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
    notice(app, status, Notice::CannotContinue(reference))
}

/// The link was used, or the browser is not the one that began.
pub fn already_used(app: &App, relying_party: Option<&str>) -> Response {
    let known = relying_party.map(str::to_owned);
    notice(app, StatusCode::GONE, Notice::AlreadyUsed(known))
}

/// A wallet sent the person to another browser than the one that began.
pub fn another_browser(app: &App) -> Response {
    notice(app, StatusCode::FORBIDDEN, Notice::OtherBrowser)
}

/// Too much is asked for at once, from this network or by everybody.
pub fn too_many(app: &App, status: StatusCode) -> Response {
    notice(app, status, Notice::TooMany)
}

/// The database did not answer; the log has said why.
pub fn service_problem(app: &App) -> Response {
    notice(app, StatusCode::SERVICE_UNAVAILABLE, Notice::ServiceProblem)
}

/// The notice that a response shows, in whatever language.
#[derive(Clone)]
struct Shown(Notice);

fn notice(app: &App, status: StatusCode, notice: Notice) -> Response {
    write(&app.brand, Language::English, status, notice)
}

fn write(
    brand: &std::sync::Arc<Brand>,
    language: Language,
    status: StatusCode,
    notice: Notice,
) -> Response {
    let page = NoticePage::new(&Look::new(brand, language), notice.clone());
    let mut response = ui::render_with(status, &page, &Policy::new());
    response.extensions_mut().insert(Shown(notice));
    response
}

/// Writes a notice anew in the language of whoever asked. Headers that were added since, such as a cookie, stay.
pub fn translate(app: &App, language: Language, mut response: Response) -> Response {
    if language == Language::English {
        return response;
    }
    let Some(Shown(notice)) = response.extensions_mut().remove::<Shown>() else {
        return response;
    };
    let translated = write(&app.brand, language, response.status(), notice);
    *response.body_mut() = translated.into_body();
    response
}
