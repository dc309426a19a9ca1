//! The connector's HTTP: no redirects, a time and a size limit, https unless on this machine, and
//! a window through which a caller may watch.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use traces::TRACEPARENT;
use url::{Host, Url};

/// The largest answer read. A key set of a hundred RSA keys is a tenth of this.
const LARGEST_ANSWER: usize = 512 * 1024;

/// How requests are made.
#[derive(Clone)]
pub struct HttpOptions {
    /// The longest that one request may take, answer included.
    pub timeout: Duration,
    /// A certificate authority to trust besides the machine's own, as PEM.
    pub certificate_authority: Option<Vec<u8>>,
    /// The proxy to go through. None is used, and none taken from the environment, without this.
    pub proxy: Option<Url>,
    /// Who watches the exchanges.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            certificate_authority: None,
            proxy: None,
            observer: None,
        }
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// One request and what came of it. It holds secrets in clear: whoever shows it masks them.
#[derive(Clone)]
pub struct Exchange {
    /// The request's method.
    pub method: String,
    /// The request's address.
    pub url: Url,
    /// The request's headers, names in lower case.
    pub request_headers: Vec<(String, String)>,
    /// The request's body; empty when there was none.
    pub request_body: String,
    /// The status answered, or why there was no answer.
    pub status: Result<u16, String>,
    /// The answer's headers, names in lower case.
    pub answer_headers: Vec<(String, String)>,
    /// The answer's body, as text.
    pub answer_body: String,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("path", &self.url.path())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Someone who watches every exchange, such as a script that shows what the standard's steps look
/// like on the wire.
pub trait Observer: Send + Sync {
    /// Told of an exchange once it is over.
    fn exchanged(&self, exchange: &Exchange);
}

/// Why there was no usable answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Only this machine may be spoken to without TLS.
    #[error("the address is not https, nor http on this machine")]
    NotSecure,
    /// The client could not be set up.
    #[error("the HTTP client could not be set up")]
    SetUp(#[source] reqwest::Error),
    /// No connection was made, so nothing was sent.
    #[error("no connection could be made")]
    Connect(#[source] reqwest::Error),
    /// The answer did not come in time. What was asked may have happened.
    #[error("no answer came in time")]
    TimedOut,
    /// The connection broke. What was asked may have happened.
    #[error("the connection broke before the answer was complete")]
    Broken(#[source] reqwest::Error),
    /// The answer is larger than anything expected here.
    #[error("the answer is too large")]
    TooLarge,
}

impl FetchError {
    /// The stable code of its kind, which names nobody.
    const fn code(&self) -> &'static str {
        match self {
            Self::NotSecure => "fetch-not-secure",
            Self::SetUp(_) => "fetch-set-up",
            Self::Connect(_) => "fetch-no-connection",
            Self::TimedOut => "fetch-timed-out",
            Self::Broken(_) => "fetch-broken",
            Self::TooLarge => "fetch-too-large",
        }
    }
}

/// The client that all requests go through. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// A request as the connector's parts write it.
pub(crate) struct Request {
    /// What it is for, as a trace says it.
    name: &'static str,
    method: Method,
    url: Url,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Request {
    pub(crate) fn fetch(url: Url) -> Self {
        Self {
            name: "fetch a document",
            method: Method::GET,
            url,
            headers: vec![("accept", "application/json".to_owned())],
            body: String::new(),
        }
    }

    pub(crate) fn post_form(url: Url, pairs: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        Self::post(url, "application/x-www-form-urlencoded", body)
    }

    pub(crate) fn post_json(url: Url, body: &serde_json::Value) -> Self {
        Self::post(url, "application/json", body.to_string())
    }

    fn post(url: Url, content_type: &str, body: String) -> Self {
        Self {
            name: "send a document",
            method: Method::POST,
            url,
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("content-type", content_type.to_owned()),
            ],
            body,
        }
    }

    /// The same request, and traces say that it is for this.
    pub(crate) fn called(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A request by its method and path, the same words in each run.
#[cfg(debug_assertions)]
struct WithoutIds<'a>(&'a Request);

#[cfg(debug_assertions)]
impl fmt::Display for WithoutIds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { method, url, .. } = self.0;
        write!(f, "{method} ")?;
        for segment in url.path_segments().into_iter().flatten() {
            let is_id = uuid::Uuid::try_parse(segment).is_ok();
            write!(f, "/{}", if is_id { "{id}" } else { segment })?;
        }
        Ok(())
    }
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// Set the client up.
    pub fn new(options: HttpOptions) -> Result<Self, FetchError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(options.timeout.min(Duration::from_secs(5)))
            .timeout(options.timeout)
            .user_agent(concat!("lanyard-connector/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = options.proxy {
            builder = builder.proxy(reqwest::Proxy::https(proxy).map_err(FetchError::SetUp)?);
        }
        if let Some(pem) = options.certificate_authority {
            let authority = reqwest::Certificate::from_pem(&pem).map_err(FetchError::SetUp)?;
            builder = builder.tls_certs_merge([authority]);
        }
        let client = builder.build().map_err(FetchError::SetUp)?;
        Ok(Self {
            client,
            observer: options.observer,
        })
    }

    /// The same client, for exchanges that nobody watches.
    pub(crate) fn unobserved(&self) -> Self {
        Self {
            client: self.client.clone(),
            observer: None,
        }
    }

    /// Make one request. Every status is an answer; only the lack of one is an error. Where the caller is at work within
    /// a trace, whoever is asked hears of it.
    pub(crate) async fn send(&self, mut request: Request) -> Result<Answer, FetchError> {
        if !is_secure(&request.url) {
            return Err(FetchError::NotSecure);
        }
        let span = traces::asks(request.name, &request.method);
        if let Some(span) = &span {
            request = request.with_header(TRACEPARENT, span.context().to_text());
        }
        let began = Instant::now();
        let mut seen = self.observer.as_ref().map(|_| Exchange::of(&request));
        #[cfg(debug_assertions)]
        let step = store::point::before(WithoutIds(&request));
        let answer = self.answered(request, seen.as_mut()).await;
        #[cfg(debug_assertions)]
        step.after();
        match (span, &answer) {
            (Some(span), Ok(answer)) => span.answered(answer.status, None),
            (Some(span), Err(error)) => span.failed(error.code()),
            (None, _) => {}
        }
        if let (Some(observer), Some(mut exchange)) = (&self.observer, seen) {
            exchange.took = began.elapsed();
            match &answer {
                Ok(answer) => {
                    exchange.answer_body = String::from_utf8_lossy(&answer.body).into_owned();
                }
                Err(error) => exchange.status = Err(error.to_string()),
            }
            observer.exchanged(&exchange);
        }
        answer
    }

    async fn answered(
        &self,
        request: Request,
        seen: Option<&mut Exchange>,
    ) -> Result<Answer, FetchError> {
        let mut sending = self.client.request(request.method, request.url);
        for (name, value) in request.headers {
            sending = sending.header(name, value);
        }
        if !request.body.is_empty() {
            sending = sending.body(request.body);
        }
        let mut response = sending.send().await.map_err(fetch_error)?;
        let status = response.status();
        if let Some(exchange) = seen {
            exchange.status = Ok(status.as_u16());
            exchange.answer_headers = response
                .headers()
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    (name.as_str().to_owned(), value)
                })
                .collect();
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fetch_error)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}

