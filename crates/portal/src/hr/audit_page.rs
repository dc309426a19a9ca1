//! Who did and saw what, the newest first.

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;
use ui::{Page, render};

use crate::audit::Kind;
use crate::look::Look;
use crate::session::page::Session;

/// One page of rows.
#[derive(Clone)]
pub(crate) struct AuditView {
    /// The id of the employee whom all rows are about.
    pub(crate) about: Option<String>,
    /// Their name.
    pub(crate) name: Option<String>,
    /// The rows.
    pub(crate) entries: Vec<Listed>,
    /// The id below which the next page begins, if there is one.
    pub(crate) older: Option<i64>,
}

/// One row, with names in the place of ids.
#[derive(Clone)]
pub(crate) struct Listed {
    pub(crate) at: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) actor: String,
    pub(crate) about: Option<String>,
    pub(crate) record: Option<String>,
    pub(crate) detail: Option<String>,
}

#[derive(Template)]
#[template(path = "hr/audit.html")]
struct AuditPage {
    page: Page,
    session: Option<Session>,
    /// When, what, who, about whom.
    rows: Vec<[String; 4]>,
    about: Option<String>,
    older: Option<String>,
    export: String,
}

/// Shows the rows.
pub(crate) fn show(look: &Look, view: AuditView) -> Response {
    let title = match &view.name {
        Some(name) => look.say_with("audit-title-about", &[("employee", name)]),
        None => look.say("audit-title"),
    };
    let tab = look.say_with("audit-tab", &[("title", &title)]);
    let address = |path: &str, older: Option<i64>| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(about) = &view.about {
            query.append_pair("about", about);
        }
        if let Some(older) = older {
            query.append_pair("before", &older.to_string());
        }
        match query.finish() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    };
    let page = AuditPage {
        page: look.clone().of_a_sandbox().page(title).with_tab(tab),
        session: None,
        rows: view.entries.iter().map(|entry| entry.row(look)).collect(),
        older: view.older.map(|older| address("/hr/audit", Some(older))),
        export: address("/hr/audit.csv", None),
        about: view.about,
    };
    render(&page)
}

impl Listed {
    fn row(&self, look: &Look) -> [String; 4] {
        let mut what = look.say(self.kind.key());
        let more = [&self.record, &self.detail];
        let more: Vec<&str> = more.into_iter().flatten().map(String::as_str).collect();
        if !more.is_empty() {
            what = format!("{what} ({})", more.join(", "));
        }
        let about = self.about.clone();
        [
            ui::time::date_and_clock(self.at),
            what,
            self.actor.clone(),
            about.unwrap_or_else(|| look.say("audit-everybody")),
        ]
    }
}
