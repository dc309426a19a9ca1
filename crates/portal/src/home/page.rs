//! The first page after logging in (screens E2).

use askama::Template;
use axum::response::Response;
use ui::{Page, render};

use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// What the first page leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HomeView {
    /// Whether the staff passport applies to the person: if not, nothing of it is on the page.
    pub(crate) passport_applies: bool,
    /// Whether they are of HR.
    pub(crate) is_hr: bool,
}

#[derive(Template)]
#[template(path = "home/home.html")]
struct HomePage {
    page: Page,
    session: Option<Session>,
    view: HomeView,
    welcome: String,
}

/// Shows the page.
pub(crate) fn show(look: &Look, visitor: &Visitor, view: HomeView) -> Response {
    let (page, session) = look.frame(visitor, look.say("home-title"));
    render(&HomePage {
        page,
        session,
        view,
        welcome: look.say_with("home-welcome", &[("name", &visitor.name)]),
    })
}
