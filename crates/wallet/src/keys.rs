//! Whose key signed: an issuer's or verifier's public key, fetched where its identifier says.

use standards::did::document::DocumentError;
use standards::did::{self, Did, Document, Relationship};
use standards::jose::jws::Header;
use standards::jose::{Jwk, JwkSet};
use standards::oauth::{MetadataError, well_known_url};
use url::Url;

use crate::network::{Network, NetworkError, is_loopback};

/// Why no key was found.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The identifier is neither a DID that this wallet resolves nor a web address.
    #[error("{0} is not an identifier whose keys this wallet can find")]
    Identifier(String),
    /// The DID itself is wrong.
    #[error(transparent)]
    Did(#[from] did::DidError),
    /// The DID document does not speak for that key.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Not reached.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The identifier has no metadata address.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The signature names no key.
    #[error("the signature does not say which key made it (kid)")]
    NoKid,
    /// The issuer's key set does not hold it, or holds it twice, or cannot be read.
    #[error("{0} publishes no such key")]
    NotPublished(String),
}

/// The key that `header` names, if `identifier` publishes it for signing statements ([SV-03], [SEC-16]).
pub(crate) async fn fetch_key(
    network: &Network,
    identifier: &str,
    header: &Header,
    relationship: Relationship,
) -> Result<Jwk, KeyError> {
    if identifier.starts_with("did:") {
        let document = fetch_document(network, &Did::parse(identifier)?).await?;
        return Ok(document
            .find(header.kid().ok_or(KeyError::NoKid)?, relationship)?
            .clone());
    }
    let not_published = || KeyError::NotPublished(identifier.to_owned());
    let url = well_known_url(identifier, "jwt-vc-issuer")?;
    let metadata = network
        .fetch(&url, "application/json")
        .await?
        .accepted()?
        .object()?;
    // [SD-JWT VC 5] The document must name exactly the issuer that it was fetched for.
    if metadata.get("issuer").and_then(|issuer| issuer.as_str()) != Some(identifier) {
        return Err(not_published());
    }
    let keys = match (
        metadata.get("jwks"),
        metadata.get("jwks_uri").and_then(|uri| uri.as_str()),
    ) {
        (Some(jwks), None) => JwkSet::parse(jwks).map_err(|_| not_published())?,
        (None, Some(uri)) => {
            let url = Url::parse(uri).map_err(|_| not_published())?;
            let jwks = network
                .fetch(&url, "application/json")
                .await?
                .accepted()?
                .object()?;
            JwkSet::parse(&jwks.into()).map_err(|_| not_published())?
        }
        _ => return Err(not_published()),
    };
    keys.find_for(header).cloned().ok_or_else(not_published)
}

/// The document of a DID; http only where its host is this machine.
pub(crate) async fn fetch_document(network: &Network, did: &Did) -> Result<Document, KeyError> {
    match did.method() {
        "web" => {
            let place = did::web::document_url(did)?;
            let local = is_loopback(&place.with_scheme("http")?);
            let url = place.with_scheme(if local { "http" } else { "https" })?;
            let answer = match network
                .fetch(&url, "application/did+json, application/json")
                .await
            {
                // This machine may speak https as well; then plain http is not answered.
                Err(_) if local => {
                    network
                        .fetch(&place.with_scheme("https")?, "application/json")
                        .await?
                }
                answer => answer?,
            };
            Ok(Document::parse(&answer.accepted()?.body, did)?)
        }
        "jwk" => Ok(did::jwk::document(did)?),
        "key" => Ok(did::key::document(did)?),
        _ => Err(KeyError::Identifier(did.to_string())),
    }
}
