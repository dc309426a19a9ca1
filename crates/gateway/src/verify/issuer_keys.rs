//! The keys of issuers: our own organisations' at hand, others' fetched, and only from issuers that a trust
//! list names. [SEC-04, SEC-16, SV-03]

use std::sync::Arc;

use jiff::SignedDuration;
use standards::did::{self, Did, Document, Relationship};
use standards::jose::jws::Header;
use standards::jose::{Jwk, JwkSet};
use standards::oauth::metadata::well_known_url;
use standards::vc::sd_jwt_vc::ISSUER_WELL_KNOWN;
use url::Url;

use crate::app::Parts;
use crate::copies::{Copies, Missing};
use crate::interaction::Refusal;
use crate::keys::{KeyPurpose, Ring};
use crate::organisation::Organisation;
use crate::outbound::Outbound;

/// How long fetched keys are used.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Fetched keys younger than this are not fetched again for a key id that they do not have.
const YOUNG: SignedDuration = SignedDuration::from_secs(30);

/// The keys of one issuer.
#[derive(Clone)]
pub(super) enum Keys {
    /// An organisation of this gateway, and the keys that there are: nothing to fetch.
    Own(Arc<Organisation>, Arc<Ring>),
    /// A `did:web` elsewhere.
    Did(Arc<Document>),
    /// An SD-JWT VC issuer elsewhere.
    Set(Arc<JwkSet>),
}

/// What a key is to have signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Signed {
    /// A credential.
    Credential,
    /// A status list.
    StatusList,
}

impl Keys {
    /// The key that a header names, if it is one of this issuer's and for this.
    pub(super) fn find(&self, header: &Header, signed: Signed) -> Option<Jwk> {
        match self {
            // One organisation, two names for its key: the DID URL in the W3C form, the thumbprint in SD-JWT VC.
            Self::Own(organisation, ring) => {
                let purpose = match signed {
                    Signed::Credential => KeyPurpose::Credentials,
                    Signed::StatusList => KeyPurpose::Status,
                };
                let kid = organisation.thumbprint_of(header.kid()?)?;
                ring.find(purpose, &organisation.id, kid).cloned()
            }
            Self::Did(document) => document
                .find(header.kid()?, Relationship::AssertionMethod)
                .ok()
                .cloned(),
            Self::Set(set) => set.find_for(header).cloned(),
        }
    }
}

/// An issuer, as somebody asks about it.
#[derive(Clone, Copy)]
pub(super) struct Issuer<'a> {
    /// Who asks.
    pub(super) organisation: &'a Organisation,
    /// What it is to be trusted for.
    pub(super) credential_type: &'a str,
    /// Its identifier.
    pub(super) name: &'a str,
}

/// Keys fetched from elsewhere, by issuer.
#[derive(Default)]
pub(super) struct IssuerKeys(Copies<(Option<String>, String), Keys>);

impl IssuerKeys {
    /// The keys of that issuer. A stranger's are never fetched: the address in an untrusted credential is an
    /// attacker's text. `header` is the one that a key is sought for, and of what.
    pub(super) async fn find(
        &self,
        app: &Parts,
        asked: Issuer<'_>,
        (header, signed): (&Header, Signed),
    ) -> Result<Keys, Refusal> {
        let Issuer {
            organisation,
            credential_type,
            name: issuer,
        } = asked;
        if let Some(own) = app.organisations.find_issuer(issuer) {
            return Ok(Keys::Own(own.clone(), app.keys.clone()));
        }
        if !organisation.trusts(credential_type, issuer) {
            return Err(Refusal::IssuerNotTrusted);
        }
        // The key names no tenant, but for one that may not name every host: an issuer's document is the same for all.
        // Whether it counts was asked above, for this tenant, whatever lies here for others. [SEC-33]
        let (now, outbound) = (app.now(), organisation.outbound(&app.outbound));
        // An issuer that changed its keys a minute ago must not be refused for five.
        let serves = |keys: &Keys, fetched_at| {
            keys.find(header, signed).is_some() || now.duration_since(fetched_at) < YOUNG
        };
        let fetched =
            async { Ok::<_, KeysError>((fetch(app, &outbound, issuer).await?, now + LIFETIME)) };
        let found = self.0.find_or_fetch(
            (organisation.copies(), issuer.to_owned()),
            now,
            serves,
            fetched,
        );
        found.await.map_err(|missing| {
            if let Missing::Failed(error) = missing {
                tracing::warn!(issuer, %error, "an issuer's keys could not be had");
            }
            Refusal::IssuerUnreachable
        })
    }
}

/// Why an issuer's keys could not be had. All of it is [`Refusal::IssuerUnreachable`] to the outside.
#[derive(Debug, thiserror::Error)]
enum KeysError {
    #[error("the issuer is neither a did:web nor a credential issuer address")]
    Identifier,
    #[error(transparent)]
    Fetch(#[from] crate::outbound::FetchError),
    #[error(transparent)]
    Document(#[from] did::document::DocumentError),
    #[error("the issuer's metadata: {0}")]
    Metadata(&'static str),
}

async fn fetch(app: &Parts, outbound: &Outbound, issuer: &str) -> Result<Keys, KeysError> {
    if issuer.starts_with("did:") {
        fetch_document(app, outbound, issuer).await
    } else {
        fetch_set(outbound, issuer).await
    }
}

async fn fetch_document(app: &Parts, outbound: &Outbound, issuer: &str) -> Result<Keys, KeysError> {
    let did = Did::parse(issuer).map_err(|_| KeysError::Identifier)?;
    let place = did::web::document_url(&did).map_err(|_| KeysError::Identifier)?;
    // http is for the loopback of a sandbox; the outbound client lets nothing else through (rulings 15).
    let scheme = if place.host() == "localhost" && !app.is_https() {
        "http"
    } else {
        "https"
    };
    let url = place
        .with_scheme(scheme)
        .map_err(|_| KeysError::Identifier)?;
    let fetched = outbound
        .fetch(&url, "application/did+json, application/json")
        .await?;
    Ok(Keys::Did(Arc::new(Document::parse(&fetched.body, &did)?)))
}

/// [SV-03] The metadata names exactly the issuer it was fetched for, and holds its keys or their address.
async fn fetch_set(outbound: &Outbound, issuer: &str) -> Result<Keys, KeysError> {
    let url = well_known_url(issuer, ISSUER_WELL_KNOWN).map_err(|_| KeysError::Identifier)?;
    let metadata = fetch_json(outbound, &url).await?;
    if metadata.get("issuer").and_then(serde_json::Value::as_str) != Some(issuer) {
        return Err(KeysError::Metadata("it is another issuer's"));
    }
    let set = match (
        metadata.get("jwks"),
        metadata.get("jwks_uri").and_then(serde_json::Value::as_str),
    ) {
        (Some(set), None) => set.clone(),
        (None, Some(address)) => {
            let address =
                Url::parse(address).map_err(|_| KeysError::Metadata("jwks_uri is no address"))?;
            fetch_json(outbound, &address).await?
        }
        _ => return Err(KeysError::Metadata("it must have either jwks or jwks_uri")),
    };
    let set = JwkSet::parse(&set).map_err(|_| KeysError::Metadata("its key set is malformed"))?;
    Ok(Keys::Set(Arc::new(set)))
}

async fn fetch_json(outbound: &Outbound, url: &Url) -> Result<serde_json::Value, KeysError> {
    let fetched = outbound.fetch(url, "application/json").await?;
    standards::json::parse(&fetched.body).map_err(|_| KeysError::Metadata("it is not JSON"))
}
