//! Adding an operator: what two administrators do.

use askama::Template;
use axum::response::Response;
use serde_json::{Value, json};
use ui::Page;
use ui::component::Choice;

use super::{PATH, ROLES};
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::role;
use crate::problem::{FormErrors, Problem};
use crate::proposals::propose;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "operators/add.html")]
struct AddPage {
    page: Page,
    frame: Frame,
    fields: Fields,
    roles: Vec<Choice>,
    kinds: Vec<Choice>,
    /// Whether the new one may be of another organisation than whoever adds it.
    of_any: bool,
}

pub(super) async fn show(visit: Visit) -> Response {
    page(&visit, FormErrors::default(), &Fields::default())
}

fn page(visit: &Visit, errors: FormErrors, fields: &Fields) -> Response {
    let frame = visit.frame(PATH, "operator-add").errors(errors);
    let frame = frame.back(PATH, visit.say("nav-operators"));
    let status = frame.status();
    let (page, frame) = frame.parts();
    let kind = Some(fields.text("kind")).filter(|kind| !kind.is_empty());
    let kind = kind.unwrap_or("person");
    let kinds = ["person", "account", "program", "emergency"].map(|one| {
        let choice = Choice::new(one, visit.say(&format!("operator-kind-{one}")));
        let hint = visit.say(&format!("operator-kind-{one}-hint"));
        choice.with_hint(hint).chosen(one == kind)
    });
    let page = AddPage {
        page,
        frame,
        roles: roles(visit, fields.text("role")),
        kinds: kinds.into(),
        of_any: visit.operator.organisation.is_none(),
        fields: fields.clone(),
    };
    render(status, &page)
}

/// The roles to choose from, with what each is for.
pub(super) fn roles(visit: &Visit, chosen: &str) -> Vec<Choice> {
    let choice = |one: &&str| {
        let hint = visit.say(&format!("role-{one}-hint"));
        let choice = Choice::new(*one, role(visit, one)).with_hint(hint);
        choice.chosen(*one == chosen)
    };
    ROLES.iter().map(choice).collect()
}

/// What the forms call a field that the API names so.
pub(super) fn label(visit: &Visit, name: &str) -> String {
    visit.say(&format!("operator-label-{}", name.replace('_', "-")))
}

/// The days that a token is in force, as they were typed.
pub(super) fn days(visit: &Visit, fields: &Fields, errors: &mut FormErrors) -> Option<u32> {
    let typed = fields.optional("days")?;
    let days = typed.parse().ok();
    if days.is_none() {
        errors.add("days", visit.say("token-days-wrong"));
    }
    days
}

pub(super) async fn add(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    if fields.text("name").is_empty() {
        errors.add("name", visit.say("operator-no-name"));
    }
    if !ROLES.contains(&fields.text("role")) {
        errors.add("role", visit.say("operator-no-role"));
    }
    let kind = fields.text("kind");
    let has_other = kind == "program" || kind == "account";
    if has_other && fields.text("person").is_empty() {
        errors.add("person", visit.say("operator-no-person"));
    }
    let days = days(&visit, &fields, &mut errors);
    if errors.is_empty() {
        // Whether it counts as another person is said and never left out.
        let person = fields.optional("person").filter(|_| has_other);
        let mut detail = json!({
            "name": fields.text("name"),
            "role": fields.text("role"),
            "person": person.unwrap_or("self"),
            "program": kind == "program",
            "break_glass": kind == "emergency",
        });
        let more: [(&str, Option<Value>); 3] = [
            (
                "organisation",
                fields.optional("organisation").map(Into::into),
            ),
            (
                "token_sha256",
                fields.optional("token_sha256").map(Into::into),
            ),
            ("days", days.map(Into::into)),
        ];
        for (name, value) in more {
            if let Some(value) = value {
                detail[name] = value;
            }
        }
        match propose(&visit, "operator-add", detail, &fields).await {
            Ok(response) => return Ok(response),
            // The organisation or the person: which of them is told to nobody who may not see it.
            Err(problem) if problem.status.as_u16() == 404 => {
                let field = if fields.text("organisation").is_empty() {
                    "person"
                } else {
                    "organisation"
                };
                errors.add(field, visit.say("operator-not-found"));
            }
            Err(problem) => {
                let names = [
                    "name",
                    "role",
                    "organisation",
                    "person",
                    "token_sha256",
                    "days",
                    "reason",
                    "ticket",
                ];
                errors = problem.for_form(&names, |name| label(&visit, name))?;
            }
        }
    }
    Ok(page(&visit, errors, &fields))
}
