//! The wallet's way out: no redirects, plain http to loopback hosts only, answers of bounded size and time.

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use serde_json::{Map, Value};
use url::{Host, Url};

use crate::link::origin;

/// The largest answer that is read. The biggest proper one is a status list of 2^20 entries, inflated by nobody yet.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;
const SLOWEST_ANSWER: Duration = Duration::from_secs(20);

/// Why nothing usable came back.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Plain http, or another scheme, to a host that is not this machine.
    #[error("{0} is not https, and not on this machine")]
    Insecure(String),
    /// The connection failed or broke, or no answer came in time.
    #[error("{host} did not answer")]
    NoAnswer {
        /// Host and port.
        host: String,
        /// What the transport said.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is larger than any proper one.
    #[error("the answer of {0} is too large")]
    TooLarge(String),
    /// The other side refused. The reason is its `error` code and description, if it gave any.
    #[error("{host} answered {status}: {reason}")]
    Refused {
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
        /// `error` and `error_description` of the JSON answer, or "no reason given".
        reason: String,
        /// The bare `error` code.
        code: Option<String>,
    },
    /// The body is not the JSON object that the standard asks for.
    #[error("the answer of {0} is not a JSON object")]
    NotJson(String),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// One answer, read whole.
pub(crate) struct Answer {
    pub(crate) host: String,
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The answer itself if the status is 2xx, else its refusal.
    pub(crate) fn accepted(self) -> Result<Self, NetworkError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let object = standards::json::parse_object(&self.body).unwrap_or_default();
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        let code = text("error");
        let reason = match (&code, text("error_description")) {
            (Some(code), Some(description)) => format!("{code}: {description}"),
            (Some(code), None) => code.clone(),
            (None, _) => "no reason given".to_owned(),
        };
        Err(NetworkError::Refused {
            host: self.host,
            status: self.status,
            reason,
            code,
        })
    }

    /// The JSON object in the body.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, NetworkError> {
        standards::json::parse_object(&self.body)
            .map_err(|_| NetworkError::NotJson(self.host.clone()))
    }

    /// The body as text without white space around it.
    pub(crate) fn text(&self) -> Result<&str, NetworkError> {
        std::str::from_utf8(&self.body)
            .map(str::trim)
            .map_err(|_| NetworkError::NotJson(self.host.clone()))
    }
}

/// The HTTP client of the wallet.
#[derive(Clone)]
pub(crate) struct Network {
    client: reqwest::Client,
}

impl Network {
    /// `extra_roots` are PEM certificates trusted besides the system's (a test run's own authority).
    pub(crate) fn new(extra_roots: &[Vec<u8>]) -> Result<Self, NetworkError> {
        let mut roots = Vec::new();
        for pem in extra_roots {
            roots.extend(reqwest::Certificate::from_pem_bundle(pem).map_err(NetworkError::Client)?);
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .timeout(SLOWEST_ANSWER)
            .user_agent("Lanyard test wallet");
        if !roots.is_empty() {
            builder = builder.tls_certs_merge(roots);
        }
        Ok(Self {
            client: builder.build().map_err(NetworkError::Client)?,
        })
    }

    /// GET with the media types that are welcome.
    pub(crate) async fn fetch(&self, url: &Url, accept: &str) -> Result<Answer, NetworkError> {
        self.send(url, self.client.get(url.clone()).header(ACCEPT, accept))
            .await
    }

    /// POST of an `application/x-www-form-urlencoded` body.
    pub(crate) async fn post_form(
        &self,
        url: &Url,
        form: String,
        accept: &str,
    ) -> Result<Answer, NetworkError> {
        let request = self.client.post(url.clone()).header(ACCEPT, accept);
        self.send(
            url,
            request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form),
        )
        .await
    }

    /// POST of a JSON body, or of nothing, with or without an access token.
    pub(crate) async fn post_json(
        &self,
        url: &Url,
        access_token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, NetworkError> {
        let mut request = self
            .client
            .post(url.clone())
            .header(ACCEPT, "application/json");
        if let Some(token) = access_token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        self.send(url, request).await
    }

    async fn send(&self, url: &Url, request: RequestBuilder) -> Result<Answer, NetworkError> {
        check(url)?;
        let host = origin(url);
        let no_answer = |source: reqwest::Error| NetworkError::NoAnswer {
            host: host.clone(),
            source,
        };
        let mut response = request.send().await.map_err(no_answer)?;
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned);
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(NetworkError::TooLarge(host));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            host,
            status,
            location,
            body,
        })
    }
}

/// https everywhere; plain http only to this machine.
pub(crate) fn check(url: &Url) -> Result<(), NetworkError> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        _ => Err(NetworkError::Insecure(origin(url))),
    }
}

/// Whether the host names this machine, by name or by address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn plain_http_leaves_for_this_machine_only() {
        for fine in [
            "http://localhost:8400/x",
            "http://127.0.0.1/",
            "http://[::1]:1/",
            "https://issuer.example/",
        ] {
            assert!(check(&Url::parse(fine).unwrap()).is_ok(), "{fine}");
        }
        for bad in [
            "http://issuer.example/",
            "http://localhost.evil.example/",
            "http://10.0.0.1/",
            "ftp://localhost/",
        ] {
            assert!(check(&Url::parse(bad).unwrap()).is_err(), "{bad}");
        }
    }
}
