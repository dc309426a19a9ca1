//! One credential by its serial number: how it stands, what was done to it, and what is done now.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use ui::Page;
use ui::component::{Choice, Row, TagColour};

use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::{Done, told_at};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::table::{Cell, Table};
use crate::visit::Visit;
use crate::{bulk, interactions};

pub(crate) const PATH: &str = "/console/credentials";
const READ: &str = "credentials-read";
const REVOKE: &str = "credentials-revoke";

/// The closed list of reasons.
const REASONS: [&str; 10] = [
    "data-error",
    "left-employment",
    "no-longer-qualified",
    "superseded",
    "lost-device",
    "key-compromise",
    "issued-in-error",
    "deceased",
    "under-review",
    "other",
];

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(begin))
        .act("/console/credentials", READ, post(find))
        .show("/console/credentials/{credential}", READ, get(look))
        .act(
            "/console/credentials/{credential}/revoke",
            REVOKE,
            post(revoke),
        )
        .act(
            "/console/credentials/{credential}/suspend",
            REVOKE,
            post(suspend),
        )
        .act(
            "/console/credentials/{credential}/reinstate",
            REVOKE,
            post(reinstate),
        )
        .and(bulk::pages())
}

/// The reasons as choices, that one chosen.
pub(crate) fn reasons(visit: &Visit, chosen: &str) -> Vec<Choice> {
    let choice = |code: &&'static str| {
        Choice::new(*code, visit.say(&format!("revoke-{code}"))).chosen(*code == chosen)
    };
    let first = Choice::new("", visit.say("revoke-choose")).chosen(chosen.is_empty());
    std::iter::once(first)
        .chain(REASONS.iter().map(choice))
        .collect()
}

/// A reason as people read it; one that this version does not know, as it is written.
pub(crate) fn reason(visit: &Visit, code: &str) -> String {
    let known = visit.app.look.say_if_known(&format!("revoke-{code}"));
    known.unwrap_or_else(|| code.to_owned())
}

#[derive(Template)]
#[template(path = "credentials/find.html")]
struct FindPage {
    page: Page,
    frame: Frame,
    serial_number: String,
}

fn find_page(frame: Frame, serial_number: &str) -> Response {
    let (page, frame) = frame.parts();
    let page = FindPage {
        page,
        frame,
        serial_number: serial_number.to_owned(),
    };
    render(page.frame.status(), &page)
}

async fn begin(visit: Visit) -> Response {
    find_page(visit.frame(PATH, "nav-credentials"), "")
}

/// The serial number of what is there: an address is kept by browsers, and a slip of the pen is not put into one.
async fn find(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let sent = fields.text("serial_number");
    let address = Address::new(&["credentials", if sent.is_empty() { "-" } else { sent }]);
    match visit.api.get::<Credential>(address).await {
        Ok(found) => Ok(Redirect::to(&format!("{PATH}/{}", found.serial_number)).into_response()),
        Err(problem) if problem.status.as_u16() == 404 => {
            let errors = FormErrors::one("serial_number", visit.say("credential-unknown"));
            let frame = visit.frame(PATH, "nav-credentials").errors(errors);
            Ok(find_page(frame, sent))
        }
        Err(problem) => Err(problem),
    }
}

/// A credential as the API gives it.
#[derive(Deserialize)]
#[allow(clippy::struct_field_names)] // as on the wire
struct Credential {
    serial_number: String,
    organisation: String,
    client_id: String,
    credential_type: String,
    format: String,
    state: String,
    issued_at: Timestamp,
    expires_at: Option<Timestamp>,
    key: Option<String>,
    reference: Option<String>,
    history: Vec<Happened>,
}

#[derive(Deserialize)]
struct Happened {
    at: Timestamp,
    what: String,
    cause: Option<String>,
    reason: Option<String>,
}

#[derive(Template)]
#[template(path = "credentials/credential.html")]
struct CredentialPage {
    page: Page,
    frame: Frame,
    serial_number: String,
    state: (String, TagColour),
    rows: Vec<Row>,
    interaction: Option<(String, String)>,
    history: Table,
    may_revoke: bool,
    is_suspended: bool,
    reasons: Vec<Choice>,
    note: String,
    ticket: String,
}

