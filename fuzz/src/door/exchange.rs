//! One request and its answer, and what every answer promises whatever was sent.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::Value;
use standards::oauth::form;
use tower::ServiceExt;

use super::{PARTIES, SIGNER, entra, redirect_uri};

/// The gateway gives a request half a minute; nothing that needs no network needs as much.
const LONGEST: Duration = Duration::from_secs(10);
/// No page or document of the gateway is as long.
const LARGEST: usize = 4 * 1024 * 1024;

/// A request.
pub(crate) struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn read(address: &str) -> Self {
        Self::new("GET", address).expect("an address of the targets' own")
    }

    pub(crate) fn form(address: &str, pairs: &[(&str, &str)]) -> Self {
        let mut request = Self::new("POST", address).expect("an address of the targets' own");
        request.body = form::encode(pairs.iter().copied()).into_bytes();
        let plain = request.with("content-type", "application/x-www-form-urlencoded");
        plain.expect("a header of the targets' own")
    }

    fn new(method: &str, address: &str) -> Option<Self> {
        Some(Self {
            method: method.parse().ok()?,
            uri: address.parse().ok()?,
            headers: HeaderMap::new(),
            body: Vec::new(),
        })
    }

    /// With that header; `None` for what no header can hold.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Option<Self> {
        self.insert(name, value)?;
        Some(self)
    }

    pub(crate) fn with_body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    fn insert(&mut self, name: &str, value: &str) -> Option<()> {
        let name: HeaderName = name.trim().parse().ok()?;
        let value = HeaderValue::from_bytes(value.trim().as_bytes()).ok()?;
        self.headers.append(name, value);
        Some(())
    }

    /// Reads a request as an input writes it: a line with method and address, lines with headers, an empty line, the
    /// body. `None` for what no HTTP server would hand on.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let (method, address) = lines.next()?.split_once(' ')?;
        let mut request = Self::new(method, address)?;
        // What reaches a server is a path of its own.
        if !address.starts_with('/') {
            return None;
        }
        for line in lines {
            let (name, value) = line.split_once(':')?;
            request.insert(name, value)?;
        }
        request.body = body.as_bytes().to_vec();
        Some(request)
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// Whether any header holds that text.
    pub(crate) fn brings(&self, text: &str) -> bool {
        self.headers
            .values()
            .any(|value| String::from_utf8_lossy(value.as_bytes()).contains(text))
    }

    pub(super) async fn send(&self, router: Router) -> Answer {
        let mut request = axum::http::Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let answered = async {
            let Ok(response) = router.oneshot(request).await;
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, LARGEST).await.expect("a whole body");
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            }
        };
        let answer = tokio::time::timeout(LONGEST, answered).await;
        answer.unwrap_or_else(|_| panic!("{} {} was not answered in time", self.method, self.uri))
    }
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.header(header::LOCATION)
    }

    /// `name=value` of the cookie that it sets.
    pub(crate) fn cookie(&self) -> Option<String> {
        let cookie = self.header(header::SET_COOKIE)?;
        Some(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    /// The body; null where it is no JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The token in the first link to a request object or an offer on this page.
    pub(crate) fn link(&self) -> Option<&str> {
        let after = |mark: &str| self.body.split_once(mark).map(|(_, rest)| rest);
        let rest = ["%2Fr%2F", "%2Fo%2F", "/r/", "/o/"]
            .into_iter()
            .find_map(after)?;
        let end =
            rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"-_".contains(letter));
        Some(&rest[..end.unwrap_or(rest.len())]).filter(|link| link.len() >= 20)
    }

    /// What holds for every answer: it is no failure of the gateway's own, it sends nobody to a foreign address, it
    /// names its errors in the alphabet of the standard, and it says of whom it is.
    pub(super) fn keeps_its_promises(&self) {
        let busy = self.status == StatusCode::SERVICE_UNAVAILABLE
            && self.json()["error"] == "temporarily_unavailable";
        assert!(
            self.status.as_u16() < 500 || busy,
            "{}: {}",
            self.status,
            self.body
        );
        if let Some(location) = self.headers.get(header::LOCATION) {
            let location = location.to_str().expect("an address is text");
            assert!(leads_home(location), "sent to {location}");
        }
        let kind = self.header(header::CONTENT_TYPE).unwrap_or_default();
        if self.status.as_u16() >= 400 && kind.starts_with("application/json") {
            let error = self.json();
            let code = error["error"].as_str().expect("an error has a code");
            assert!(
                code.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-')),
                "{code}"
            );
            if let Some(description) = error.get("error_description") {
                let description = description.as_str().expect("a description is text");
                // [RFC 6749 5.2]
                assert!(
                    description
                        .bytes()
                        .all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
                    "{description}"
                );
            }
        }
        let sniffed = self.header(header::X_CONTENT_TYPE_OPTIONS);
        assert_eq!(sniffed, Some("nosniff"), "headers are missing");
    }
}

/// SEC-02, SEC-03: to the gateway itself, or to a registered redirect URI.
fn leads_home(location: &str) -> bool {
    let own =
        location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\");
    let mut clients = PARTIES
        .map(|(client_id, _)| client_id)
        .into_iter()
        .chain([SIGNER, entra::PARTY]);
    own || clients.any(|client_id| {
        location
            .strip_prefix(&redirect_uri(client_id))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
    })
}
