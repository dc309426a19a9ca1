//! The holder: their key, from a DID that holds its own key (did:jwk, did:key) or from `cnf` (RFC 7800); and what their
//! signature of a presentation must answer, whichever the format.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::did::{self, Did, DidUrl, Relationship};
use crate::jose::jwk::JwkError;
use crate::jose::{Algorithm, Jwk};

/// What a verifier holds a presentation against.
#[derive(Debug, Clone, Copy)]
pub struct PresentationExpectation<'a> {
    /// The verifier's client identifier in full.
    pub audience: &'a str,
    /// The nonce of the request.
    pub nonce: &'a str,
    /// Signature algorithms.
    pub algorithms: &'a [Algorithm],
    /// The time of receipt.
    pub now: Timestamp,
    /// How old the presentation may be.
    pub max_age: SignedDuration,
    /// How far ahead of ours the wallet's clock may be.
    pub skew: SignedDuration,
}

/// A presentation that holds: the credential's holder made it, for this request.
#[derive(Debug, Clone, PartialEq)]
pub struct HolderBinding {
    /// The holder's key.
    pub holder: Jwk,
    /// When the holder signed.
    pub issued_at: Timestamp,
}

/// Why a holder's key cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HolderKeyError {
    /// Not a DID or DID URL, or one whose key is of no kind that we verify.
    #[error("the holder's key id is no DID URL with a usable key")]
    Did,
    /// A way of naming keys that would need the network, or that we do not speak.
    #[error("the holder's key must be named by did:jwk, did:key or jwk")]
    Unsupported,
    /// The credential names no key of its holder.
    #[error("the credential is bound to no key")]
    Unbound,
    /// The key in `cnf` is unusable.
    #[error("the holder's key in cnf: {0}")]
    Jwk(JwkError),
}

/// The key of a DID URL such as `did:jwk:…#0`; the bare DID stands for its one key.
pub fn key_of(kid: &str) -> Result<Jwk, HolderKeyError> {
    if !kid.contains('#') {
        return key_of_did(&Did::parse(kid).map_err(|_| HolderKeyError::Did)?);
    }
    let url = DidUrl::parse(kid).map_err(|_| HolderKeyError::Did)?;
    let document = match url.did().method() {
        "jwk" => did::jwk::document(url.did()),
        "key" => did::key::document(url.did()),
        _ => return Err(HolderKeyError::Unsupported),
    };
    let document = document.map_err(|_| HolderKeyError::Did)?;
    document
        .find(kid, Relationship::Authentication)
        .cloned()
        .map_err(|_| HolderKeyError::Did)
}

/// The one key of a did:jwk or did:key.
pub fn key_of_did(did: &Did) -> Result<Jwk, HolderKeyError> {
    match did.method() {
        "jwk" => did::jwk::decode(did).map_err(|_| HolderKeyError::Did),
        "key" => did::key::decode(did).map_err(|_| HolderKeyError::Did),
        _ => Err(HolderKeyError::Unsupported),
    }
}

/// The key in `cnf.jwk`; `None` when there is no `cnf`.
pub fn key_of_confirmation(claims: &Map<String, Value>) -> Result<Option<Jwk>, HolderKeyError> {
    let Some(confirmation) = claims.get("cnf") else {
        return Ok(None);
    };
    let key = confirmation.get("jwk").ok_or(HolderKeyError::Unsupported)?;
    Jwk::parse(key).map(Some).map_err(HolderKeyError::Jwk)
}
