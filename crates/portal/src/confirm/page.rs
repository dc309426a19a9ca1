//! The person checks exactly what the credential will say (screens E6).

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;
use ui::component::Row;
use ui::{Page, render};

use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// Everything that will go into the credential, in its order and as it will be written.
#[derive(Clone)]
pub(crate) struct ConfirmView {
    /// The record's id.
    pub(crate) id: String,
    /// What the credential is.
    pub(crate) title: String,
    /// What the record says. An empty value is shown as not held.
    pub(crate) facts: Vec<Row>,
    /// What is known about the credential itself: provider, verifier, until when, by whom.
    pub(crate) about: Vec<Row>,
    /// The staff passport unique identifier, once the identity is verified in this session.
    pub(crate) unique_identifier: Option<String>,
    /// A hash of what is shown, which the form sends as `shown`: only that can be confirmed.
    pub(crate) shown: String,
    /// The information changed then, after it was confirmed.
    pub(crate) changed_at: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "confirm/confirm.html")]
struct ConfirmPage {
    page: Page,
    session: Option<Session>,
    title: String,
    facts: Vec<Row>,
    about: Vec<Row>,
    shown: String,
    changed: Option<String>,
    back: String,
    action: String,
}

/// Shows the page.
pub(crate) fn show(look: &Look, visitor: &Visitor, view: ConfirmView) -> Response {
    let (page, session) = look.frame(visitor, look.say("confirm-title"));
    let mut about = look.held(view.about);
    let identifier = view.unique_identifier;
    about.push(Row::new(
        look.say("confirm-unique-identifier"),
        identifier.unwrap_or_else(|| look.say("confirm-unique-identifier-later")),
    ));
    render(&ConfirmPage {
        page,
        session,
        title: view.title,
        facts: look.held(view.facts),
        about,
        shown: view.shown,
        changed: view.changed_at.map(|at| {
            let when = ui::time::clock(at);
            look.say_with("confirm-changed", &[("when", &when)])
        }),
        back: format!("/credentials/{}", view.id),
        action: format!("/credentials/{}/confirm", view.id),
    })
}
