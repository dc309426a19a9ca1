//! The only HTTP client of the gateway. (SEC-04)
//!
//! Addresses to fetch come from outside: from credentials, DID documents, status claims. So: https only, no
//! redirects, no proxy, no address that is not on the public internet, whether written as a number or found by
//! name (the name is resolved here, and the connection goes to what was checked), a cap on time and on size.
//!
//! The sandbox and the tests live on one machine over http. For them there is one list of exact origins, all on
//! loopback (rulings 15); a gateway in real use has an empty one.

mod address;
mod hosts;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::tls::TlsInfo;
use reqwest::{Client, Method, RequestBuilder, Response};
use url::{Host, Origin, Url};

use address::is_public;
pub use hosts::{Hosts, NoHost};

use traces::{TRACEPARENT, Tracer};

/// How long one fetch may take, from the name to the last byte.
const LONGEST: Duration = Duration::from_secs(8);
/// How long a connection may take to open.
const LONGEST_CONNECT: Duration = Duration::from_secs(3);
/// The largest document that is read. A status list of 2^20 entries, hardly compressible, is below 200 kB in base64.
const LARGEST: usize = 1024 * 1024;

/// Fetches documents from elsewhere; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    public: Client,
    loopback: Client,
    http_origins: Vec<Origin>,
    longest: Duration,
    tracer: Option<Arc<Tracer>>,
    /// The only hosts that it calls; any, where there are none.
    only: Option<Arc<Hosts>>,
}

/// A document as it was fetched, of status 200.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its media type, lower case, without parameters.
    pub media_type: Option<String>,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// An answer of whatever status.
#[derive(Clone)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// The seconds of its `Retry-After`, where it has one in seconds [RFC 9110 10.2.3].
    pub retry_after: Option<u64>,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Why the client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// An entry of the list that could reach beyond this machine.
    #[error(
        "`{0}` is not an http address of this machine with its port, such as http://localhost:8400"
    )]
    Origin(Url),
    /// TLS, most likely: no certificate authorities on this machine.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

/// Why a document was not fetched.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FetchError {
    /// Another scheme than https.
    #[error("only https addresses are fetched")]
    Scheme,
    /// A user name or a password in the address.
    #[error("an address with a user name is not fetched")]
    UserInfo,
    /// An organisation named a host that it may not name.
    #[error(
        "its organisation may name hosts of `fetch_hosts` only ({0}), and an operator of the whole gateway says which"
    )]
    HostNotAllowed(Arc<Hosts>),
    /// The address, or every address of the name, is inside some network.
    #[error("the address is not on the public internet")]
    PrivateAddress,
    /// The answer points elsewhere.
    #[error("the answer is a redirect, which is not followed")]
    Redirect,
    /// The answer is no document.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The document is larger than is read.
    #[error("the document is too large")]
    TooLarge,
    /// No answer, or not all of it, in time.
    #[error("there was no full answer in time")]
    TimedOut,
    /// No connection, no TLS, no HTTP.
    #[error("there was no answer: {0}")]
    Unreachable(String),
}

impl FetchError {
    /// The stable code, which names nobody.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Scheme => "fetch-not-https",
            Self::UserInfo => "fetch-user-name",
            Self::HostNotAllowed(_) => "fetch-host-not-allowed",
            Self::PrivateAddress => "fetch-private-address",
            Self::Redirect => "fetch-redirect",
            Self::Status(_) => "fetch-status",
            Self::TooLarge => "fetch-too-large",
            Self::TimedOut => "fetch-timed-out",
            Self::Unreachable(_) => "fetch-unreachable",
        }
    }
}

