//! One's own account: how one logs in, one's sessions and tokens.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use ui::Page;
use ui::component::Row;

use crate::api::Address;
use crate::cookie::mark;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::home::{Done, told_at};
use crate::operators::{Shown, Token, in_force};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::sections::{News, Pending, State};
use crate::visit::Visit;

const PATH: &str = "/console/account";
const PASSWORD: &str = "/console/account/password";
/// So few recovery codes are left that somebody should get new ones.
const FEW: i64 = 3;

/// The pages. Setting up anew is `set_up`'s.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .show(PATH, None, get(show))
        .show(PASSWORD, None, get(show_password))
        .act(PASSWORD, None, post(change_password))
        .act("/console/account/tokens", None, post(new_token))
        .act("/console/account/tokens/{token}/revoke", None, post(revoke))
}

/// How one logs in, as the API tells.
#[derive(Deserialize)]
struct SignIn {
    set_up_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    recovery_codes: i64,
    set_up_with: Option<String>,
}

async fn sign_in(visit: &Visit) -> Result<SignIn, Problem> {
    visit.api.get(Address::new(&["sign-in"])).await
}

/// Whether the recovery codes run out.
pub(crate) fn news(visit: Visit) -> Pending<Vec<News>> {
    Box::pin(async move {
        let SignIn {
            set_up_at,
            recovery_codes,
            ..
        } = sign_in(&visit).await?;
        if set_up_at.is_none() || recovery_codes >= FEW {
            return Ok(Vec::new());
        }
        let count = recovery_codes.to_string();
        Ok(vec![News {
            title: visit.say_with("account-few-codes", &[("count", &count)]),
            hint: visit.say("account-few-codes-hint"),
            href: Some(PATH.to_owned()),
            state: State::Waits,
            word: visit.say("state-do-it"),
        }])
    })
}

#[derive(Template)]
#[template(path = "account/account.html")]
struct AccountPage {
    page: Page,
    frame: Frame,
    rows: Vec<Row>,
    /// Whether there is a password to change.
    is_set_up: bool,
    sessions: Vec<Shown>,
    tokens: Vec<Shown>,
    days: String,
    /// Which token the log-in ends with, where it ends with one.
    rests_on: String,
    /// The mark of the form that makes a token.
    once: String,
}

async fn show(visit: Visit, Query(Done { done }): Query<Done>) -> Result<Response, Problem> {
    let frame = visit
        .frame(PATH, "nav-account")
        .done(&visit.app.look, done.as_deref());
    page(&visit, frame, &Fields::default()).await
}

async fn page(visit: &Visit, frame: Frame, fields: &Fields) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Found {
        tokens: Vec<Token>,
    }
    let sign_in = sign_in(visit).await?;
    let Found { tokens } = visit.api.get(Address::new(&["tokens"])).await?;
    let status = frame.status();
    let (page, frame) = frame.parts();
    let when =
        |at: Option<Timestamp>| at.map_or_else(|| visit.say("never"), ui::time::date_and_clock);
    let mut rows = vec![Row::new(
        visit.say("account-set-up"),
        when(sign_in.set_up_at),
    )];
    if sign_in.set_up_at.is_some() {
        let left = sign_in.recovery_codes.to_string();
        rows.push(Row::new(
            visit.say("account-last-used"),
            when(sign_in.last_used_at),
        ));
        rows.push(Row::new(visit.say("account-codes-left"), left));
    }
    let now = visit.app.now();
    let page = AccountPage {
        page,
        frame,
        rows,
        is_set_up: sign_in.set_up_at.is_some(),
        sessions: in_force(visit, &tokens, "session", now),
        tokens: in_force(visit, &tokens, "token", now),
        days: fields.text("days").to_owned(),
        rests_on: sign_in.set_up_with.map_or_else(String::new, |token| {
            visit.say_with("account-rests-on", &[("token", &token)])
        }),
        once: mark(),
    };
    Ok(render(status, &page))
}

