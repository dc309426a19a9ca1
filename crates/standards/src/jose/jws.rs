//! Signed tokens in the compact form: reading and checking. [RFC 7515, RFC 7519]
//!
//! `wire text -> Parsed -> Verified`. Only [`Parsed::verify`] and [`Parsed::verify_hmac`] make a
//! [`Verified`]. Writing is in [`super::signer`].

use std::fmt;

use base64::Engine;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::jwk::JwkError;
use super::{Algorithm, HmacKey, Jwk};
use crate::base64url;
use crate::json::{self, JsonError};

pub use super::signer::{ProtectedHeader, sign, sign_hmac, sign_now};

/// The longest token that [`parse`] reads.
pub const MAX_LENGTH: usize = 64 * 1024;

/// The longest certificate chain that a header may carry.
const MAX_CHAIN: usize = 10;

/// Why a text is no token that this house reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Too long.
    #[error("the token is longer than {limit} bytes")]
    TooLong {
        /// The limit that held here.
        limit: usize,
    },
    /// Not three parts of base64url.
    #[error("a signed token has three parts in unpadded base64url")]
    Form,
    /// The header is not JSON as it should be.
    #[error("the token's header: {0}")]
    Header(JsonError),
    /// A header parameter is missing or has the wrong form.
    #[error("the header parameter {0:?} is missing or malformed")]
    Parameter(&'static str),
    /// `none`, or another algorithm this house does not speak.
    #[error("the signature algorithm is not supported")]
    UnsupportedAlgorithm,
    /// A parameter marked as critical; none is known here.
    #[error("the header marks a parameter as critical that is not understood")]
    Critical,
    /// The key in the header is not acceptable.
    #[error("the key in the header: {0}")]
    Key(JwkError),
    /// The payload is not a JSON object.
    #[error("the token's payload: {0}")]
    Claims(JsonError),
}

impl ParseError {
    /// The stable code of the refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "token-too-long",
            Self::UnsupportedAlgorithm => "token-algorithm",
            Self::Critical => "token-critical-parameter",
            Self::Key(_) => "token-header-key",
            Self::Form | Self::Header(_) | Self::Parameter(_) | Self::Claims(_) => {
                "token-malformed"
            }
        }
    }
}

/// Why a token that could be read is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The algorithm is not on the list for this place.
    #[error("the signature algorithm {0} is not accepted here")]
    AlgorithmNotAllowed(Algorithm),
    /// The key is of another kind than the algorithm.
    #[error("the signature algorithm {0} does not fit the key")]
    AlgorithmNotForKey(Algorithm),
    /// The key's own `alg`, `use` or `key_ops` forbid it.
    #[error("the key is not for verifying such a signature")]
    KeyNotForThis,
    /// A shared key shorter than the hash. [RFC 7518 3.2]
    #[error("the shared key is too short for {0}")]
    KeyTooShort(Algorithm),
    /// A token of another type: perhaps true, but it says something else.
    #[error("the token is of the wrong type")]
    WrongType,
    /// The signature is not of this text by this key.
    #[error("the signature does not verify")]
    Signature,
}

impl VerifyError {
    /// The stable code of the refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlgorithmNotAllowed(_) | Self::AlgorithmNotForKey(_) => "token-algorithm",
            Self::KeyNotForThis | Self::KeyTooShort(_) => "token-key",
            Self::WrongType => "token-type",
            Self::Signature => "token-signature",
        }
    }
}

/// The types of token accepted in one place. [RFC 8725 3.11, SEC-14]
///
/// Compared without regard to case, with or without `application/`. [RFC 7515 4.1.9]
#[derive(Clone, Copy, Debug)]
pub enum Typ<'a> {
    /// This type and no other.
    Is(&'a str),
    /// One of these.
    OneOf(&'a [&'a str]),
    /// One of these, or none at all: for tokens whose standard asks for no type.
    AbsentOr(&'a [&'a str]),
}

