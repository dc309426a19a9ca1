//! The two credential formats of this house and what binds them to their holder.
//!
//! [`jwt_vc_json`] is the W3C data model 1.1 as a JWT (with its presentation, [`jwt_vp`]); [`sd_jwt_vc`] is
//! the IETF's SD-JWT VC. Both bind to a key that [`holder`] finds.

pub mod holder;
pub mod jwt_vc_json;
pub mod jwt_vp;
pub mod sd_jwt_vc;

use jiff::{SignedDuration, Timestamp};

/// Why a credential is not valid now [SEC-22].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValidityError {
    /// `exp` has passed.
    #[error("the credential expired at {0}")]
    Expired(Timestamp),
    /// `nbf` is still to come.
    #[error("the credential is not valid before {0}")]
    NotYetValid(Timestamp),
    /// `iat` is still to come.
    #[error("the credential says that it was issued in the future")]
    IssuedInTheFuture,
}

/// The times of a credential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validity {
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `exp`.
    pub expires_at: Option<Timestamp>,
}

impl Validity {
    /// Whether the credential is valid now. The skew helps against a clock that is behind the issuer's; an
    /// expiry is taken at its word.
    pub fn check(&self, now: Timestamp, skew: SignedDuration) -> Result<(), ValidityError> {
        let ahead = |at: Timestamp| at.duration_since(now) > skew;
        match *self {
            Self {
                expires_at: Some(at),
                ..
            } if now >= at => Err(ValidityError::Expired(at)),
            Self {
                not_before: Some(at),
                ..
            } if ahead(at) => Err(ValidityError::NotYetValid(at)),
            Self {
                issued_at: Some(at),
                ..
            } if ahead(at) => Err(ValidityError::IssuedInTheFuture),
            _ => Ok(()),
        }
    }
}
