//! One presentation: a held credential bound to one request by its holder's key.

use jiff::{SignedDuration, Timestamp};
use standards::dcql::{Format, Matched};
use standards::jose::SignError;
use standards::sd_jwt::{SdJwt, SdJwtError};
use standards::vc::jwt_vp::{self, PresentationClaims};

use crate::credential::Reading;
use crate::fault::Fault;
use crate::proof::{
    HolderKey, ProofError, WRONG_AUDIENCE, did_of, did_url, random_id, spoil_signature,
};
use crate::request::Requested;
use crate::storage::HeldCredential;

/// How long a W3C presentation says it may be used.
const PRESENTATION_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Why a presentation could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The held SD-JWT.
    #[error(transparent)]
    SdJwt(#[from] SdJwtError),
    /// The key.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The key.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A format that has no presentation here.
    #[error("credentials of the format {0} cannot be presented by this wallet")]
    Format(String),
}

/// [VP appendix B.1.3 and B.3.3] The presentation of one credential; `matched` says what to disclose, and nothing
/// else is.
pub(crate) async fn presentation(
    held: &HeldCredential,
    matched: Option<&Matched>,
    key: &HolderKey,
    requested: &Requested,
    now: Timestamp,
    fault: Option<Fault>,
) -> Result<String, BindError> {
    let audience = match fault {
        Some(Fault::WrongAudience) => WRONG_AUDIENCE.to_owned(),
        _ => requested.audience(),
    };
    let nonce = match fault {
        Some(Fault::WrongNonce) => random_id()?,
        _ => requested.object.nonce.clone(),
    };
    let credential = match fault {
        Some(Fault::BadSignature) => with_spoilt_issuer(&held.credential),
        _ => held.credential.clone(),
    };
    let unbound = fault == Some(Fault::MissingHolderBinding);
    match Format::from(held.format.clone()) {
        Format::DcSdJwt => {
            let parsed = SdJwt::parse(&credential)?;
            let presentation = match matched {
                Some(matched) if fault != Some(Fault::ExtraDisclosure) => {
                    parsed.present(&matched.locations)?
                }
                _ => parsed.present_all()?,
            };
            if unbound {
                return Ok(presentation.as_str().to_owned());
            }
            Ok(presentation
                .bind(key.software_key(), &audience, &nonce, now)
                .await?)
        }
        Format::JwtVcJson if unbound => Ok(credential),
        Format::JwtVcJson => {
            let holder = did_of(key.public_jwk());
            let has_subject =
                Reading::of(held).is_ok_and(|reading| reading.claims().contains_key("sub"));
            let claims = PresentationClaims {
                holder: has_subject.then_some(holder),
                audience,
                nonce,
                issued_at: now,
                expires_at: now
                    .saturating_add(PRESENTATION_LIFE)
                    .unwrap_or(Timestamp::MAX),
                id: format!("urn:uuid:{}", uuid::Uuid::new_v4()),
                credential,
            };
            Ok(jwt_vp::sign(key.software_key(), &did_url(key.public_jwk()), &claims).await?)
        }
        Format::Other(format) => Err(BindError::Format(format)),
    }
}

/// Flips one bit of the issuer's signature: of the whole JWT, or of the first part of an SD-JWT.
fn with_spoilt_issuer(compact: &str) -> String {
    match compact.split_once('~') {
        Some((jwt, rest)) => format!("{}~{rest}", spoil_signature(jwt)),
        None => spoil_signature(compact),
    }
}
