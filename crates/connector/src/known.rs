//! What the gateway knows of credentials by their serial numbers, and what it publishes of them for everybody.

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde::Deserialize;
use standards::did::{self, Did, Document, Relationship};
use standards::jose::Algorithm;
use standards::status_list::{ParsedStatusListToken, Status, StatusListToken};
use url::Url;
use uuid::Uuid;

use crate::fault::{Endpoint, GatewayFault};
use crate::http::Request;
use crate::{Connector, FetchError, Revoked};

/// How many serial numbers the gateway takes at once.
const AT_ONCE: usize = 100;
/// What status lists are signed with.
const ALGORITHMS: &[Algorithm] = &[Algorithm::ES256, Algorithm::EdDSA, Algorithm::ES384];
/// How far the gateway's clock may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A credential that left the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct KnownCredential {
    /// By which it is revoked.
    pub serial_number: Uuid,
    /// Its type.
    pub credential_type: String,
    /// The DID that signs it and its status list.
    pub issuer: String,
    /// When it left.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Whether it was revoked, and why.
    pub revoked: Option<Revoked>,
    /// Where everybody reads whether it counts.
    pub status_list: StatusPlace,
}

/// A place in a status list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StatusPlace {
    /// The list's address.
    pub uri: String,
    /// The entry.
    pub idx: u64,
}

#[derive(Deserialize)]
struct Told {
    credentials: Option<Vec<KnownCredential>>,
}

/// Why a status list says nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusListFault {
    /// The list or its issuer's keys could not be fetched.
    #[error("it, or the keys of its issuer, cannot be fetched")]
    Fetch(#[from] FetchError),
    /// Somebody answered otherwise.
    #[error("it, or the keys of its issuer, were answered with HTTP status {0}")]
    Status(u16),
    /// Its issuer is not a `did:web` that can be found.
    #[error("its issuer is no did:web, or its document cannot be read")]
    Issuer,
    /// It is not signed by the issuer of the credentials in it.
    #[error("it is signed with no key of the credentials' issuer")]
    Key,
    /// It is malformed, over, or another list.
    #[error(transparent)]
    Token(#[from] standards::status_list::TokenError),
}

/// A status list whose signature holds.
#[derive(Debug)]
pub struct PublishedList(StatusListToken);

impl PublishedList {
    /// Whether the credential at this place counts: `None` where the list has no such place.
    pub fn counts(&self, idx: u64) -> Option<bool> {
        self.0.find(idx).ok().map(|status| status == Status::Valid)
    }

    /// When the list was signed: it says nothing of what happened later.
    pub fn issued_at(&self) -> Timestamp {
        self.0.issued_at
    }
}

impl Connector {
    /// What the gateway knows of credentials that left it for this relying party. Those that it does not know are left out.
    ///
    /// Changes nothing; safe to repeat. Gateways that cannot be asked by serial number refuse.
    pub async fn look_up_credentials(
        &self,
        serial_numbers: &[Uuid],
    ) -> Result<Vec<KnownCredential>, GatewayFault> {
        let endpoint = Endpoint::Outcomes;
        let mut known = Vec::new();
        for some in serial_numbers.chunks(AT_ONCE) {
            let numbers: Vec<String> = some.iter().map(Uuid::to_string).collect();
            let question = ("serial_number", numbers.join(" "));
            let told: Told = self.ask_for_outcomes(question).await?.json(endpoint)?;
            let Some(credentials) = told.credentials else {
                let what = "it does not tell of credentials";
                return Err(GatewayFault::AgainstContract { endpoint, what });
            };
            // What was not asked about is passed over: nobody relies on it.
            known.extend(
                credentials
                    .into_iter()
                    .filter(|one| some.contains(&one.serial_number)),
            );
        }
        Ok(known)
    }

    /// The next of this relying party's credentials that are in force, in the order of their serial numbers, behind the last
    /// one had, at first the nil UUID: all of them, asked again and again until none comes. At most 100 at once.
    ///
    /// Changes nothing; safe to repeat. Gateways that cannot be asked so refuse.
    pub async fn credentials_in_force(
        &self,
        last: Uuid,
    ) -> Result<Vec<KnownCredential>, GatewayFault> {
        let endpoint = Endpoint::Outcomes;
        let against = |what| GatewayFault::AgainstContract { endpoint, what };
        let question = ("in_force_after", last.to_string());
        let told: Told = self.ask_for_outcomes(question).await?.json(endpoint)?;
        let credentials = told.credentials;
        let credentials = credentials.ok_or(against("it does not tell of credentials"))?;
        // Whoever repeats itself would be asked for ever.
        if credentials.iter().any(|one| one.serial_number <= last) {
            return Err(against("its credentials do not come in order"));
        }
        Ok(credentials)
    }

    /// The status list at this address, signed by this issuer: its signature, its time and its address are checked.
    pub async fn status_list(
        &self,
        issuer: &str,
        uri: &str,
    ) -> Result<PublishedList, StatusListFault> {
        let address = Url::parse(uri).map_err(|_| StatusListFault::Fetch(FetchError::NotSecure))?;
        let body = self.fetched(address).await?;
        // [TSL 5.1] A JWT is ASCII; what is not does not parse.
        let parsed = ParsedStatusListToken::parse(&String::from_utf8_lossy(&body))?;
        let document = self.did_document(issuer).await?;
        let kid = parsed.header().kid().ok_or(StatusListFault::Key)?;
        let key = document
            .find(kid, Relationship::AssertionMethod)
            .map_err(|_| StatusListFault::Key)?;
        let token = parsed.verify(key, ALGORITHMS, uri, self.now(), SKEW)?;
        Ok(PublishedList(token))
    }

    async fn did_document(&self, issuer: &str) -> Result<Document, StatusListFault> {
        let did = Did::parse(issuer).map_err(|_| StatusListFault::Issuer)?;
        let place = did::web::document_url(&did).map_err(|_| StatusListFault::Issuer)?;
        // http is for the loopback of a sandbox (rulings 15).
        let in_clear = self.settings.gateway.scheme() == "http" && place.host() == "localhost";
        let address = place
            .with_scheme(if in_clear { "http" } else { "https" })
            .map_err(|_| StatusListFault::Issuer)?;
        let body = self.fetched(address).await?;
        Document::parse(&body, &did).map_err(|_| StatusListFault::Issuer)
    }

    async fn fetched(&self, address: Url) -> Result<Vec<u8>, StatusListFault> {
        let answer = self.http.send(Request::fetch(address)).await?;
        if answer.status == StatusCode::OK {
            Ok(answer.body)
        } else {
            Err(StatusListFault::Status(answer.status.as_u16()))
        }
    }
}