#[derive(Template)]
#[template(path = "account/password.html")]
struct PasswordPage {
    page: Page,
    frame: Frame,
}

async fn show_password(visit: Visit) -> Response {
    password_page(&visit, FormErrors::default())
}

fn password_page(visit: &Visit, errors: FormErrors) -> Response {
    let frame = visit.frame(PATH, "account-password-title").errors(errors);
    let status = frame.status();
    let (page, frame) = frame.back(PATH, visit.say("nav-account")).parts();
    render(status, &PasswordPage { page, frame })
}

async fn change_password(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    for field in ["current", "code", "password"] {
        if fields.raw(field).is_empty() {
            errors.add(field, visit.say(&format!("set-up-no-{field}")));
        }
    }
    if errors.of("password").is_empty() && fields.raw("password") != fields.raw("again") {
        errors.add("again", visit.say("set-up-not-the-same"));
    }
    if errors.is_empty() {
        let current = json!({ "password": fields.raw("current"), "code": fields.text("code") });
        let body = json!({ "password": fields.raw("password"), "current": current });
        let address = Address::new(&["sign-in", "password"]);
        match visit.api.post::<()>(address, &body).await {
            Ok(()) => return Ok(told_at(PATH, "password")),
            Err(problem) => {
                let label = |field: &str| visit.say(&format!("set-up-{field}"));
                errors = problem.for_form(&["current", "password"], label)?;
            }
        }
    }
    Ok(password_page(&visit, errors))
}

#[derive(Template)]
#[template(path = "account/token.html")]
struct TokenPage {
    page: Page,
    frame: Frame,
    token: String,
    ends: String,
}

#[derive(Deserialize)]
struct NewToken {
    token: String,
    expires_at: Timestamp,
}

/// The answer to the form and no page of its own: the token is shown once. Whoever loads that page again sends the form again,
/// with the mark that is spent, and is told so.
async fn new_token(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    let days = fields.optional("days").map(str::parse::<u32>).transpose();
    for field in ["current", "code"] {
        if fields.raw(field).is_empty() {
            errors.add(field, visit.say(&format!("set-up-no-{field}")));
        }
    }
    match days {
        Ok(_) if !errors.is_empty() => {}
        Ok(days) => {
            // A screen left alone makes nobody a token.
            let current = json!({ "password": fields.raw("current"), "code": fields.text("code") });
            let mut body = json!({ "current": current, "once": fields.text("once") });
            if let Some(days) = days {
                body["days"] = days.into();
            }
            match visit
                .api
                .post::<NewToken>(Address::new(&["tokens"]), &body)
                .await
            {
                Ok(NewToken { token, expires_at }) => {
                    let frame = visit.frame(PATH, "token-new-title");
                    let (page, frame) = frame.back(PATH, visit.say("nav-account")).parts();
                    let ends = ui::time::date_and_clock(expires_at);
                    let ends = visit.say_with("token-new-ends", &[("ends", &ends)]);
                    let page = TokenPage {
                        page,
                        frame,
                        token,
                        ends,
                    };
                    return Ok(render(page.frame.status(), &page));
                }
                Err(problem) if problem.code == "done-before" => {
                    errors.add("days", visit.say("token-done-before"));
                }
                Err(problem) => {
                    errors = problem.for_form(&["days", "current"], |name| {
                        visit.say(if name == "days" {
                            "token-days"
                        } else {
                            "set-up-current"
                        })
                    })?;
                }
            }
        }
        Err(_) => errors.add("days", visit.say("token-days-wrong")),
    }
    let frame = visit.frame(PATH, "nav-account").errors(errors);
    page(&visit, frame, &fields).await
}

async fn revoke(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let address = Address::new(&["tokens", &id, "revoke"]);
    visit.api.post::<()>(address, &json!({})).await?;
    Ok(told_at(PATH, "revoked"))
}
