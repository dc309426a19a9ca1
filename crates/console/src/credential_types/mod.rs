//! Credential types: what each says, how the employee sees it, and a new version of it.

mod seen;
mod upload;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use ui::Page;
use ui::component::Row;

use crate::api::Address;
use crate::frame::{Frame, show as render};
use crate::home::Done;
use crate::organisations::{declared_in, versions};
use crate::pages::Pages;
use crate::problem::Problem;
use crate::table::{Cell, Table};
use crate::visit::Visit;
use seen::Seen;

pub(crate) const PATH: &str = "/console/credential-types";
const READ: &str = "registry-read";
const CHANGE: &str = "registry-change";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(list))
        .show("/console/new/credential-type", CHANGE, get(upload::blank))
        .take_file(
            "/console/new/credential-type/preview",
            CHANGE,
            post(upload::preview),
        )
        .act(
            "/console/new/credential-type/publish",
            CHANGE,
            post(upload::publish),
        )
        .show(
            "/console/credential-types/{credential_type}",
            READ,
            get(look),
        )
}

/// A credential type as the API gives it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CredentialType {
    pub(crate) name: String,
    pub(crate) label: String,
    declared_in: String,
    version: Option<i64>,
    formats: Vec<String>,
    valid_for_days: u32,
    attributes: Vec<Attribute>,
    issued_by: Vec<String>,
    schema_address: String,
}

/// One attribute, as the API gives it or as it is declared.
#[derive(Clone, Debug, Deserialize)]
struct Attribute {
    name: String,
    label: String,
    kind: String,
    #[serde(default)]
    mandatory: bool,
    #[serde(default)]
    one_of: Vec<String>,
    #[serde(default)]
    provenance: String,
}

/// All that the visitor may see.
pub(crate) async fn all(visit: &Visit) -> Result<Vec<CredentialType>, Problem> {
    #[derive(Deserialize)]
    struct Found {
        credential_types: Vec<CredentialType>,
    }
    let found: Found = visit.api.get(Address::new(&["credential-types"])).await?;
    Ok(found.credential_types)
}

#[derive(Template)]
#[template(path = "credential_types/list.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    list: Table,
    may_add: bool,
}

async fn list(visit: Visit, Query(Done { done }): Query<Done>) -> Result<Response, Problem> {
    let columns = [
        "credential-type-label",
        "credential-type",
        "version",
        "credential-type-issued-by",
        "declared-in",
    ];
    let mut list = Table::new(
        visit.say("nav-credential-types"),
        columns.map(|key| visit.say(key)),
        visit.say("credential-types-empty"),
    );
    for one in all(&visit).await? {
        list.row([
            Cell::link(&one.label, format!("{PATH}/{}", one.name)),
            Cell::text(&one.name),
            Cell::text(
                one.version
                    .map_or_else(|| "–".to_owned(), |version| version.to_string()),
            ),
            Cell::text(one.issued_by.join(", ")),
            declared_in(&visit, &one.declared_in),
        ]);
    }
    let frame = visit.frame(PATH, "nav-credential-types").wide();
    let (page, frame) = frame.done(&visit.app.look, done.as_deref()).parts();
    let page = ListPage {
        page,
        frame,
        list,
        // A type is everybody's: of one organisation only nobody declares one.
        may_add: visit.may(CHANGE) && visit.operator.organisation.is_none(),
    };
    Ok(render(page.frame.status(), &page))
}

#[derive(Template)]
#[template(path = "credential_types/credential_type.html")]
struct TypePage {
    page: Page,
    frame: Frame,
    rows: Vec<Row>,
    seen: Seen,
    attributes: Table,
    schema_address: String,
    versions: Table,
}

async fn look(
    visit: Visit,
    Path(name): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Problem> {
    let one: CredentialType = visit
        .api
        .get(Address::new(&["credential-types", &name]))
        .await?;
    let frame = visit.frame(PATH, "credential-type").titled(&one.label);
    let frame = frame.tab(format!("{} ({name})", one.label)).wide();
    let frame = frame.back(PATH, visit.say("nav-credential-types"));
    let (page, frame) = frame.done(&visit.app.look, done.as_deref()).parts();
    let row = |key: &str, value: String| Row::new(visit.say(key), value);
    let page = TypePage {
        rows: vec![
            row("credential-type", one.name.clone()),
            row(
                "declared-in",
                visit.say(&format!("declared-in-{}", one.declared_in)),
            ),
            row("credential-type-formats", one.formats.join(", ")),
            row("credential-type-days", one.valid_for_days.to_string()),
            row("credential-type-issued-by", one.issued_by.join(", ")),
        ],
        seen: Seen::of(&visit, &name, &one.label, &one.attributes).await?,
        attributes: attributes(&visit, &one.attributes),
        versions: versions(&visit, &["credential-types", &name, "versions"]).await?,
        page,
        frame,
        schema_address: one.schema_address,
    };
    Ok(render(page.frame.status(), &page))
}

fn attributes(visit: &Visit, attributes: &[Attribute]) -> Table {
    let columns = [
        "attribute-label",
        "attribute",
        "attribute-kind",
        "attribute-mandatory",
        "attribute-one-of",
        "attribute-provenance",
    ];
    let mut table = Table::new(
        visit.say("attributes"),
        columns.map(|key| visit.say(key)),
        visit.say("attributes-empty"),
    );
    for one in attributes {
        table.row([
            Cell::text(&one.label),
            Cell::text(&one.name),
            Cell::text(visit.say(&format!("kind-{}", one.kind))),
            Cell::text(visit.say(if one.mandatory {
                "attribute-is-mandatory"
            } else {
                "attribute-is-optional"
            })),
            Cell::text(if one.one_of.is_empty() {
                "–".to_owned()
            } else {
                one.one_of.join(", ")
            }),
            Cell::text(visit.say(&format!("provenance-{}", one.provenance))),
        ]);
    }
    table
}