impl Exchange {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method.to_string(),
            url: request.url.clone(),
            request_headers: request
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            request_body: request.body.clone(),
            status: Err("no answer".to_owned()),
            answer_headers: Vec::new(),
            answer_body: String::new(),
            took: Duration::ZERO,
        }
    }
}

fn fetch_error(error: reqwest::Error) -> FetchError {
    // The address may carry a request_uri: errors are logged, so it is left out.
    let error = error.without_url();
    if error.is_connect() {
        FetchError::Connect(error)
    } else if error.is_timeout() {
        FetchError::TimedOut
    } else {
        FetchError::Broken(error)
    }
}

/// Whether an address may be spoken to: over TLS, or in clear with this very machine.
pub(crate) fn is_secure(url: &Url) -> bool {
    if !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for (address, secure) in [
            ("https://gateway.example/x", true),
            ("http://localhost:8400/x", true),
            ("http://127.0.0.1:8400/x", true),
            ("http://[::1]:8400/x", true),
            ("http://gateway.example/x", false),
            ("http://localhost.example/x", false),
            ("http://10.0.0.1/x", false),
            ("https://who:what@gateway.example/", false),
            ("ftp://localhost/x", false),
        ] {
            assert_eq!(
                is_secure(&Url::parse(address).unwrap()),
                secure,
                "{address}"
            );
        }
    }
}
