//! A new type, or a new version of one: uploaded, looked at as the employee will see it and beside the version in force, and
//! only then published.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use ui::Page;
use ui::component::TagColour;

use super::seen::Seen;
use super::{Attribute, PATH, attributes};
use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::told_at;
use crate::organisations::errors;
use crate::problem::{FormErrors, Problem};
use crate::proposals::why;
use crate::table::{Cell, Table};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "credential_types/upload.html")]
struct UploadPage {
    page: Page,
    frame: Frame,
    text: String,
}

/// The form.
pub(super) async fn blank(visit: Visit) -> Result<Response, Problem> {
    Ok(form(&visit, String::new(), FormErrors::default()))
}

fn form(visit: &Visit, text: String, errors: FormErrors) -> Response {
    let frame = visit.frame(PATH, "credential-type-upload").errors(errors);
    let frame = frame.back(PATH, visit.say("nav-credential-types"));
    let status = frame.status();
    let (page, frame) = frame.parts();
    render(status, &UploadPage { page, frame, text })
}

/// A declared type, as far as it is shown here; the API reads all of it.
#[derive(Deserialize)]
struct Declared {
    name: String,
    label: String,
    attributes: Vec<DeclaredAttribute>,
}

#[derive(Deserialize)]
struct DeclaredAttribute {
    source: String,
    #[serde(flatten)]
    attribute: Attribute,
}

/// One type in TOML or in JSON: what begins with a brace is JSON.
fn read(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }
}

#[derive(Template)]
#[template(path = "credential_types/preview.html")]
struct PreviewPage {
    page: Page,
    frame: Frame,
    seen: Seen,
    attributes: Table,
    is_new: bool,
    differences: Table,
    plan: String,
    text: String,
}

/// What the API says would change.
#[derive(Deserialize)]
struct Plan {
    plan: String,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    act: String,
    differences: Vec<Difference>,
}

#[derive(Deserialize)]
struct Difference {
    member: String,
    before: Option<String>,
    after: Option<String>,
}

/// What goes and what comes, each as such.
fn differences(visit: &Visit, changes: &[Change]) -> Table {
    let columns = [
        "difference-member",
        "difference-what",
        "difference-before",
        "difference-after",
    ];
    let mut table = Table::new(
        visit.say("credential-type-difference"),
        columns.map(|key| visit.say(key)),
        visit.say("credential-type-same"),
    );
    for one in changes.iter().flat_map(|change| &change.differences) {
        let (word, colour) = match (&one.before, &one.after) {
            (None, Some(_)) => ("difference-added", TagColour::Green),
            (Some(_), None) => ("difference-removed", TagColour::Red),
            (Some(_), Some(_)) => ("difference-changed", TagColour::Yellow),
            (None, None) => ("difference-order", TagColour::Yellow),
        };
        let side = |text: &Option<String>, cell: fn(String) -> Cell| {
            text.clone().map_or_else(|| Cell::text("–"), cell)
        };
        table.row([
            Cell::text(&one.member),
            Cell::tag(visit.say(word), colour),
            side(&one.before, Cell::gone),
            side(&one.after, Cell::come),
        ]);
    }
    table
}

/// How it will look, and what it changes. Nothing is published yet.
pub(super) async fn preview(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let file = fields
        .file("file")
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let text = file.unwrap_or_else(|| fields.raw("text").to_owned());
    shown(&visit, text, FormErrors::default()).await
}

async fn shown(visit: &Visit, text: String, wrong: FormErrors) -> Result<Response, Problem> {
    let refused = |reason: String| form(visit, text.clone(), FormErrors::one("text", reason));
    if text.trim().is_empty() {
        return Ok(refused(visit.say("credential-type-no-text")));
    }
    let value = match read(&text) {
        Ok(value) => value,
        Err(reason) => {
            return Ok(refused(
                visit.say_with("credential-type-unreadable", &[("reason", &reason)]),
            ));
        }
    };
    let body = json!({ "declaration": { "credential_types": [value] } });
    let plan: Plan = match visit
        .api
        .post(Address::new(&["registry", "plan"]), &body)
        .await
    {
        Ok(plan) => plan,
        Err(problem) => {
            let errors = errors(visit, problem, &["text"])?;
            return Ok(form(visit, text, errors));
        }
    };
    // What the API plans it has read, so that it is of this form.
    let declared: Declared =
        serde_json::from_value(value).map_err(|error| Problem::ours(&error))?;
    let said = declared.attributes.into_iter().map(|one| Attribute {
        provenance: if one.source == "assumed" {
            "assumed"
        } else {
            "sourced"
        }
        .to_owned(),
        ..one.attribute
    });
    let said: Vec<Attribute> = said.collect();
    let frame = visit
        .frame(PATH, "credential-type-before")
        .errors(wrong)
        .wide();
    let frame = frame.back(
        "/console/new/credential-type",
        visit.say("credential-type-upload"),
    );
    let status = frame.status();
    let (page, frame) = frame.parts();
    let page = PreviewPage {
        page,
        frame,
        seen: Seen::of(visit, &declared.name, &declared.label, &said).await?,
        attributes: attributes(visit, &said),
        is_new: plan.changes.iter().any(|change| change.act == "add"),
        differences: differences(visit, &plan.changes),
        plan: plan.plan,
        text,
    };
    Ok(render(status, &page))
}

/// Publishes what was looked at; where it would change something else by now, it is shown once more.
pub(super) async fn publish(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let text = fields.raw("text").to_owned();
    let Ok(value) = read(&text) else {
        return shown(&visit, text, FormErrors::default()).await;
    };
    let name = value["name"].as_str().unwrap_or_default().to_owned();
    let mut body = why(&fields);
    body["declaration"] = json!({ "credential_types": [value] });
    body["plan"] = fields.text("plan").into();
    match visit
        .api
        .post::<Value>(Address::new(&["registry", "apply"]), &body)
        .await
    {
        Ok(_) => Ok(told_at(
            &format!("{PATH}/{name}"),
            "credential-type-published",
        )),
        Err(problem) => {
            let errors = errors(&visit, problem, &["reason", "ticket"])?;
            shown(&visit, text, errors).await
        }
    }
}
