//! One credential (screens E4).

use askama::Template;
use axum::response::Response;
use ui::component::{Row, TaskStatus};
use ui::{Page, render};

use crate::credential_state::{CredentialState, Shown, WayIn};
use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// One credential, how far it is, and what its record says.
#[derive(Clone)]
pub(crate) struct CredentialView {
    /// The record's id.
    pub(crate) id: String,
    /// What it is.
    pub(crate) title: String,
    /// How far it is.
    pub(crate) state: CredentialState,
    /// Whether a credential can be made of the record as it is now: not of one that ended or is deleted.
    pub(crate) can_be_added: bool,
    /// The record's main facts.
    pub(crate) facts: Vec<Row>,
}

#[derive(Template)]
#[template(path = "credential/credential.html")]
struct CredentialPage {
    page: Page,
    session: Option<Session>,
    facts: Vec<Row>,
    word: &'static str,
    status: TaskStatus,
    hint: String,
    after: Option<String>,
    way: Option<(String, String)>,
}

/// Shows the page.
pub(crate) fn show(look: &Look, visitor: &Visitor, view: CredentialView) -> Response {
    let (page, session) = look.frame(visitor, view.title.as_str());
    let way = |step, key| Some((format!("/credentials/{}/{step}", view.id), look.say(key)));
    let way = match view.state.way_in() {
        WayIn::First => way("confirm", "add-to-wallet"),
        WayIn::Again => way("again", "add-to-wallet-again"),
        WayIn::None => None,
    };
    let way = way.filter(|_| view.can_be_added);
    // What a page cannot do, it says: the copy in the wallet stays until the person deletes it.
    let after = match view.state {
        CredentialState::Cancelled { .. } => Some("credential-copy-stays"),
        CredentialState::Checking => Some("credential-checking"),
        _ => None,
    };
    render(&CredentialPage {
        page,
        session,
        word: view.state.word(),
        status: view.state.status(look),
        hint: view.state.hint(look),
        after: after.map(|key| look.say(key)),
        way,
        facts: look.held(view.facts),
    })
}
