//! What was done, by whom: to search, to check, to take away.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use ui::Page;
use ui::component::{Choice, Row, TagColour};

use crate::api::Address;
use crate::checklist::as_sentence;
use crate::frame::{Frame, show as render};
use crate::operators;
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::proposals::name;
use crate::sections::{News, Pending, State};
use crate::table::{Cell, Table};
use crate::visit::Visit;

const PATH: &str = "/console/audit";
const VERIFICATION: &str = "/console/audit/verification";
const READ: &str = "audit-read";
const EXPORT: &str = "audit-export";
/// How many entries stand on one page.
const ON_ONE_PAGE: &str = "50";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(list))
        .show(VERIFICATION, READ, get(verify))
        .show("/console/audit/export", EXPORT, get(export))
}

/// An entry as the API gives it.
#[derive(Deserialize)]
struct Entry {
    at: i64,
    actor: String,
    act: String,
    organisation: Option<String>,
    object: String,
    detail: Value,
    reason: Option<String>,
    ticket: Option<String>,
}

/// What is looked for, and the export's fields, which stand on the same page.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    actor: String,
    act: String,
    object: String,
    before: String,
    from: String,
    to: String,
    format: String,
}

#[derive(Template)]
#[template(path = "audit/list.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    asked: Asked,
    acts: Vec<Choice>,
    formats: Vec<Choice>,
    list: Table,
    may_export: bool,
    /// Whether the chain is the visitor's to check: it is everybody's.
    may_verify: bool,
}

async fn list(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    page(&visit, asked, FormErrors::default()).await
}

async fn page(visit: &Visit, asked: Asked, errors: FormErrors) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Found {
        entries: Vec<Entry>,
        next: Option<i64>,
    }
    let address = Address::new(&["audit"])
        .with("actor", asked.actor.trim())
        .with("act", asked.act.trim())
        .with("object", asked.object.trim())
        .with(
            "before",
            Some(asked.before.trim())
                .filter(|before| before.parse::<i64>().is_ok())
                .unwrap_or_default(),
        )
        .with("limit", ON_ONE_PAGE);
    let Found { entries, next } = visit.api.get(address).await?;
    let names = operators::names(visit).await?;
    let columns = [
        "audit-when",
        "audit-who",
        "audit-act",
        "audit-object",
        "audit-more",
    ];
    let mut list = Table::new(
        visit.say("audit-caption"),
        columns.map(|key| visit.say(key)),
        visit.say("audit-empty"),
    );
    for entry in &entries {
        list.row([
            Cell::text(moment(entry.at)).whole(),
            Cell::text(named(visit, &names, &entry.actor)).whole(),
            Cell::text(act(visit, &entry.act)),
            Cell::text(named(visit, &names, &entry.object)),
            Cell::text(more(visit, entry)),
        ]);
    }
    if let Some(next) = next {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("actor", &asked.actor),
            ("act", &asked.act),
            ("object", &asked.object),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.append_pair("before", &next.to_string());
        list.more = Some((format!("{PATH}?{}", query.finish()), visit.say("older")));
    }
    let mut frame = visit.frame(PATH, "nav-audit").errors(errors).wide();
    if !asked.before.is_empty() {
        frame = frame.tab(visit.say("audit-older-tab"));
    }
    let status = frame.status();
    let (page, frame) = frame.parts();
    let format = |one: &'static str| {
        let choice = Choice::new(one, visit.say(&format!("audit-format-{one}")));
        choice.chosen(one == asked.format)
    };
    let page = ListPage {
        page,
        frame,
        acts: acts(visit, &asked.act),
        formats: ["jsonl", "csv", "cef"].map(format).into(),
        asked,
        list,
        may_export: visit.may(EXPORT),
        may_verify: visit.operator.organisation.is_none(),
    };
    Ok(render(status, &page))
}

/// When, to the second: what stands in the audit is compared with other logs.
fn moment(at: i64) -> String {
    let at = Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{at}").replace('T', " ").replace('Z', " UTC")
}

/// What an act is called; one that this version does not know, as it is written.
fn act(visit: &Visit, code: &str) -> String {
    let known = visit.app.look.say_if_known(&format!("audit-act-{code}"));
    known.unwrap_or_else(|| code.to_owned())
}

/// Every act that has a name, to choose from.
fn acts(visit: &Visit, chosen: &str) -> Vec<Choice> {
    let any = Choice::new("", visit.say("audit-any-act")).chosen(chosen.is_empty());
    let known = visit.app.look.keys_after("audit-act-").into_iter();
    let known = known.map(|code| Choice::new(&code, act(visit, &code)).chosen(code == chosen));
    let mut known: Vec<_> = known.collect();
    known.sort_by(|one, other| one.text.cmp(&other.text));
    known.insert(0, any);
    known
}

