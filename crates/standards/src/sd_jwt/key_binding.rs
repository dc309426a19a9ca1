//! The key binding JWT: the holder answers this request, now [RFC 9901 4.3, 7.3; SD-03, SEC-17].

use std::fmt;

use jiff::Timestamp;
use serde_json::json;

use super::verify::{SdJwt, SdJwtError, VerifiedSdJwt};
use super::{KEY_BINDING_TYP, hash};
use crate::claims::{self, ClaimError, Lifetime};
use crate::dcql::Location;
use crate::jose::jws::{self, ProtectedHeader, VerifyError};
use crate::jose::{SignError, Signer, Typ};
use crate::vc::holder::{self, HolderBinding, HolderKeyError, PresentationExpectation};

/// Why a key binding is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KeyBindingError {
    /// There is none.
    #[error("the presentation has no key binding JWT")]
    Missing,
    /// The credential names no key, or none that we can use.
    #[error(transparent)]
    Key(#[from] HolderKeyError),
    /// Wrong type, algorithm or signature.
    #[error("the key binding JWT does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// A claim is missing or malformed.
    #[error("the key binding JWT: {0}")]
    Claim(#[from] ClaimError),
    /// Made for another verifier.
    #[error("the presentation is for another verifier")]
    Audience,
    /// Made for another request.
    #[error("the presentation answers another request")]
    Nonce,
    /// Made over other disclosures.
    #[error("the key binding JWT is over other disclosures than those presented")]
    SdHash,
    /// `exp` has passed.
    #[error("the key binding JWT has expired")]
    Expired,
    /// Made too long ago.
    #[error("the key binding JWT is too old")]
    TooOld,
    /// Made after now, or `nbf` is still to come.
    #[error("the key binding JWT is from the future")]
    FromTheFuture,
}

impl VerifiedSdJwt {
    /// Checks that the holder made this presentation for this request. A missing binding is an error, never
    /// a weaker success.
    pub fn check_key_binding(
        &self,
        expected: &PresentationExpectation<'_>,
    ) -> Result<HolderBinding, KeyBindingError> {
        let jwt = self.key_binding.as_ref().ok_or(KeyBindingError::Missing)?;
        let holder = holder::key_of_confirmation(self.claims())?.ok_or(HolderKeyError::Unbound)?;
        let verified = jwt.verify(&holder, expected.algorithms, Typ::Is(KEY_BINDING_TYP))?;
        let claims = verified.claims();
        if !claims::audience_is(claims, expected.audience)? {
            return Err(KeyBindingError::Audience);
        }
        if claims::required_text(claims, "nonce")? != expected.nonce {
            return Err(KeyBindingError::Nonce);
        }
        if claims::required_text(claims, "sd_hash")? != hash(&self.presented) {
            return Err(KeyBindingError::SdHash);
        }
        match claims::lifetime(claims, expected.now, expected.skew)? {
            Lifetime::Current => {}
            Lifetime::NotYet => return Err(KeyBindingError::FromTheFuture),
            Lifetime::Over => return Err(KeyBindingError::Expired),
        }
        let issued_at = claims::required_instant(claims, "iat")?;
        let age = expected.now.duration_since(issued_at);
        if age > expected.max_age {
            return Err(KeyBindingError::TooOld);
        }
        if age < -expected.skew {
            return Err(KeyBindingError::FromTheFuture);
        }
        Ok(HolderBinding { holder, issued_at })
    }
}

/// Wallet: the token with the chosen disclosures, not yet bound. Debug does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Presentation(String);

impl SdJwt {
    /// Wallet: keeps the disclosures that the wanted places need: those on the way to a wanted claim, and
    /// those within it. A key binding that came along is dropped.
    pub fn present(&self, wanted: &[Location]) -> Result<Presentation, SdJwtError> {
        let places = self.processed()?.places;
        let mut text = format!("{}~", self.jwt_text());
        for (disclosure, place) in self.disclosures().iter().zip(&places) {
            if wanted
                .iter()
                .any(|wanted| wanted.starts_with(place) || place.starts_with(wanted))
            {
                text.push_str(disclosure.as_str());
                text.push('~');
            }
        }
        Ok(Presentation(text))
    }

    /// Wallet: keeps every disclosure.
    pub fn present_all(&self) -> Result<Presentation, SdJwtError> {
        self.present(&[Location::new()])
    }
}

impl Presentation {
    /// The token without key binding, ending in `~`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Binds the presentation to a request with the holder's key.
    pub async fn bind(
        &self,
        holder: &dyn Signer,
        audience: &str,
        nonce: &str,
        issued_at: Timestamp,
    ) -> Result<String, SignError> {
        let claims = json!({
            "iat": issued_at.as_second(),
            "aud": audience,
            "nonce": nonce,
            "sd_hash": hash(&self.0),
        });
        // The key is the one in `cnf`: naming it again would only be one more thing to get wrong.
        let header = ProtectedHeader::typ(KEY_BINDING_TYP).without_kid();
        let jwt = jws::sign(holder, header, &claims).await?;
        Ok(format!("{}{jwt}", self.0))
    }
}

impl fmt::Debug for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presentation(…)")
    }
}
