//! The staff passport does not apply to this person: for them its pages are not there (screens E3).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use ui::headers::Policy;
use ui::{Page, render_with};

use crate::look::{Look, Visitor};
use crate::session::page::Session;

#[derive(Template)]
#[template(path = "not_applicable/not_applicable.html")]
struct NotApplicablePage {
    page: Page,
    session: Option<Session>,
}

/// Shows the page, as not found.
pub(crate) fn show(look: &Look, visitor: &Visitor) -> Response {
    let (page, session) = look.frame(visitor, look.say("not-applicable-title"));
    let page = NotApplicablePage { page, session };
    render_with(StatusCode::NOT_FOUND, &page, &Policy::new())
}
