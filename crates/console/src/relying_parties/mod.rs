//! Relying parties: where they find the gateway, their secrets, where they send browsers back to.

mod made;
mod proof;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use ui::Page;
use ui::component::{Choice, Row, TagColour};

use crate::api::{Address, one_step};
use crate::cookie::mark;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::{Done, told_at};
use crate::onboarding;
use crate::organisations::{self, declared_in, errors, versions};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::proposals::{or_propose, why};
use crate::table::{Cell, Table};
use crate::visit::Visit;

pub(crate) const PATH: &str = "/console/relying-parties";
const READ: &str = "registry-read";
const CHANGE: &str = "registry-change";

/// The pages.
#[rustfmt::skip]
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(list))
        .show("/console/new/relying-party", CHANGE, get(blank))
        .act("/console/new/relying-party/add", CHANGE, post(add))
        .show("/console/relying-parties/{relying_party}", READ, get(look))
        .act("/console/relying-parties/{relying_party}/change", CHANGE, post(change))
        .act("/console/relying-parties/{relying_party}/redirects", CHANGE, post(redirects))
        .show("/console/relying-parties/{relying_party}/proof", CHANGE, get(proof::look))
        .act("/console/relying-parties/{relying_party}/proof/change", CHANGE, post(proof::change))
        .act("/console/relying-parties/{relying_party}/secrets", CHANGE, post(made::make))
        .act("/console/relying-parties/{relying_party}/secrets/{secret}/end", CHANGE, post(end))
        .act("/console/relying-parties/{relying_party}/remove", CHANGE, post(remove))
        .and(onboarding::pages())
}

/// A relying party as the API gives it.
#[derive(Clone, Debug, Deserialize)]
struct RelyingParty {
    client_id: String,
    name: String,
    organisation: String,
    declared_in: String,
    version: Option<i64>,
    dialect: String,
    addresses: Addresses,
    redirect_uris: Vec<String>,
    live: bool,
    draft_keys: String,
    declared: Value,
}

/// Where it finds the gateway.
#[derive(Clone, Debug, Deserialize)]
struct Addresses {
    issuer: String,
    discovery: String,
    pushed_authorization_request_endpoint: String,
    authorization_endpoint: String,
    token_endpoint: String,
}

/// Where its page is: a client id may hold what an address may not.
pub(crate) fn at(client_id: &str) -> String {
    format!("{PATH}/{}", one_step(client_id))
}

impl RelyingParty {
    async fn find(visit: &Visit, client_id: &str) -> Result<Self, Problem> {
        visit
            .api
            .get(Address::new(&["relying-parties", client_id]))
            .await
    }
}

/// Which ones, and what was just done.
#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    organisation: String,
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "relying_parties/list.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    list: Table,
    may_add: bool,
}

async fn list(visit: Visit, Query(which): Query<Which>) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Found {
        relying_parties: Vec<RelyingParty>,
    }
    let address = Address::new(&["relying-parties"]).with("organisation", &which.organisation);
    let found: Found = visit.api.get(address).await?;
    let columns = [
        "name",
        "client-id",
        "organisation",
        "dialect",
        "state",
        "declared-in",
    ];
    let mut list = Table::new(
        visit.say("nav-relying-parties"),
        columns.map(|key| visit.say(key)),
        visit.say("relying-parties-empty"),
    );
    for one in found.relying_parties {
        list.row([
            Cell::link(&one.name, at(&one.client_id)).about(&one.client_id),
            Cell::text(&one.client_id),
            Cell::text(&one.organisation),
            Cell::text(&one.dialect),
            live(&visit, one.live),
            declared_in(&visit, &one.declared_in),
        ]);
    }
    let frame = visit.frame(PATH, "nav-relying-parties").wide();
    let (page, frame) = frame.done(&visit.app.look, which.done.as_deref()).parts();
    let page = ListPage {
        page,
        frame,
        list,
        may_add: visit.may(CHANGE),
    };
    Ok(render(page.frame.status(), &page))
}

fn live(visit: &Visit, is_live: bool) -> Cell {
    if is_live {
        Cell::tag(visit.say("relying-party-live"), TagColour::Green)
    } else {
        Cell::tag(visit.say("relying-party-not-live"), TagColour::Grey)
    }
}

#[derive(Template)]
#[template(path = "relying_parties/new.html")]
struct NewPage {
    page: Page,
    frame: Frame,
    fields: Fields,
    organisations: Vec<Choice>,
    dialects: Vec<Choice>,
}

async fn blank(visit: Visit, Query(which): Query<Which>) -> Result<Response, Problem> {
    new_page(
        &visit,
        &Fields::default(),
        &which.organisation,
        FormErrors::default(),
    )
    .await
}