impl Outbound {
    /// A client; `http_origins` are the loopback origins that it may call over http, none in real use.
    pub fn new(http_origins: &[Url]) -> Result<Self, OutboundError> {
        if let Some(other) = http_origins.iter().find(|url| !is_http_on_loopback(url)) {
            return Err(OutboundError::Origin(other.clone()));
        }
        let failed = |error: reqwest::Error| OutboundError::Client(causes(&error));
        let client = || {
            Client::builder()
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(LONGEST_CONNECT)
                .user_agent("lanyard")
        };
        Ok(Self {
            public: client()
                .https_only(true)
                .tls_info(true)
                .dns_resolver(PublicOnly)
                .build()
                .map_err(failed)?,
            loopback: client()
                .dns_resolver(LoopbackOnly)
                .build()
                .map_err(failed)?,
            http_origins: http_origins.iter().map(Url::origin).collect(),
            longest: LONGEST,
            tracer: None,
            only: None,
        })
    }

    /// The same client, each of whose requests is part of a trace that whoever is asked hears of.
    #[must_use]
    pub(crate) fn traced(self, tracer: Option<Arc<Tracer>>) -> Self {
        Self { tracer, ..self }
    }

    /// The same client, which calls these hosts and no others, where there are any.
    #[must_use]
    pub fn only(&self, hosts: Option<&Arc<Hosts>>) -> Cow<'_, Self> {
        match hosts {
            None => Cow::Borrowed(self),
            Some(hosts) => Cow::Owned(Self {
                only: Some(Arc::clone(hosts)),
                ..self.clone()
            }),
        }
    }

    /// Sends a request within a span of its own; `done` makes of the response what the caller wants.
    async fn send<T, F: Future<Output = Result<T, FetchError>>>(
        &self,
        (name, method): (&'static str, Method),
        mut request: RequestBuilder,
        done: impl FnOnce(Response) -> F,
    ) -> Result<T, FetchError> {
        let span = self
            .tracer
            .as_ref()
            .map(|tracer| tracer.asks(name, &method));
        if let Some(header) = span.as_ref().and_then(|span| span.context().header()) {
            request = request.header(TRACEPARENT, header);
        }
        let mut status = None;
        let sent = async {
            let response = request.send().await.map_err(|error| explain(&error))?;
            status = Some(response.status());
            done(response).await
        };
        let sent = tokio::time::timeout(self.longest, sent)
            .await
            .unwrap_or(Err(FetchError::TimedOut));
        if let Some(span) = span {
            let code = sent.as_ref().err().map(FetchError::code);
            match (status, code) {
                (Some(status), code) => span.answered(status, code),
                (None, code) => span.failed(code.unwrap_or("given-up")),
            }
        }
        sent
    }

    /// The same client with less patience.
    #[must_use]
    pub fn within(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Fetches one document, asking for these media types.
    pub async fn fetch(&self, url: &Url, accept: &'static str) -> Result<Fetched, FetchError> {
        let client = self.client_for(url)?;
        let request = client.get(url.clone()).header(ACCEPT, accept);
        self.send(("fetch a document", Method::GET), request, read)
            .await
    }

    /// Fetches one document of whatever status, with the certificate that was shown for it, as DER: for whoever looks at how
    /// somebody is reached.
    pub async fn look(&self, url: &Url) -> Result<(Answered, Option<Vec<u8>>), FetchError> {
        let request = self.client_for(url)?.get(url.clone());
        let done = async |answer: Response| {
            let tls = answer.extensions().get::<TlsInfo>();
            let certificate = tls.and_then(TlsInfo::peer_certificate).map(<[u8]>::to_vec);
            Ok((read_answer(answer).await?, certificate))
        };
        self.send(("look at an address", Method::GET), request, done)
            .await
    }

    /// Posts a document and says whether it was taken: by any answer of 200 to 299. What the answer holds is not read.
    pub async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: String,
    ) -> Result<(), FetchError> {
        let request = self.client_for(url)?.post(url.clone()).headers(headers);
        let request = request.body(body);
        let is_taken = |answer: Response| {
            std::future::ready(match answer.status().as_u16() {
                200..=299 => Ok(()),
                300..=399 => Err(FetchError::Redirect),
                other => Err(FetchError::Status(other)),
            })
        };
        self.send(("deliver an event", Method::POST), request, is_taken)
            .await
    }

    /// Posts a document and reads the answer, whatever its status, but for a redirect.
    pub async fn ask(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answered, FetchError> {
        let request = self.client_for(url)?.post(url.clone()).headers(headers);
        let request = request.body(body);
        self.send(("ask a service", Method::POST), request, read_answer)
            .await
    }

    /// Whether an address could be called at all, by what is written in it. Where its name leads is seen when it is.
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        self.client_for(url)?;
        // Whoever registers it is told so, and not only whoever reads the log of its calls.
        match url.host() {
            Some(Host::Domain(name)) if url.scheme() == "https" && is_localhost(name) => {
                Err(FetchError::PrivateAddress)
            }
            _ => Ok(()),
        }
    }

    fn client_for(&self, url: &Url) -> Result<&Client, FetchError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::UserInfo);
        }
        if let Some(only) = self.only.as_ref().filter(|only| !only.admit(url)) {
            return Err(FetchError::HostNotAllowed(Arc::clone(only)));
        }
        if self.http_origins.contains(&url.origin()) {
            return Ok(&self.loopback);
        }
        if url.scheme() != "https" {
            return Err(FetchError::Scheme);
        }
        // The HTTP library asks no resolver about an address that is written as a number, in whatever notation:
        // the URL parser has made one form of them all.
        let address = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) => return Ok(&self.public),
            None => return Err(FetchError::PrivateAddress),
        };
        if is_public(address) {
            Ok(&self.public)
        } else {
            Err(FetchError::PrivateAddress)
        }
    }
}

