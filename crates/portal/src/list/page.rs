//! The list of credentials (screens E3).

use askama::Template;
use axum::response::Response;
use ui::component::Task;
use ui::{Page, render};

use crate::credential_state::{CredentialState, Shown};
use crate::look::{Look, Visitor};
use crate::session::page::Session;

/// Everything that the person holds a record of.
#[derive(Debug, Clone)]
pub(crate) struct ListView {
    /// In the order in which they are shown.
    pub(crate) credentials: Vec<Listed>,
}

/// One line of the list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// The record's id.
    pub(crate) id: String,
    /// What it is, such as `Fire safety training`.
    pub(crate) title: String,
    /// How far it is.
    pub(crate) state: CredentialState,
}

#[derive(Template)]
#[template(path = "list/list.html")]
struct ListPage {
    page: Page,
    session: Option<Session>,
    news: Option<String>,
    tasks: Vec<Task>,
}

/// Shows the page.
pub(crate) fn show(look: &Look, visitor: &Visitor, view: &ListView) -> Response {
    let (page, session) = look.frame(visitor, look.say("list-title"));
    render(&ListPage {
        page,
        session,
        news: cancelled(look, &view.credentials),
        tasks: view
            .credentials
            .iter()
            .map(|listed| listed.task(look))
            .collect(),
    })
}

/// What was cancelled is told above the list, by name.
fn cancelled(look: &Look, credentials: &[Listed]) -> Option<String> {
    let mut cancelled = credentials
        .iter()
        .filter(|listed| matches!(listed.state, CredentialState::Cancelled { .. }));
    let first = cancelled.next()?;
    Some(match cancelled.count() {
        0 => look.say_with("list-one-cancelled", &[("title", &first.title)]),
        more => {
            let count = (more + 1).to_string();
            look.say_with("list-several-cancelled", &[("count", &count)])
        }
    })
}

impl Listed {
    fn task(&self, look: &Look) -> Task {
        let id = format!("credential-{}", self.id);
        let task = Task::new(self.title.as_str(), self.state.status(look))
            .with_hint(self.state.hint(look))
            .marked(id, self.state.word());
        if self.state.can_be_opened() {
            task.with_href(format!("/credentials/{}", self.id))
        } else {
            task
        }
    }
}
