//! The console's two cookies, and the token that each form carries.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The session's token, as the admin API gave it.
    Session,
    /// That a form was loaded by the browser that sends it, for whoever is not logged in.
    Form,
}

impl Cookie {
    /// One function decides (rulings 17): a name of its own, since cookies do not respect ports; bound to this host and to
    /// https, but for http on this machine.
    fn name(self, secure: bool) -> String {
        let host = if secure { "__Host-" } else { "" };
        let more = match self {
            Self::Session => "",
            Self::Form => "-form",
        };
        format!("{host}lanyard-console{more}")
    }

    /// What the browser sent under its name; nothing where it sent several.
    pub(crate) fn read(self, secure: bool, headers: &HeaderMap) -> Option<String> {
        let name = self.name(secure);
        let mut found = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(known, value)| *known == name.as_str() && !value.is_empty());
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.to_owned()),
            _ => None,
        }
    }

    /// Gives it to the browser until that is closed. `value` is of letters, digits, hyphens and underscores.
    pub(crate) fn set(self, secure: bool, value: &str) -> HeaderValue {
        self.header(secure, value, "")
    }

    /// Takes it away again.
    pub(crate) fn clear(self, secure: bool) -> HeaderValue {
        self.header(secure, "", "; Max-Age=0")
    }

    fn header(self, secure: bool, value: &str, more: &str) -> HeaderValue {
        let only_https = if secure { "; Secure" } else { "" };
        let name = self.name(secure);
        // Strict: nothing leads into the console from another site but by a person who then logs in.
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{only_https}{more}");
        // Names and tokens hold nothing that a header may not.
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// A mark for one form: what it asks for is done once, however often the form is sent. Where the machine gives no random bytes it
/// is none, and the API refuses it.
pub(crate) fn mark() -> String {
    fresh().unwrap_or_default()
}

/// A secret for a browser whose person is not logged in; nothing where the machine gives no random bytes.
pub(crate) fn fresh() -> Option<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// What every form carries of the cookie that it was loaded with: whoever has the one cannot make the other, and nothing needs
/// to be kept.
pub(crate) fn csrf_of(cookie: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, cookie.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"lanyard console form"))
}

/// Whether two tokens are the same, in a time that does not tell where they differ. Nothing equals nothing.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    !one.is_empty() && verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cookie_is_this_hosts_alone_and_of_two_none_counts() {
        let set = Cookie::Session.set(true, "lys_a");
        assert_eq!(
            set,
            "__Host-lanyard-console=lys_a; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        assert!(
            Cookie::Form
                .set(false, "x")
                .to_str()
                .unwrap()
                .starts_with("lanyard-console-form=x;")
        );
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(text));
            Cookie::Session.read(true, &headers)
        };
        assert_eq!(read("a=b; __Host-lanyard-console=lys_a").unwrap(), "lys_a");
        assert_eq!(read("lanyard-console=lys_a"), None);
        assert_eq!(
            read("__Host-lanyard-console=x; __Host-lanyard-console=y"),
            None
        );
    }

    #[test]
    fn a_forms_token_is_of_its_cookie_and_of_no_other() {
        assert_eq!(csrf_of("a"), csrf_of("a"));
        assert_ne!(csrf_of("a"), csrf_of("b"));
        assert!(is_same("a", "a") && !is_same("a", "b") && !is_same("", ""));
        assert_ne!(fresh(), fresh());
    }
}
