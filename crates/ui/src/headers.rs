//! The headers that keep a page to itself: what it may load, where its forms may lead, who may keep it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use url::{Host, Url};

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// What differs between pages: where their forms may end up.
///
/// A browser holds the answer to a form to `form-action` too: a page whose form is answered by a redirect to
/// another origin must name that origin, or the person stays put.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    form_action: BTreeSet<String>,
}

impl Policy {
    /// Forms lead to the page's own origin only.
    pub fn new() -> Self {
        Self::default()
    }

    /// A form of this page may be answered by a redirect to this address.
    #[must_use]
    pub fn form_may_lead_to(mut self, target: &Url) -> Self {
        self.form_action.insert(source_expression(target));
        self
    }

    /// A form of this page may be answered by a redirect to this address, and that by another one: where the page behind a
    /// stranger's address leads on to is the stranger's affair, and the browser holds all of it to this policy. So every
    /// address of the same scheme may come after.
    #[must_use]
    pub fn form_may_be_led_on_from(mut self, target: &Url) -> Self {
        self.form_action.insert(format!("{}:", target.scheme()));
        self
    }

    fn content_security_policy(&self) -> String {
        let mut policy = String::from(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
             font-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
        );
        for source in &self.form_action {
            let _ = write!(policy, " {source}");
        }
        policy
    }

    /// Writes the headers of a page that nobody may keep.
    pub fn apply(&self, headers: &mut HeaderMap) {
        // The sources are serialised origins and schemes, which hold nothing a header value may not.
        if let Ok(policy) = HeaderValue::from_str(&self.content_security_policy()) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(
            PERMISSIONS_POLICY,
            HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
        );
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
}

/// The origin where there is one. [CSP3 2.3.1] has no way to write an IPv6 address, and a native
/// application's scheme has no origin: both are named by their scheme.
fn source_expression(target: &Url) -> String {
    let named = matches!(target.host(), Some(Host::Domain(_) | Host::Ipv4(_)));
    if named && matches!(target.scheme(), "http" | "https") {
        target.origin().ascii_serialization()
    } else {
        format!("{}:", target.scheme())
    }
}

/// For every answer of an application, pages or not: what is missing is added, nothing is replaced. Use with
/// `axum::middleware::map_response`. `secure` says that the application is reached over https.
pub fn complete(mut response: Response, secure: bool) -> Response {
    let headers = response.headers_mut();
    headers
        .entry(X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    headers
        .entry(REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    if secure {
        headers
            .entry(STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static("max-age=31536000"));
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn form_action(targets: &[&str]) -> String {
        let policy = targets.iter().fold(Policy::new(), |policy, target| {
            policy.form_may_lead_to(&target.parse().unwrap())
        });
        let csp = policy.content_security_policy();
        csp.split("form-action ").nth(1).unwrap().to_owned()
    }

    #[test]
    fn forms_stay_on_their_own_origin_unless_a_page_says_otherwise() {
        assert_eq!(form_action(&[]), "'self'");
    }

    #[test]
    fn a_form_may_lead_to_the_origin_of_a_redirect_address() {
        assert_eq!(
            form_action(&["https://portal.example:8443/callback?x=1;script-src *"]),
            "'self' https://portal.example:8443"
        );
        assert_eq!(
            form_action(&[
                "http://localhost:8499/callback",
                "http://localhost:8499/other"
            ]),
            "'self' http://localhost:8499"
        );
    }

    #[test]
    fn what_has_no_origin_to_write_is_named_by_its_scheme() {
        assert_eq!(
            form_action(&["org.example.app:/callback"]),
            "'self' org.example.app:"
        );
        assert_eq!(form_action(&["http://[::1]:8499/callback"]), "'self' http:");
    }

    #[test]
    fn a_form_that_may_be_led_on_keeps_to_the_scheme() {
        let led_on = |target: &str| {
            let policy = Policy::new().form_may_be_led_on_from(&target.parse().unwrap());
            let csp = policy.content_security_policy();
            csp.split("form-action ").nth(1).unwrap().to_owned()
        };
        assert_eq!(led_on("https://portal.example/callback"), "'self' https:");
        assert_eq!(led_on("http://localhost:8499/callback"), "'self' http:");
        assert_eq!(
            led_on("org.example.app:/callback"),
            "'self' org.example.app:"
        );
    }

    /// SEC-12.
    #[test]
    fn a_page_is_kept_by_nobody_and_loads_nothing_from_elsewhere() {
        let mut headers = HeaderMap::new();
        Policy::new().apply(&mut headers);
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        let csp = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(csp.starts_with(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'"
        ));
        assert!(!csp.contains("unsafe"));
    }

    #[test]
    fn completing_an_answer_keeps_what_it_already_says() {
        let mut response = Response::new(axum::body::Body::empty());
        Policy::new().apply(response.headers_mut());
        let response = complete(response, true);
        let csp = response.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(csp.contains("style-src 'self'"));
        assert!(response.headers().contains_key(STRICT_TRANSPORT_SECURITY));
    }
}
