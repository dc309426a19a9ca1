//! The `jwt` key proof: a wallet shows that it holds the key that the credential will be bound to
//! [VCI appendix F.1 and F.4; VCI-14].

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::claims::{self, ClaimError, Lifetime};
use crate::jose::jws::{self, ParseError, Parsed, ProtectedHeader, VerifyError};
use crate::jose::{Algorithm, Jwk, SignError, Signer, Typ};
use crate::vc::holder::{self, HolderKeyError};

/// The `typ` of a key proof.
pub const TYP: &str = "openid4vci-proof+jwt";

/// A key proof, read but not checked.
#[derive(Clone)]
pub struct KeyProof {
    jwt: Parsed,
    named: NamedKey,
}

/// How a proof names its key; exactly one of the three ways.
#[derive(Clone, PartialEq)]
pub enum NamedKey {
    /// `jwk`: the key itself.
    Jwk(Jwk),
    /// `kid`: a DID URL.
    Kid(String),
    /// `x5c`: a certificate chain, leaf first.
    X5c(Vec<Vec<u8>>),
}

impl fmt::Debug for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwk(key) => write!(f, "Jwk({})", key.thumbprint()),
            Self::Kid(kid) => write!(f, "Kid({kid})"),
            Self::X5c(chain) => write!(f, "X5c({} certificates)", chain.len()),
        }
    }
}

/// What the issuer holds a proof against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The credential issuer identifier.
    pub credential_issuer: &'a str,
    /// The algorithms of `proof_signing_alg_values_supported`.
    pub algorithms: &'a [Algorithm],
    /// The client that the access token was given to; `None` when it was anonymous.
    pub client_id: Option<&'a str>,
    /// Whether a nonce endpoint is published.
    pub nonce_required: bool,
    /// The time of receipt.
    pub now: Timestamp,
    /// How old a proof may be.
    pub max_age: SignedDuration,
    /// How far ahead of ours the wallet's clock may be.
    pub skew: SignedDuration,
}

/// A proof that holds. Whether its nonce is live, and using it up, is for the caller's storage to say.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedProof {
    /// The key to bind to: no `kid`, no other members.
    pub holder: Jwk,
    /// How the proof named it.
    pub named: NamedKey,
    /// The `c_nonce` it was made for.
    pub nonce: Option<String>,
    /// When it was made.
    pub issued_at: Timestamp,
}

