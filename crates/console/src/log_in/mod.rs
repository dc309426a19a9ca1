//! Logging in by password and authenticator, by the token of the account for emergencies, and logging out.

use askama::Template;
use axum::extract::Query;
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use ui::Page;

use crate::api::Address;
use crate::cookie::Cookie;
use crate::fields::Fields;
use crate::frame::{Frame, show as render};
use crate::pages::Pages;
use crate::problem::{FormErrors, Problem};
use crate::visit::{Guest, Parts, Visit};

pub(crate) const PATH: &str = "/console/log-in";
const EMERGENCY: &str = "/console/emergency";

/// The pages.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .open("GET", PATH, get(show))
        .open("POST", PATH, post(log_in))
        .open("GET", EMERGENCY, get(show_emergency))
        .open("POST", EMERGENCY, post(enter_by_token))
        .act("/console/log-out", None, post(log_out))
}

/// Where whoever is not logged in is led, to come back to the page they wanted.
pub(crate) fn address(wanted: &str) -> String {
    match own_path(wanted) {
        "/console" => PATH.to_owned(),
        wanted => {
            let wanted: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
            format!("{PATH}?to={wanted}")
        }
    }
}

/// A page of the console that somebody may be led to; the start page for what is none.
fn own_path(wanted: &str) -> &str {
    let below = wanted.strip_prefix("/console/");
    let is_ours = below.is_some_and(|rest| !rest.is_empty() && !rest.starts_with("log-"));
    let is_plain = wanted.len() < 500
        && wanted
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours && is_plain {
        wanted
    } else {
        "/console"
    }
}

/// A session as the API gives it.
#[derive(Deserialize)]
pub(crate) struct Session {
    token: String,
}

impl Session {
    /// Keeps it in the browser, whatever it had before.
    pub(crate) fn enter(&self, parts: &Parts, mut response: Response) -> Response {
        let cookie: HeaderValue = Cookie::Session.set(parts.secure, &self.token);
        response.headers_mut().append(SET_COOKIE, cookie);
        response
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    to: String,
    #[serde(default)]
    why: String,
}

#[derive(Template)]
#[template(path = "log_in/log_in.html")]
struct LogInPage {
    page: Page,
    frame: Frame,
    name: String,
    organisation: String,
    to: String,
    notice: Option<String>,
}

async fn show(guest: Guest, Query(asked): Query<Asked>) -> Response {
    let notice = format!("log-in-why-{}", asked.why);
    let notice = guest.app.look.say_if_known(&notice);
    let frame = guest.frame("log-in-title");
    page(frame, &Fields::default(), own_path(&asked.to), notice)
}

fn page(frame: Frame, fields: &Fields, to: &str, notice: Option<String>) -> Response {
    let status = frame.status();
    let (page, frame) = frame.parts();
    let page = LogInPage {
        page,
        frame,
        name: fields.text("name").to_owned(),
        organisation: fields.text("organisation").to_owned(),
        to: to.to_owned(),
        notice,
    };
    render(status, &page)
}

async fn log_in(guest: Guest, fields: Fields) -> Result<Response, Problem> {
    let mut errors = FormErrors::default();
    for field in ["name", "password", "code"] {
        if fields.raw(field).is_empty() {
            errors.add(field, guest.say(&format!("log-in-no-{field}")));
        }
    }
    let to = own_path(fields.text("to"));
    if errors.is_empty() {
        let body = json!({
            "name": fields.text("name"),
            "organisation": fields.optional("organisation").unwrap_or_default(),
            "password": fields.raw("password"),
            "code": fields.text("code"),
        });
        let session = guest.api.post(Address::new(&["sessions"]), &body).await;
        match session {
            Ok(session) => {
                let session: Session = session;
                guest.ends_the_one_before().await;
                return Ok(session.enter(&guest.app, Redirect::to(to).into_response()));
            }
            Err(problem) if problem.code == "sign-in-refused" => {
                errors.add("name", guest.say("log-in-refused"));
            }
            Err(problem) if problem.code == "too-many-sign-ins" => {
                errors.add("name", guest.say("log-in-too-often"));
                errors.set_status(problem.status);
            }
            Err(problem) => {
                let label = |field: &str| guest.say(&format!("log-in-{field}"));
                errors = problem.for_form(&["name", "password", "code"], label)?;
            }
        }
    }
    Ok(page(
        guest.frame("log-in-title").errors(errors),
        &fields,
        to,
        None,
    ))
}

/// Whatever the API says: whoever wants out is out here.
async fn log_out(visit: Visit) -> Response {
    let nothing = json!({});
    let ended = visit
        .api
        .post::<()>(Address::new(&["sessions", "end"]), &nothing)
        .await;
    let why = if ended.is_ok() { "out" } else { "out-here" };
    let mut response = Redirect::to(&format!("{PATH}?why={why}")).into_response();
    let cookie = Cookie::Session.clear(visit.app.secure);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

#[derive(Template)]
#[template(path = "log_in/emergency.html")]
struct EmergencyPage {
    page: Page,
    frame: Frame,
}

async fn show_emergency(guest: Guest) -> Response {
    emergency_page(guest.frame("emergency-title"))
}

fn emergency_page(frame: Frame) -> Response {
    let status = frame.status();
    let frame = frame.back(PATH, "Back");
    let (page, frame) = frame.parts();
    render(status, &EmergencyPage { page, frame })
}

async fn enter_by_token(guest: Guest, fields: Fields) -> Result<Response, Problem> {
    let api = guest.api.with(fields.text("token"));
    let mut errors = FormErrors::default();
    let address = Address::new(&["sessions", "emergency"]);
    match api.post::<Session>(address, &json!({})).await {
        Ok(session) => {
            guest.ends_the_one_before().await;
            let response = Redirect::to("/console").into_response();
            return Ok(session.enter(&guest.app, response));
        }
        Err(problem) if matches!(problem.status.as_u16(), 401 | 404) => {
            errors.add("token", guest.say("emergency-refused"));
        }
        Err(problem) if problem.status.as_u16() == 429 => {
            errors.add("token", guest.say("log-in-too-often"));
        }
        Err(problem) => return Err(problem),
    }
    Ok(emergency_page(
        guest.frame("emergency-title").errors(errors),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_out_of_the_console() {
        for path in ["/console/audit?act=x", "/console/operators/op-1"] {
            assert_eq!(own_path(path), path);
        }
        for path in [
            "",
            "/",
            "/console",
            "/console/",
            "//evil.example",
            "/console/\\evil",
            "/consolex",
            "/console/log-out",
            "https://evil.example/console/",
            "/console/a b",
            "/console/a\nb",
            "/admin/v1/whoami",
        ] {
            assert_eq!(own_path(path), "/console", "{path}");
        }
        assert_eq!(
            address("/console/audit?act=x"),
            "/console/log-in?to=%2Fconsole%2Faudit%3Fact%3Dx"
        );
        assert_eq!(address("/elsewhere"), "/console/log-in");
    }
}
