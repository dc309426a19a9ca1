//! The signed token around a list [TS-02].

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::list::{Bits, ListError, Status, StatusList};
use super::{LONGEST, MOST_INFLATED, TYP};
use crate::claims::{self, ClaimError};
use crate::jose::jws::{self, Header, ParseError, Parsed, ProtectedHeader, VerifyError};
use crate::jose::{Algorithm, Jwk, SignError, Signer, Typ};

/// A status list with what its token says. A parsed one is only had by verifying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusListToken {
    /// `sub`: the address that the list is read from.
    pub uri: String,
    /// `iss`, where there is one.
    pub issuer: Option<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Option<Timestamp>,
    /// For how many seconds a copy may be kept.
    pub ttl: Option<u64>,
    /// The list.
    pub list: StatusList,
}

/// A token read, not verified.
#[derive(Clone)]
pub struct ParsedStatusListToken {
    jwt: Parsed,
}

/// Why a status list token is refused. Each is 'cannot check', never 'valid' and never 'revoked' [SEC-25].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWT that we read.
    #[error("the status list token is no JWT: {0}")]
    Jwt(#[from] ParseError),
    /// Wrong type, algorithm or signature.
    #[error("the status list token does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// A claim is missing or malformed.
    #[error("the status list token: {0}")]
    Claim(#[from] ClaimError),
    /// The token is about another address.
    #[error("the status list token is for another address than the one it was read from")]
    Subject,
    /// No longer valid.
    #[error("the status list token has expired")]
    Expired,
    /// Made after now.
    #[error("the status list token is from the future")]
    FromTheFuture,
    /// The list cannot be read, or has no such index.
    #[error(transparent)]
    List(#[from] ListError),
}

impl ParsedStatusListToken {
    /// Reads a token as fetched.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        Ok(Self {
            jwt: jws::parse_within(text.trim(), LONGEST)?,
        })
    }

    /// The header, to find the key by.
    pub fn header(&self) -> &Header {
        self.jwt.header()
    }

    /// `iss`, where there is one. Unverified.
    pub fn unverified_issuer(&self) -> Option<&str> {
        self.jwt
            .unverified_claims()
            .get("iss")
            .and_then(Value::as_str)
    }

    /// Verifies with the key of the credential's issuer, for the address that the credential names.
    pub fn verify(
        &self,
        key: &Jwk,
        allowed: &[Algorithm],
        uri: &str,
        now: Timestamp,
        skew: SignedDuration,
    ) -> Result<StatusListToken, TokenError> {
        let verified = self.jwt.verify(key, allowed, Typ::Is(TYP))?;
        let claims = verified.claims();
        if claims::required_text(claims, "sub")? != uri {
            return Err(TokenError::Subject);
        }
        let issued_at = claims::required_instant(claims, "iat")?;
        if issued_at.duration_since(now) > skew {
            return Err(TokenError::FromTheFuture);
        }
        let expires_at = claims::instant(claims, "exp")?;
        if expires_at.is_some_and(|at| now >= at) {
            return Err(TokenError::Expired);
        }
        let ttl = match claims.get("ttl") {
            None => None,
            // [draft 21, 5.1] A positive number.
            Some(value) => Some(
                value
                    .as_u64()
                    .filter(|ttl| *ttl > 0)
                    .ok_or(ClaimError::Malformed("ttl"))?,
            ),
        };
        let member = claims
            .get("status_list")
            .ok_or(ClaimError::Missing("status_list"))?;
        let malformed = ClaimError::Malformed("status_list");
        let bits = member
            .get("bits")
            .and_then(Value::as_u64)
            .and_then(Bits::from_number)
            .ok_or(malformed)?;
        let lst = member.get("lst").and_then(Value::as_str).ok_or(malformed)?;
        Ok(StatusListToken {
            uri: uri.to_owned(),
            issuer: claims::text(claims, "iss")?.map(str::to_owned),
            issued_at,
            expires_at,
            ttl,
            list: StatusList::decode(bits, lst, MOST_INFLATED)?,
        })
    }
}

impl fmt::Debug for ParsedStatusListToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedStatusListToken")
            .field("header", self.header())
            .finish_non_exhaustive()
    }
}

impl StatusListToken {
    /// The status at an index.
    pub fn find(&self, index: u64) -> Result<Status, ListError> {
        self.list.find(index)
    }

    /// Until when a copy may be used: `ttl` after it was fetched, never beyond `exp`.
    pub fn usable_until(&self, fetched_at: Timestamp) -> Option<Timestamp> {
        let kept = self.ttl.and_then(|ttl| {
            fetched_at
                .checked_add(SignedDuration::from_secs(i64::try_from(ttl).ok()?))
                .ok()
        });
        [kept, self.expires_at].into_iter().flatten().min()
    }

    /// The claims to sign.
    pub fn to_claims(&self) -> Value {
        let mut claims = Map::new();
        claims.insert("sub".into(), json!(self.uri));
        claims.insert("iat".into(), json!(self.issued_at.as_second()));
        let list = json!({ "bits": self.list.bits().number(), "lst": self.list.encode() });
        claims.insert("status_list".into(), list);
        let optional = [
            ("iss", self.issuer.as_ref().map(|issuer| json!(issuer))),
            ("exp", self.expires_at.map(|at| json!(at.as_second()))),
            ("ttl", self.ttl.map(|ttl| json!(ttl))),
        ];
        claims.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
        Value::Object(claims)
    }
}

/// Issuer: signs a status list token. `kid` names the key as the issuer's credentials name it.
pub async fn sign(
    signer: &dyn Signer,
    kid: &str,
    token: &StatusListToken,
) -> Result<String, SignError> {
    sign_certified(signer, (kid, &[]), token).await
}

/// The same with a certificate chain of the key, DER in base64, the key's own first; none leaves `x5c` out. [HA-07]
pub async fn sign_certified(
    signer: &dyn Signer,
    (kid, x5c): (&str, &[String]),
    token: &StatusListToken,
) -> Result<String, SignError> {
    let mut header = ProtectedHeader::typ(TYP).kid(kid);
    if !x5c.is_empty() {
        header = header.member("x5c", x5c);
    }
    jws::sign(signer, header, &token.to_claims()).await
}
