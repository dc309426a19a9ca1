//! What became of a credential that was to be added (screens E10). Only what is known is said.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use ui::headers::Policy;
use ui::{Page, render, render_with};

use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// What became of it.
#[derive(Debug, Clone)]
pub(crate) struct AddedView {
    /// The record's id.
    pub(crate) id: String,
    /// What the credential is.
    pub(crate) title: String,
    /// What the person tells to support.
    pub(crate) reference: String,
    /// What is known.
    pub(crate) outcome: Outcome,
}

/// What is known about a credential on its way to the wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The gateway said that it was added.
    Added {
        /// When.
        at: Timestamp,
    },
    /// The person cancelled, or did not accept it.
    NotAdded,
    /// The time was over.
    TookTooLong,
    /// The record changed meanwhile: what was added is to be cancelled again.
    Stale {
        /// Whether it is, as the gateway said.
        is_cancelled: bool,
    },
    /// Nobody knows yet.
    Checking,
}

#[derive(Template)]
#[template(path = "added/added.html")]
struct AddedPage {
    page: Page,
    session: Option<Session>,
    credential: String,
    when: String,
}

#[derive(Template)]
#[template(path = "added/not_added.html")]
struct NotAddedPage {
    page: Page,
    session: Option<Session>,
    view: AddedView,
    reference: String,
    texts: Vec<String>,
}

/// Shows the page. Where it can be tried again, the form is answered by a redirect to the gateway, which
/// `policy` names.
pub(crate) fn show(look: &Look, visitor: &Visitor, view: AddedView, policy: &Policy) -> Response {
    let (title, texts): (_, &[&str]) = match view.outcome {
        Outcome::Added { at } => {
            let (page, session) = look.frame(visitor, look.say("added-title"));
            let when = ui::time::date_and_clock(at);
            return render(&AddedPage {
                page,
                session,
                credential: view.title,
                when: look.say_with("added-when", &[("when", &when)]),
            });
        }
        Outcome::NotAdded => ("not-added-title", &["not-added-text"]),
        Outcome::TookTooLong => ("not-added-title", &["not-added-too-long"]),
        Outcome::Stale { is_cancelled: true } => {
            ("stale-title", &["stale-cancelled", "stale-delete"])
        }
        Outcome::Stale {
            is_cancelled: false,
        } => ("stale-title", &["stale-cancelling", "stale-delete"]),
        Outcome::Checking => (
            "checking-title",
            &["checking-text", "checking-wait", "checking-look"],
        ),
    };
    let (page, session) = look.frame(visitor, look.say(title));
    let page = NotAddedPage {
        page,
        session,
        reference: view.reference.clone(),
        texts: texts.iter().map(|key| look.say(key)).collect(),
        view,
    };
    render_with(StatusCode::OK, &page, policy)
}

impl AddedView {
    fn may_try_again(&self) -> bool {
        matches!(self.outcome, Outcome::NotAdded | Outcome::TookTooLong)
    }

    fn is_stale(&self) -> bool {
        matches!(self.outcome, Outcome::Stale { .. })
    }

    fn path(&self, step: &str) -> String {
        format!("/credentials/{}{step}", self.id)
    }
}
