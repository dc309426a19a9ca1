//! Who may ask a small service on this machine that has no login: pages of other sites may not, and an API answers
//! under a loopback name only.

use axum::Json;
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
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
    if safe || is_own_site(request.headers()) {
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
    let host = text(request.headers(), HOST.as_str());
    let url = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
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

fn is_own_site(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, "sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(headers, ORIGIN.as_str()) else {
        return true;
    };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some() && authority == text(headers, HOST.as_str())
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
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_form_of_another_site_is_told_apart_from_our_own_and_from_a_program() {
        let host = ("host", "localhost:8402");
        assert!(is_own_site(&headers(&[host])));
        assert!(is_own_site(&headers(&[
            host,
            ("origin", "http://localhost:8402")
        ])));
        assert!(is_own_site(&headers(&[
            host,
            ("sec-fetch-site", "same-origin")
        ])));
        assert!(!is_own_site(&headers(&[
            host,
            ("sec-fetch-site", "cross-site")
        ])));
        assert!(!is_own_site(&headers(&[
            host,
            ("sec-fetch-site", "same-site")
        ])));
        assert!(!is_own_site(&headers(&[
            host,
            ("origin", "http://localhost:8400")
        ])));
        assert!(!is_own_site(&headers(&[host, ("origin", "null")])));
    }
}
