//! How requests really arrive: what a proxy writes, leaves out or lets callers write, and what it shakes hands with.
//!
//! The doctor asks the public address as a stranger does, with a question in a header that nobody without the storage secret
//! can make; the gateway that runs seals into its answer what it saw of that request. Everybody else, the proxy between them
//! as well, sees the probe's `ok` and nothing more.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::reach::{Asks, Seen, Unseen};
use super::{Findings, SOON, counted};
use crate::Gateway;
use crate::app::Parts;
use crate::limits::Limits;
use crate::seal::Seal;

const QUESTION: HeaderName = HeaderName::from_static("lanyard-doctor");
const ANSWER: HeaderName = HeaderName::from_static("lanyard-saw");
/// The places for which question and answer are sealed: neither opens as the other.
const ASKED: &str = "doctor/question";
const ANSWERED: &str = "doctor/answer";
/// How far the clocks of who asks and who answers may be apart.
const LONGEST: SignedDuration = SignedDuration::from_secs(60);
/// An address that nobody has [RFC 5737]: what a caller would write who wants to be somebody else.
const NOBODYS: &str = "192.0.2.77";
/// What proxies say of whom and of what they passed on.
const FORWARDED: [&str; 3] = ["x-forwarded-for", "forwarded", "via"];

/// What was seen at the first words of a TLS connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// The version that both agreed on, such as `TLS 1.3`.
    pub version: String,
    /// The certificates that were shown, as DER, the server's own first.
    pub chain: Vec<Vec<u8>>,
}

/// Who may do more at the gateway's public address than ask for a document: whoever has the machine.
pub trait Knocks: Asks {
    /// Asks with these headers, and hears those of the answer.
    fn knock(
        &self,
        url: Url,
        headers: HeaderMap,
    ) -> impl Future<Output = Result<(Seen, HeaderMap), Unseen>> + Send;

    /// Begins a TLS connection and says nothing in it.
    fn shake_hands(&self, url: &Url) -> impl Future<Output = Result<Handshake, Unseen>> + Send;
}

/// What the gateway saw of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Arrival {
    /// When it was asked: an answer that somebody kept says another time.
    asked_at: i64,
    /// For which host.
    host: Option<String>,
    /// By which scheme, as a proxy says.
    scheme: Option<String>,
    /// Whether `address_header` was there.
    has_address: bool,
    /// Which headers say that somebody passed it on.
    forwarded: Vec<String>,
    /// As whose it is counted.
    from: Option<IpAddr>,
    /// Who holds the connection.
    peer: Option<IpAddr>,
}

/// The question of that moment.
fn question(seal: &Seal, now: Timestamp) -> Option<HeaderValue> {
    sealed(seal, ASKED, &now.as_second().to_be_bytes())
}

fn sealed(seal: &Seal, place: &str, value: &[u8]) -> Option<HeaderValue> {
    let sealed = seal.seal(place, value).ok()?;
    HeaderValue::from_str(&URL_SAFE_NO_PAD.encode(sealed)).ok()
}

fn opened(seal: &Seal, place: &str, value: &HeaderValue) -> Option<Vec<u8>> {
    let sealed = URL_SAFE_NO_PAD.decode(value.as_bytes()).ok()?;
    let value = seal.open(place, &sealed).ok()?;
    Some(value.to_vec())
}

/// What a probe adds to its answer: nothing, unless whoever has the storage secret asked within a minute.
pub(crate) fn answer(app: &Parts, request: &Request) -> Option<[(HeaderName, HeaderValue); 2]> {
    answer_with(&app.seal, &app.limits, app.now(), request)
}

fn answer_with(
    seal: &Seal,
    limits: &Limits,
    now: Timestamp,
    request: &Request,
) -> Option<[(HeaderName, HeaderValue); 2]> {
    let headers = request.headers();
    let asked_at = opened(seal, ASKED, headers.get(QUESTION)?)?;
    let asked_at = i64::from_be_bytes(asked_at.try_into().ok()?);
    let apart = now.as_second().checked_sub(asked_at)?;
    if apart.unsigned_abs() > LONGEST.as_secs().unsigned_abs() {
        return None;
    }
    let text = |name: HeaderName| {
        let last = headers.get_all(name).iter().next_back()?.to_str().ok()?;
        Some(last.to_owned())
    };
    let there = FORWARDED.into_iter();
    let there = there.filter(|name| headers.contains_key(*name));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let authority = request.uri().authority();
    let arrival = Arrival {
        asked_at,
        host: text(header::HOST).or_else(|| Some(authority?.to_string())),
        scheme: text(HeaderName::from_static("x-forwarded-proto")),
        has_address: limits.has_address(headers),
        forwarded: there.map(str::to_owned).collect(),
        from: limits.caller(request),
        peer: peer.map(|ConnectInfo(address)| address.ip().to_canonical()),
    };
    let value = serde_json::to_vec(&arrival).ok()?;
    let no_store = HeaderValue::from_static("no-store");
    Some([
        (ANSWER, sealed(seal, ANSWERED, &value)?),
        (header::CACHE_CONTROL, no_store),
    ])
}