/// `operator:op-…` with the name in the place of the id, where it is known.
fn named(visit: &Visit, names: &BTreeMap<String, String>, text: &str) -> String {
    match text.split_once(':') {
        Some(("operator", id)) => name(names, id),
        Some(("command", account)) => visit.say_with("audit-command", &[("account", account)]),
        None if text == "gateway" => visit.say("audit-gateway"),
        _ => text.to_owned(),
    }
}

/// Everything else that the entry says, in one line.
fn more(visit: &Visit, entry: &Entry) -> String {
    let members = entry.detail.as_object().into_iter().flatten();
    let mut told: Vec<String> = members
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name} {text}"),
            other => format!("{name} {other}"),
        })
        .collect();
    if let Some(organisation) = &entry.organisation {
        told.insert(0, organisation.clone());
    }
    for (key, text) in [("reason", &entry.reason), ("ticket", &entry.ticket)] {
        if let Some(text) = text {
            told.push(format!("{}: {text}", visit.say(key)));
        }
    }
    told.join("; ")
}

/// What a check found, as the API gives it.
#[derive(Deserialize)]
struct Report {
    entries: u64,
    from: i64,
    to: i64,
    checkpoints: u64,
    waiting: u64,
    faults: Vec<Fault>,
    #[serde(default)]
    notes: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: String,
    position: i64,
    sentence: String,
}

#[derive(Template)]
#[template(path = "audit/verification.html")]
struct VerificationPage {
    page: Page,
    frame: Frame,
    is_whole: bool,
    rows: Vec<Row>,
    faults: Table,
    notes: Vec<String>,
}

async fn verify(visit: Visit) -> Result<Response, Problem> {
    let address = Address::new(&["audit", "verification"]);
    let report: Report = visit.api.get(address).await?;
    let columns = ["audit-fault", "audit-position", "audit-sentence"];
    let mut faults = Table::new(
        visit.say("audit-faults"),
        columns.map(|key| visit.say(key)),
        "",
    );
    for fault in &report.faults {
        faults.row([
            Cell::tag(&fault.code, TagColour::Red),
            Cell::text(fault.position.to_string()),
            Cell::text(&fault.sentence),
        ]);
    }
    let numbers = [
        ("audit-entries", report.entries.to_string()),
        ("audit-span", format!("{} – {}", report.from + 1, report.to)),
        ("audit-checkpoints", report.checkpoints.to_string()),
        ("audit-waiting", report.waiting.to_string()),
    ];
    let frame = visit
        .frame(PATH, "audit-verification")
        .back(PATH, visit.say("nav-audit"));
    let (page, frame) = frame.parts();
    let page = VerificationPage {
        page,
        frame,
        is_whole: report.faults.is_empty(),
        rows: numbers
            .map(|(key, text)| Row::new(visit.say(key), text))
            .into(),
        faults,
        notes: report.notes.into_iter().map(|note| note.sentence).collect(),
    };
    Ok(render(page.frame.status(), &page))
}

/// How the chain stands at its end; the page behind it checks all of it. Only the whole gateway's operators can ask.
pub(crate) fn news(visit: Visit) -> Pending<Vec<News>> {
    #[derive(Deserialize)]
    struct Standing {
        state: String,
        says: String,
    }
    Box::pin(async move {
        if visit.operator.organisation.is_some() {
            return Ok(Vec::new());
        }
        let address = Address::new(&["audit", "standing"]);
        let standing: Standing = visit.api.get(address).await?;
        let (state, word) = match standing.state.as_str() {
            "good" => (State::Well, "audit-stands"),
            "bad" => (State::Wrong, "audit-broken"),
            _ => (State::Waits, "audit-look"),
        };
        Ok(vec![News {
            title: visit.say("audit-news"),
            hint: as_sentence(&standing.says),
            href: Some(VERIFICATION.to_owned()),
            state,
            word: visit.say(word),
        }])
    })
}

async fn export(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    // A day as it is typed begins at midnight UTC, as days of the audit do.
    let mut day = |field: &str, typed: &str| {
        let day: Option<jiff::civil::Date> = typed.trim().parse().ok();
        if day.is_none() {
            errors.add(field, visit.say("audit-no-day"));
        }
        day.map(|day| format!("{day}T00:00:00Z"))
            .unwrap_or_default()
    };
    let (from, to) = (day("from", &asked.from), day("to", &asked.to));
    let format = ["csv", "cef"]
        .into_iter()
        .find(|known| *known == asked.format);
    let format = format.unwrap_or("jsonl");
    if errors.is_empty() {
        let address = Address::new(&["audit", "export"])
            .with("from", from)
            .with("to", to)
            .with("format", format);
        let file = format!("audit-{}-{}.{format}", asked.from.trim(), asked.to.trim());
        match visit.api.download(address, &file).await {
            Ok(response) => return Ok(response),
            Err(problem) => {
                let label = |field: &str| visit.say(&format!("audit-{field}"));
                errors = problem.for_form(&["to", "from"], label)?;
            }
        }
    }
    page(&visit, asked, errors).await
}
