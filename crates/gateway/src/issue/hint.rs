//! The signature of a draft: who signed an `id_token_hint`. (gateway contract 3.1, SEC-15)
//!
//! A client signs in one way: with HMAC under the key that it shares with the gateway, or with a key of its own whose
//! public half is registered or published. Which of the two is the client's registration, never the token's header.

use jiff::Timestamp;
use serde_json::{Map, Value};
use standards::jose::{Algorithm, Typ, jws};

use crate::organisation::RelyingParty;
use crate::organisation::client_keys::KeysUnavailable;
use crate::organisation::relying_party::DraftKeys;
use crate::outbound::Outbound;

/// Deployed clients write `JWT` or nothing.
const TYPES: Typ<'_> = Typ::AbsentOr(&["JWT"]);

/// A hint that its client has signed. What it says has yet to be checked.
pub struct SignedHint(Map<String, Value>);

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHint {
    /// Not a JWT, not HMAC, too short a key for the algorithm, or not by the shared key.
    #[error(
        "it must be a JWT signed with your signing key: HS256, or HS384 and HS512 where the key is of 48 and 64 bytes"
    )]
    Shared,
    /// Not a JWT, or not by one of the client's keys.
    #[error(
        "it must be a JWT signed with one of your registered keys (ES256, ES384, EdDSA, RS256 or PS256), its kid in the header"
    )]
    Own,
    /// A client assertion: it says who the client is, not what is to be issued.
    #[error("sub must not be your client_id: that is for client assertions")]
    Assertion,
    /// Nothing that could check the signature is registered.
    #[error("no signing key is registered for your client")]
    NoKey,
    /// The client's keys cannot be fetched.
    #[error(transparent)]
    Keys(#[from] KeysUnavailable),
}

impl SignedHint {
    /// The claims, the signature being the client's.
    pub fn into_claims(self) -> Map<String, Value> {
        self.0
    }
}

/// Checks who signed.
pub async fn verify(
    hint: &str,
    party: &RelyingParty,
    outbound: &Outbound,
    now: Timestamp,
) -> Result<SignedHint, InvalidHint> {
    let parsed = jws::parse(hint).ok();
    let claims = match &party.draft_keys {
        DraftKeys::None => return Err(InvalidHint::NoKey),
        DraftKeys::Shared(key) => {
            // Libraries choose the algorithm by the key's length, or always HS256: whatever the key is long
            // enough for is good [RFC 7518 3.2].
            let verified =
                parsed.and_then(|parsed| parsed.verify_hmac(key, Algorithm::SYMMETRIC, TYPES).ok());
            verified.ok_or(InvalidHint::Shared)?.into_claims()
        }
        DraftKeys::Own(keys) => {
            let parsed = parsed.ok_or(InvalidHint::Own)?;
            let outbound = party.organisation.outbound(outbound);
            let key = keys.find(&outbound, parsed.header(), now).await?;
            let verified =
                key.and_then(|key| parsed.verify(&key, Algorithm::ASYMMETRIC, TYPES).ok());
            let claims = verified.ok_or(InvalidHint::Own)?.into_claims();
            // The same keys sign client assertions, which name the client as their subject (SEC-14).
            if claims.get("sub").and_then(Value::as_str) == Some(party.client_id.as_str()) {
                return Err(InvalidHint::Assertion);
            }
            claims
        }
    };
    Ok(SignedHint(claims))
}
