//! The old copy is to be deleted before the credential is added once more (screens E5).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use ui::component::{Choice, FieldError};
use ui::headers::Policy;
use ui::{Page, render_with};

use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// The question, as it is asked and asked again.
#[derive(Debug, Clone)]
pub(crate) struct AgainView {
    /// The record's id.
    pub(crate) id: String,
    /// What the credential is.
    pub(crate) title: String,
    /// When it was added last.
    pub(crate) added_at: Timestamp,
    /// The form came back without an answer.
    pub(crate) is_unanswered: bool,
}

/// The person's answer: the form's field `deleted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// They deleted the old one.
    Yes,
    /// It is not in the wallet any more: a lost or a new phone.
    NotThere,
    /// They go back.
    No,
}

impl Deleted {
    /// Every answer, in the order in which they are offered.
    pub(crate) const ALL: [Self; 3] = [Self::Yes, Self::NotThere, Self::No];

    /// Reads the field.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.word() == text)
    }

    /// What the form sends, and what is recorded.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::NotThere => "not-there",
            Self::No => "no",
        }
    }

    fn text(self, look: &Look) -> String {
        match self {
            Self::Yes => look.say("again-yes"),
            Self::NotThere => look.say("again-not-there"),
            Self::No => look.say("again-no"),
        }
    }
}

#[derive(Template)]
#[template(path = "again/again.html")]
struct AgainPage {
    page: Page,
    session: Option<Session>,
    back: String,
    action: String,
    added: String,
    choices: Vec<Choice>,
    error: String,
    errors: Vec<FieldError>,
}

/// Shows the page.
pub(crate) fn show(look: &Look, visitor: &Visitor, view: &AgainView) -> Response {
    let (mut page, session) = look.frame(visitor, look.say("again-title"));
    let mut error = String::new();
    let mut status = StatusCode::OK;
    if view.is_unanswered {
        error = look.say("again-unanswered");
        status = StatusCode::UNPROCESSABLE_ENTITY;
        page = page.with_errors();
    }
    let errors = view.is_unanswered.then(|| FieldError {
        text: error.clone(),
        href: "#deleted".to_owned(),
    });
    let when = ui::time::date_and_clock(view.added_at);
    let choices = Deleted::ALL.map(|answer| Choice::new(answer.word(), answer.text(look)));
    let page = AgainPage {
        page,
        session,
        back: format!("/credentials/{}", view.id),
        action: format!("/credentials/{}/again", view.id),
        added: look.say_with("again-added", &[("title", &view.title), ("when", &when)]),
        choices: choices.into(),
        error,
        errors: errors.into_iter().collect(),
    };
    render_with(status, &page, &Policy::new())
}
