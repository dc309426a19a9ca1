//! Pages for what went wrong: in plain words, with a reference and with a way on.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use ui::headers::Policy;
use ui::{Page, render_with};

use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// What went wrong, as far as the person is told.
#[derive(Debug, Clone)]
pub(crate) struct ProblemView {
    /// What.
    pub(crate) problem: Problem,
    /// What the person tells to support; nothing where nobody could find anything.
    pub(crate) reference: Option<String>,
    /// The path of the page to try again from.
    pub(crate) go_on: Option<String>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The gateway or our own storage does not answer.
    Service,
    /// A form came with a token that is not of this session: an old page, or another site.
    PageTooOld,
    /// There is nothing under this address, or nothing of this person's.
    NotFound,
}

#[derive(Template)]
#[template(path = "problem/problem.html")]
struct ProblemPage {
    page: Page,
    session: Option<Session>,
    texts: Vec<String>,
    reference: Option<String>,
    go_on: Option<String>,
}

/// Shows the page, whether or not somebody is logged in.
pub(crate) fn show(look: &Look, visitor: Option<&Visitor>, view: ProblemView) -> Response {
    let (status, title, texts): (_, _, &[&str]) = match view.problem {
        Problem::Service => (
            StatusCode::SERVICE_UNAVAILABLE,
            "problem-service-title",
            &["problem-service-safe", "problem-service-later"],
        ),
        Problem::PageTooOld => (
            StatusCode::FORBIDDEN,
            "problem-too-old-title",
            &["problem-too-old"],
        ),
        Problem::NotFound => (
            StatusCode::NOT_FOUND,
            "problem-not-found-title",
            &["problem-not-found"],
        ),
    };
    let (page, session) = look.frame_if_known(visitor, look.say(title));
    let page = ProblemPage {
        page,
        session,
        texts: texts.iter().map(|key| look.say(key)).collect(),
        reference: view.reference,
        go_on: view.go_on,
    };
    render_with(status, &page, &Policy::new())
}
