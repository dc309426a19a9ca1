//! What is done about one operator, each on a page of its own: another role, a token and a new sign-in take two persons,
//! removing takes one.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde_json::json;
use ui::Page;
use ui::component::Choice;

use super::add::{days, label, roles};
use super::{Operator, PATH, ROLES};
use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::told_at;
use crate::problem::{FormErrors, Problem};
use crate::proposals::{propose, why};
use crate::visit::Visit;

/// Which of the four.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Role,
    Token,
    SignIn,
    Remove,
}

impl What {
    const fn step(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Token => "token",
            Self::SignIn => "sign-in",
            Self::Remove => "remove",
        }
    }
}

#[derive(Template)]
#[template(path = "operators/change.html")]
struct ChangePage {
    page: Page,
    frame: Frame,
    what: What,
    action: String,
    name: String,
    intro: String,
    button: String,
    roles: Vec<Choice>,
    fields: Fields,
}

async fn page(
    visit: &Visit,
    id: &str,
    what: What,
    errors: FormErrors,
    fields: &Fields,
) -> Result<Response, Problem> {
    let operator: Operator = visit.api.get(Address::new(&["operators", id])).await?;
    let step = what.step();
    let title = visit.say_with(
        &format!("operator-{step}-title"),
        &[("name", &operator.name)],
    );
    let frame = visit
        .frame(PATH, "nav-operators")
        .titled(title)
        .errors(errors);
    let frame = frame.back(format!("{PATH}/{id}"), operator.name.as_str());
    let status = frame.status();
    let (page, frame) = frame.parts();
    let page = ChangePage {
        page,
        frame,
        what,
        action: format!("{PATH}/{id}/{step}"),
        intro: visit.say(&format!("operator-{step}-intro")),
        button: visit.say(if what == What::Remove {
            "operator-remove-button"
        } else {
            "propose"
        }),
        roles: roles(visit, fields.optional("role").unwrap_or(&operator.role)),
        name: operator.name,
        fields: fields.clone(),
    };
    Ok(render(status, &page))
}

async fn fresh(visit: &Visit, id: &str, what: What) -> Result<Response, Problem> {
    page(visit, id, what, FormErrors::default(), &Fields::default()).await
}

pub(super) async fn show_role(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    fresh(&visit, &id, What::Role).await
}

pub(super) async fn show_token(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    fresh(&visit, &id, What::Token).await
}

pub(super) async fn show_sign_in(
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    fresh(&visit, &id, What::SignIn).await
}

pub(super) async fn show_remove(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    fresh(&visit, &id, What::Remove).await
}

/// What the API says about a field of one of the forms; what is about none of them leads to the first.
fn refused(visit: &Visit, problem: Problem, first: &str) -> Result<FormErrors, Problem> {
    let names = [first, "token_sha256", "days", "role", "reason", "ticket"];
    problem.for_form(&names, |name| label(visit, name))
}

pub(super) async fn change_role(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    if ROLES.contains(&fields.text("role")) {
        let detail = json!({ "operator": id, "role": fields.text("role") });
        match propose(&visit, "operator-role-change", detail, &fields).await {
            Ok(response) => return Ok(response),
            Err(problem) => errors = refused(&visit, problem, "role")?,
        }
    } else {
        errors.add("role", visit.say("operator-no-role"));
    }
    page(&visit, &id, What::Role, errors, &fields).await
}

pub(super) async fn give_token(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    let days = days(&visit, &fields, &mut errors);
    if fields.text("token_sha256").is_empty() {
        errors.add("token_sha256", visit.say("token-no-digest"));
    }
    if errors.is_empty() {
        let mut detail = json!({ "operator": id, "token_sha256": fields.text("token_sha256") });
        if let Some(days) = days {
            detail["days"] = days.into();
        }
        match propose(&visit, "operator-token-add", detail, &fields).await {
            Ok(response) => return Ok(response),
            Err(problem) => errors = refused(&visit, problem, "token_sha256")?,
        }
    }
    page(&visit, &id, What::Token, errors, &fields).await
}

pub(super) async fn reset_sign_in(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    let days = days(&visit, &fields, &mut errors);
    if errors.is_empty() {
        let mut detail = json!({ "operator": id });
        if let Some(digest) = fields.optional("token_sha256") {
            detail["token_sha256"] = digest.into();
        }
        if let Some(days) = days {
            detail["days"] = days.into();
        }
        match propose(&visit, "operator-sign-in-reset", detail, &fields).await {
            Ok(response) => return Ok(response),
            Err(problem) => errors = refused(&visit, problem, "token_sha256")?,
        }
    }
    page(&visit, &id, What::SignIn, errors, &fields).await
}

pub(super) async fn remove(
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    // Nobody is removed by a slip of the hand: the name is typed.
    let known: Operator = visit.api.get(Address::new(&["operators", &id])).await?;
    if fields.text("typed") == known.name {
        let address = Address::new(&["operators", &id, "remove"]);
        match visit.api.post::<()>(address, &why(&fields)).await {
            Ok(()) => return Ok(told_at(PATH, "removed")),
            Err(problem) => errors = refused(&visit, problem, "typed")?,
        }
    } else {
        errors.add("typed", visit.say("operator-type-name"));
    }
    page(&visit, &id, What::Remove, errors, &fields).await
}