async fn look(
    visit: Visit,
    Path(id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Problem> {
    let frame = visit
        .frame(PATH, "credential")
        .done(&visit.app.look, done.as_deref());
    page(&visit, &id, frame, &Fields::default()).await
}

async fn page(visit: &Visit, id: &str, frame: Frame, fields: &Fields) -> Result<Response, Problem> {
    let found: Credential = visit.api.get(Address::new(&["credentials", id])).await?;
    let when = ui::time::date_and_clock;
    let mut rows = vec![
        Row::new(visit.say("serial-number"), &found.serial_number),
        Row::new(visit.say("credential-type"), &found.credential_type),
        Row::new(visit.say("organisation"), &found.organisation),
        Row::new(visit.say("credential-client"), &found.client_id),
        Row::new(visit.say("credential-format"), &found.format),
        Row::new(visit.say("credential-issued"), when(found.issued_at)),
    ];
    rows.extend(
        found
            .expires_at
            .map(|at| Row::new(visit.say("credential-expires"), when(at))),
    );
    rows.extend(found.key.map(|key| Row::new(visit.say("key-id"), key)));
    let columns = ["happened-at", "happened-what", "happened-cause", "reason"];
    let columns = columns.map(|key| visit.say(key));
    let mut history = Table::new(visit.say("credential-history"), columns, visit.say("none"));
    for one in &found.history {
        let cause = one
            .cause
            .as_deref()
            .map(|cause| visit.say(&format!("cause-{cause}")));
        let why = one.reason.as_deref().map(|code| reason(visit, code));
        history.row([
            Cell::text(when(one.at)),
            Cell::text(visit.say(&format!("happened-{}", one.what))),
            Cell::text(cause.unwrap_or_else(|| "–".to_owned())),
            Cell::text(why.unwrap_or_else(|| "–".to_owned())),
        ]);
    }
    let colour = match found.state.as_str() {
        "in-force" => TagColour::Green,
        "suspended" => TagColour::Yellow,
        "revoked" => TagColour::Red,
        _ => TagColour::Grey,
    };
    let is_open = matches!(found.state.as_str(), "in-force" | "suspended");
    let status = frame.status();
    let tab = format!("{} {}", visit.say("credential"), found.serial_number);
    let (page, frame) = frame
        .tab(tab)
        .back(PATH, visit.say("nav-credentials"))
        .parts();
    let reference = found.reference.filter(|_| visit.may("interactions-read"));
    let page = CredentialPage {
        page,
        frame,
        state: (visit.say(&format!("credential-{}", found.state)), colour),
        rows,
        interaction: reference.map(|one| (format!("{}/{one}", interactions::PATH), one)),
        history,
        may_revoke: is_open && visit.may(REVOKE),
        is_suspended: found.state == "suspended",
        reasons: reasons(visit, fields.text("reason")),
        note: fields.text("note").to_owned(),
        ticket: fields.text("ticket").to_owned(),
        serial_number: found.serial_number,
    };
    Ok(render(status, &page))
}

async fn revoke(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    change(visit, id, fields, ("revoke", "credential-revoked")).await
}

async fn suspend(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    change(visit, id, fields, ("suspend", "credential-suspended")).await
}

async fn reinstate(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    change(visit, id, fields, ("reinstate", "credential-reinstated")).await
}

async fn change(
    visit: Visit,
    id: String,
    fields: Fields,
    (act, done): (&str, &str),
) -> Result<Response, Problem> {
    if !REASONS.contains(&fields.text("reason")) {
        let errors = FormErrors::one("reason", visit.say("revoke-choose-one"));
        let frame = visit.frame(PATH, "credential").errors(errors);
        return page(&visit, &id, frame, &fields).await;
    }
    let mut body = serde_json::json!({ "reason": fields.text("reason") });
    for name in ["note", "ticket"] {
        if let Some(text) = fields.optional(name) {
            body[name] = text.into();
        }
    }
    let address = Address::new(&["credentials", &id, act]);
    match visit.api.post::<Value>(address, &body).await {
        Ok(_) => Ok(told_at(&format!("{PATH}/{id}"), done)),
        Err(problem) => {
            let label = |name: &str| visit.say(if name == "note" { "revoke-note" } else { name });
            let errors = problem.for_form(&["reason", "note", "ticket"], label)?;
            let frame = visit.frame(PATH, "credential").errors(errors);
            page(&visit, &id, frame, &fields).await
        }
    }
}
