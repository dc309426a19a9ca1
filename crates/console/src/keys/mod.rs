//! Signing keys: how old each is, what comes next, and what it would mean before it is done.

mod key;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use ui::Page;
use ui::component::{Row, TagColour};

use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::{Done, told_at};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::proposals::{propose, why};
use crate::sections::{News, Pending, State};
use crate::table::{Cell, Table};
use crate::visit::Visit;
use key::{Key, OLD, keys, needed, next_step, rough, state};

pub(crate) const PATH: &str = "/console/keys";
const READ: &str = "keys-read";
const CHANGE: &str = "keys-change";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(list))
        .act("/console/keys/create", CHANGE, post(create))
        .show("/console/keys/{key}", READ, get(look))
        .act("/console/keys/{key}/activate", CHANGE, post(activate))
        .act("/console/keys/{key}/verify-only", CHANGE, post(retire))
        .act("/console/keys/{key}/remove", CHANGE, post(remove))
        .show("/console/keys/{key}/compromise", READ, get(plan))
        .act("/console/keys/{key}/compromise", CHANGE, post(compromise))
}

/// Keys that wait to be activated, and keys that are old.
pub(crate) fn news(visit: Visit) -> Pending<Vec<News>> {
    Box::pin(async move {
        if !visit.may(CHANGE) {
            return Ok(Vec::new());
        }
        let keys = keys(&visit, false).await?;
        // Published for seven days.
        let ripe = |key: &&Key| key.state == "next" && key.days_in_state >= 7;
        let old = |key: &&Key| key.state == "active" && key.days_in_state >= OLD;
        let line = |count: usize, text: &str| News {
            title: visit.say_with(text, &[("count", &count.to_string())]),
            hint: String::new(),
            href: Some(PATH.to_owned()),
            state: State::Waits,
            word: visit.say("keys-look"),
        };
        let (ripe, old) = (
            keys.iter().filter(ripe).count(),
            keys.iter().filter(old).count(),
        );
        let ends = |key: &&Key| key.certificate_ends_soon().is_some();
        let ends = keys.iter().filter(ends).count();
        let mut news = Vec::new();
        if ends > 0 {
            news.push(line(ends, "keys-news-certificate"));
        }
        if ripe > 0 {
            news.push(line(ripe, "keys-news-ripe"));
        }
        if old > 0 {
            news.push(line(old, "keys-news-old"));
        }
        Ok(news)
    })
}

#[derive(Template)]
#[template(path = "keys/list.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    list: Table,
    all: bool,
    may_change: bool,
    place: String,
    reason: String,
    ticket: String,
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    all: bool,
    done: Option<String>,
}

async fn list(visit: Visit, Query(which): Query<Which>) -> Result<Response, Problem> {
    let frame = visit
        .frame(PATH, "nav-keys")
        .done(&visit.app.look, which.done.as_deref());
    list_page(&visit, which.all, frame, &Fields::default()).await
}

async fn list_page(
    visit: &Visit,
    all: bool,
    frame: Frame,
    fields: &Fields,
) -> Result<Response, Problem> {
    let columns = ["key-place", "state", "key-days", "key-step", "key-id"];
    let columns = columns.map(|key| visit.say(key));
    let mut list = Table::new(visit.say("nav-keys"), columns, visit.say("keys-empty"));
    for key in keys(visit, all).await? {
        let (text, colour) = state(visit, &key.state);
        list.row([
            Cell::text(&key.place).whole(),
            Cell::tag(text, colour),
            Cell::text(key.days_in_state.to_string()),
            Cell::text(next_step(visit, &key)),
            Cell::link(short(&key.id), format!("{PATH}/{}", key.id))
                .whole()
                .about(&key.place),
        ]);
    }
    let (page, frame) = frame.wide().parts();
    let page = ListPage {
        page,
        frame,
        list,
        all,
        may_change: visit.may(CHANGE),
        place: fields.text("place").to_owned(),
        reason: fields.text("reason").to_owned(),
        ticket: fields.text("ticket").to_owned(),
    };
    Ok(render(page.frame.status(), &page))
}

/// The beginning of an id, which tells keys apart.
pub(crate) fn short(id: &str) -> String {
    format!("{}…", id.chars().take(12).collect::<String>())
}