impl Typ<'_> {
    /// Whether a header's `typ` is one of them.
    pub fn accepts(self, found: Option<&str>) -> bool {
        let (listed, may_be_absent): (&[&str], _) = match &self {
            Self::Is(typ) => (std::slice::from_ref(typ), false),
            Self::OneOf(listed) => (listed, false),
            Self::AbsentOr(listed) => (listed, true),
        };
        found.map_or(may_be_absent, |found| {
            listed
                .iter()
                .any(|typ| media_subtype(typ).eq_ignore_ascii_case(media_subtype(found)))
        })
    }
}

fn media_subtype(typ: &str) -> &str {
    match typ.split_once('/') {
        Some((main, sub)) if main.eq_ignore_ascii_case("application") && !sub.contains('/') => sub,
        _ => typ,
    }
}

/// The protected header. Everything in it is the signer's claim until the signature is verified.
#[derive(Clone, PartialEq)]
pub struct Header {
    alg: Algorithm,
    typ: Option<String>,
    kid: Option<String>,
    jwk: Option<Jwk>,
    x5c: Option<Vec<Vec<u8>>>,
    members: Map<String, Value>,
}

impl Header {
    fn parse(text: &[u8]) -> Result<Self, ParseError> {
        let members = json::parse_object(text).map_err(ParseError::Header)?;
        if members.contains_key("crit") {
            // [RFC 7515 4.1.11] What is critical has to be understood; we know no extension.
            return Err(ParseError::Critical);
        }
        let alg = text_of(&members, "alg")?.ok_or(ParseError::Parameter("alg"))?;
        Ok(Self {
            alg: Algorithm::parse(&alg).ok_or(ParseError::UnsupportedAlgorithm)?,
            typ: text_of(&members, "typ")?,
            kid: text_of(&members, "kid")?,
            jwk: members
                .get("jwk")
                .map(Jwk::parse)
                .transpose()
                .map_err(ParseError::Key)?,
            x5c: members.get("x5c").map(chain).transpose()?,
            members,
        })
    }

    /// The algorithm that the token says it is signed with.
    pub fn alg(&self) -> Algorithm {
        self.alg
    }

    /// The type of the token.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The id of the key.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// A key that came with the token. Never used to verify unless the caller passes it in, which
    /// only a proof of possession may do.
    pub fn jwk(&self) -> Option<&Jwk> {
        self.jwk.as_ref()
    }

    /// A certificate chain that came with the token, as DER, the signer's own first. Not checked.
    pub fn x5c(&self) -> Option<&[Vec<u8>]> {
        self.x5c.as_deref()
    }

    /// Any parameter, as it was sent.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Every parameter, as it was sent.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("alg", &self.alg)
            .field("typ", &self.typ)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

fn text_of(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, ParseError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ParseError::Parameter(name)),
    }
}

/// [RFC 7515 4.1.6] Certificates are in ordinary base64, not base64url.
fn chain(value: &Value) -> Result<Vec<Vec<u8>>, ParseError> {
    let malformed = || ParseError::Parameter("x5c");
    let listed = value.as_array().ok_or_else(malformed)?;
    if listed.is_empty() || listed.len() > MAX_CHAIN {
        return Err(malformed());
    }
    listed
        .iter()
        .map(|item| {
            let text = item.as_str().ok_or_else(malformed)?;
            base64::engine::general_purpose::STANDARD
                .decode(text)
                .map_err(|_| malformed())
        })
        .collect()
}

/// A signed text of any content, read but not checked: the layer below tokens.
#[derive(Clone)]
pub struct Compact {
    header: Header,
    payload: Vec<u8>,
    signing_input: String,
    signature: Vec<u8>,
}

