//! What is done about one operator, each on a page of its own: another role, a token and a new sign-in take two persons,
//! removing takes one.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use ui::Page;
use ui::component::Choice;

use super::add::{days, label, roles};
use super::{CHANGE, Operator, PATH, ROLES};
use crate::api::Address;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::told_at;
use crate::pages::Pages;
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
    /// Where its page is, the last step of that path, and the field to which what the API says about no other field leads.
    const fn place(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Role => ("/console/operators/{operator}/role", "role", "role"),
            Self::Token => (
                "/console/operators/{operator}/token",
                "token",
                "token_sha256",
            ),
            Self::SignIn => (
                "/console/operators/{operator}/sign-in",
                "sign-in",
                "token_sha256",
            ),
            Self::Remove => ("/console/operators/{operator}/remove", "remove", "typed"),
        }
    }

    /// What is asked for, or what is to be put right in the form before.
    fn detail(self, visit: &Visit, of: &Operator, fields: &Fields) -> Result<Value, FormErrors> {
        let mut errors = FormErrors::default();
        let mut detail = json!({ "operator": of.id });
        match self {
            Self::Role if ROLES.contains(&fields.text("role")) => {
                detail["role"] = fields.text("role").into();
            }
            Self::Role => errors.add("role", visit.say("operator-no-role")),
            Self::Token | Self::SignIn => {
                if let Some(days) = days(visit, fields, &mut errors) {
                    detail["days"] = days.into();
                }
                match fields.optional("token_sha256") {
                    Some(digest) => detail["token_sha256"] = digest.into(),
                    None if self == Self::SignIn => {}
                    None => errors.add("token_sha256", visit.say("token-no-digest")),
                }
            }
            // Nobody is removed by a slip of the hand: the name is typed.
            Self::Remove if fields.text("typed") == of.name => {}
            Self::Remove => errors.add("typed", visit.say("operator-type-name")),
        }
        errors.is_empty().then_some(detail).ok_or(errors)
    }

    /// Asks the API for it.
    async fn ask(self, visit: &Visit, detail: Value, fields: &Fields) -> Result<Response, Problem> {
        let act = match self {
            Self::Role => "operator-role-change",
            Self::Token => "operator-token-add",
            Self::SignIn => "operator-sign-in-reset",
            Self::Remove => {
                let id = detail["operator"].as_str().unwrap_or_default();
                let address = Address::new(&["operators", id, "remove"]);
                visit.api.post::<()>(address, &why(fields)).await?;
                return Ok(told_at(PATH, "removed"));
            }
        };
        propose(visit, act, detail, fields).await
    }
}

/// A page and what its form does, for each of the four.
pub(super) fn pages() -> Pages {
    let all = [What::Role, What::Token, What::SignIn, What::Remove];
    all.into_iter().fold(Pages::new(), |pages, what| {
        let (path, ..) = what.place();
        let act = move |visit, id, fields| act(what, visit, id, fields);
        pages
            .show(path, CHANGE, get(move |visit, id| show(what, visit, id)))
            .act(path, CHANGE, post(act))
    })
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

fn page(
    visit: &Visit,
    operator: Operator,
    what: What,
    errors: FormErrors,
    fields: &Fields,
) -> Response {
    let (_, step, _) = what.place();
    let title = visit.say_with(
        &format!("operator-{step}-title"),
        &[("name", &operator.name)],
    );
    let frame = visit
        .frame(PATH, "nav-operators")
        .titled(title)
        .errors(errors);
    let own_path = format!("{PATH}/{}", operator.id);
    let frame = frame.back(&own_path, operator.name.as_str());
    let status = frame.status();
    let (page, frame) = frame.parts();
    let page = ChangePage {
        page,
        frame,
        what,
        action: format!("{own_path}/{step}"),
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
    render(status, &page)
}

async fn show(what: What, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let operator = visit.api.get(Address::new(&["operators", &id])).await?;
    let fields = Fields::default();
    Ok(page(&visit, operator, what, FormErrors::default(), &fields))
}

async fn act(
    what: What,
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let operator = visit.api.get(Address::new(&["operators", &id])).await?;
    let errors = match what.detail(&visit, &operator, &fields) {
        Ok(detail) => match what.ask(&visit, detail, &fields).await {
            Ok(response) => return Ok(response),
            Err(problem) => {
                let (_, _, first) = what.place();
                let names = [first, "token_sha256", "days", "role", "reason", "ticket"];
                problem.for_form(&names, |name| label(&visit, name))?
            }
        },
        Err(errors) => errors,
    };
    Ok(page(&visit, operator, what, errors, &fields))
}
