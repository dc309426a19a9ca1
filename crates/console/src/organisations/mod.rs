//! Organisations: who they are, what they may issue, whom they trust, how their pages look.

mod certificates;
mod hosts;
mod new;

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use ui::Page;
use ui::component::{Choice, Row, TagColour};

use crate::api::Address;
use crate::credential_types;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::{Done, told_at};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::proposals::{or_propose, why};
use crate::relying_parties;
use crate::table::{Cell, Table};
use crate::visit::Visit;
use hosts::Hosts;

pub(crate) const PATH: &str = "/console/organisations";
const READ: &str = "registry-read";
const CHANGE: &str = "registry-change";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(list))
        .show("/console/organisations/{organisation}", READ, get(look))
        .take_file(
            "/console/organisations/{organisation}/change",
            CHANGE,
            post(change),
        )
        .act(
            "/console/organisations/{organisation}/trust",
            CHANGE,
            post(trust),
        )
        .act(
            "/console/organisations/{organisation}/remove",
            CHANGE,
            post(remove),
        )
        .and(certificates::pages())
        .and(new::pages())
}

/// An organisation as the API gives it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Organisation {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) declared_in: String,
    version: Option<i64>,
    issuer: Issuer,
    issues: Vec<String>,
    trust: Vec<Trust>,
    relying_parties: Vec<String>,
    declared: Value,
}

impl Organisation {
    /// Whether it may issue credentials of that type.
    pub(crate) fn may_issue(&self, credential_type: &str) -> bool {
        self.issues.iter().any(|name| name == credential_type)
    }

    /// Whether anything is declared of how its pages look.
    pub(crate) fn has_brand(&self) -> bool {
        self.declared["brand"].is_object()
    }

    /// What is declared of how its pages look.
    pub(crate) fn brand(&self, member: &str) -> Option<&str> {
        self.declared["brand"][member].as_str()
    }
}

#[derive(Clone, Debug, Deserialize)]
struct Issuer {
    did: String,
    credential_issuer: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Trust {
    credential_type: String,
    issuers: Vec<String>,
}

/// All that the visitor may see.
pub(crate) async fn all(visit: &Visit) -> Result<Vec<Organisation>, Problem> {
    #[derive(Deserialize)]
    struct Found {
        organisations: Vec<Organisation>,
    }
    let found: Found = visit.api.get(Address::new(&["organisations"])).await?;
    Ok(found.organisations)
}

/// Where something is declared, as a tag.
pub(crate) fn declared_in(visit: &Visit, place: &str) -> Cell {
    let colour = match place {
        "registry" => TagColour::Green,
        _ => TagColour::Grey,
    };
    Cell::tag(visit.say(&format!("declared-in-{place}")), colour)
}

#[derive(Template)]
#[template(path = "organisations/list.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    list: Table,
    may_add: bool,
}

async fn list(visit: Visit, Query(Done { done }): Query<Done>) -> Result<Response, Problem> {
    let columns = [
        "name",
        "organisation-id",
        "organisation-issues",
        "nav-relying-parties",
        "declared-in",
    ];
    let mut list = Table::new(
        visit.say("nav-organisations"),
        columns.map(|key| visit.say(key)),
        visit.say("organisations-empty"),
    );
    for one in all(&visit).await? {
        list.row([
            Cell::link(&one.name, format!("{PATH}/{}", one.id)),
            Cell::text(&one.id),
            Cell::text(one.issues.join(", ")),
            Cell::text(one.relying_parties.len().to_string()),
            declared_in(&visit, &one.declared_in),
        ]);
    }
    let frame = visit.frame(PATH, "nav-organisations").wide();
    let (page, frame) = frame.done(&visit.app.look, done.as_deref()).parts();
    // Of one organisation only nobody makes another.
    let may_add = visit.may(CHANGE) && visit.operator.organisation.is_none();
    let page = ListPage {
        page,
        frame,
        list,
        may_add,
    };
    Ok(render(page.frame.status(), &page))
}

async fn type_choices(visit: &Visit, chosen: &[String]) -> Result<Vec<Choice>, Problem> {
    let types = credential_types::all(visit).await?.into_iter();
    Ok(types
        .map(|one| {
            let is_chosen = chosen.contains(&one.name);
            Choice::new(&one.name, one.label)
                .with_hint(&one.name)
                .chosen(is_chosen)
        })
        .collect())
}

/// What a form of an organisation may be wrong in, each with its label.
const FIELDS: [&str; 11] = [
    "name",
    "id",
    "issues",
    hosts::LISTED,
    "brand-name",
    "colour",
    "support_contact",
    "logo",
    "credential_type",
    "issuer",
    "reason",
];

