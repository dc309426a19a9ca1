//! Client identifier prefixes: what a verifier's name means and who vouches for it [VP 5.9, VP-04].

use std::fmt;

use crate::did::Did;

/// A verifier's client identifier. [`Display`](fmt::Display) gives it in full, prefix included: that text is
/// the audience of every presentation [VP 14.7].
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum ClientId {
    /// `decentralized_identifier:`: a DID, whose document holds the request's key.
    DecentralizedIdentifier(Did),
    /// `x509_san_dns:`: a DNS name in the leaf certificate.
    X509SanDns(String),
    /// `x509_hash:`: base64url SHA-256 of the leaf certificate.
    X509Hash(String),
    /// `redirect_uri:`: the response or redirect URI; nobody vouches.
    RedirectUri(String),
    /// `verifier_attestation:`: the subject of an attestation.
    VerifierAttestation(String),
    /// `openid_federation:`: an entity identifier.
    OpenidFederation(String),
    /// No prefix that we know: a client that the wallet was told about beforehand.
    PreRegistered(String),
}

/// Why a client identifier is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientIdError {
    /// Nothing there.
    #[error("the client_id is empty")]
    Empty,
    /// `origin:` belongs to the Digital Credentials API and is never accepted in a request.
    #[error("a client_id must not begin with origin:")]
    Origin,
    /// What follows `decentralized_identifier:` is no DID.
    #[error("the client_id does not name a DID")]
    Did,
}

/// Whether the request of such a client is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// Must be signed.
    Must,
    /// Must not be: there is no key to trust.
    MustNot,
    /// As was agreed at registration.
    AsRegistered,
}

impl ClientId {
    /// Reads a client identifier: the text before the first colon decides, if it is a prefix we know.
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        if text.is_empty() {
            return Err(ClientIdError::Empty);
        }
        let Some((prefix, rest)) = text.split_once(':') else {
            return Ok(Self::PreRegistered(text.to_owned()));
        };
        let named = || {
            if rest.is_empty() {
                Err(ClientIdError::Empty)
            } else {
                Ok(rest.to_owned())
            }
        };
        match prefix {
            "decentralized_identifier" => Did::parse(rest)
                .map(Self::DecentralizedIdentifier)
                .map_err(|_| ClientIdError::Did),
            "x509_san_dns" => named().map(Self::X509SanDns),
            "x509_hash" => named().map(Self::X509Hash),
            "redirect_uri" => named().map(Self::RedirectUri),
            "verifier_attestation" => named().map(Self::VerifierAttestation),
            "openid_federation" => named().map(Self::OpenidFederation),
            "origin" => Err(ClientIdError::Origin),
            _ => Ok(Self::PreRegistered(text.to_owned())),
        }
    }

    /// Whether a request in this name is signed.
    pub fn signing(&self) -> Signing {
        match self {
            Self::RedirectUri(_) => Signing::MustNot,
            Self::PreRegistered(_) => Signing::AsRegistered,
            _ => Signing::Must,
        }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DecentralizedIdentifier(did) => write!(f, "decentralized_identifier:{did}"),
            Self::X509SanDns(name) => write!(f, "x509_san_dns:{name}"),
            Self::X509Hash(hash) => write!(f, "x509_hash:{hash}"),
            Self::RedirectUri(uri) => write!(f, "redirect_uri:{uri}"),
            Self::VerifierAttestation(subject) => write!(f, "verifier_attestation:{subject}"),
            Self::OpenidFederation(entity) => write!(f, "openid_federation:{entity}"),
            Self::PreRegistered(id) => f.write_str(id),
        }
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({self})")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn vp_04_the_prefix_decides_and_the_full_text_comes_back() {
        for (text, signing) in [
            ("decentralized_identifier:did:example:123", Signing::Must),
            ("x509_san_dns:client.example.org", Signing::Must),
            (
                "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
                Signing::Must,
            ),
            ("verifier_attestation:verifier.example", Signing::Must),
            (
                "openid_federation:https://federation-verifier.example.com",
                Signing::Must,
            ),
            (
                "redirect_uri:https://client.example.org/cb",
                Signing::MustNot,
            ),
            ("example-client", Signing::AsRegistered),
            ("https://example", Signing::AsRegistered),
        ] {
            let id = ClientId::parse(text).unwrap();
            assert_eq!((id.to_string().as_str(), id.signing()), (text, signing));
        }
    }

    #[test]
    fn vp_04_an_origin_and_a_broken_did_are_refused() {
        assert_eq!(
            ClientId::parse("origin:https://verifier.example"),
            Err(ClientIdError::Origin)
        );
        assert_eq!(
            ClientId::parse("decentralized_identifier:example"),
            Err(ClientIdError::Did)
        );
        assert_eq!(ClientId::parse("x509_hash:"), Err(ClientIdError::Empty));
        assert_eq!(ClientId::parse(""), Err(ClientIdError::Empty));
    }
}
