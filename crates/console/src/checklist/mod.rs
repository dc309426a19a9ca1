//! The set-up checklist: what is missing first, each with what to do; what is in order in a few lines.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use ui::Page;
use ui::component::{Row, TagColour};

use crate::api::Address;
use crate::frame::{Frame, show as render};
use crate::pages::Pages;
use crate::problem::Problem;
use crate::visit::Visit;

const PATH: &str = "/console/checklist";
const READ: &str = "gateway-read";

/// The page.
pub(crate) fn pages() -> Pages {
    Pages::new().show(PATH, READ, get(show))
}

/// What the API found, the worst first.
#[derive(Deserialize)]
struct Checklist {
    around_at: Timestamp,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    code: String,
    state: String,
    #[serde(default)]
    organisation: Option<String>,
    says: String,
    #[serde(default)]
    remedy: Option<String>,
}

/// Something to do.
struct ToDo {
    title: String,
    says: String,
    remedy: String,
    word: String,
    colour: TagColour,
    /// The page where it is done, or where it stands.
    leads: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "checklist/checklist.html")]
struct ChecklistPage {
    page: Page,
    frame: Frame,
    summary: String,
    around: String,
    to_do: Vec<ToDo>,
    in_order: Vec<Row>,
    /// What is in order of each organisation, on one line each.
    organisations: Vec<Row>,
}

async fn show(visit: Visit) -> Result<Response, Problem> {
    let found: Checklist = visit.api.get(Address::new(&["checklist"])).await?;
    let name = |code: &str| {
        let known = visit.app.look.say_if_known(&format!("finding-{code}"));
        known.unwrap_or_else(|| code.to_owned())
    };
    let (mut to_do, mut in_order) = (Vec::new(), Vec::new());
    let mut organisations: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in found.findings {
        let name = name(&finding.code);
        match (finding.state.as_str(), finding.organisation.clone()) {
            ("good", None) => in_order.push(Row::new(name, finding.says)),
            ("good", Some(id)) => organisations.entry(id).or_default().push(name),
            _ => to_do.push(to_do_of(&visit, name, finding)),
        }
    }
    let organisations = organisations.into_iter();
    let count = to_do.len().to_string();
    let summary = match to_do.len() {
        0 => "checklist-none",
        1 => "checklist-one",
        _ => "checklist-some",
    };
    let frame = visit.frame(PATH, "nav-checklist");
    let (page, frame) = frame.parts();
    let page = ChecklistPage {
        page,
        frame,
        summary: visit.say_with(summary, &[("count", &count)]),
        around: visit.say_with(
            "checklist-around",
            &[("time", &ui::time::date_and_clock(found.around_at))],
        ),
        to_do,
        in_order,
        organisations: organisations
            .map(|(id, names)| Row::new(id, names.join(", ")))
            .collect(),
    };
    Ok(render(page.frame.status(), &page))
}

fn to_do_of(visit: &Visit, name: String, finding: Finding) -> ToDo {
    let (word, colour) = match finding.state.as_str() {
        "bad" => ("checklist-bad", TagColour::Red),
        _ => ("checklist-look", TagColour::Yellow),
    };
    let leads = leads(visit, &finding);
    ToDo {
        title: match &finding.organisation {
            Some(id) => format!("{id}: {name}"),
            None => name,
        },
        says: as_sentence(&finding.says),
        remedy: finding.remedy.unwrap_or_default(),
        word: visit.say(word),
        colour,
        leads,
    }
}

/// With a capital, where it begins with a word and not with a name of something: an address, a client id.
pub(crate) fn as_sentence(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_word = first.chars().all(char::is_alphabetic);
    let mut letters = text.chars();
    match letters.next() {
        Some(letter) if is_word => letter.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// The page of the console that a finding is about, for whoever may see it.
fn leads(visit: &Visit, finding: &Finding) -> Option<(String, String)> {
    let (path, right, title) = match finding.code.as_str() {
        "keys" => ("/console/keys", "keys-read", "nav-keys"),
        "operators" | "approvers" => ("/console/operators", "operators-read", "nav-operators"),
        "audit" => ("/console/audit/verification", "audit-read", "nav-audit"),
        "organisations" | "certificate-chains" | "trust-list" => (
            "/console/organisations",
            "registry-read",
            "nav-organisations",
        ),
        "relying-parties" | "client-secrets" | "onboarding" => (
            "/console/relying-parties",
            "registry-read",
            "nav-relying-parties",
        ),
        _ => return None,
    };
    if !visit.may(right) {
        return None;
    }
    let path = match (&finding.organisation, path) {
        (Some(id), "/console/organisations") => format!("{path}/{id}"),
        _ => path.to_owned(),
    };
    Some((path, visit.say(title)))
}
