//! What others see of the gateway: its name, its certificate, what it publishes. Asked by its public address, as a wallet asks;
//! what stands between is part of it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;
use url::Url;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Findings, SOON, counted, listed};
use crate::Gateway;
use crate::app::Parts;
use crate::keys::KeyPurpose;
use crate::organisation::Organisation;
use crate::outbound::{FetchError, Outbound};

/// How long a name may take to be looked up.
const LONGEST_LOOK_UP: Duration = Duration::from_secs(4);
/// How long everything that is published may take together: what was not seen by then is told as that.
const LONGEST: Duration = Duration::from_secs(12);
/// How many documents are asked for at once.
const AT_ONCE: usize = 4;

/// What was seen at an address.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// What was answered.
    pub body: Vec<u8>,
    /// The certificate that was shown, as DER.
    pub certificate: Option<Vec<u8>>,
}

/// Why nothing was seen.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unseen {
    /// Whoever asks does not ask there, by rules of its own.
    #[error("{0}")]
    NotAsked(String),
    /// It did not answer as it should.
    #[error("{0}")]
    NoAnswer(String),
}

/// Who asks the gateway's public addresses, as a stranger does. It bounds how long each may take and how much is read, and
/// follows no redirect.
pub trait Asks: Clone + Send + Sync + 'static {
    /// Asks for one document.
    fn ask(&self, url: Url) -> impl Future<Output = Result<Seen, Unseen>> + Send;
}

/// The gateway that runs, which keeps the rules of its outbound requests whoever looks.
impl Asks for Outbound {
    async fn ask(&self, url: Url) -> Result<Seen, Unseen> {
        let looked = self.look(&url).await;
        let (answer, certificate) = looked.map_err(|error| match error {
            FetchError::Scheme | FetchError::UserInfo | FetchError::PrivateAddress => {
                Unseen::NotAsked(error.to_string())
            }
            other => Unseen::NoAnswer(other.to_string()),
        })?;
        Ok(Seen {
            status: answer.status,
            body: answer.body,
            certificate,
        })
    }
}

/// DNS, TLS, and every published document. Whether the gateway answers there.
pub async fn from_outside(gateway: &Gateway, asks: &impl Asks, findings: &mut Findings) -> bool {
    let app = gateway.app();
    let url = &gateway.config().public_url;
    if !look_at_name(url, findings).await {
        return false;
    }
    let Ok(alive) = Url::parse(&app.url("/healthz")) else {
        return false;
    };
    let answers = match asks.ask(alive).await {
        Ok(seen) => {
            let ends = seen.certificate.as_deref().and_then(end_of);
            let ends = ends.or_else(|| gateway.certificate_end());
            judge_certificate(url.scheme(), ends, app.now(), findings);
            let answers = seen.status == 200;
            if answers {
                findings.good("reach", format!("{url} answers"));
            } else {
                findings.bad(
                    "reach",
                    format!("{url}healthz answers {}", seen.status),
                    "see that the proxy leads here",
                );
            }
            answers
        }
        Err(Unseen::NotAsked(why)) => {
            if let Some(ends) = gateway.certificate_end() {
                judge_certificate(url.scheme(), Some(ends), app.now(), findings);
            }
            findings.look(
                "reach",
                format!("{url} is not asked from here: {why}"),
                "a running gateway asks nothing of a network of your own: run lanyard doctor where wallets are",
            );
            return false;
        }
        Err(Unseen::NoAnswer(why)) => {
            findings.bad(
                "reach",
                format!("{url} does not answer ({why})"),
                "see that the gateway runs, that the proxy leads to it, and that the certificate is one that wallets trust",
            );
            return false;
        }
    };
    look_at_documents(&app, asks, findings).await;
    answers
}