/// The form again, with what is wrong.
pub(crate) fn errors(
    visit: &Visit,
    problem: Problem,
    fields: &[&str],
) -> Result<FormErrors, Problem> {
    problem.for_form(fields, |name| visit.say(&format!("field-{name}")))
}

#[derive(Template)]
#[template(path = "organisations/organisation.html")]
struct OrganisationPage {
    page: Page,
    frame: Frame,
    id: String,
    rows: Vec<Row>,
    trust: Table,
    parties: Table,
    versions: Table,
    /// The form to change it: nothing where it is not the visitor's, or not declared here.
    form: Option<ChangeForm>,
    issuers: String,
    types: Vec<Choice>,
    trusted: Vec<Choice>,
}

struct ChangeForm {
    version: i64,
    name: String,
    issues: Vec<Choice>,
    hosts: Option<Hosts>,
    brand_name: String,
    colour: String,
    support_contact: String,
    has_logo: bool,
    reason: String,
    ticket: String,
}

async fn look(
    visit: Visit,
    Path(id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Problem> {
    let frame = visit
        .frame(PATH, "organisation")
        .done(&visit.app.look, done.as_deref());
    one_page(&visit, &id, frame, None).await
}

async fn one_page(
    visit: &Visit,
    id: &str,
    frame: Frame,
    sent: Option<&Fields>,
) -> Result<Response, Problem> {
    let one: Organisation = visit.api.get(Address::new(&["organisations", id])).await?;
    let frame = frame
        .titled(&one.name)
        .back(PATH, visit.say("nav-organisations"));
    let frame = frame.tab(format!("{} ({})", one.name, one.id));
    let status = frame.status();
    let (page, frame) = frame.parts();
    let rows = vec![
        Row::new(visit.say("organisation-id"), &one.id),
        Row::new(
            visit.say("declared-in"),
            visit.say(&format!("declared-in-{}", one.declared_in)),
        ),
        Row::new(visit.say("organisation-did"), &one.issuer.did),
        Row::new(
            visit.say("organisation-issuer"),
            &one.issuer.credential_issuer,
        ),
        Row::new(visit.say("organisation-issues"), one.issues.join(", ")),
        Row::new(
            visit.say("field-fetch_hosts"),
            Hosts::told(visit, &one.declared),
        ),
    ];
    let mut trust = Table::new(
        visit.say("organisation-trust"),
        ["credential-type", "organisation-trusted"].map(|key| visit.say(key)),
        visit.say("organisation-trusts-nobody"),
    );
    let mut trusted = Vec::new();
    for row in &one.trust {
        for issuer in &row.issuers {
            trust.row([Cell::text(&row.credential_type), Cell::text(issuer)]);
            let value = format!("{} {issuer}", row.credential_type);
            trusted.push(Choice::new(
                &value,
                format!("{}: {issuer}", row.credential_type),
            ));
        }
    }
    let mut parties = Table::new(
        visit.say("nav-relying-parties"),
        [visit.say("client-id")],
        visit.say("relying-parties-empty"),
    );
    for client_id in &one.relying_parties {
        parties.row([Cell::link(client_id, relying_parties::at(client_id))]);
    }
    let may = visit.may(CHANGE);
    let form = match one.version {
        Some(version) if may => Some(change_form(visit, &one, version, sent).await?),
        _ => None,
    };
    let page = OrganisationPage {
        page,
        frame,
        rows,
        trust,
        parties,
        versions: versions(visit, &["organisations", id, "versions"]).await?,
        form,
        issuers: sent
            .map(|fields| fields.text("issuer").to_owned())
            .unwrap_or_default(),
        types: type_choices(visit, &[]).await?,
        trusted,
        id: one.id,
    };
    Ok(render(status, &page))
}

async fn change_form(
    visit: &Visit,
    one: &Organisation,
    version: i64,
    sent: Option<&Fields>,
) -> Result<ChangeForm, Problem> {
    let brand = |name: &str| one.brand(name).unwrap_or_default().to_owned();
    let text = |field: &str, now: String| {
        let sent = sent.filter(|fields| fields.optional("version").is_some());
        sent.map_or(now, |fields| fields.text(field).to_owned())
    };
    // What a tenant may issue, and which hosts it may name, is not its own operators' to say.
    let (issues, hosts) = match visit.operator.organisation {
        None => {
            let hosts = Hosts::of(visit, &one.declared, sent);
            (type_choices(visit, &one.issues).await?, Some(hosts))
        }
        Some(_) => (Vec::new(), None),
    };
    Ok(ChangeForm {
        version,
        name: text("name", one.name.clone()),
        issues,
        hosts,
        brand_name: text("brand-name", brand("name")),
        colour: text("colour", brand("colour")),
        support_contact: text("support_contact", brand("support_contact")),
        has_logo: one.brand("logo").is_some(),
        reason: text("reason", String::new()),
        ticket: text("ticket", String::new()),
    })
}

/// The versions of a declared thing, as a table.
pub(crate) async fn versions(visit: &Visit, address: &[&str]) -> Result<Table, Problem> {
    #[derive(Deserialize)]
    #[allow(clippy::struct_field_names)] // as on the wire
    struct Version {
        version: i64,
        act: String,
        changed_at: jiff::Timestamp,
        actor: String,
        lines: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Found {
        versions: Vec<Version>,
    }
    let found: Found = visit.api.get(Address::new(address)).await?;
    let columns = [
        "version-number",
        "version-at",
        "version-by",
        "version-lines",
    ];
    let mut table = Table::new(
        visit.say("versions"),
        columns.map(|key| visit.say(key)),
        visit.say("versions-empty"),
    );
    for one in found.versions {
        table.row([
            Cell::text(one.version.to_string()),
            Cell::text(ui::time::date_and_clock(one.changed_at)),
            Cell::text(one.actor),
            Cell::text(match one.lines.as_slice() {
                [] => visit.say(&format!("version-{}", one.act)),
                lines => lines.join("; "),
            }),
        ]);
    }
    Ok(table)
}

async fn change(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let mut body = why(&fields);
    let brand = |field: &str| fields.optional(field).map_or(Value::Null, Value::from);
    let mut brand = json!({
        "name": brand("brand-name"), "colour": brand("colour"), "support_contact": brand("support_contact"),
    });
    if let Some(bytes) = fields.file("logo") {
        brand["logo"] = format!("data:image/png;base64,{}", STANDARD.encode(bytes)).into();
    } else if fields.text("no-logo") == "yes" {
        brand["logo"] = Value::Null;
    }
    let mut changed = json!({ "name": fields.text("name"), "brand": brand });
    if visit.operator.organisation.is_none() {
        let issues: BTreeSet<&str> = fields.all("issues").collect();
        changed["issues"] = json!(issues);
        match hosts::declare(&visit, &fields, Some(&id)).await? {
            Ok(Some(hosts)) => changed[hosts::LISTED] = hosts,
            Ok(None) => {}
            Err(wrong) => return again(&visit, &id, &fields, wrong).await,
        }
    }
    body["change"] = changed;
    body["version"] = fields
        .text("version")
        .parse()
        .map_or(Value::Null, |version: i64| json!(version));
    let address = Address::new(&["organisations", &id]);
    let done = visit.api.patch::<Value>(address, &body).await;
    let done = done.map(|_| told_at(&format!("{PATH}/{id}"), "organisation-changed"));
    answer(&visit, &id, &fields, done).await
}

async fn trust(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let mut body = why(&fields);
    let gone = fields
        .optional("gone")
        .and_then(|gone| gone.split_once(' '));
    let (credential_type, issuer) =
        gone.unwrap_or((fields.text("credential_type"), fields.text("issuer")));
    body["credential_type"] = credential_type.into();
    body["issuer"] = issuer.into();
    body["trusted"] = gone.is_none().into();
    let address = Address::new(&["organisations", &id, "trust"]);
    let done = visit.api.post::<Value>(address, &body).await;
    let done = done.map(|_| told_at(&format!("{PATH}/{id}"), "organisation-changed"));
    let detail =
        json!({ "organisation": id, "credential_type": credential_type, "issuer": issuer });
    let done = or_propose(&visit, done, ("organisation-trust-add", detail), &fields).await;
    answer(&visit, &id, &fields, done).await
}

/// What came of it; or the page again, with what is wrong.
async fn answer(
    visit: &Visit,
    id: &str,
    fields: &Fields,
    done: Result<Response, Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(response) => Ok(response),
        Err(problem) if problem.code == "host-not-allowed" => {
            // Its list is narrowed while something stands outside it, or an issuer is named that is outside.
            let is_change = fields.optional("version").is_some();
            let field = if is_change { hosts::LISTED } else { "issuer" };
            again(visit, id, fields, FormErrors::one(field, problem.detail())).await
        }
        Err(problem) => {
            let errors = errors(visit, problem, &FIELDS)?;
            again(visit, id, fields, errors).await
        }
    }
}

/// The page again, with what is wrong.
async fn again(
    visit: &Visit,
    id: &str,
    fields: &Fields,
    wrong: FormErrors,
) -> Result<Response, Problem> {
    let frame = visit.frame(PATH, "organisation").errors(wrong);
    one_page(visit, id, frame, Some(fields)).await
}

async fn remove(visit: Visit, Path(id): Path<String>, fields: Fields) -> Result<Response, Problem> {
    let address = Address::new(&["organisations", &id, "remove"]);
    let done = visit.api.post::<Value>(address, &why(&fields)).await;
    let done = done.map(|_| told_at(PATH, "organisation-removed"));
    answer(&visit, &id, &fields, done).await
}
