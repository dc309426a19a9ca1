//! A relying party's checklist before it goes live: each item with its evidence and the day.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;
use ui::Page;
use ui::component::{Row, TagColour, Task, TaskStatus};

use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::told_at;
use crate::organisations::errors;
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::proposals::why;
use crate::relying_parties::{PATH, at};
use crate::visit::Visit;

const READ: &str = "registry-read";
const CHANGE: &str = "registry-change";

/// The pages.
#[rustfmt::skip]
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show("/console/relying-parties/{relying_party}/onboarding", READ, get(list))
        .show("/console/relying-parties/{relying_party}/onboarding/{item}", READ, get(look))
        .act("/console/relying-parties/{relying_party}/onboarding/{item}/settle", CHANGE, post(settle))
}

/// The page, or the same as a file.
#[derive(Deserialize)]
struct Asked {
    done: Option<String>,
    form: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Checklist {
    client_id: String,
    settled: usize,
    items: Vec<Item>,
}

#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::struct_field_names)] // as on the wire
struct Item {
    item: String,
    label: String,
    settled: bool,
    #[serde(default)]
    evidence: String,
    #[serde(default)]
    settled_on: String,
    #[serde(default)]
    actor: String,
}

async fn find(visit: &Visit, client_id: &str) -> Result<Checklist, Problem> {
    visit
        .api
        .get(Address::new(&["relying-parties", client_id, "onboarding"]))
        .await
}

fn address(client_id: &str) -> String {
    format!("{}/onboarding", at(client_id))
}

#[derive(Template)]
#[template(path = "onboarding/list.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    at: String,
    settled: String,
    tasks: Vec<Task>,
}

async fn list(
    visit: Visit,
    Path(client_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    if asked.form.as_deref() == Some("csv") {
        let address = Address::new(&["relying-parties", &client_id, "onboarding", "export"]);
        return visit
            .api
            .download(address, &format!("onboarding-{client_id}.csv"))
            .await;
    }
    let list = find(&visit, &client_id).await?;
    let frame = visit
        .frame(PATH, "onboarding-title")
        .done(&visit.app.look, asked.done.as_deref());
    let frame = frame.tab(format!("{} ({client_id})", visit.say("onboarding-title")));
    let (page, frame) = frame.back(at(&client_id), client_id).parts();
    let counts = [
        ("settled", list.settled.to_string()),
        ("all", list.items.len().to_string()),
    ];
    let task = |item: &Item| {
        let (word, colour, hint) = if item.settled {
            let hint = format!("{}: {}", item.settled_on, item.evidence);
            ("onboarding-done", TagColour::Green, hint)
        } else {
            ("onboarding-open", TagColour::Grey, String::new())
        };
        Task::new(&item.label, TaskStatus::Tag(visit.say(word), colour))
            .with_href(format!("{}/{}", address(&list.client_id), item.item))
            .with_hint(hint)
    };
    let page = ListPage {
        page,
        frame,
        settled: visit.say_with(
            "onboarding-settled",
            &counts
                .each_ref()
                .map(|(name, count)| (*name, count.as_str())),
        ),
        tasks: list.items.iter().map(task).collect(),
        at: address(&list.client_id),
    };
    Ok(render(page.frame.status(), &page))
}

#[derive(Template)]
#[template(path = "onboarding/item.html")]
struct ItemPage {
    page: Page,
    frame: Frame,
    at: String,
    item: String,
    rows: Vec<Row>,
    may: bool,
    evidence: String,
    settled_on: String,
    ticket: String,
}

async fn look(
    visit: Visit,
    Path((client_id, item)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let frame = visit.frame(PATH, "onboarding-title");
    one_page(&visit, &client_id, &item, frame, &Fields::default()).await
}

async fn one_page(
    visit: &Visit,
    client_id: &str,
    item: &str,
    frame: Frame,
    fields: &Fields,
) -> Result<Response, Problem> {
    let list = find(visit, client_id).await?;
    let found = list.items.into_iter().find(|known| known.item == item);
    let found = found.ok_or_else(Problem::not_found)?;
    let frame = frame
        .titled(&found.label)
        .tab(format!("{} ({client_id})", found.label));
    let frame = frame.back(address(client_id), visit.say("onboarding-title"));
    let status = frame.status();
    let (page, frame) = frame.parts();
    let text = |field: &str, now: &str| fields.optional(field).unwrap_or(now).to_owned();
    let row = |key: &str, value: &str| Row::new(visit.say(key), value);
    let page = ItemPage {
        page,
        frame,
        rows: if found.settled {
            vec![
                row("field-evidence", &found.evidence),
                row("field-settled_on", &found.settled_on),
                row("version-by", &found.actor),
            ]
        } else {
            Vec::new()
        },
        may: visit.may(CHANGE),
        evidence: text("evidence", &found.evidence),
        settled_on: text("settled_on", &found.settled_on),
        ticket: text("ticket", ""),
        at: address(client_id),
        item: found.item,
    };
    Ok(render(status, &page))
}

async fn settle(
    visit: Visit,
    Path((client_id, item)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut body = why(&fields);
    body["evidence"] = fields.text("evidence").into();
    // What is no day is refused in words of this field's, and not as a body that cannot be read.
    let day = fields.text("settled_on");
    let is_day = day.parse::<jiff::civil::Date>().is_ok();
    body["settled_on"] = day.into();
    let done = if is_day {
        let address = Address::new(&["relying-parties", &client_id, "onboarding", &item]);
        visit.api.put::<Value>(address, &body).await.map(drop)
    } else {
        let errors = FormErrors::one("settled_on", visit.say("onboarding-no-day"));
        let frame = visit.frame(PATH, "onboarding-title").errors(errors);
        return one_page(&visit, &client_id, &item, frame, &fields).await;
    };
    match done {
        Ok(()) => Ok(told_at(&address(&client_id), "onboarding-settled")),
        Err(problem) => {
            let errors = errors(&visit, problem, &["evidence", "settled_on", "ticket"])?;
            let frame = visit.frame(PATH, "onboarding-title").errors(errors);
            one_page(&visit, &client_id, &item, frame, &fields).await
        }
    }
}
