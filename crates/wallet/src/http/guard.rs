//! Who may ask: pages of other sites may not, and the API answers under a loopback name only.

use axum::Json;
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::Url;

use crate::network::is_loopback;

/// A form or script of another site must not act on this wallet. Browsers say where a request comes from in
/// `Sec-Fetch-Site`, older ones in `Origin`; programs send neither.
pub(super) async fn refuse_other_sites(request: Request, next: Next) -> Response {
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
/// host name at this machine (DNS rebinding) cannot read it.
pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    let host = text(request.headers(), HOST.as_str());
    let url = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    if url.is_some_and(|url| is_loopback(&url)) {
        return next.run(request).await;
    }
    refusal(
        StatusCode::FORBIDDEN,
        "not-loopback",
        "The test wallet's API is open to this machine only.",
    )
}

/// An error as programs read it.
pub(super) fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    (
        status,
        Json(serde_json::json!({"error": code, "message": message})),
    )
        .into_response()
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