async fn create(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let mut body = why(&fields);
    body["place"] = fields.text("place").into();
    match visit
        .api
        .post::<Value>(Address::new(&["keys"]), &body)
        .await
    {
        Ok(_) => Ok(told_at(PATH, "key-made")),
        Err(problem) if problem.status.as_u16() == 404 => {
            let errors = FormErrors::one("place", visit.say("key-place-unknown"));
            let frame = visit.frame(PATH, "nav-keys").errors(errors);
            list_page(&visit, false, frame, &fields).await
        }
        Err(problem) => {
            let errors = problem.for_form(&["place"], |_| visit.say("key-place"))?;
            let frame = visit.frame(PATH, "nav-keys").errors(errors);
            list_page(&visit, false, frame, &fields).await
        }
    }
}

#[derive(Template)]
#[template(path = "keys/key.html")]
#[allow(clippy::struct_excessive_bools)] // one for each button
struct KeyPage {
    page: Page,
    frame: Frame,
    id: String,
    state: (String, TagColour),
    step: String,
    rows: Vec<Row>,
    documents: Vec<String>,
    may_activate: bool,
    may_retire: bool,
    may_remove: bool,
    may_compromise: bool,
    reason: String,
    ticket: String,
}

async fn look(
    visit: Visit,
    Path(id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Problem> {
    let frame = visit
        .frame(PATH, "nav-keys")
        .done(&visit.app.look, done.as_deref());
    key_page(&visit, &id, frame, &Fields::default()).await
}

async fn key_page(
    visit: &Visit,
    id: &str,
    frame: Frame,
    fields: &Fields,
) -> Result<Response, Problem> {
    let key: Key = visit.api.get(Address::new(&["keys", id])).await?;
    let when = ui::time::date_and_clock;
    let mut rows = vec![
        Row::new(visit.say("key-id"), &key.id),
        Row::new(visit.say("key-place"), &key.place),
        Row::new(visit.say("key-algorithm"), &key.algorithm),
        Row::new(visit.say("key-created"), when(key.created_at)),
    ];
    for (name, at) in [
        ("key-activated", key.activated_at),
        ("key-retired", key.retired_at),
        ("key-ended", key.ended_at),
    ] {
        rows.extend(at.map(|at| Row::new(visit.say(name), when(at))));
    }
    rows.push(Row::new(
        visit.say("key-days"),
        key.days_in_state.to_string(),
    ));
    if let (Some(ends), Some(days)) = (key.certificate_ends_at, key.certificate_days_left) {
        rows.push(Row::new(visit.say("key-certificate-ends"), when(ends)));
        rows.push(Row::new(
            visit.say("key-certificate-days"),
            days.to_string(),
        ));
    }
    if let Some(count) = needed(visit, &key) {
        rows.push(Row::new(visit.say("key-needed"), count));
    }
    let may = visit.may(CHANGE);
    let status = frame.status();
    let tab = format!("{} ({})", key.place, short(&key.id));
    let frame = frame
        .titled(&key.place)
        .tab(tab)
        .back(PATH, visit.say("nav-keys"));
    let (page, frame) = frame.parts();
    let is_audits = key.purpose == "audit";
    let page = KeyPage {
        page,
        frame,
        state: state(visit, &key.state),
        step: next_step(visit, &key),
        rows,
        may_activate: may && key.state == "next",
        may_retire: may && key.state == "active",
        may_remove: may && (key.state == "next" || key.state == "verify-only" && !is_audits),
        may_compromise: may && (!key.published_in.is_empty() || is_audits),
        documents: key.published_in,
        id: key.id,
        reason: fields.text("reason").to_owned(),
        ticket: fields.text("ticket").to_owned(),
    };
    Ok(render(status, &page))
}

async fn activate(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    change(visit, id, fields, ("activate", "key-activated")).await
}

async fn retire(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    change(visit, id, fields, ("verify-only", "key-retired")).await
}

async fn change(
    visit: Visit,
    id: String,
    fields: Fields,
    (act, done): (&str, &str),
) -> Result<Response, Problem> {
    let mut body = why(&fields);
    body["at_once"] = (fields.text("at_once") == "yes").into();
    let address = Address::new(&["keys", &id, act]);
    match visit.api.post::<Value>(address, &body).await {
        Ok(_) => Ok(told_at(&format!("{PATH}/{id}"), done)),
        Err(problem) => refused(&visit, &id, problem, &fields).await,
    }
}

async fn refused(
    visit: &Visit,
    id: &str,
    problem: Problem,
    fields: &Fields,
) -> Result<Response, Problem> {
    let errors = problem.for_form(&["reason", "ticket"], |name| visit.say(name))?;
    let frame = visit.frame(PATH, "nav-keys").errors(errors);
    key_page(visit, id, frame, fields).await
}

async fn remove(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let detail = json!({ "key": id });
    match propose(&visit, "key-remove", detail, &fields).await {
        Ok(response) => Ok(response),
        Err(problem) => refused(&visit, &id, problem, &fields).await,
    }
}

/// What the API says that it would mean.
#[derive(Deserialize)]
#[allow(clippy::struct_field_names)] // as on the wire
struct Plan {
    place: String,
    next: Option<String>,
    makes_another: bool,
    documents: Vec<String>,
    signed: Vec<Signed>,
    in_force: i64,
    or_more: bool,
    plan: String,
}

#[derive(Deserialize)]
struct Signed {
    credential_type: String,
    issued: i64,
    in_force: i64,
}

#[derive(Template)]
#[template(path = "keys/compromise.html")]
struct PlanPage {
    page: Page,
    frame: Frame,
    id: String,
    plan: String,
    then: String,
    documents: Vec<String>,
    signed: Table,
    in_force: String,
    may_change: bool,
    reason: String,
    ticket: String,
}

async fn plan(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let frame = visit.frame(PATH, "key-compromise-title");
    plan_page(&visit, &id, frame, &Fields::default()).await
}

async fn plan_page(
    visit: &Visit,
    id: &str,
    frame: Frame,
    fields: &Fields,
) -> Result<Response, Problem> {
    let plan: Plan = visit
        .api
        .get(Address::new(&["keys", id, "compromise"]))
        .await?;
    let columns = ["key-type", "key-issued", "key-in-force"].map(|key| visit.say(key));
    let mut signed = Table::new(
        visit.say("key-signed"),
        columns,
        visit.say("key-signed-none"),
    );
    for of_type in plan.signed {
        signed.row([
            Cell::text(of_type.credential_type),
            Cell::text(rough(visit, of_type.issued, plan.or_more)),
            Cell::text(rough(visit, of_type.in_force, plan.or_more)),
        ]);
    }
    let then = match (&plan.next, plan.makes_another) {
        (Some(next), _) => visit.say_with("key-then-next", &[("key", next)]),
        (None, true) => visit.say("key-then-made"),
        (None, false) => visit.say("key-then-same"),
    };
    let status = frame.status();
    let tab = format!("{} ({})", visit.say("key-compromise-title"), plan.place);
    let (page, frame) = frame
        .tab(tab)
        .back(format!("{PATH}/{id}"), &plan.place)
        .parts();
    let page = PlanPage {
        page,
        frame,
        id: id.to_owned(),
        plan: plan.plan,
        then,
        documents: plan.documents,
        signed,
        in_force: if plan.in_force == 0 && !plan.or_more {
            visit.say("key-compromise-nobody")
        } else {
            let count = rough(visit, plan.in_force, plan.or_more);
            visit.say_with("key-compromise-in-force", &[("count", &count)])
        },
        may_change: visit.may(CHANGE),
        reason: fields.text("reason").to_owned(),
        ticket: fields.text("ticket").to_owned(),
    };
    Ok(render(status, &page))
}

async fn compromise(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Done {
        job: Option<String>,
    }
    let mut body = why(&fields);
    body["plan"] = fields.text("plan").into();
    body["ticket"] = fields.text("ticket").into();
    let address = Address::new(&["keys", &id, "compromise"]);
    match visit.api.post::<Done>(address, &body).await {
        Ok(Done { job: Some(job) }) if visit.may("credentials-read") => {
            let job = format!("{}/{job}", crate::bulk::PATH);
            Ok(told_at(&job, "key-compromised"))
        }
        Ok(Done { job }) => {
            let done = if job.is_some() {
                "key-compromised"
            } else {
                "key-compromised-alone"
            };
            Ok(told_at(&format!("{PATH}/{id}"), done))
        }
        Err(problem) => {
            let errors = problem.for_form(&["ticket", "reason"], |name| visit.say(name))?;
            let frame = visit.frame(PATH, "key-compromise-title").errors(errors);
            plan_page(&visit, &id, frame, &fields).await
        }
    }
}
