//! The browser's cookie: one secret for each browser; who began an interaction must be there at its end.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::app::Parts;
use crate::interaction::{Digest, Interaction};

/// A browser, by its secret.
pub struct Browser {
    secret: String,
    fresh: bool,
}

impl Browser {
    /// The browser that sent these headers; one that brings no cookie gets a new secret.
    pub fn read(parts: &Parts, headers: &HeaderMap) -> Self {
        match Self::known(parts, headers) {
            Some(browser) => browser,
            None => Self {
                secret: parts.random.token_256(),
                fresh: true,
            },
        }
    }

    /// The browser that sent these headers, if it has been here before.
    pub fn known(parts: &Parts, headers: &HeaderMap) -> Option<Self> {
        let name = cookie_name(parts);
        let cookies = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let secret = cookies
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, value)| *key == name && value.len() == 43)
            .map(|(_, value)| value.to_owned())?;
        Some(Self {
            secret,
            fresh: false,
        })
    }

    /// Whether it has not been here before.
    pub fn is_new(&self) -> bool {
        self.fresh
    }

    /// What the database knows of it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.secret)
    }

    /// Whether it is the browser that began this interaction.
    pub fn began(&self, interaction: &Interaction) -> bool {
        interaction.browser.as_ref() == Some(&self.digest())
    }

    /// The token that this browser's forms about this interaction carry. Whoever cannot read the cookie
    /// cannot make one.
    pub fn form_token(&self, interaction: &Interaction) -> String {
        Digest::of(&format!("form {} {}", interaction.id, self.secret)).0
    }

    /// Gives a new browser its cookie.
    pub fn keep(&self, parts: &Parts, mut response: Response) -> Response {
        if self.fresh {
            let secure = if parts.is_https() { "; Secure" } else { "" };
            let cookie = format!(
                "{}={}; Path=/; HttpOnly; SameSite=Lax{secure}",
                cookie_name(parts),
                self.secret
            );
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        response
    }
}

/// Whether the browser itself says that another site's page sent this form [Fetch Metadata 2.3]. Our own pages send
/// no referrer, and with it `Origin: null` [Fetch 3.2]: a browser too old for `Sec-Fetch-Site` is judged by an
/// `Origin` that names somebody.
pub fn is_foreign_form(parts: &Parts, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin";
    }
    let origin = headers.get(header::ORIGIN);
    origin.is_some_and(|origin| origin != "null" && origin != parts.base.as_str())
}

/// One name for each application, since cookies do not respect ports (rulings 17).
fn cookie_name(parts: &Parts) -> &'static str {
    if parts.is_https() {
        "__Host-lanyard-gateway"
    } else {
        "lanyard-gateway"
    }
}