async fn look_at_name(url: &Url, findings: &mut Findings) -> bool {
    let (Some(host), port) = (url.host_str(), url.port_or_known_default().unwrap_or(443)) else {
        findings.bad("dns", "public_url has no host", "name one");
        return false;
    };
    let found = tokio::time::timeout(LONGEST_LOOK_UP, tokio::net::lookup_host((host, port))).await;
    let remedy = "enter it in DNS, and see that this machine asks a server that knows it";
    match found {
        Ok(Ok(addresses)) => {
            let all: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
            findings.good("dns", format!("{host} is {}", listed(&all)));
            true
        }
        Ok(Err(error)) => {
            findings.bad(
                "dns",
                format!("{host} has no address here ({error})"),
                remedy,
            );
            false
        }
        Err(_) => {
            findings.bad(
                "dns",
                format!("nobody says here which address {host} has"),
                remedy,
            );
            false
        }
    }
}

fn end_of(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

fn judge_certificate(
    scheme: &str,
    ends: Option<Timestamp>,
    now: Timestamp,
    findings: &mut Findings,
) {
    let code = "certificate";
    let Some(ends) = ends else {
        // A sandbox on this machine has none.
        if scheme == "https" {
            findings.look(
                code,
                "when the certificate ends could not be read",
                "see that it is renewed",
            );
        }
        return;
    };
    let days = (ends.as_second() - now.as_second()).div_euclid(86_400);
    if days < SOON {
        findings.look(
            code,
            format!("the certificate ends in {}", counted(days, "day")),
            "see that it is renewed",
        );
    } else {
        findings.good(code, format!("the certificate is good for {days} days"));
    }
}

/// A document, and what must stand in it.
#[derive(Clone)]
struct Wanted {
    url: String,
    member: &'static str,
    says: String,
    /// The key without which it is an old copy.
    names: Option<String>,
    organisation: Option<String>,
}

impl Wanted {
    fn of_gateway(app: &Parts) -> Self {
        Self {
            url: app.url("/.well-known/openid-configuration"),
            member: "issuer",
            says: app.base.clone(),
            names: None,
            organisation: None,
        }
    }

    fn of_organisation(app: &Parts, organisation: &Organisation) -> Vec<Self> {
        let id = &organisation.id;
        let kid = app.keys.active(KeyPurpose::Credentials, id).ok();
        let kid = kid.and_then(|key| Some(key.public_jwk().kid()?.to_owned()));
        let one = |url: String, member, says: &str, names: Option<&String>| Self {
            url,
            member,
            says: says.to_owned(),
            names: names.cloned(),
            organisation: Some(id.clone()),
        };
        let issuer = organisation.credential_issuer.as_str();
        let at = |place: &str| app.url(&format!("/.well-known/{place}/issuers/{id}"));
        let mut all = vec![
            one(
                at("openid-credential-issuer"),
                "credential_issuer",
                issuer,
                None,
            ),
            one(at("jwt-vc-issuer"), "issuer", issuer, kid.as_ref()),
        ];
        // Of a sandbox over http, only the scheme is another.
        let scheme = if app.is_https() { "https" } else { "http" };
        for did in organisation.dids() {
            let document = standards::did::Did::parse(did)
                .and_then(|did| standards::did::web::document_url(&did))
                .and_then(|url| url.with_scheme(scheme));
            if let Ok(url) = document {
                all.push(one(url.to_string(), "id", did, kid.as_ref()));
            }
        }
        all
    }

    fn is_in(&self, seen: &Seen) -> bool {
        let document: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        let text = String::from_utf8_lossy(&seen.body);
        seen.status == 200
            && document[self.member] == self.says.as_str()
            && self.names.as_ref().is_none_or(|kid| text.contains(kid))
    }
}

/// What wallets and relying parties read before anything else must be this gateway's own words, and of today.
async fn look_at_documents(app: &Parts, asks: &impl Asks, findings: &mut Findings) {
    let organisations = app.organisations.iter();
    let theirs = organisations.flat_map(|one| Wanted::of_organisation(app, one));
    let wanted: Vec<Wanted> = std::iter::once(Wanted::of_gateway(app))
        .chain(theirs)
        .collect();
    let mut asked: Vec<Option<bool>> = vec![None; wanted.len()];
    let all = ask_all(&wanted, asks, &mut asked);
    // What was seen by then is told.
    let _ = tokio::time::timeout(LONGEST, all).await;
    let owners = app.organisations.iter().map(|one| Some(one.id.clone()));
    for owner in std::iter::once(None).chain(owners) {
        let seen: Vec<(&str, Option<bool>)> = wanted
            .iter()
            .zip(&asked)
            .filter(|(one, _)| one.organisation == owner)
            .map(|(one, is_so)| (one.url.as_str(), *is_so))
            .collect();
        let mut one = Findings::default();
        judge_documents(&seen, &mut one);
        for mut finding in one.0 {
            finding.organisation.clone_from(&owner);
            findings.0.push(finding);
        }
    }
}

async fn ask_all(wanted: &[Wanted], asks: &impl Asks, asked: &mut [Option<bool>]) {
    let mut left = wanted.iter().cloned().enumerate();
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < AT_ONCE {
            let Some((at, one)) = left.next() else {
                break;
            };
            let asks = asks.clone();
            under_way.spawn(async move {
                let Ok(url) = Url::parse(&one.url) else {
                    return (at, false);
                };
                let seen = asks.ask(url).await;
                (at, seen.is_ok_and(|seen| one.is_in(&seen)))
            });
        }
        match under_way.join_next().await {
            Some(Ok((at, is_so))) => asked[at] = Some(is_so),
            Some(Err(_)) => {}
            None => return,
        }
    }
}

