//! The signed credential around a bitstring [BS-01, JC-01].

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::entry::Purpose;
use super::list::{Bits, Layout, ListError, Status, StatusList};
use super::{BITSTRING_TYP, LONGEST, MOST_INFLATED};
use crate::claims::{self, ClaimError};
use crate::jose::jws::{self, Header, ParseError, Parsed, ProtectedHeader, VerifyError};
use crate::jose::{Algorithm, Jwk, SignError, Signer, Typ};

/// A `BitstringStatusListCredential`: the data model 2.0, secured as VC-JOSE has it. A parsed one is only had by
/// verifying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitstringCredential {
    /// `id`: the address that the list is read from.
    pub uri: String,
    /// `issuer`.
    pub issuer: String,
    /// What a set bit means.
    pub purpose: Purpose,
    /// `validFrom`.
    pub valid_from: Timestamp,
    /// `validUntil`.
    pub valid_until: Option<Timestamp>,
    /// For how many milliseconds a copy may be kept.
    pub ttl: Option<u64>,
    /// The list, in [`Layout::BITSTRING`] with one bit for each entry.
    pub list: StatusList,
}

/// Such a credential, read but not verified.
#[derive(Clone)]
pub struct ParsedBitstringCredential {
    jwt: Parsed,
}

/// Why such a credential is refused. Each is 'cannot check', never 'valid' and never 'revoked' [SEC-25].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BitstringError {
    /// Not a JWT that we read.
    #[error("the status list credential is no JWT: {0}")]
    Jwt(#[from] ParseError),
    /// Wrong type, algorithm or signature.
    #[error("the status list credential does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// A member is missing or malformed.
    #[error("the status list credential: {0}")]
    Claim(#[from] ClaimError),
    /// About another address than it was read from, by another issuer, or for another purpose.
    #[error("the status list credential is for another {0}")]
    Another(&'static str),
    /// `validUntil` has passed.
    #[error("the status list credential has expired")]
    Expired,
    /// `validFrom` is still to come.
    #[error("the status list credential is from the future")]
    FromTheFuture,
    /// The list cannot be read, or has no such index.
    #[error(transparent)]
    List(#[from] ListError),
}

/// What a bitstring credential must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The address that the entry names.
    pub uri: &'a str,
    /// The issuer of the credential that is asked about.
    pub issuer: &'a str,
    /// The entry's purpose.
    pub purpose: Purpose,
}

impl ParsedBitstringCredential {
    /// Reads a credential as fetched.
    pub fn parse(text: &str) -> Result<Self, BitstringError> {
        Ok(Self {
            jwt: jws::parse_within(text.trim(), LONGEST)?,
        })
    }

    /// The header, to find the key by.
    pub fn header(&self) -> &Header {
        self.jwt.header()
    }

    /// Verifies with the key of the credential's issuer, for what the credential's entry names.
    pub fn verify(
        &self,
        key: &Jwk,
        allowed: &[Algorithm],
        expected: &Expected<'_>,
        now: Timestamp,
        skew: SignedDuration,
    ) -> Result<BitstringCredential, BitstringError> {
        let verified = self.jwt.verify(key, allowed, Typ::Is(BITSTRING_TYP))?;
        let document = verified.claims();
        let first_context = document.get("@context").and_then(|context| context.get(0));
        if first_context.and_then(Value::as_str) != Some(CONTEXT) {
            return Err(ClaimError::Malformed("@context").into());
        }
        if claims::required_text(document, "id")? != expected.uri {
            return Err(BitstringError::Another("address"));
        }
        let issuer = document
            .get("issuer")
            .ok_or(ClaimError::Missing("issuer"))?;
        let issuer = issuer.get("id").unwrap_or(issuer).as_str();
        if issuer != Some(expected.issuer) {
            return Err(BitstringError::Another("issuer"));
        }
        let types = document.get("type").and_then(Value::as_array);
        let is_a = |name| types.is_some_and(|all| all.iter().any(|one| one == name));
        if !is_a("VerifiableCredential") || !is_a(TYPE) {
            return Err(ClaimError::Malformed("type").into());
        }
        let valid_from = instant(document.get("validFrom"), "validFrom")?
            .ok_or(ClaimError::Missing("validFrom"))?;
        if valid_from.duration_since(now) > skew {
            return Err(BitstringError::FromTheFuture);
        }
        let valid_until = instant(document.get("validUntil"), "validUntil")?;
        if valid_until.is_some_and(|at| now >= at) {
            return Err(BitstringError::Expired);
        }
        let subject = document
            .get("credentialSubject")
            .filter(|subject| subject["type"] == SUBJECT_TYPE)
            .ok_or(ClaimError::Malformed("credentialSubject"))?;
        // [Bitstring 3.2] A list may serve several purposes.
        let purpose = &subject["statusPurpose"];
        let named = expected.purpose.name();
        let serves = purpose == named
            || purpose
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == named));
        if !serves {
            return Err(BitstringError::Another("purpose"));
        }
        let ttl = subject
            .get("ttl")
            .map(|ttl| ttl.as_u64().ok_or(ClaimError::Malformed("ttl")));
        let encoded = subject["encodedList"]
            .as_str()
            .ok_or(ClaimError::Malformed("encodedList"))?;
        Ok(BitstringCredential {
            uri: expected.uri.to_owned(),
            issuer: expected.issuer.to_owned(),
            purpose: expected.purpose,
            valid_from,
            valid_until,
            ttl: ttl.transpose()?,
            list: StatusList::decode_in(Layout::BITSTRING, Bits::One, encoded, MOST_INFLATED)?,
        })
    }
}

impl BitstringCredential {
    /// Whether the bit at an index is set.
    pub fn is_set(&self, index: u64) -> Result<bool, ListError> {
        Ok(self.list.find(index)? != Status::Valid)
    }

    /// Issuer: signs the credential, which is the payload itself. `kid` names the key in the issuer's DID document.
    pub async fn sign(&self, signer: &dyn Signer, kid: &str) -> Result<String, SignError> {
        let header = ProtectedHeader::typ(BITSTRING_TYP).kid(kid);
        jws::sign(signer, header, &self.to_value()).await
    }

    /// The credential.
    pub fn to_value(&self) -> Value {
        let mut document = json!({
            "@context": [CONTEXT],
            "id": self.uri,
            "type": ["VerifiableCredential", TYPE],
            "issuer": self.issuer,
            "validFrom": whole_seconds(self.valid_from),
            "credentialSubject": {
                "id": format!("{}#list", self.uri),
                "type": SUBJECT_TYPE,
                "statusPurpose": self.purpose.name(),
                "encodedList": self.list.encode(),
            },
        });
        if let Some(at) = self.valid_until {
            document["validUntil"] = whole_seconds(at).into();
        }
        if let Some(ttl) = self.ttl {
            document["credentialSubject"]["ttl"] = ttl.into();
        }
        document
    }
}

fn instant(value: Option<&Value>, name: &'static str) -> Result<Option<Timestamp>, ClaimError> {
    let read = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    value
        .map(|value| read(value).ok_or(ClaimError::Malformed(name)))
        .transpose()
}

fn whole_seconds(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second());
    whole.unwrap_or(at).to_string()
}

impl fmt::Debug for ParsedBitstringCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedBitstringCredential")
            .field("header", self.header())
            .finish_non_exhaustive()
    }
}

const CONTEXT: &str = "https://www.w3.org/ns/credentials/v2";
const TYPE: &str = "BitstringStatusListCredential";
const SUBJECT_TYPE: &str = "BitstringStatusList";
