//! Why something failed: an interaction by what is in hand, step by step, and its cause in three voices.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use ui::Page;
use ui::component::Row;

use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::table::{Cell, Table};
use crate::visit::Visit;

pub(crate) const PATH: &str = "/console/interactions";
const READ: &str = "interactions-read";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, READ, get(begin))
        .act("/console/interactions", READ, post(find))
        .show("/console/interactions/{interaction}", READ, get(look))
}

#[derive(Deserialize)]
struct Found {
    interactions: Vec<Told>,
}

/// An interaction as the API tells it.
#[derive(Deserialize)]
struct Told {
    reference: String,
    organisation: String,
    client_id: String,
    purpose: String,
    credential_types: String,
    stage: String,
    outcome: Option<String>,
    serial_number: Option<String>,
    steps: Vec<Step>,
    cause: Option<Cause>,
}

#[derive(Deserialize)]
struct Step {
    at: Timestamp,
    sentence: String,
    #[serde(default)]
    cause: Option<String>,
}

#[derive(Deserialize)]
struct Cause {
    code: String,
    person: String,
    desk: String,
    developer: String,
}

/// One of them as the page shows it.
struct Shown {
    reference: String,
    rows: Vec<Row>,
    /// The credential that left the gateway: its page and its number.
    credential: Option<(String, String)>,
    steps: Table,
    cause: Option<Cause>,
}

fn shown(visit: &Visit, told: Told) -> Shown {
    let mut rows = vec![
        Row::new(
            visit.say("interaction-purpose"),
            visit.say(&format!("purpose-{}", told.purpose)),
        ),
        Row::new(visit.say("credential-type"), told.credential_types),
        Row::new(visit.say("organisation"), told.organisation),
        Row::new(visit.say("interaction-client"), told.client_id),
        Row::new(visit.say("interaction-stage"), told.stage),
    ];
    rows.extend(
        told.outcome
            .map(|outcome| Row::new(visit.say("interaction-outcome"), outcome)),
    );
    let columns = ["happened-at", "happened-what", "interaction-cause"];
    let columns = columns.map(|key| visit.say(key));
    let caption = format!("{} {}", visit.say("interaction-steps"), told.reference);
    let mut steps = Table::new(caption, columns, visit.say("none"));
    for step in told.steps {
        steps.row([
            Cell::text(ui::time::date_and_clock(step.at)),
            Cell::text(step.sentence),
            Cell::text(step.cause.unwrap_or_else(|| "–".to_owned())),
        ]);
    }
    let serial = told.serial_number.filter(|_| visit.may("credentials-read"));
    Shown {
        reference: told.reference,
        rows,
        credential: serial.map(|one| (format!("{}/{one}", crate::credentials::PATH), one)),
        steps,
        cause: told.cause,
    }
}

#[derive(Template)]
#[template(path = "interactions/find.html")]
struct FindPage {
    page: Page,
    frame: Frame,
    interaction: String,
    client_id: String,
    failures: Table,
}

async fn begin(visit: Visit) -> Result<Response, Problem> {
    find_page(
        &visit,
        visit.frame(PATH, "nav-interactions"),
        &Fields::default(),
    )
    .await
}

async fn find_page(visit: &Visit, frame: Frame, fields: &Fields) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Counted {
        failures: Vec<Failure>,
    }
    #[derive(Deserialize)]
    struct Failure {
        cause: String,
        client_id: String,
        count: i64,
        desk: String,
    }
    let counted: Counted = visit
        .api
        .get(Address::new(&["interactions", "failures"]))
        .await?;
    let columns = [
        "failure-count",
        "interaction-cause",
        "interaction-client",
        "failure-desk",
    ];
    let columns = columns.map(|key| visit.say(key));
    let caption = visit.say("failures-title");
    let mut failures = Table::new(caption, columns, visit.say("failures-none"));
    for one in counted.failures {
        failures.row([
            Cell::text(one.count.to_string()),
            Cell::text(one.cause),
            Cell::text(one.client_id),
            Cell::text(one.desk),
        ]);
    }
    let status = frame.status();
    let (page, frame) = frame.wide().parts();
    let page = FindPage {
        page,
        frame,
        interaction: fields.text("interaction").to_owned(),
        client_id: fields.text("client_id").to_owned(),
        failures,
    };
    Ok(render(status, &page))
}

#[derive(Template)]
#[template(path = "interactions/told.html")]
struct ToldPage {
    page: Page,
    frame: Frame,
    told: Vec<Shown>,
}

fn told_page(visit: &Visit, found: Found) -> Response {
    let told: Vec<Shown> = found
        .interactions
        .into_iter()
        .map(|one| shown(visit, one))
        .collect();
    let frame = visit.frame(PATH, "interaction");
    let tab = told
        .first()
        .map_or_else(String::new, |one| one.reference.clone());
    let tab = format!("{} {tab}", visit.say("interaction"));
    let (page, frame) = frame
        .tab(tab)
        .back(PATH, visit.say("nav-interactions"))
        .parts();
    let page = ToldPage { page, frame, told };
    render(page.frame.status(), &page)
}

async fn look(visit: Visit, Path(reference): Path<String>) -> Result<Response, Problem> {
    let found: Found = visit
        .api
        .get(Address::new(&["interactions", &reference]))
        .await?;
    Ok(told_page(&visit, found))
}

/// By a form, and told on the page that answers it: a state or a `request_uri` is nothing for an address.
async fn find(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let mut body = json!({});
    for name in ["interaction", "state", "client_id"] {
        if let Some(text) = fields.optional(name) {
            body[name] = text.into();
        }
    }
    let said = |key: &str| {
        let mut errors = FormErrors::default();
        errors.add("interaction", visit.say(key));
        visit.frame(PATH, "nav-interactions").errors(errors)
    };
    if body.get("interaction").is_some() == body.get("state").is_some() {
        return find_page(&visit, said("interaction-one"), &fields).await;
    }
    let address = Address::new(&["interactions", "find"]);
    match visit.api.post::<Found>(address, &body).await {
        Ok(found) => Ok(told_page(&visit, found)),
        Err(problem) if problem.status.as_u16() == 404 => {
            find_page(&visit, said("interaction-unknown"), &fields).await
        }
        Err(problem) => Err(problem),
    }
}