fn judge_documents(seen: &[(&str, Option<bool>)], findings: &mut Findings) {
    let code = "documents";
    let of = |wanted: Option<bool>| -> Vec<&str> {
        let found = seen.iter().filter(|(_, is_so)| *is_so == wanted);
        found.map(|(url, _)| *url).collect()
    };
    let (wrong, unseen) = (of(Some(false)), of(None));
    if !wrong.is_empty() {
        findings.bad(
            code,
            format!("not what this gateway publishes now: {}", listed(&wrong)),
            "see that the proxy leads every path here and keeps no copy longer than it may, and that each name of a DID leads here",
        );
    } else if !unseen.is_empty() {
        findings.look(
            code,
            format!("not seen in time: {}", listed(&unseen)),
            "look again; where that does not help, see why they are slow",
        );
    } else {
        let count = seen.len().try_into().unwrap_or(i64::MAX);
        let says = format!(
            "{} as this gateway publishes it",
            counted(count, "document")
        );
        findings.good(code, says);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::State;
    use super::*;

    fn states(look: impl FnOnce(&mut Findings)) -> Vec<State> {
        let mut findings = Findings::default();
        look(&mut findings);
        findings.iter().map(|one| one.state).collect()
    }

    #[test]
    fn a_certificate_that_ends_within_three_weeks_is_told_and_so_is_one_that_nobody_can_read() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let ends = |text: &str| {
            let ends = text.parse().ok();
            states(|found| judge_certificate("https", ends, now, found))
        };
        assert_eq!(ends("2026-12-11T12:00:00Z"), [State::Good]);
        assert_eq!(ends("2026-12-11T11:59:59Z"), [State::Look]);
        assert_eq!(ends("2026-11-19T12:00:00Z"), [State::Look]);
        assert_eq!(ends("never"), [State::Look]);
        let sandbox = states(|found| judge_certificate("http", None, now, found));
        assert_eq!(sandbox, []);
    }

    #[test]
    fn a_document_that_is_anothers_is_worse_than_one_that_was_not_seen() {
        let told = |seen: &[(&str, Option<bool>)]| states(|found| judge_documents(seen, found));
        let (good, wrong, unseen) = (("a", Some(true)), ("b", Some(false)), ("c", None));
        assert_eq!(told(&[good]), [State::Good]);
        assert_eq!(told(&[good, unseen]), [State::Look]);
        assert_eq!(told(&[good, wrong, unseen]), [State::Bad]);
    }
}
