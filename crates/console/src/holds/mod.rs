//! Legal holds, and what retention would remove.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use ui::Page;
use ui::component::Choice;

use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::{Done, told_at};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::proposals::why;
use crate::table::{Cell, Table};
use crate::visit::Visit;

pub(crate) const PATH: &str = "/console/holds";
const READ: &str = "holds-read";
const CHANGE: &str = "holds-change";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(list))
        .act("/console/holds", CHANGE, post(place))
        .act("/console/holds/lift", CHANGE, post(lift))
}

#[derive(Template)]
#[template(path = "holds/holds.html")]
struct HoldsPage {
    page: Page,
    frame: Frame,
    holds: Table,
    rules: Table,
    may_change: bool,
    kinds: Vec<Choice>,
    subject: String,
    reason: String,
    ticket: String,
}

async fn list(visit: Visit, Query(Done { done }): Query<Done>) -> Result<Response, Problem> {
    let frame = visit
        .frame(PATH, "nav-holds")
        .done(&visit.app.look, done.as_deref());
    page(&visit, frame, &Fields::default()).await
}

async fn page(visit: &Visit, frame: Frame, fields: &Fields) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Holds {
        holds: Vec<Hold>,
    }
    #[derive(Deserialize)]
    struct Hold {
        kind: String,
        subject: String,
        reason: String,
        placed_at: Timestamp,
        placed_by: Option<String>,
    }
    let found: Holds = visit.api.get(Address::new(&["holds"])).await?;
    let columns = [
        "hold-kind",
        "hold-subject",
        "reason",
        "hold-placed",
        "hold-by",
    ];
    let columns = columns.map(|key| visit.say(key));
    let mut holds = Table::new(visit.say("nav-holds"), columns, visit.say("holds-none"));
    for hold in found.holds {
        holds.row([
            Cell::text(visit.say(&format!("hold-{}", hold.kind))),
            Cell::text(hold.subject),
            Cell::text(hold.reason),
            Cell::text(ui::time::date_and_clock(hold.placed_at)),
            Cell::text(
                hold.placed_by
                    .unwrap_or_else(|| visit.say("state-not-known")),
            ),
        ]);
    }
    let kind = |kind: &'static str| {
        Choice::new(kind, visit.say(&format!("hold-{kind}"))).chosen(fields.text("kind") == kind)
    };
    let status = frame.status();
    let rules = rules(visit).await?;
    let (page, frame) = frame.wide().parts();
    let page = HoldsPage {
        page,
        frame,
        holds,
        rules,
        may_change: visit.may(CHANGE),
        kinds: vec![kind("organisation"), kind("interaction")],
        subject: fields.text("subject").to_owned(),
        reason: fields.text("reason").to_owned(),
        ticket: fields.text("ticket").to_owned(),
    };
    Ok(render(status, &page))
}

/// What retention would remove; nothing for whoever is confined to one organisation.
async fn rules(visit: &Visit) -> Result<Table, Problem> {
    #[derive(Deserialize)]
    struct Plan {
        rules: Vec<Due>,
    }
    #[derive(Deserialize)]
    struct Due {
        sentence: String,
        rows: i64,
        held: i64,
    }
    let columns = ["rule", "rule-rows", "rule-held"].map(|key| visit.say(key));
    let mut table = Table::new(visit.say("rules-title"), columns, visit.say("rules-whole"));
    let plan = visit
        .api
        .get::<Plan>(Address::new(&["retention", "plan"]))
        .await;
    match plan {
        Ok(plan) => {
            for due in plan.rules {
                table.row([
                    Cell::text(due.sentence),
                    Cell::text(due.rows.to_string()),
                    Cell::text(due.held.to_string()),
                ]);
            }
        }
        Err(problem) if problem.status.as_u16() == 404 => {}
        Err(problem) => return Err(problem),
    }
    Ok(table)
}

async fn place(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    change(visit, fields, &["holds"], "hold-placed").await
}

async fn lift(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    change(visit, fields, &["holds", "lift"], "hold-lifted").await
}

async fn change(
    visit: Visit,
    fields: Fields,
    steps: &[&str],
    done: &str,
) -> Result<Response, Problem> {
    let kind = match fields.text("kind") {
        "interaction" => "interaction",
        _ => "organisation",
    };
    let mut body = why(&fields);
    body["reason"] = fields.text("reason").into();
    body[kind] = fields.text("subject").into();
    match visit.api.post::<Value>(Address::new(steps), &body).await {
        Ok(_) => Ok(told_at(PATH, done)),
        Err(problem) => {
            let errors = if problem.status.as_u16() == 404 {
                FormErrors::one("subject", visit.say("hold-unknown"))
            } else {
                let label = |name: &str| {
                    visit.say(if name == "subject" {
                        "hold-subject"
                    } else {
                        name
                    })
                };
                problem.for_form(&["subject", "reason", "ticket"], label)?
            };
            let frame = visit.frame(PATH, "nav-holds").errors(errors);
            page(&visit, frame, &fields).await
        }
    }
}