/// TLS, and what a proxy writes, as met at the public address of a gateway that answers there.
pub async fn as_it_arrives(gateway: &Gateway, knocks: &impl Knocks, findings: &mut Findings) {
    let app = gateway.app();
    let config = gateway.config();
    if config.public_url.scheme() == "https" {
        match knocks.shake_hands(&config.public_url).await {
            Ok(handshake) => judge_handshake(&handshake, app.now(), findings),
            Err(why) => {
                findings.look(
                    "tls",
                    format!("what the address shows could not be seen ({why})"),
                    "look again",
                );
            }
        }
    }
    let (Ok(url), Some(question)) = (
        Url::parse(&app.url("/healthz")),
        question(&app.seal, app.now()),
    ) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert(QUESTION, question);
    let named = config.address_header.as_deref();
    if let Some(name) = named.and_then(|name| HeaderName::try_from(name).ok()) {
        headers.insert(name, HeaderValue::from_static(NOBODYS));
    }
    let asked_at = app.now().as_second();
    let told = knocks.knock(url, headers).await.ok();
    let told = told.and_then(|(_, headers)| opened(&app.seal, ANSWERED, headers.get(ANSWER)?));
    let arrival = told.and_then(|told| serde_json::from_slice::<Arrival>(&told).ok());
    // A minute is the most by which the two may be apart; an older one was kept by somebody.
    match arrival.filter(|arrival| arrival.asked_at + LONGEST.as_secs() >= asked_at) {
        Some(arrival) => judge_arrival(&config.public_url, named, &arrival, findings),
        None => {
            findings.look(
                "arrival",
                "what answers did not say how requests arrive: it is another version, has another storage secret, or the clocks differ",
                "run the doctor with the program and the configuration of the gateway that runs",
            );
        }
    }
}

fn judge_handshake(handshake: &Handshake, now: Timestamp, findings: &mut Findings) {
    let code = "tls";
    let so_far = findings.iter().count();
    let version = &handshake.version;
    if version != "TLS 1.3" {
        findings.look(
            code,
            format!("the address speaks {version} and no newer one"),
            "let whatever ends TLS there offer TLS 1.3",
        );
    }
    // The first is told as `certificate`.
    for der in handshake.chain.iter().skip(1) {
        let Ok((_, one)) = X509Certificate::from_der(der) else {
            findings.look(
                code,
                "a certificate of the chain cannot be read",
                "see which chain is served",
            );
            continue;
        };
        let left = one.validity().not_after.timestamp() - now.as_second();
        let days = left.div_euclid(86_400);
        if days < SOON {
            findings.look(
                code,
                format!(
                    "the certificate of the authority {} in the chain ends in {}",
                    one.subject(),
                    counted(days, "day")
                ),
                "serve the chain that the authority hands out today",
            );
        }
    }
    if findings.iter().count() == so_far {
        let count = handshake.chain.len().try_into().unwrap_or(i64::MAX);
        findings.good(
            code,
            format!(
                "{version}, with a chain of {}",
                counted(count, "certificate")
            ),
        );
    }
}

fn judge_arrival(public: &Url, named: Option<&str>, arrival: &Arrival, findings: &mut Findings) {
    let code = "arrival";
    let so_far = findings.iter().count();
    let shown = |address: Option<IpAddr>| {
        address.map_or_else(|| "nobody".to_owned(), |address| address.to_string())
    };
    match named {
        Some(name) if arrival.from.is_some_and(|from| from.to_string() == NOBODYS) => {
            findings.bad(
                code,
                format!("a caller who writes {name} is believed: what is before the gateway passes it on as it came"),
                "let the proxy write its own value, in the place of the caller's or behind it",
            );
        }
        Some(name) if !arrival.has_address => {
            findings.bad(
                code,
                format!(
                    "requests arrive without {name}: all callers count as {}",
                    shown(arrival.peer)
                ),
                "let the proxy write that header, or name in address_header the one that it writes",
            );
        }
        None if !arrival.forwarded.is_empty() => {
            findings.look(
                code,
                format!(
                    "a proxy passes requests on ({}), and all callers count as {}",
                    arrival.forwarded.join(", "),
                    shown(arrival.from)
                ),
                "name in address_header the header in which it says whom it took a request from",
            );
        }
        Some(_) | None => {}
    }
    if let Some(scheme) = arrival.scheme.as_deref()
        && scheme != public.scheme()
    {
        findings.look(
            code,
            format!("the proxy says that requests come over {scheme}, and public_url that they come over {}", public.scheme()),
            "see that the proxy takes them by TLS, and sends who comes over http there",
        );
    }
    let wanted = &public[url::Position::BeforeHost..url::Position::AfterPort];
    if let Some(host) = arrival.host.as_deref()
        && host != wanted
    {
        findings.look(
            code,
            format!("requests for {wanted} arrive as requests for {host}"),
            "let the proxy pass on the host that the caller asked for",
        );
    }
    if findings.iter().count() == so_far {
        findings.good(
            code,
            format!(
                "requests for {wanted} arrive as such; this one counts as {}",
                shown(arrival.from)
            ),
        );
    }
}

#[cfg(test)]
#[path = "arrival_tests.rs"]
mod tests;
