//! In which language the pages speak: what the person chose before the relying party's wish, and that before what
//! the browser asks for.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use ui::Language;

use super::answer;
use super::look::Look;
use super::waiting_page::plain::{self, Again};
use crate::app::{App, Parts};
use crate::interaction::Interaction;

/// How long a person's choice is kept.
const KEPT_SECONDS: u32 = 365 * 24 * 60 * 60;

/// The look of the pages about an interaction.
pub fn look_of(parts: &Parts, headers: &HeaderMap, interaction: &Interaction) -> Look {
    let wished = || {
        let request = &interaction.private.as_ref()?.request;
        Language::first_of(request.ui_locales.as_deref()?)
    };
    let language = chosen(parts, headers)
        .or_else(wished)
        .or_else(|| accepted(headers));
    let party = parts.organisations.relying_party(&interaction.client_id);
    let tenants = party.and_then(|party| party.organisation.brand.as_ref());
    Look::new(
        tenants.unwrap_or(&parts.brand),
        language.unwrap_or_default(),
    )
}

/// The look of a page about nothing that began.
pub fn look(parts: &Parts, headers: &HeaderMap) -> Look {
    let language = chosen(parts, headers).or_else(|| accepted(headers));
    Look::new(&parts.brand, language.unwrap_or_default())
}

fn chosen(parts: &Parts, headers: &HeaderMap) -> Option<Language> {
    let name = cookie_name(parts);
    let cookies = headers.get_all(header::COOKIE).iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| Language::parse(value))
}

fn accepted(headers: &HeaderMap) -> Option<Language> {
    let header = headers.get(header::ACCEPT_LANGUAGE)?;
    Language::accepted(header.to_str().ok()?)
}

/// Around the pages: keeps a choice (`?lang=cy` and nothing else) and leads to the page itself; puts notices into the
/// language of whoever asked.
pub async fn speak(State(app): State<App>, request: Request, next: Next) -> Response {
    let choice = request
        .uri()
        .query()
        .and_then(|query| query.strip_prefix("lang="))
        .and_then(Language::parse);
    if let Some(language) = choice.filter(|_| request.method() == Method::GET) {
        return keep(&app, language, request.uri().path());
    }
    let asked = Asked::of(&app, &request);
    asked.finish(&app, next.run(request).await)
}

/// Who asked for a page, and for which, until it is known whether it is a notice.
pub struct Asked {
    language: Language,
    again: Again,
}

impl Asked {
    /// Of this request.
    pub fn of(parts: &Parts, request: &Request) -> Self {
        let uri = request.uri();
        Self {
            language: look(parts, request.headers()).language(),
            again: match (request.method(), uri.query()) {
                (&Method::GET, None) => Again::At(uri.path().to_owned()),
                (&Method::GET, Some(_)) => Again::Unsaid,
                _ => Again::Never,
            },
        }
    }

    /// The answer as it is sent.
    pub fn finish(self, app: &App, response: Response) -> Response {
        plain::finish(app, self.language, self.again, response)
    }
}

fn keep(parts: &Parts, language: Language, path: &str) -> Response {
    let mut response = answer::see_other(path);
    let secure = if parts.is_https() { "; Secure" } else { "" };
    let cookie = format!(
        "{}={}; Path=/; Max-Age={KEPT_SECONDS}; HttpOnly; SameSite=Lax{secure}",
        cookie_name(parts),
        language.tag()
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// One name for each application, since cookies do not respect ports (rulings 17).
fn cookie_name(parts: &Parts) -> &'static str {
    if parts.is_https() {
        "__Host-lanyard-gateway-language"
    } else {
        "lanyard-gateway-language"
    }
}
