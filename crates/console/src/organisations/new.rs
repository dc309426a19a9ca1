//! One more organisation.

use askama::Template;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use ui::Page;
use ui::component::Choice;

use super::hosts::{self, Hosts};
use super::{CHANGE, FIELDS, Organisation, PATH, errors, type_choices};
use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::told_at;
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::proposals::why;
use crate::visit::Visit;

/// The pages.
pub(super) fn pages() -> Pages {
    Pages::new()
        .show("/console/new/organisation", CHANGE, get(blank))
        .act("/console/new/organisation/add", CHANGE, post(add))
}

#[derive(Template)]
#[template(path = "organisations/new.html")]
struct NewPage {
    page: Page,
    frame: Frame,
    fields: Fields,
    issues: Vec<Choice>,
    hosts: Hosts,
}

async fn blank(visit: Visit) -> Result<Response, Problem> {
    new_page(&visit, &Fields::default(), FormErrors::default()).await
}

async fn new_page(visit: &Visit, fields: &Fields, errors: FormErrors) -> Result<Response, Problem> {
    let frame = visit.frame(PATH, "organisation-add").errors(errors);
    let frame = frame.back(PATH, visit.say("nav-organisations"));
    let status = frame.status();
    let (page, frame) = frame.parts();
    let chosen: Vec<String> = fields.all("issues").map(str::to_owned).collect();
    let page = NewPage {
        page,
        frame,
        fields: fields.clone(),
        issues: type_choices(visit, &chosen).await?,
        hosts: Hosts::of(visit, &serde_json::Value::Null, Some(fields)),
    };
    Ok(render(status, &page))
}

async fn add(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let mut body = why(&fields);
    let issues: Vec<&str> = fields.all("issues").collect();
    body["declared"] =
        json!({ "id": fields.text("id"), "name": fields.text("name"), "issues": issues });
    match hosts::declare(&visit, &fields, None).await? {
        Ok(Some(hosts)) if !hosts.is_null() => body["declared"][hosts::LISTED] = hosts,
        Ok(_) => {}
        Err(wrong) => return new_page(&visit, &fields, wrong).await,
    }
    match visit
        .api
        .post::<Organisation>(Address::new(&["organisations"]), &body)
        .await
    {
        Ok(made) => Ok(told_at(
            &format!("{PATH}/{}", made.id),
            "organisation-added",
        )),
        Err(problem) => {
            let errors = errors(&visit, problem, &FIELDS)?;
            new_page(&visit, &fields, errors).await
        }
    }
}
