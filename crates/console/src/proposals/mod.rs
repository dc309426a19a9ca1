//! What is proposed, what became of it, and the second person's word.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use ui::Page;
use ui::component::{Row, TagColour};

use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, Link, show as render};
use crate::home::{Done, told_at};
use crate::operators;
use crate::pages::Pages;
use crate::problem::Problem;
use crate::sections::{News, Pending, State};
use crate::table::{Cell, Table};
use crate::visit::Visit;

pub(crate) const PATH: &str = "/console/proposals";
const READ: &str = "proposals-read";
const DECIDE: &str = "proposals-decide";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(list))
        .show("/console/proposals/{proposal}", READ, get(look))
        .act(
            "/console/proposals/{proposal}/approve",
            DECIDE,
            post(approve),
        )
        .act(
            "/console/proposals/{proposal}/decline",
            DECIDE,
            post(decline),
        )
}

/// A proposal as the API gives it.
#[derive(Clone, Debug, Deserialize)]
struct Proposal {
    id: String,
    act: String,
    organisation: Option<String>,
    object: String,
    detail: Value,
    reason: Option<String>,
    ticket: Option<String>,
    state: String,
    proposed_by: String,
    proposed_at: Timestamp,
    expires_at: Timestamp,
    decided_by: Option<String>,
    decided_at: Option<Timestamp>,
    decision_reason: Option<String>,
}

/// A proposal that was just made: where it is to be seen, as something just done.
pub(crate) async fn propose(
    visit: &Visit,
    act: &str,
    detail: Value,
    fields: &Fields,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Made {
        id: String,
    }
    let mut body = why(fields);
    body["act"] = act.into();
    body["detail"] = detail;
    let Made { id } = visit.api.post(Address::new(&["proposals"]), &body).await?;
    Ok(told_at(&format!("{PATH}/{id}"), "proposed"))
}

/// What came of what one person does where nobody relies on it yet; where somebody does, it is proposed.
pub(crate) async fn or_propose(
    visit: &Visit,
    done: Result<Response, Problem>,
    (act, detail): (&str, Value),
    fields: &Fields,
) -> Result<Response, Problem> {
    match done {
        Err(problem) if problem.code == "two-persons-needed" => {
            propose(visit, act, detail, fields).await
        }
        done => done,
    }
}

/// Reason and ticket of a form, as far as they are given.
pub(crate) fn why(fields: &Fields) -> Value {
    let mut why = json!({});
    for name in ["reason", "ticket"] {
        if let Some(text) = fields.optional(name) {
            why[name] = text.into();
        }
    }
    why
}

/// What an act is called; one that this version does not know, as it is written.
fn act(visit: &Visit, code: &str) -> String {
    let known = visit.app.look.say_if_known(&format!("act-{code}"));
    known.unwrap_or_else(|| code.to_owned())
}

fn state(visit: &Visit, state: &str) -> (String, TagColour) {
    let colour = match state {
        "open" => TagColour::Yellow,
        "approved" => TagColour::Green,
        "declined" => TagColour::Red,
        _ => TagColour::Grey,
    };
    let known = visit.app.look.say_if_known(&format!("proposal-{state}"));
    (known.unwrap_or_else(|| state.to_owned()), colour)
}

/// How many wait for somebody else, and how many of one's own.
pub(crate) fn news(visit: Visit) -> Pending<Vec<News>> {
    Box::pin(async move {
        let open = of_state(&visit, "open").await?;
        let own = open
            .iter()
            .filter(|one| one.proposed_by == visit.operator.id)
            .count();
        let others = open.len() - own;
        let line = |count: usize, key: &str, state| News {
            title: visit.say_with(key, &[("count", &count.to_string())]),
            hint: String::new(),
            href: Some(PATH.to_owned()),
            state,
            word: visit.say(if state == State::Waits {
                "proposals-waiting"
            } else {
                "proposals-yours"
            }),
        };
        let mut news = Vec::new();
        if others > 0 && visit.may(DECIDE) {
            news.push(line(others, "proposals-news", State::Waits));
        }
        if own > 0 {
            news.push(line(own, "proposals-news-own", State::Well));
        }
        Ok(news)
    })
}