async fn new_page(
    visit: &Visit,
    fields: &Fields,
    organisation: &str,
    errors: FormErrors,
) -> Result<Response, Problem> {
    let all = organisations::all(visit).await?.into_iter();
    let declared = all.filter(|one| one.declared_in == "registry");
    let frame = visit.frame(PATH, "relying-party-add").errors(errors);
    let frame = frame.back(PATH, visit.say("nav-relying-parties"));
    let status = frame.status();
    let (page, frame) = frame.parts();
    let chosen = fields.optional("dialect").unwrap_or("plain");
    let dialect = |name: &str| {
        let text = visit.say(&format!("dialect-{name}"));
        Choice::new(name, text).chosen(name == chosen)
    };
    let page = NewPage {
        page,
        frame,
        fields: fields.clone(),
        organisations: declared
            .map(|one| Choice::new(&one.id, &one.name).chosen(one.id == organisation))
            .collect(),
        dialects: ["plain", "v2", "v1-a", "v1-b"].map(dialect).into(),
    };
    Ok(render(status, &page))
}

const FIELDS: [&str; 7] = [
    "client_id",
    "name",
    "organisation",
    "redirect_uris",
    "signing_key",
    "overlap_days",
    "reason",
];

/// The lines of a field that takes several.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).collect()
}

async fn add(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let mut body = why(&fields);
    let mut declared = json!({
        "client_id": fields.text("client_id"), "name": fields.text("name"), "dialect": fields.text("dialect"),
        "redirect_uris": lines(fields.text("redirect_uris")),
    });
    if let Some(key) = fields.optional("signing_key") {
        declared["signing_key"] = key.into();
    }
    body["organisation"] = fields.text("organisation").into();
    body["declared"] = declared;
    match visit
        .api
        .post::<RelyingParty>(Address::new(&["relying-parties"]), &body)
        .await
    {
        Ok(made) => Ok(told_at(&at(&made.client_id), "relying-party-added")),
        Err(problem) => {
            let errors = errors(&visit, problem, &FIELDS)?;
            new_page(&visit, &fields, fields.text("organisation"), errors).await
        }
    }
}

#[derive(Template)]
#[template(path = "relying_parties/relying_party.html")]
struct RelyingPartyPage {
    page: Page,
    frame: Frame,
    at: String,
    state: Cell,
    rows: Vec<Row>,
    addresses: Vec<Row>,
    secrets: Option<Vec<Secret>>,
    versions: Table,
    settled: String,
    may: bool,
    is_registered: bool,
    version: i64,
    name: String,
    redirect_uris: String,
    /// The mark of the form that makes a secret.
    once: String,
}

/// A secret as the page lists it.
struct Secret {
    id: String,
    live: bool,
    line: String,
}

