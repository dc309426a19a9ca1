//! The sandbox's HR office: the people, their records, and what has not arrived.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use ui::component::{FieldError, Row, Task, TaskStatus};
use ui::headers::Policy;
use ui::{Page, render, render_with};

use super::lists::{MayStillHold, NotArrived};
use crate::credential_state::{CredentialState, Shown};
use crate::look::Look;
use crate::session::page::Session;

/// Everybody, and what waits.
#[derive(Clone)]
pub(crate) struct HrView {
    /// The employees.
    pub(crate) employees: Vec<Employee>,
    /// Revocations and mails that wait or failed.
    pub(crate) not_arrived: Vec<NotArrived>,
    /// People who may still hold a cancelled credential and do not know.
    pub(crate) may_still_hold: Vec<MayStillHold>,
    /// What was just done, to be said once.
    pub(crate) news: Option<HrNews>,
}

/// One employee of the sandbox.
#[derive(Clone)]
pub(crate) struct Employee {
    /// Their name on record.
    pub(crate) name: String,
    /// What they log in with.
    pub(crate) username: String,
    /// Whether the staff passport applies to them.
    pub(crate) passport_applies: bool,
    /// Their records.
    pub(crate) records: Vec<Record>,
}

/// One record of an employee.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its id.
    pub(crate) id: String,
    /// What its credential is called.
    pub(crate) title: String,
    /// How far its credential is.
    pub(crate) state: CredentialState,
}

/// One record to edit.
#[derive(Clone)]
pub(crate) struct RecordView {
    /// Its id.
    pub(crate) id: String,
    /// What its credential is called.
    pub(crate) title: String,
    /// Whose it is.
    pub(crate) employee: String,
    /// How far its credential is, where there is one to speak of.
    pub(crate) state: Option<CredentialState>,
    /// The last day, once it has ended.
    pub(crate) ended_on: Option<Date>,
    /// What can be changed, in order.
    pub(crate) fields: Vec<Field>,
    /// The token of the page's forms.
    pub(crate) csrf: String,
    /// What was just done, to be said once.
    pub(crate) news: Option<HrNews>,
}

/// One field of a record.
#[derive(Clone)]
pub(crate) struct Field {
    /// Its name in the form, which is also its id.
    pub(crate) name: String,
    /// What the person reads.
    pub(crate) label: String,
    /// What it says.
    pub(crate) value: String,
    /// What is wrong with it, or nothing.
    pub(crate) error: String,
}

/// What was just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HrNews {
    /// The record was saved.
    Saved,
    /// The record was ended.
    Ended,
    /// The record was deleted.
    Deleted,
}

#[derive(Template)]
#[template(path = "hr/people.html")]
struct PeoplePage {
    page: Page,
    session: Option<Session>,
    news: Option<String>,
    employees: Vec<(Employee, String, Vec<Task>)>,
    not_arrived: Vec<(String, Vec<Row>)>,
    may_still_hold: Vec<(String, Vec<Row>)>,
}

#[derive(Template)]
#[template(path = "hr/record.html")]
struct RecordPage {
    page: Page,
    session: Option<Session>,
    news: Option<String>,
    view: RecordView,
    state: Option<(&'static str, TaskStatus)>,
    ended: Option<String>,
    errors: Vec<FieldError>,
}

/// Shows the people and what has not arrived.
pub(crate) fn show(look: &Look, view: HrView) -> Response {
    let employees = view.employees.into_iter().map(|employee| {
        let tasks = employee.records.iter().map(|record| record.task(look));
        let (tasks, ids) = (tasks.collect(), format!("records-{}", employee.username));
        (employee, ids, tasks)
    });
    render(&PeoplePage {
        page: page(look, look.say("hr-title")),
        session: None,
        news: view.news.map(|news| news.text(look)),
        employees: employees.collect(),
        not_arrived: view.not_arrived.iter().map(|one| one.card(look)).collect(),
        may_still_hold: view
            .may_still_hold
            .iter()
            .map(|one| one.card(look))
            .collect(),
    })
}

/// Shows one record with its fields.
pub(crate) fn show_record(look: &Look, view: RecordView) -> Response {
    let wrong = view.fields.iter().filter(|field| !field.error.is_empty());
    let errors: Vec<FieldError> = wrong
        .map(|field| FieldError {
            text: field.error.clone(),
            href: format!("#{}", field.name),
        })
        .collect();
    let tab = [("title", view.title.as_str()), ("employee", &view.employee)];
    let page = page(look, view.title.as_str());
    let mut page = page.with_tab(look.say_with("hr-record-tab", &tab));
    let mut status = StatusCode::OK;
    if !errors.is_empty() {
        page = page.with_errors();
        status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let page = RecordPage {
        page,
        session: None,
        news: view.news.map(|news| news.text(look)),
        ended: view.ended_on.map(|day| {
            let when = ui::time::civil_date(day);
            look.say_with("hr-ended-on", &[("when", &when)])
        }),
        errors,
        state: view
            .state
            .as_ref()
            .map(|state| (state.word(), state.status(look))),
        view,
    };
    render_with(status, &page, &Policy::new())
}

/// These pages are in a sandbox only, whatever the rest of the portal is.
fn page(look: &Look, title: impl Into<String>) -> Page {
    look.clone().of_a_sandbox().page(title)
}

impl RecordView {
    fn path(&self, step: &str) -> String {
        format!("/hr/records/{}{step}", self.id)
    }
}

impl Record {
    fn task(&self, look: &Look) -> Task {
        Task::new(self.title.as_str(), self.state.status(look))
            .with_href(format!("/hr/records/{}", self.id))
            .marked(format!("record-{}", self.id), self.state.word())
    }
}

impl HrNews {
    fn text(self, look: &Look) -> String {
        match self {
            Self::Saved => look.say("hr-saved"),
            Self::Ended => look.say("hr-ended"),
            Self::Deleted => look.say("hr-deleted"),
        }
    }
}
