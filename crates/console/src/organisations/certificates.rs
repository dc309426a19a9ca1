//! The certificate chains of an organisation's keys: which there are, how long each holds, one more, one less.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use ui::Page;
use ui::component::{Choice, TagColour};

use super::{CHANGE, PATH, READ, errors};
use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::{Done, told_at};
use crate::keys;
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::proposals::why;
use crate::table::{Cell, Table};
use crate::visit::Visit;

/// The pages.
pub(super) fn pages() -> Pages {
    Pages::new()
        .show(
            "/console/organisations/{organisation}/certificates",
            READ,
            get(look),
        )
        .take_file(
            "/console/organisations/{organisation}/certificates/add",
            CHANGE,
            post(add),
        )
        .act(
            "/console/organisations/{organisation}/certificates/remove",
            CHANGE,
            post(remove),
        )
}

/// What is declared of an organisation, as far as it is shown here.
#[derive(Deserialize)]
struct Certified {
    name: String,
    version: Option<i64>,
    certificate_chains: Vec<Chain>,
    declared: Value,
}

/// A chain as the API gives it.
#[derive(Deserialize)]
struct Chain {
    key: String,
    certificates: usize,
    ends_at: Timestamp,
    days_left: i64,
    in_use: bool,
    fault: Option<String>,
}

impl Certified {
    async fn find(visit: &Visit, id: &str) -> Result<Self, Problem> {
        visit.api.get(Address::new(&["organisations", id])).await
    }

    /// As they are declared, each in PEM.
    fn chains(&self) -> Vec<Value> {
        let chains = self.declared["certificate_chains"].as_array();
        chains.cloned().unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "organisations/certificates.html")]
struct CertificatesPage {
    page: Page,
    frame: Frame,
    id: String,
    list: Table,
    /// The version that a change is made to: nothing where it is not the visitor's, or not declared here.
    version: Option<i64>,
    chosen: Vec<Choice>,
    reason: String,
    ticket: String,
}

/// What the forms may be wrong in.
const FIELDS: [&str; 3] = ["chain", "reason", "ticket"];

async fn look(
    visit: Visit,
    Path(id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Problem> {
    let frame = visit.frame(PATH, "certificates");
    let frame = frame.done(&visit.app.look, done.as_deref());
    page(&visit, &id, frame, &Fields::default()).await
}

async fn page(visit: &Visit, id: &str, frame: Frame, sent: &Fields) -> Result<Response, Problem> {
    let one = Certified::find(visit, id).await?;
    let frame = frame.back(format!("{PATH}/{id}"), one.name.clone());
    let frame = frame.tab(format!("{}: {}", visit.say("certificates"), one.name));
    let status = frame.status();
    let (page, frame) = frame.wide().parts();
    let columns = ["key-id", "state", "certificate-ends", "certificate-count"];
    let mut list = Table::new(
        visit.say("certificates"),
        columns.map(|key| visit.say(key)),
        visit.say("certificates-empty"),
    );
    let mut chosen = Vec::new();
    for (at, chain) in one.certificate_chains.iter().enumerate() {
        let key = keys::short(&chain.key);
        let ends = ui::time::date_and_clock(chain.ends_at);
        list.row([
            Cell::link(&key, format!("{}/{}", keys::PATH, chain.key)),
            state(visit, chain),
            Cell::text(visit.say_with(
                "certificate-end",
                &[("at", &ends), ("days", &chain.days_left.to_string())],
            )),
            Cell::text(chain.certificates.to_string()),
        ]);
        let text = visit.say_with("certificate-of", &[("key", &key), ("at", &ends)]);
        chosen.push(Choice::new(at.to_string(), text));
    }
    let page = CertificatesPage {
        page,
        frame,
        id: id.to_owned(),
        list,
        version: one.version.filter(|_| visit.may(CHANGE)),
        chosen,
        reason: sent.text("reason").to_owned(),
        ticket: sent.text("ticket").to_owned(),
    };
    Ok(render(status, &page))
}

fn state(visit: &Visit, chain: &Chain) -> Cell {
    match &chain.fault {
        _ if chain.in_use => Cell::tag(visit.say("certificate-in-use"), TagColour::Green),
        Some(fault) => {
            let reason = [("reason", fault.as_str())];
            Cell::text(visit.say_with("certificate-unused", &reason))
        }
        None => Cell::text(visit.say("certificate-outlasted")),
    }
}

/// One more chain, beside those that are there.
async fn add(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let file = fields.file("chain");
    let file = file.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let text = file.unwrap_or_else(|| fields.raw("text").to_owned());
    if text.trim().is_empty() {
        let wrong = FormErrors::one("chain", visit.say("certificate-none-chosen"));
        return again(&visit, &id, &fields, wrong).await;
    }
    let mut chains = Certified::find(&visit, &id).await?.chains();
    chains.push(text.into());
    put(&visit, &id, &fields, chains, "organisation-certified").await
}

/// All but one. Which one the number says is what it was when the page was shown: the version that goes with it says so.
async fn remove(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let mut chains = Certified::find(&visit, &id).await?.chains();
    let at: usize = fields.text("gone").parse().unwrap_or(chains.len());
    if at >= chains.len() {
        return Err(Problem::not_found());
    }
    chains.remove(at);
    put(&visit, &id, &fields, chains, "organisation-uncertified").await
}

async fn put(
    visit: &Visit,
    id: &str,
    fields: &Fields,
    chains: Vec<Value>,
    code: &str,
) -> Result<Response, Problem> {
    let mut body = why(fields);
    body["change"] = json!({ "certificate_chains": chains });
    // Without the version that was seen nothing is replaced.
    body["version"] = fields.text("version").parse().unwrap_or(0_i64).into();
    let address = Address::new(&["organisations", id]);
    match visit.api.patch::<Value>(address, &body).await {
        Ok(_) => Ok(told_at(&format!("{PATH}/{id}/certificates"), code)),
        Err(problem) => {
            let wrong = errors(visit, problem, &FIELDS)?;
            again(visit, id, fields, wrong).await
        }
    }
}

/// The page with what is wrong. What was sent is not shown again: there may be a private key in it.
async fn again(
    visit: &Visit,
    id: &str,
    fields: &Fields,
    wrong: FormErrors,
) -> Result<Response, Problem> {
    let frame = visit.frame(PATH, "certificates").errors(wrong);
    page(visit, id, frame, fields).await
}
