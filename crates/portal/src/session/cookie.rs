//! The portal's cookies: the session, the token of forms before logging in, and log-ins at the provider that are under way.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;

use crate::app::Parts;

/// Which cookie.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cookie {
    /// Who is logged in.
    Session,
    /// That a form was loaded by the browser that sends it.
    Form,
    /// A log-in at the provider that is under way, one of [`LOG_INS`]: somebody may have several tabs.
    LogIn(usize),
}

/// How many log-ins one browser may have under way: few, since each request carries them.
pub(crate) const LOG_INS: usize = 3;

impl Cookie {
    /// One function decides (rulings 17): a name of its own, since cookies do not respect ports; bound to this host
    /// and to https, but for http on this machine.
    fn name(self, parts: &Parts) -> String {
        let host = if parts.is_https() { "__Host-" } else { "" };
        let more = match self {
            Self::Session => String::new(),
            Self::Form => "-form".to_owned(),
            Self::LogIn(place) => format!("-log-in-{place}"),
        };
        format!("{host}lanyard-portal{more}")
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
            .find(|(found, _)| *found == name.as_str())
            .map(|(_, value)| value.to_owned())
    }

    /// Gives it to the browser until that is closed. `value` is a token of ours: hexadecimal.
    pub(crate) fn set(self, parts: &Parts, value: &str) -> HeaderValue {
        self.header(parts, value, "")
    }

    /// Gives it to the browser for so long. `value` is of letters, digits, hyphens and underscores.
    pub(crate) fn set_for(self, parts: &Parts, value: &str, lasts: SignedDuration) -> HeaderValue {
        self.header(parts, value, &format!("; Max-Age={}", lasts.as_secs()))
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
