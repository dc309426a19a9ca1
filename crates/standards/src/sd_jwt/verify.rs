//! Reading and verifying [RFC 9901 7.1 and 7.3; SD-01, SD-02].

use std::fmt;

use serde_json::{Map, Value};

use super::disclosure::{Disclosure, DisclosureError};
use super::processing::{self, Processed, ProcessingError};
use crate::dcql::Location;
use crate::jose::jws::{self, Header, ParseError, Parsed, VerifyError};
use crate::jose::{Algorithm, Jwk, Typ};

/// An SD-JWT, with or without key binding, read but not verified.
#[derive(Clone)]
pub struct SdJwt {
    jwt: Parsed,
    jwt_text: String,
    disclosures: Vec<Disclosure>,
    key_binding: Option<Parsed>,
    /// What `sd_hash` is taken over: everything before the key binding JWT.
    presented: String,
}

/// Why an SD-JWT is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdJwtError {
    /// Longer than any credential of ours.
    #[error(
        "the SD-JWT is longer than {LONGEST} bytes or has more than {MOST_DISCLOSURES} disclosures"
    )]
    TooLong,
    /// Not parts with `~` after each.
    #[error("the SD-JWT must be a JWT and disclosures, each followed by ~")]
    Form,
    /// The issuer's JWT cannot be read.
    #[error("the issuer-signed JWT: {0}")]
    Jwt(ParseError),
    /// The key binding JWT cannot be read.
    #[error("the key binding JWT: {0}")]
    KeyBindingJwt(ParseError),
    /// A disclosure cannot be read.
    #[error(transparent)]
    Disclosure(#[from] DisclosureError),
    /// Wrong type, algorithm or signature of the issuer's JWT.
    #[error("the issuer-signed JWT does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// The disclosures do not fit.
    #[error(transparent)]
    Processing(#[from] ProcessingError),
}

impl SdJwt {
    /// Reads the text.
    pub fn parse(text: &str) -> Result<Self, SdJwtError> {
        if text.len() > LONGEST {
            return Err(SdJwtError::TooLong);
        }
        let (presented, last) = text.rsplit_once('~').ok_or(SdJwtError::Form)?;
        let mut parts = presented.split('~');
        let jwt_text = parts.next().unwrap_or_default().to_owned();
        let parts: Vec<&str> = parts.collect();
        if parts.len() > MOST_DISCLOSURES {
            return Err(SdJwtError::TooLong);
        }
        if parts.iter().any(|part| part.is_empty()) {
            return Err(SdJwtError::Form);
        }
        let key_binding = if last.is_empty() {
            None
        } else {
            Some(jws::parse(last))
        };
        Ok(Self {
            jwt: jws::parse_within(&jwt_text, LONGEST).map_err(SdJwtError::Jwt)?,
            jwt_text,
            disclosures: parts
                .into_iter()
                .map(Disclosure::parse)
                .collect::<Result<_, _>>()?,
            key_binding: key_binding.transpose().map_err(SdJwtError::KeyBindingJwt)?,
            presented: format!("{presented}~"),
        })
    }

    /// The header of the issuer's JWT.
    pub fn header(&self) -> &Header {
        self.jwt.header()
    }

    /// The payload of the issuer's JWT: enough to find the issuer's key. Unverified.
    pub fn unverified_claims(&self) -> &Map<String, Value> {
        self.jwt.unverified_claims()
    }

    /// Whether a key binding JWT came along.
    pub fn has_key_binding(&self) -> bool {
        self.key_binding.is_some()
    }

    /// The disclosures in the order of sending.
    pub fn disclosures(&self) -> &[Disclosure] {
        &self.disclosures
    }

    /// Verifies the issuer's signature, then puts the disclosures in their places.
    pub fn verify(
        &self,
        key: &Jwk,
        allowed: &[Algorithm],
        typ: Typ<'_>,
    ) -> Result<VerifiedSdJwt, SdJwtError> {
        let verified = self.jwt.verify(key, allowed, typ)?;
        let processed = processing::process(verified.claims(), &self.disclosures)?;
        Ok(VerifiedSdJwt {
            header: verified.header().clone(),
            processed,
            key_binding: self.key_binding.clone(),
            presented: self.presented.clone(),
        })
    }

    /// Wallet: the claims of a credential that it verified when it received it.
    pub fn claims_of_held(&self) -> Result<Map<String, Value>, SdJwtError> {
        Ok(self.processed()?.claims)
    }

    pub(super) fn processed(&self) -> Result<Processed, SdJwtError> {
        Ok(processing::process(
            self.jwt.unverified_claims(),
            &self.disclosures,
        )?)
    }

    pub(super) fn jwt_text(&self) -> &str {
        &self.jwt_text
    }
}

impl fmt::Debug for SdJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SdJwt")
            .field("disclosures", &self.disclosures)
            .finish_non_exhaustive()
    }
}

/// An SD-JWT whose issuer's signature holds. Only [`SdJwt::verify`] makes one. Who presents it is still
/// open until [`check_key_binding`](Self::check_key_binding).
#[derive(Clone)]
pub struct VerifiedSdJwt {
    header: Header,
    processed: Processed,
    pub(super) key_binding: Option<Parsed>,
    pub(super) presented: String,
}

impl VerifiedSdJwt {
    /// The header of the issuer's JWT.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The claims with everything that was disclosed; no digests left.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.processed.claims
    }

    /// Where the disclosed claims are.
    pub fn disclosed(&self) -> &[Location] {
        &self.processed.places
    }
}

impl fmt::Debug for VerifiedSdJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedSdJwt")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// A credential with a photograph fits; a flood does not.
const LONGEST: usize = 1024 * 1024;
const MOST_DISCLOSURES: usize = 512;
