//! The portal's two cookies: the session, and the token of forms before logging in.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::app::Parts;

/// Which cookie.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cookie {
    /// Who is logged in.
    Session,
    /// That a form was loaded by the browser that sends it.
    Form,
}

impl Cookie {
    /// One function decides (rulings 17): a name of its own, since cookies do not respect ports; bound to this host
    /// and to https, but for http on this machine.
    fn name(self, parts: &Parts) -> &'static str {
        match (self, parts.is_https()) {
            (Self::Session, true) => "__Host-lanyard-portal",
            (Self::Session, false) => "lanyard-portal",
            (Self::Form, true) => "__Host-lanyard-portal-form",
            (Self::Form, false) => "lanyard-portal-form",
        }
    }

    /// What the browser sent under its name.
    pub(crate) fn read(self, parts: &Parts, headers: &HeaderMap) -> Option<String> {
        let name = self.name(parts);
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned())
    }

    /// Gives it to the browser until that is closed. `value` is a token of ours: hexadecimal.
    pub(crate) fn set(self, parts: &Parts, value: &str) -> HeaderValue {
        self.header(parts, value, "")
    }

    /// Takes it away again.
    pub(crate) fn clear(self, parts: &Parts) -> HeaderValue {
        self.header(parts, "", "; Max-Age=0")
    }

    fn header(self, parts: &Parts, value: &str, more: &str) -> HeaderValue {
        let secure = if parts.is_https() { "; Secure" } else { "" };
        let name = self.name(parts);
        // Lax, not Strict: the browser comes back from the gateway, which is another site.
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}");
        // Names and tokens hold nothing that a header may not.
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}
