//! SD-JWT VC (draft 25): what an SD-JWT must say to be a credential [SV-01 to SV-03].

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::holder::{self, HolderKeyError};
use super::{Validity, ValidityError};
use crate::claims::{self, ClaimError};
use crate::dcql::Step;
use crate::jose::{Algorithm, Jwk, Typ};
use crate::sd_jwt::{IssueError, SdJwt, SdJwtError, Unsigned, VerifiedSdJwt};
use crate::status_list::{ReferenceError, StatusReference};

/// `typ` of the issuer's JWT.
pub const TYP: &str = "dc+sd-jwt";
/// Under `/.well-known/`: the issuer's keys [SV-03].
pub const ISSUER_WELL_KNOWN: &str = "jwt-vc-issuer";
/// Claims that are always visible [SV-02].
pub const NOT_DISCLOSABLE: [&str; 8] = [
    "iss",
    "nbf",
    "exp",
    "cnf",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "status",
];

/// What a credential says beside its subject's claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    /// `iss`.
    pub issuer: String,
    /// `vct`: the type.
    pub vct: String,
    /// The times.
    pub validity: Validity,
    /// Where its status is.
    pub status: Option<StatusReference>,
    /// `cnf.jwk`: the holder's key.
    pub holder: Option<Jwk>,
}

/// Why a credential is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CredentialError {
    /// The SD-JWT does not hold.
    #[error(transparent)]
    SdJwt(#[from] SdJwtError),
    /// A claim is missing or malformed.
    #[error("the credential: {0}")]
    Claim(#[from] ClaimError),
    /// A claim that must be visible to everyone was disclosed [SV-02].
    #[error("the claim {0} must not be selectively disclosable")]
    Disclosed(&'static str),
    /// Not valid now.
    #[error(transparent)]
    Validity(#[from] ValidityError),
    /// The status cannot be looked up.
    #[error(transparent)]
    Status(#[from] ReferenceError),
    /// The key in `cnf` is unusable.
    #[error(transparent)]
    Confirmation(#[from] HolderKeyError),
}

/// Why a credential cannot be issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A claim that must be visible to everyone among the disclosable ones.
    #[error("the claim {0} must not be selectively disclosable")]
    Disclosable(&'static str),
    /// No SD-JWT can be made of these claims.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

impl Credential {
    /// Issuer: the payload and disclosures of a credential. `disclosable` are the subject's claims with their
    /// fresh salts; `visible` those that everyone may see (`sub`, for example). The JWT's header is
    /// `ProtectedHeader::typ(TYP)` with the `kid` of the issuer's key set.
    pub fn build(
        &self,
        visible: Map<String, Value>,
        disclosable: Vec<(String, Value, [u8; 16])>,
        decoys: &[[u8; 32]],
    ) -> Result<Unsigned, BuildError> {
        let hidden = |name: &&str| disclosable.iter().any(|(hidden, ..)| hidden == name);
        if let Some(name) = NOT_DISCLOSABLE.iter().copied().find(|name| hidden(name)) {
            return Err(BuildError::Disclosable(name));
        }
        let mut payload = visible;
        payload.insert("iss".into(), Value::from(self.issuer.as_str()));
        payload.insert("vct".into(), Value::from(self.vct.as_str()));
        let Validity {
            issued_at,
            not_before,
            expires_at,
        } = self.validity;
        for (name, at) in [("iat", issued_at), ("nbf", not_before), ("exp", expires_at)] {
            payload.extend(at.map(|at| (name.to_owned(), Value::from(at.as_second()))));
        }
        payload.extend(
            self.status
                .as_ref()
                .map(|status| ("status".to_owned(), status.to_value())),
        );
        let confirmation = |key: &Jwk| {
            (
                "cnf".to_owned(),
                serde_json::json!({ "jwk": key.to_value() }),
            )
        };
        payload.extend(self.holder.as_ref().map(confirmation));
        Ok(Unsigned::build(payload, disclosable, decoys)?)
    }

    /// Verifies with the issuer's key and checks everything that needs neither network nor storage. Whether
    /// the holder presents it is the verified SD-JWT's to check.
    pub fn verify(
        sd_jwt: &SdJwt,
        key: &Jwk,
        allowed: &[Algorithm],
        now: Timestamp,
        skew: SignedDuration,
    ) -> Result<(Self, VerifiedSdJwt), CredentialError> {
        let (credential, verified) = Self::verify_whenever(sd_jwt, key, allowed)?;
        credential.validity.check(now, skew)?;
        Ok((credential, verified))
    }

    /// As [`verify`](Self::verify), but for a reader (a wallet's list) that shows expired credentials too.
    pub fn verify_whenever(
        sd_jwt: &SdJwt,
        key: &Jwk,
        allowed: &[Algorithm],
    ) -> Result<(Self, VerifiedSdJwt), CredentialError> {
        let verified = sd_jwt.verify(key, allowed, Typ::Is(TYP))?;
        // [SV-02] A holder who could withhold `exp` or `status` could present an expired credential.
        for place in verified.disclosed() {
            let Some(Step::Key(name)) = place.first() else {
                continue;
            };
            if let Some(name) = NOT_DISCLOSABLE.iter().copied().find(|fixed| fixed == name) {
                return Err(CredentialError::Disclosed(name));
            }
        }
        let credential = read(verified.claims())?;
        Ok((credential, verified))
    }
}

/// The issuer that an SD-JWT names, to find its key by. Unverified.
pub fn unverified_issuer(sd_jwt: &SdJwt) -> Result<&str, ClaimError> {
    claims::required_text(sd_jwt.unverified_claims(), "iss")
}

fn read(claims: &Map<String, Value>) -> Result<Credential, CredentialError> {
    Ok(Credential {
        issuer: claims::required_text(claims, "iss")?.to_owned(),
        vct: claims::required_text(claims, "vct")?.to_owned(),
        validity: Validity {
            issued_at: claims::instant(claims, "iat")?,
            not_before: claims::instant(claims, "nbf")?,
            expires_at: claims::instant(claims, "exp")?,
        },
        status: StatusReference::parse(claims)?,
        holder: holder::key_of_confirmation(claims)?,
    })
}