async fn look(
    visit: Visit,
    Path(client_id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Problem> {
    let frame = visit
        .frame(PATH, "relying-party")
        .done(&visit.app.look, done.as_deref());
    one_page(&visit, &client_id, frame, None).await
}

async fn secrets(visit: &Visit, client_id: &str) -> Result<Option<Vec<Secret>>, Problem> {
    #[derive(Deserialize)]
    struct Kept {
        id: String,
        live: bool,
        made_at: Timestamp,
        age_days: i64,
        last_used_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
    }
    #[derive(Deserialize)]
    struct Found {
        secrets: Vec<Kept>,
    }
    let address = Address::new(&["relying-parties", client_id, "secrets"]);
    let found: Found = match visit.api.get(address).await {
        Ok(found) => found,
        // It proves itself with a key of its own.
        Err(problem) if problem.code == "relying-party-without-secret" => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let when = |at: Option<Timestamp>, none: &str| {
        at.map_or_else(|| visit.say(none), ui::time::date_and_clock)
    };
    let secret = |kept: Kept| Secret {
        line: visit.say_with(
            "secret-line",
            &[
                ("made", &ui::time::date_and_clock(kept.made_at)),
                ("days", &kept.age_days.to_string()),
                ("used", &when(kept.last_used_at, "never")),
                ("ends", &when(kept.ends_at, "secret-no-end")),
            ],
        ),
        id: kept.id,
        live: kept.live,
    };
    Ok(Some(found.secrets.into_iter().map(secret).collect()))
}

async fn one_page(
    visit: &Visit,
    client_id: &str,
    frame: Frame,
    sent: Option<&Fields>,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Checklist {
        settled: usize,
        items: Vec<Value>,
    }
    let one = RelyingParty::find(visit, client_id).await?;
    let list: Checklist = visit
        .api
        .get(Address::new(&["relying-parties", client_id, "onboarding"]))
        .await?;
    let frame = frame
        .titled(&one.name)
        .tab(format!("{} ({client_id})", one.name));
    let frame = frame.back(PATH, visit.say("nav-relying-parties"));
    let status = frame.status();
    let (page, frame) = frame.parts();
    let text = |field: &str, now: String| {
        let sent = sent.and_then(|fields| fields.optional(field));
        sent.map_or(now, str::to_owned)
    };
    let row = |key: &str, value: &str| Row::new(visit.say(key), value);
    let counts = [
        ("settled", list.settled.to_string()),
        ("all", list.items.len().to_string()),
    ];
    let page = RelyingPartyPage {
        page,
        frame,
        state: live(visit, one.live),
        rows: vec![
            row("client-id", client_id),
            row("organisation", &one.organisation),
            row("dialect", &visit.say(&format!("dialect-{}", one.dialect))),
            row(
                "relying-party-drafts",
                &visit.say(&format!("draft-keys-{}", one.draft_keys)),
            ),
            row("field-redirect_uris", &one.redirect_uris.join("\n")),
            row(
                "declared-in",
                &visit.say(&format!("declared-in-{}", one.declared_in)),
            ),
        ],
        addresses: vec![
            row("address-issuer", &one.addresses.issuer),
            row("address-discovery", &one.addresses.discovery),
            row(
                "address-par",
                &one.addresses.pushed_authorization_request_endpoint,
            ),
            row("address-authorize", &one.addresses.authorization_endpoint),
            row("address-token", &one.addresses.token_endpoint),
        ],
        secrets: secrets(visit, client_id).await?,
        versions: versions(visit, &["relying-parties", client_id, "versions"]).await?,
        settled: visit.say_with(
            "onboarding-settled",
            &counts
                .each_ref()
                .map(|(name, count)| (*name, count.as_str())),
        ),
        may: visit.may(CHANGE),
        is_registered: one.version.is_some(),
        version: one.version.unwrap_or_default(),
        name: text("name", one.name.clone()),
        redirect_uris: text("redirect_uris", one.redirect_uris.join("\n")),
        at: at(client_id),
        once: mark(),
    };
    Ok(render(status, &page))
}

async fn change(
    visit: Visit,
    Path(client_id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut body = why(&fields);
    body["change"] = json!({ "name": fields.text("name") });
    body["version"] = fields
        .text("version")
        .parse()
        .map_or(Value::Null, |version: i64| json!(version));
    let address = Address::new(&["relying-parties", &client_id]);
    let done = visit.api.patch::<Value>(address, &body).await;
    let done = done.map(|_| told_at(&at(&client_id), "relying-party-changed"));
    answer(&visit, &client_id, &fields, done).await
}

/// Where nobody relies on it yet it is done at once; otherwise it waits for a second person.
async fn redirects(
    visit: Visit,
    Path(client_id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let redirect_uris = lines(fields.text("redirect_uris"));
    let mut body = why(&fields);
    body["change"] = json!({ "redirect_uris": redirect_uris });
    let address = Address::new(&["relying-parties", &client_id]);
    let done = visit.api.patch::<Value>(address, &body).await;
    let done = done.map(|_| told_at(&at(&client_id), "relying-party-changed"));
    let detail = json!({ "relying_party": client_id, "redirect_uris": redirect_uris });
    let act = ("relying-party-redirect-change", detail);
    let done = or_propose(&visit, done, act, &fields).await;
    answer(&visit, &client_id, &fields, done).await
}

async fn end(
    visit: Visit,
    Path((client_id, secret)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let address = Address::new(&["relying-parties", &client_id, "secrets", &secret, "end"]);
    let done = visit.api.post::<Value>(address, &why(&fields)).await;
    let done = done.map(|_| told_at(&at(&client_id), "secret-ended"));
    answer(&visit, &client_id, &fields, done).await
}

/// What came of it; or the page again, with what is wrong.
async fn answer(
    visit: &Visit,
    client_id: &str,
    fields: &Fields,
    done: Result<Response, Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(response) => Ok(response),
        Err(problem) => {
            let errors = errors(
                visit,
                problem,
                &["name", "redirect_uris", "overlap_days", "reason"],
            )?;
            let frame = visit.frame(PATH, "relying-party").errors(errors);
            one_page(visit, client_id, frame, Some(fields)).await
        }
    }
}

async fn remove(
    visit: Visit,
    Path(client_id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let address = Address::new(&["relying-parties", &client_id, "remove"]);
    let done = visit.api.post::<Value>(address, &why(&fields)).await;
    let done = done.map(|_| told_at(PATH, "relying-party-removed"));
    answer(&visit, &client_id, &fields, done).await
}
