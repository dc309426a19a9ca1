//! Who may ask a small service on this machine that has no login: pages of other sites may not, and an API answers
//! under a loopback name only.

use axum::Json;
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use url::{Host, Url};

/// A form or script of another site must not act on the service. Browsers say where a request comes from in
/// `Sec-Fetch-Site`, older ones in `Origin`; programs send neither. Use with `axum::middleware::from_fn`.
pub async fn refuse_other_sites(request: Request, next: Next) -> Response {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if safe || is_own_site(request.headers(), host(&request)) {
        return next.run(request).await;
    }
    refusal(
        StatusCode::FORBIDDEN,
        "cross-site-request",
        "This request comes from a page of another site.",
    )
}

/// The API has no login, so it answers only where the machine's own name was called: a web page that points its
/// host name at this machine (DNS rebinding) cannot read it. Use with `axum::middleware::from_fn`.
pub async fn loopback_only(request: Request, next: Next) -> Response {
    let url = host(&request).and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    if url.is_some_and(|url| is_loopback(&url)) {
        return next.run(request).await;
    }
    refusal(
        StatusCode::FORBIDDEN,
        "not-loopback",
        "This API is open to this machine only.",
    )
}

/// An error as programs read it: `{"error": code, "message": sentence}`.
pub fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    #[derive(Serialize)]
    struct Refusal<'a> {
        error: &'a str,
        message: &'a str,
    }
    let body = Refusal {
        error: code,
        message,
    };
    (status, Json(body)).into_response()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

/// Whom the request is for: HTTP/2 says it in the address and sends no `Host` [RFC 9113 8.3.1].
fn host(request: &Request) -> Option<&str> {
    let authority = request.uri().authority().map(Authority::as_str);
    authority.or_else(|| text(request.headers(), HOST.as_str()))
}

fn is_own_site(headers: &HeaderMap, host: Option<&str>) -> bool {
    if let Some(site) = text(headers, "sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(headers, ORIGIN.as_str()) else {
        return true;
    };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some() && authority == host
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // A header that is not text counts as one that says something foreign.
    headers
        .get(name)
        .map(|value| value.to_str().unwrap_or("null"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::Body;
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    /// Whether a form counts as our own that was sent to `localhost:8402` with this header.
    fn is_own(header: Option<(&'static str, &'static str)>) -> bool {
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        }));
        is_own_site(&headers, Some("localhost:8402"))
    }

    #[test]
    fn a_form_of_another_site_is_told_apart_from_our_own_and_from_a_program() {
        assert!(is_own(None));
        assert!(is_own(Some(("origin", "http://localhost:8402"))));
        assert!(is_own(Some(("sec-fetch-site", "same-origin"))));
        assert!(!is_own(Some(("sec-fetch-site", "cross-site"))));
        assert!(!is_own(Some(("sec-fetch-site", "same-site"))));
        assert!(!is_own(Some(("origin", "http://localhost:8400"))));
        assert!(!is_own(Some(("origin", "null"))));
    }

    #[test]
    fn whom_a_request_is_for_is_known_in_either_version_of_http() {
        let first = Request::builder()
            .uri("/login")
            .header("host", "localhost:8402");
        let second = Request::builder().uri("https://localhost:8402/login");
        for request in [first, second] {
            let request = request.body(Body::empty()).unwrap();
            assert_eq!(host(&request), Some("localhost:8402"));
        }
    }
}
