//! Authenticator, as far as its service sees it: it follows a link, checks the request, and shares a card or does not.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::present::Posted;
use crate::{VerifiedId, jwt};

/// A credential in the wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The issuer's DID.
    pub issuer: String,
    /// Its credential type, beside `VerifiableCredential`.
    pub kind: String,
    /// Its claims, all texts.
    pub claims: BTreeMap<String, String>,
    /// What the service says of it: `VALID`, `REVOKED`.
    pub status: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Card {
    /// A good one, issued an hour before `now` and good for a year.
    pub fn new(issuer: &str, kind: &str, now: Timestamp) -> Self {
        Self {
            issuer: issuer.to_owned(),
            kind: kind.to_owned(),
            claims: BTreeMap::new(),
            status: "VALID".to_owned(),
            issued_at: now - SignedDuration::from_hours(1),
            expires_at: now + SignedDuration::from_hours(24 * 365),
        }
    }

    /// With that claim.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.claims.insert(name.to_owned(), value.to_owned());
        self
    }

    /// As the service tells a relying party of it.
    pub fn verified(&self) -> Value {
        let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        json!({
            "issuer": self.issuer, "type": ["VerifiableCredential", self.kind], "claims": self.claims,
            "credentialState": {"revocationStatus": self.status},
            "domainValidation": {"url": "https://issuer.example/"},
            "issuanceDate": time(self.issued_at), "expirationDate": time(self.expires_at),
        })
    }
}

/// What the holder does once the request is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Shares the first card that fits.
    Share,
    /// Says no, and the service tells the relying party.
    Decline,
    /// Closes the wallet: nobody is told.
    Close,
}

/// When the relying party hears `request_retrieved`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retrieval {
    /// Before the answer, as it should.
    First,
    /// After it.
    Last,
    /// Not at all.
    Never,
}

/// What the holder sees in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was shared.
    Shared,
    /// They said no.
    Declined,
    /// They closed the wallet.
    Closed,
    /// No card fits what is asked for.
    NothingFits,
    /// The request is used or expired.
    Expired,
    /// The link or the request is not to be trusted; why.
    Refused(&'static str),
    /// A general error: the service could not tell the relying party.
    ServiceError,
}

/// One holder's wallet.
pub struct Authenticator {
    service: VerifiedId,
    cards: Vec<Card>,
}

impl Authenticator {
    /// A wallet that holds these.
    pub fn holding(service: &VerifiedId, cards: impl IntoIterator<Item = Card>) -> Self {
        Self {
            service: service.clone(),
            cards: cards.into_iter().collect(),
        }
    }

    /// Follows a link as a holder does whose service behaves.
    pub async fn scan(&self, link: &str, answer: Answer) -> Outcome {
        self.scan_with(link, answer, Retrieval::First, 1).await
    }

    /// The same with a service that tells of the retrieval at another time, and everything that many times.
    pub async fn scan_with(
        &self,
        link: &str,
        answer: Answer,
        retrieval: Retrieval,
        times: usize,
    ) -> Outcome {
        let Some(uri) = request_uri(link) else {
            return Outcome::Refused("no link of a wallet");
        };
        self.told_to(&uri, retrieval, times);
        let client = &self.service.0.client;
        let asked = client
            .get(uri)
            .header("prefer", "JWT-interop-profile-0.0.1");
        let Ok(answered) = asked.send().await else {
            return Outcome::ServiceError;
        };
        match answered.status().as_u16() {
            200 => {}
            404 => return Outcome::Expired,
            _ => return Outcome::ServiceError,
        }
        let jwt = answered.text().await.unwrap_or_default();
        let Some(claims) = jwt::read_request(&self.service.0.requests_key, jwt.trim()) else {
            return Outcome::Refused("the request's signature");
        };
        if claims["exp"].as_i64() <= Some(self.service.now().as_second()) {
            return Outcome::Expired;
        }
        self.answer(&claims, answer).await
    }

    async fn answer(&self, claims: &Value, answer: Answer) -> Outcome {
        let card = match answer {
            Answer::Close => return Outcome::Closed,
            Answer::Decline => None,
            Answer::Share => match self.fitting(claims) {
                None => return Outcome::NothingFits,
                card => card.cloned(),
            },
        };
        let posted = Posted {
            state: claims["state"].as_str().unwrap_or_default().to_owned(),
            card,
        };
        let address = claims["redirect_uri"].as_str().unwrap_or_default();
        let client = &self.service.0.client;
        match client.post(address).json(&posted).send().await {
            Ok(taken) if taken.status() == 200 && answer == Answer::Share => Outcome::Shared,
            Ok(taken) if taken.status() == 200 => Outcome::Declined,
            Ok(taken) if taken.status() == 404 => Outcome::Expired,
            _ => Outcome::ServiceError,
        }
    }

    /// The first card of a type and an issuer that are asked for. No list of issuers: any.
    fn fitting(&self, claims: &Value) -> Option<&Card> {
        let definition = &claims["claims"]["vp_token"]["presentation_definition"];
        let asked = definition["input_descriptors"].as_array()?;
        self.cards.iter().find(|card| {
            asked.iter().any(|one| {
                let issuers = one["issuers"].as_array().filter(|all| !all.is_empty());
                let is_accepted = issuers.is_none_or(|all| {
                    all.iter()
                        .any(|issuer| issuer.as_str() == Some(card.issuer.as_str()))
                });
                one["id"] == card.kind.as_str() && is_accepted
            })
        })
    }

    fn told_to(&self, uri: &Url, retrieval: Retrieval, times: usize) {
        let id = uri.path_segments().and_then(|mut all| all.next_back());
        let id = id.and_then(|id| id.parse().ok());
        let mut memory = self.service.memory();
        if let Some(request) = id.and_then(|id| memory.requests.get_mut(&id)) {
            request.retrieval = retrieval;
            request.times = times;
        }
    }
}

/// The address in a wallet's link, in either form.
pub(crate) fn request_uri(link: &str) -> Option<Url> {
    let link: Url = link.parse().ok()?;
    if !matches!(link.scheme(), "openid-vc" | "openid") {
        return None;
    }
    let pair = link.query_pairs().find(|(name, _)| name == "request_uri")?;
    pair.1.parse().ok()
}
