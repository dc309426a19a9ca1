//! Setting up how one logs in: first with a token, later from one's own account; then a code of the new authenticator, and the
//! recovery codes.

use askama::Template;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use ui::Page;
use ui::qr::Svg;

use crate::api::{Address, Api};
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::log_in::{self, Session};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::visit::{Guest, Visit};

const PATH: &str = "/console/set-up";
const CONFIRM: &str = "/console/set-up/confirm";
const ANEW: &str = "/console/account/set-up";
const CONFIRM_ANEW: &str = "/console/account/set-up/confirm";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .open("GET", PATH, get(show))
        .open("POST", PATH, post(begin))
        .open("POST", CONFIRM, post(confirm))
        .show(ANEW, None, get(show_anew))
        .act(ANEW, None, post(begin_anew))
        .act(CONFIRM_ANEW, None, post(confirm_anew))
}

/// A set-up that waits for a code, as the API gives it. Its secret is shown on one page, and in no form: the gateway keeps it, and
/// the form carries on what confirms it.
#[derive(Deserialize)]
struct Begun {
    set_up: String,
    secret: String,
    address: String,
}

impl Begun {
    /// The secret in groups of four, as people type it over.
    fn grouped(&self) -> String {
        let letters: Vec<char> = self.secret.chars().collect();
        let groups = letters
            .chunks(4)
            .map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join(" ")
    }
}

#[derive(Template)]
#[template(path = "set_up/begin.html")]
struct BeginPage {
    page: Page,
    frame: Frame,
    action: &'static str,
    /// Whether somebody is logged in, who shows that it is still them.
    anew: bool,
}

#[derive(Template)]
#[template(path = "set_up/code.html")]
struct CodePage {
    page: Page,
    frame: Frame,
    action: &'static str,
    set_up: String,
    /// The secret, on the first page alone.
    secret: Option<String>,
    code: Option<Svg>,
    /// Where one begins anew.
    anew: &'static str,
}

#[derive(Template)]
#[template(path = "set_up/recovery.html")]
struct RecoveryPage {
    page: Page,
    frame: Frame,
    codes: Vec<String>,
}

async fn show(guest: Guest) -> Response {
    begin_page(guest.frame("set-up-title"), false)
}

async fn show_anew(visit: Visit) -> Response {
    begin_page(anew(&visit), true)
}

fn anew(visit: &Visit) -> Frame {
    let back = visit.say("nav-account");
    visit
        .frame("/console/account", "set-up-anew-title")
        .back("/console/account", back)
}

fn begin_page(frame: Frame, anew: bool) -> Response {
    let status = frame.status();
    let frame = if anew {
        frame
    } else {
        frame.back(log_in::PATH, "Back")
    };
    let (page, frame) = frame.parts();
    let action = if anew { ANEW } else { PATH };
    let page = BeginPage {
        page,
        frame,
        action,
        anew,
    };
    render(status, &page)
}

/// What is wrong with what was typed, as far as that is plain to see.
fn missing(fields: &Fields, asked: &[&str], say: impl Fn(&str) -> String) -> FormErrors {
    let mut errors = FormErrors::default();
    for field in asked {
        if fields.raw(field).is_empty() {
            errors.add(field, say(&format!("set-up-no-{field}")));
        }
    }
    if errors.of("password").is_empty() && fields.raw("password") != fields.raw("again") {
        errors.add("again", say("set-up-not-the-same"));
    }
    errors
}

async fn begin(guest: Guest, fields: Fields) -> Result<Response, Problem> {
    let mut errors = missing(&fields, &["token", "password"], |key| guest.say(key));
    if errors.is_empty() {
        let api = guest.api.with(fields.text("token"));
        let body = json!({ "password": fields.raw("password") });
        match api.post(Address::new(&["sign-in"]), &body).await {
            Ok(begun) => return Ok(code_page(guest.frame("set-up-code-title"), begun, CONFIRM)),
            Err(problem) if problem.status.as_u16() == 401 => {
                errors.add("token", guest.say("set-up-wrong-token"));
            }
            Err(problem) if problem.field().is_some_and(|(name, _)| name == "current") => {
                errors.add("token", guest.say("set-up-there-already"));
            }
            Err(problem) => {
                let label = |field: &str| guest.say(&format!("set-up-{field}"));
                errors = problem.for_form(&["token", "password"], label)?;
            }
        }
    }
    Ok(begin_page(
        guest.frame("set-up-title").errors(errors),
        false,
    ))
}