/// Whether the name is this machine's wherever it is said. [RFC 6761 6.3]
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

fn is_http_on_loopback(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && loopback && url.port().is_some()
}

async fn read(mut response: Response) -> Result<Fetched, FetchError> {
    match response.status().as_u16() {
        200 => {}
        300..=399 => return Err(FetchError::Redirect),
        other => return Err(FetchError::Status(other)),
    }
    if response
        .content_length()
        .is_some_and(|length| length > LARGEST as u64)
    {
        return Err(FetchError::TooLarge);
    }
    let media_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    let body = read_body(&mut response).await?;
    Ok(Fetched { media_type, body })
}

async fn read_answer(mut response: Response) -> Result<Answered, FetchError> {
    let status = response.status().as_u16();
    if (300..=399).contains(&status) {
        return Err(FetchError::Redirect);
    }
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(Answered {
        status,
        retry_after,
        body: read_body(&mut response).await?,
    })
}

async fn read_body(response: &mut Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Resolves by the system and keeps the public addresses.
#[derive(Debug)]
struct PublicOnly;

/// Resolves by the system and keeps this machine's.
#[derive(Debug)]
struct LoopbackOnly;

#[derive(Debug, thiserror::Error)]
#[error("no address of this name is allowed")]
struct NotAllowed;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        resolve(name, |address| is_public(address.ip()))
    }
}

impl Resolve for LoopbackOnly {
    fn resolve(&self, name: Name) -> Resolving {
        resolve(name, |address| address.ip().is_loopback())
    }
}

fn resolve(name: Name, allowed: fn(&SocketAddr) -> bool) -> Resolving {
    Box::pin(async move {
        // The connection goes to these very addresses: a second look-up could answer otherwise.
        let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
        let found: Vec<SocketAddr> = found.filter(allowed).collect();
        if found.is_empty() {
            return Err(NotAllowed.into());
        }
        Ok(Box::new(found.into_iter()) as Addrs)
    })
}

fn explain(error: &reqwest::Error) -> FetchError {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<NotAllowed>() {
            return FetchError::PrivateAddress;
        }
        source = cause.source();
    }
    if error.is_timeout() {
        return FetchError::TimedOut;
    }
    FetchError::Unreachable(causes(error))
}

/// The last cause says most; the first one repeats the address, which may carry what belongs in no log.
fn causes(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    if last.source().is_none() && std::ptr::addr_eq(last, error) {
        return "the request failed".to_owned();
    }
    last.to_string()
}

/// Says how much was answered, not what: a token may be in it.
impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answered")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Says how much was fetched, not what.
impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetched")
            .field("media_type", &self.media_type)
            .field("bytes", &self.body.len())
            .finish()
    }
}