impl Compact {
    /// Reads the compact form, of at most this length.
    pub fn parse_within(text: &str, limit: usize) -> Result<Self, ParseError> {
        if text.len() > limit {
            return Err(ParseError::TooLong { limit });
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ParseError::Form);
        };
        let decoded = |part| base64url::decode(part).map_err(|_| ParseError::Form);
        Ok(Self {
            header: Header::parse(&decoded(header)?)?,
            payload: decoded(payload)?,
            signature: decoded(signature)?,
            signing_input: format!("{header}.{payload}"),
        })
    }

    /// The protected header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Checks algorithm, type and signature; hands out the content if all hold.
    pub fn verify(
        &self,
        key: &Jwk,
        allowed: &[Algorithm],
        typ: Typ<'_>,
    ) -> Result<&[u8], VerifyError> {
        let alg = self.check_header(allowed, typ)?;
        if !key.key_type().fits(alg) {
            return Err(VerifyError::AlgorithmNotForKey(alg));
        }
        if key.alg().is_some_and(|of_key| of_key != alg.as_str()) || !key.may_verify() {
            return Err(VerifyError::KeyNotForThis);
        }
        self.check_signature(alg, &key.in_library())
    }

    /// The same with a shared key.
    pub fn verify_hmac(
        &self,
        key: &HmacKey,
        allowed: &[Algorithm],
        typ: Typ<'_>,
    ) -> Result<&[u8], VerifyError> {
        let alg = self.check_header(allowed, typ)?;
        if !Algorithm::SYMMETRIC.contains(&alg) {
            return Err(VerifyError::AlgorithmNotForKey(alg));
        }
        if !key.is_long_enough_for(alg) {
            return Err(VerifyError::KeyTooShort(alg));
        }
        self.check_signature(alg, &key.in_library())
    }

    fn check_header(&self, allowed: &[Algorithm], typ: Typ<'_>) -> Result<Algorithm, VerifyError> {
        if !allowed.contains(&self.header.alg) {
            return Err(VerifyError::AlgorithmNotAllowed(self.header.alg));
        }
        if !typ.accepts(self.header.typ()) {
            return Err(VerifyError::WrongType);
        }
        Ok(self.header.alg)
    }

    /// The one place where a signature is verified. The library's verifier for exactly this algorithm
    /// is taken from its aws-lc provider by name, so no process-wide choice can change it.
    fn check_signature(
        &self,
        alg: Algorithm,
        key: &jsonwebtoken::DecodingKey,
    ) -> Result<&[u8], VerifyError> {
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&alg.in_library(), key)
            .map_err(|_| VerifyError::AlgorithmNotForKey(alg))?;
        verifier
            .verify(self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| VerifyError::Signature)?;
        Ok(&self.payload)
    }
}

impl fmt::Debug for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compact")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// Reads a token of at most [`MAX_LENGTH`] bytes.
pub fn parse(text: &str) -> Result<Parsed, ParseError> {
    parse_within(text, MAX_LENGTH)
}

/// Reads a token, of at most this length: status lists are longer than other tokens.
pub fn parse_within(text: &str, limit: usize) -> Result<Parsed, ParseError> {
    let compact = Compact::parse_within(text, limit)?;
    let claims = json::parse_object(&compact.payload).map_err(ParseError::Claims)?;
    Ok(Parsed { compact, claims })
}

/// A token (JWT) that was read but not checked.
#[derive(Clone)]
pub struct Parsed {
    compact: Compact,
    claims: Map<String, Value>,
}

impl Parsed {
    /// The protected header.
    pub fn header(&self) -> &Header {
        &self.compact.header
    }

    /// What the token says, not to be believed yet: good only for finding the key.
    pub fn unverified_claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Checks algorithm, type and signature against this key.
    pub fn verify(
        &self,
        key: &Jwk,
        allowed: &[Algorithm],
        typ: Typ<'_>,
    ) -> Result<Verified, VerifyError> {
        self.compact.verify(key, allowed, typ)?;
        Ok(self.verified())
    }

    /// Checks algorithm, type and signature against this shared key.
    pub fn verify_hmac(
        &self,
        key: &HmacKey,
        allowed: &[Algorithm],
        typ: Typ<'_>,
    ) -> Result<Verified, VerifyError> {
        self.compact.verify_hmac(key, allowed, typ)?;
        Ok(self.verified())
    }

    fn verified(&self) -> Verified {
        Verified {
            header: self.compact.header.clone(),
            claims: self.claims.clone(),
        }
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parsed")
            .field("header", self.header())
            .finish_non_exhaustive()
    }
}

/// A token whose signature, algorithm and type were checked. Its time, audience and the rest were not.
#[derive(Clone)]
pub struct Verified {
    header: Header,
    claims: Map<String, Value>,
}

impl Verified {
    /// The protected header, now the signer's word.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the signer says.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// What the signer says, kept.
    pub fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    /// What the signer says, as a type.
    pub fn claims_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(Value::Object(self.claims.clone()))
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