/// Why a key proof is refused. All are `invalid_proof` on the wire.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProofError {
    /// Not a JWT that we read (this includes private key members in `jwk`, and `alg` none).
    #[error("the key proof is no JWT: {0}")]
    Jwt(#[from] ParseError),
    /// None of `kid`, `jwk`, `x5c`, or several.
    #[error("the key proof must name its key by exactly one of kid, jwk and x5c")]
    ExactlyOneKey,
    /// The key named cannot be had.
    #[error("the key that the proof names cannot be used: {0}")]
    Key(#[from] HolderKeyError),
    /// Wrong type, algorithm or signature.
    #[error("the key proof does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// A claim is missing or malformed.
    #[error("the key proof: {0}")]
    Claim(#[from] ClaimError),
    /// Made for another issuer.
    #[error("the key proof is for another credential issuer")]
    Audience,
    /// Made by another client, or an anonymous wallet names one.
    #[error("the key proof's iss is not the client that the token was given to")]
    Issuer,
    /// `exp` has passed.
    #[error("the key proof has expired")]
    Expired,
    /// Made too long ago.
    #[error("the key proof is too old")]
    TooOld,
    /// Made after now, or `nbf` is still to come.
    #[error("the key proof is from the future")]
    FromTheFuture,
    /// No nonce though the issuer gives nonces.
    #[error("the key proof has no c_nonce")]
    NonceMissing,
}

impl KeyProof {
    /// Reads a proof and how it names its key.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let jwt = jws::parse(text)?;
        let header = jwt.header();
        let named = match (header.kid(), header.jwk(), header.x5c()) {
            (Some(kid), None, None) => NamedKey::Kid(kid.to_owned()),
            (None, Some(key), None) => NamedKey::Jwk(key.clone()),
            (None, None, Some(chain)) => NamedKey::X5c(chain.to_vec()),
            _ => return Err(ProofError::ExactlyOneKey),
        };
        Ok(Self { jwt, named })
    }

    /// How the proof names its key.
    pub fn named(&self) -> &NamedKey {
        &self.named
    }

    /// The key named, where that needs no network: `jwk`, and `kid` of did:jwk or did:key.
    pub fn key(&self) -> Result<Jwk, HolderKeyError> {
        match &self.named {
            NamedKey::Jwk(key) => Ok(key.clone()),
            NamedKey::Kid(kid) => holder::key_of(kid),
            NamedKey::X5c(_) => Err(HolderKeyError::Unsupported),
        }
    }

    /// Checks everything that can be checked without storage.
    pub fn check(&self, expected: &Expected<'_>) -> Result<VerifiedProof, ProofError> {
        let key = self.key()?;
        // HMAC is no signature here whatever the caller lists [VCI F.1: no MAC].
        let allowed: Vec<Algorithm> = expected
            .algorithms
            .iter()
            .copied()
            .filter(|alg| Algorithm::ASYMMETRIC.contains(alg))
            .collect();
        let verified = self.jwt.verify(&key, &allowed, Typ::Is(TYP))?;
        let claims = verified.claims();
        if !claims::audience_is(claims, expected.credential_issuer)? {
            return Err(ProofError::Audience);
        }
        // `iss` is optional; sent, it is the client. An anonymous token belongs to no client.
        if let Some(issuer) = claims::text(claims, "iss")?
            && expected.client_id != Some(issuer)
        {
            return Err(ProofError::Issuer);
        }
        match claims::lifetime(claims, expected.now, expected.skew)? {
            Lifetime::Current => {}
            Lifetime::NotYet => return Err(ProofError::FromTheFuture),
            Lifetime::Over => return Err(ProofError::Expired),
        }
        let issued_at = claims::required_instant(claims, "iat")?;
        let age = expected.now.duration_since(issued_at);
        if age > expected.max_age {
            return Err(ProofError::TooOld);
        }
        if age < -expected.skew {
            return Err(ProofError::FromTheFuture);
        }
        let nonce = claims::text(claims, "nonce")?
            .filter(|nonce| !nonce.is_empty())
            .map(str::to_owned);
        if expected.nonce_required && nonce.is_none() {
            return Err(ProofError::NonceMissing);
        }
        Ok(VerifiedProof {
            holder: key.bare_key(),
            named: self.named.clone(),
            nonce,
            issued_at,
        })
    }
}

impl fmt::Debug for KeyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyProof")
            .field("named", &self.named)
            .finish_non_exhaustive()
    }
}

/// How a wallet wants its key named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameKeyBy {
    /// `jwk`: the credential is bound to the key.
    Jwk,
    /// `kid`: the credential is bound to this DID URL.
    Kid(String),
}

/// What a wallet signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofClaims {
    /// The credential issuer identifier.
    pub credential_issuer: String,
    /// The time of signing.
    pub issued_at: Timestamp,
    /// The `c_nonce`, when the issuer has a nonce endpoint.
    pub nonce: Option<String>,
    /// The wallet's client id, unless it is anonymous.
    pub client_id: Option<String>,
}

/// Wallet: signs a key proof.
pub async fn sign(
    signer: &dyn Signer,
    by: &NameKeyBy,
    claims: &ProofClaims,
) -> Result<String, SignError> {
    let header = ProtectedHeader::typ(TYP);
    let header = match by {
        NameKeyBy::Jwk => header.jwk(signer.public_jwk()),
        NameKeyBy::Kid(kid) => header.kid(kid.as_str()),
    };
    let mut members = Map::new();
    members.insert("aud".into(), json!(claims.credential_issuer));
    members.insert("iat".into(), json!(claims.issued_at.as_second()));
    if let Some(nonce) = &claims.nonce {
        members.insert("nonce".into(), json!(nonce));
    }
    if let Some(client_id) = &claims.client_id {
        members.insert("iss".into(), json!(client_id));
    }
    jws::sign(signer, header, &Value::Object(members)).await
}
