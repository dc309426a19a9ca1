//! Whether a held credential is still good, by its issuer's status list (Token Status List).

use jiff::SignedDuration;
use standards::did::{Did, DidUrl, Relationship};
use standards::jose::{Algorithm, Jwk};
use standards::status_list::{
    MEDIA_TYPE, ParsedStatusListToken, ReferenceError, Status, StatusReference, TokenError,
};
use url::Url;

use crate::credential::{CredentialError, Reading};
use crate::keys::{self, KeyError};
use crate::network::NetworkError;
use crate::report::CredentialStatus;
use crate::storage::HeldCredential;
use crate::wallet::Wallet;

const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Why the list does not answer. The holder sees `unknown` for all of them: never valid, never revoked.
#[derive(Debug, thiserror::Error)]
enum StatusError {
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error("the status list's address is no URL")]
    Address,
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the status list is signed by somebody else than the credential's issuer")]
    OtherSigner,
}

/// The status as the list says now; without a list, as the clock says.
pub(crate) async fn fetch(wallet: &Wallet, held: &HeldCredential) -> CredentialStatus {
    look_up(wallet, held)
        .await
        .unwrap_or(CredentialStatus::Unknown)
}

async fn look_up(wallet: &Wallet, held: &HeldCredential) -> Result<CredentialStatus, StatusError> {
    let reading = Reading::of(held)?;
    let now = wallet.now();
    let Some(reference) = StatusReference::parse(reading.claims())? else {
        return Ok(reading.clock_status(now));
    };
    let url = Url::parse(&reference.uri).map_err(|_| StatusError::Address)?;
    let answer = wallet.network().fetch(&url, MEDIA_TYPE).await?.accepted()?;
    let token = ParsedStatusListToken::parse(answer.text()?)?;
    let key = signer_key(
        wallet,
        reading.issuer().map_err(CredentialError::from)?,
        &token,
    )
    .await?;
    let token = token.verify(&key, Algorithm::ASYMMETRIC, &reference.uri, now, SKEW)?;
    Ok(
        match token.find(reference.index).map_err(TokenError::from)? {
            Status::Valid => CredentialStatus::Valid,
            Status::Invalid => CredentialStatus::Revoked,
            Status::Suspended => CredentialStatus::Suspended,
            Status::Other(_) => CredentialStatus::Unknown,
        },
    )
}

/// [SEC-25] The list is signed by the credential's issuer: with a key of its identifier, or of a DID whose document
/// says that it is the same party.
async fn signer_key(
    wallet: &Wallet,
    issuer: &str,
    token: &ParsedStatusListToken,
) -> Result<Jwk, StatusError> {
    let network = wallet.network();
    let named = token
        .header()
        .kid()
        .and_then(|kid| Some((kid, DidUrl::parse(kid).ok()?)));
    let Some((kid, url)) = named.filter(|_| !issuer.starts_with("did:")) else {
        return Ok(keys::fetch_key(
            network,
            issuer,
            token.header(),
            Relationship::AssertionMethod,
        )
        .await?);
    };
    let did: &Did = url.did();
    let document = keys::fetch_document(network, did).await?;
    if !document.also_known_as().iter().any(|name| name == issuer) || !is_same_place(did, issuer) {
        return Err(StatusError::OtherSigner);
    }
    Ok(document
        .find(kid, Relationship::AssertionMethod)
        .map_err(KeyError::from)?
        .clone())
}

/// A document's word on its other names is only its own, so both names must be served from one host.
fn is_same_place(did: &Did, issuer: &str) -> bool {
    let place = standards::did::web::document_url(did).map(|place| place.authority());
    let issuer = Url::parse(issuer).map(|url| crate::link::origin(&url));
    matches!((place, issuer), (Ok(place), Ok(issuer)) if place == issuer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_did_of_another_host_does_not_sign_for_an_issuer() {
        let did = Did::parse("did:web:localhost%3A8400:issuers:acorn").unwrap();
        assert!(is_same_place(&did, "http://localhost:8400/issuers/acorn"));
        assert!(!is_same_place(&did, "http://localhost:8500/issuers/acorn"));
        assert!(!is_same_place(&did, "https://evil.example/issuers/acorn"));
    }
}