async fn of_state(visit: &Visit, state: &str) -> Result<Vec<Proposal>, Problem> {
    #[derive(Deserialize)]
    struct Found {
        proposals: Vec<Proposal>,
    }
    let address = Address::new(&["proposals"]).with("state", state);
    let found: Found = visit.api.get(address).await?;
    Ok(found.proposals)
}

/// What can be asked for; the first is what is shown if nothing is.
const STATES: [&str; 5] = ["open", "approved", "declined", "expired", "all"];

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    state: String,
}

#[derive(Template)]
#[template(path = "proposals/list.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    states: Vec<Link>,
    list: Table,
}

async fn list(visit: Visit, Query(which): Query<Which>) -> Result<Response, Problem> {
    let shown = STATES.into_iter().find(|state| *state == which.state);
    let shown = shown.unwrap_or(STATES[0]);
    let asked = if shown == "all" { "" } else { shown };
    let names = operators::names(&visit).await?;
    let columns = [
        "proposal-act",
        "proposal-object",
        "proposal-by",
        "proposal-at",
        "state",
    ];
    let mut list = Table::new(
        visit.say("nav-proposals"),
        columns.map(|key| visit.say(key)),
        visit.say("proposals-empty"),
    );
    for one in of_state(&visit, asked).await? {
        let (text, colour) = state(&visit, &one.state);
        list.row([
            Cell::link(act(&visit, &one.act), format!("{PATH}/{}", one.id)).about(&one.object),
            Cell::text(named(&names, &one.object)),
            Cell::text(name(&names, &one.proposed_by)),
            Cell::text(ui::time::date_and_clock(one.proposed_at)),
            Cell::tag(text, colour),
        ]);
    }
    let frame = visit.frame(PATH, "nav-proposals").wide();
    let (page, frame) = frame.parts();
    let link = |state: &'static str| Link {
        href: LINKS[STATES.iter().position(|known| *known == state).unwrap_or(0)],
        text: visit.say(&format!("proposal-{state}")),
        is_here: state == shown,
    };
    let page = ListPage {
        states: STATES.into_iter().map(link).collect(),
        page,
        frame,
        list,
    };
    Ok(render(page.frame.status(), &page))
}

const LINKS: [&str; 5] = [
    "/console/proposals",
    "/console/proposals?state=approved",
    "/console/proposals?state=declined",
    "/console/proposals?state=expired",
    "/console/proposals?state=all",
];

/// `operator:op-…` with the operator's name in the place of the id, where it is known.
fn named(names: &BTreeMap<String, String>, object: &str) -> String {
    match object.split_once(':') {
        Some(("operator", id)) => name(names, id),
        Some((_, id)) => id.to_owned(),
        None => object.to_owned(),
    }
}

/// The name of that operator, or the id.
pub(crate) fn name(names: &BTreeMap<String, String>, id: &str) -> String {
    names.get(id).cloned().unwrap_or_else(|| id.to_owned())
}

#[derive(Template)]
#[template(path = "proposals/proposal.html")]
struct ProposalPage {
    page: Page,
    frame: Frame,
    id: String,
    state: (String, TagColour),
    rows: Vec<Row>,
    detail: Vec<Row>,
    /// What it costs, where that must be read first.
    costs: String,
    /// What it changes, line by line, as far as the act says so.
    difference: Vec<String>,
    /// Whether it is the visitor's to approve, and to decline.
    may_approve: bool,
    may_decline: bool,
    reason: String,
    ticket: String,
}

