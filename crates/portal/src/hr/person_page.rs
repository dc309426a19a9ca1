//! What HR has of an employee: what an identity is compared with, and where mails go.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use ui::component::FieldError;
use ui::headers::Policy;
use ui::{Page, render_with};

use super::page::Field;
use crate::look::Look;
use crate::session::page::Session;

/// One employee to edit.
#[derive(Clone)]
pub(crate) struct PersonView {
    /// What they log in with: the key of the page.
    pub(crate) username: String,
    /// Their id.
    pub(crate) id: String,
    /// Their name on record.
    pub(crate) name: String,
    /// What can be changed, in order.
    pub(crate) fields: Vec<Field>,
    /// The token of the form.
    pub(crate) csrf: String,
    /// Whether it was just saved.
    pub(crate) is_saved: bool,
}

#[derive(Template)]
#[template(path = "hr/person.html")]
struct PersonPage {
    page: Page,
    session: Option<Session>,
    view: PersonView,
    news: Option<String>,
    errors: Vec<FieldError>,
}

/// Shows the form.
pub(crate) fn show(look: &Look, view: PersonView) -> Response {
    let tab = look.say_with("hr-person-tab", &[("employee", &view.name)]);
    let page = look.clone().of_a_sandbox().page(view.name.as_str());
    let mut page = page.with_tab(tab);
    let mut status = StatusCode::OK;
    let wrong = view.fields.iter().filter(|field| !field.error.is_empty());
    let errors: Vec<FieldError> = wrong
        .map(|field| FieldError {
            text: field.error.clone(),
            href: format!("#{}", field.name),
        })
        .collect();
    if !errors.is_empty() {
        page = page.with_errors();
        status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let page = PersonPage {
        page,
        session: None,
        news: view.is_saved.then(|| look.say("hr-person-saved")),
        view,
        errors,
    };
    render_with(status, &page, &Policy::new())
}