async fn begin_anew(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let asked = ["current", "code", "password"];
    let mut errors = missing(&fields, &asked, |key| visit.say(key));
    if errors.is_empty() {
        let current = json!({ "password": fields.raw("current"), "code": fields.text("code") });
        let body = json!({ "password": fields.raw("password"), "current": current });
        // Whoever shows a token besides is asked by that one: the log-in stands by itself then.
        let other = fields.optional("token");
        let with_other = other.map(|token| visit.api.with(token));
        let api = with_other.as_ref().unwrap_or(&visit.api);
        match api.post(Address::new(&["sign-in"]), &body).await {
            Ok(begun) => {
                let frame = visit.frame("/console/account", "set-up-code-title");
                return Ok(code_page(frame, begun, CONFIRM_ANEW));
            }
            Err(problem) if other.is_some() && problem.status.as_u16() == 401 => {
                errors.add("token", visit.say("set-up-wrong-token"));
            }
            Err(problem) => {
                let label = |field: &str| visit.say(&format!("set-up-{field}"));
                errors = problem.for_form(&["current", "password"], label)?;
            }
        }
    }
    Ok(begin_page(anew(&visit).errors(errors), true))
}

fn code_page(frame: Frame, begun: Begun, action: &'static str) -> Response {
    let status = frame.status();
    let (page, frame) = frame.parts();
    let label = page.say("set-up-code-alt");
    let page = CodePage {
        code: ui::qr::svg(&begun.address, &label).ok(),
        secret: Some(begun.grouped()),
        set_up: begun.set_up,
        page,
        frame,
        action,
        anew: "",
    };
    render(status, &page)
}

/// The same after a wrong code, without what the authenticator was given.
fn code_page_again(frame: Frame, fields: &Fields, action: &'static str) -> Response {
    let status = frame.status();
    let (page, frame) = frame.parts();
    let page = CodePage {
        code: None,
        secret: None,
        set_up: fields.text("set_up").to_owned(),
        page,
        frame,
        action,
        anew: if action == CONFIRM { PATH } else { ANEW },
    };
    render(status, &page)
}

#[derive(Deserialize)]
struct Confirmed {
    recovery_codes: Vec<String>,
    session: Session,
}

/// The recovery codes; or what the form says, shown again.
async fn confirmed(
    api: &Api,
    fields: &Fields,
    label: &str,
) -> Result<Confirmed, Result<FormErrors, Problem>> {
    let body = json!({ "set_up": fields.text("set_up"), "code": fields.text("code") });
    let confirmed = api.post(Address::new(&["sign-in", "confirm"]), &body).await;
    confirmed.map_err(|problem| {
        // Nobody mends what is over.
        if problem.code == "set-up-over" {
            return Err(problem);
        }
        problem.for_form(&["code"], |_| label.to_owned())
    })
}

async fn confirm(guest: Guest, fields: Fields) -> Result<Response, Problem> {
    match confirmed(&guest.api, &fields, &guest.say("set-up-code")).await {
        Ok(Confirmed {
            recovery_codes,
            session,
        }) => {
            guest.ends_the_one_before().await;
            let page = recovery_page(guest.frame("recovery-title"), recovery_codes);
            Ok(session.enter(&guest.app, page))
        }
        Err(errors) => {
            let frame = guest.frame("set-up-code-title").errors(errors?);
            Ok(code_page_again(frame, &fields, CONFIRM))
        }
    }
}

async fn confirm_anew(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let frame = |title| visit.frame("/console/account", title);
    match confirmed(&visit.api, &fields, &visit.say("set-up-code")).await {
        Ok(Confirmed {
            recovery_codes,
            session,
        }) => {
            let page = recovery_page(
                Frame::of_guest(&visit.app.look, "", visit.say("recovery-title")),
                recovery_codes,
            );
            Ok(session.enter(&visit.app, page))
        }
        Err(errors) => {
            let frame = frame("set-up-code-title").errors(errors?);
            Ok(code_page_again(frame, &fields, CONFIRM_ANEW))
        }
    }
}

/// Its forms would carry the token of a session that is over: it has none.
fn recovery_page(frame: Frame, codes: Vec<String>) -> Response {
    let status = frame.status();
    let (page, frame) = frame.parts();
    render(status, &RecoveryPage { page, frame, codes })
}