async fn look(
    visit: Visit,
    Path(id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Problem> {
    let frame = visit
        .frame(PATH, "nav-proposals")
        .done(&visit.app.look, done.as_deref());
    page(&visit, &id, frame, &Fields::default()).await
}

async fn page(visit: &Visit, id: &str, frame: Frame, fields: &Fields) -> Result<Response, Problem> {
    let proposal: Proposal = visit.api.get(Address::new(&["proposals", id])).await?;
    let names = operators::names(visit).await?;
    let title = act(visit, &proposal.act);
    let tab = format!("{title} ({id})");
    let status = frame.status();
    let frame = frame
        .titled(title)
        .tab(tab)
        .back(PATH, visit.say("nav-proposals"));
    let (page, frame) = frame.parts();
    let is_open = proposal.state == "open" && visit.may(DECIDE);
    let is_own = proposal.proposed_by == visit.operator.id;
    let page = ProposalPage {
        page,
        frame,
        state: state(visit, &proposal.state),
        rows: rows(visit, &proposal, &names),
        detail: detail(visit, &proposal.detail),
        costs: costs(visit, &proposal),
        difference: difference(&proposal.detail),
        may_approve: is_open && !is_own,
        may_decline: is_open,
        reason: fields.text("reason").to_owned(),
        ticket: fields.text("ticket").to_owned(),
        id: proposal.id,
    };
    Ok(render(status, &page))
}

fn rows(visit: &Visit, proposal: &Proposal, names: &BTreeMap<String, String>) -> Vec<Row> {
    let when = ui::time::date_and_clock;
    let organisation = proposal.organisation.clone();
    let organisation = organisation.unwrap_or_else(|| visit.say("whole-gateway"));
    let mut rows = vec![
        Row::new(visit.say("proposal-id"), &proposal.id),
        Row::new(visit.say("proposal-object"), named(names, &proposal.object)),
        Row::new(visit.say("organisation"), organisation),
        Row::new(visit.say("proposal-by"), name(names, &proposal.proposed_by)),
        Row::new(visit.say("proposal-at"), when(proposal.proposed_at)),
        Row::new(
            visit.say("reason"),
            proposal.reason.clone().unwrap_or_else(|| visit.say("none")),
        ),
        Row::new(
            visit.say("ticket"),
            proposal.ticket.clone().unwrap_or_else(|| visit.say("none")),
        ),
    ];
    if proposal.state == "open" {
        rows.push(Row::new(
            visit.say("proposal-until"),
            when(proposal.expires_at),
        ));
    }
    if let Some(at) = proposal.decided_at {
        let by = proposal.decided_by.as_ref();
        let by = by.map_or_else(|| visit.say("nobody"), |id| name(names, id));
        rows.push(Row::new(visit.say("proposal-decided-by"), by));
        rows.push(Row::new(visit.say("proposal-decided-at"), when(at)));
    }
    if let Some(reason) = &proposal.decision_reason {
        rows.push(Row::new(visit.say("proposal-decision-reason"), reason));
    }
    rows
}

/// The lines of a change, as the gateway compared what is with what is to be.
fn difference(detail: &Value) -> Vec<String> {
    let lines = detail["lines"].as_array().into_iter().flatten();
    let lines = lines.filter_map(Value::as_str).map(str::to_owned);
    lines.collect()
}

/// What dies with a key that is removed although credentials in force need it.
fn costs(visit: &Visit, proposal: &Proposal) -> String {
    match proposal.detail["in_force"].as_i64() {
        Some(count) if count > 0 && proposal.act == "key-remove" => {
            visit.say_with("proposal-removes-text", &[("count", &count.to_string())])
        }
        _ => String::new(),
    }
}

/// What exactly would be done, as the act has it: whoever approves sees all of it that says something.
fn detail(visit: &Visit, detail: &Value) -> Vec<Row> {
    let members = detail.as_object().into_iter().flatten();
    let members = members.filter(|(name, _)| *name != "lines");
    let plain = |name: &str, value: &Value| match value {
        _ if name == "sealed" => visit.say("proposal-sealed"),
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    members
        .map(|(name, value)| Row::new(name, plain(name, value)))
        .collect()
}

async fn approve(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    decide(visit, id, fields, "approve").await
}

async fn decline(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    decide(visit, id, fields, "decline").await
}

async fn decide(visit: Visit, id: String, fields: Fields, how: &str) -> Result<Response, Problem> {
    let address = Address::new(&["proposals", &id, how]);
    match visit.api.post::<Value>(address, &why(&fields)).await {
        Ok(_) => Ok(told_at(&format!("{PATH}/{id}"), &format!("{how}d"))),
        Err(problem) => {
            let errors = problem.for_form(&["reason", "ticket"], |name| visit.say(name))?;
            let frame = visit.frame(PATH, "nav-proposals").errors(errors);
            page(&visit, &id, frame, &fields).await
        }
    }
}
