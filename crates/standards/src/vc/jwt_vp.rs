//! The presentation of a `jwt_vc_json` credential: a JWT that the holder signs for one verifier and one
//! request (OpenID4VP, appendix B.1.3.1.5).

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::holder::{HolderBinding, HolderKeyError, PresentationExpectation};
use super::jwt_vc_json::{CONTEXT, Credential};
use crate::claims::{self, ClaimError, Lifetime};
use crate::jose::jws::{self, ParseError, Parsed, ProtectedHeader, VerifyError};
use crate::jose::{SignError, Signer, Typ};

/// A presentation, read but not verified: its credential must be verified first, since that says whose key
/// must have signed here.
#[derive(Clone)]
pub struct ParsedPresentation {
    jwt: Parsed,
    credential: String,
}

/// Why a presentation is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PresentationError {
    /// Not a JWT that we read.
    #[error("the presentation is no JWT: {0}")]
    Jwt(#[from] ParseError),
    /// A bare credential or something else in its place [SEC-14, SEC-17].
    #[error("the JWT is not a presentation with the claim vp")]
    NotAPresentation,
    /// No credential in it, or several, or one that is no JWT.
    #[error("the presentation must hold exactly one credential, as a JWT")]
    OneCredential,
    /// The credential names no key, or none that we can use.
    #[error(transparent)]
    Key(#[from] HolderKeyError),
    /// Wrong type, algorithm or signature: not the holder's.
    #[error("the presentation does not verify with the holder's key: {0}")]
    Verify(#[from] VerifyError),
    /// A claim is missing or malformed.
    #[error("the presentation: {0}")]
    Claim(#[from] ClaimError),
    /// `iss` or `vp.holder` is not the credential's subject.
    #[error("the presentation's holder is not the credential's subject")]
    Holder,
    /// Made for another verifier.
    #[error("the presentation is for another verifier")]
    Audience,
    /// Made for another request.
    #[error("the presentation answers another request")]
    Nonce,
    /// `exp` has passed.
    #[error("the presentation has expired")]
    Expired,
    /// Made too long ago.
    #[error("the presentation is too old")]
    TooOld,
    /// Made after now, or `nbf` is still to come.
    #[error("the presentation is from the future")]
    FromTheFuture,
}

impl ParsedPresentation {
    /// Reads the JWT and the one credential in it.
    pub fn parse(text: &str) -> Result<Self, PresentationError> {
        let jwt = jws::parse_within(text, LONGEST)?;
        let members = jwt.unverified_claims();
        if members.contains_key("vc") {
            return Err(PresentationError::NotAPresentation);
        }
        let document = members
            .get("vp")
            .filter(|vp| vp.is_object())
            .ok_or(PresentationError::NotAPresentation)?;
        let is_one = |kind: &Value| kind.as_str() == Some(TYPE);
        let typed = match document.get("type") {
            Some(Value::Array(list)) => list.iter().any(is_one),
            Some(kind) => is_one(kind),
            None => false,
        };
        if !typed {
            return Err(PresentationError::NotAPresentation);
        }
        let credential = match document.get("verifiableCredential") {
            Some(Value::Array(list)) if list.len() == 1 => list[0].as_str(),
            Some(Value::String(one)) => Some(one.as_str()),
            _ => None,
        };
        let credential = credential
            .ok_or(PresentationError::OneCredential)?
            .to_owned();
        Ok(Self { jwt, credential })
    }

    /// The credential's JWT, to be verified before this presentation.
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// Checks that the holder of the (verified) credential made this presentation for this request.
    pub fn check(
        &self,
        credential: &Credential,
        expected: &PresentationExpectation<'_>,
    ) -> Result<HolderBinding, PresentationError> {
        let holder = credential.holder_key()?;
        let verified = self
            .jwt
            .verify(&holder, expected.algorithms, Typ::AbsentOr(&["JWT"]))?;
        let claims = verified.claims();
        let named_in_document = claims
            .get("vp")
            .and_then(|vp| vp.get("holder"))
            .map(|holder| holder.as_str().ok_or(ClaimError::Malformed("vp.holder")));
        for named in [claims::text(claims, "iss")?, named_in_document.transpose()?]
            .into_iter()
            .flatten()
        {
            if credential.subject.as_deref() != Some(named) {
                return Err(PresentationError::Holder);
            }
        }
        if !claims::audience_is(claims, expected.audience)? {
            return Err(PresentationError::Audience);
        }
        if claims::required_text(claims, "nonce")? != expected.nonce {
            return Err(PresentationError::Nonce);
        }
        match claims::lifetime(claims, expected.now, expected.skew)? {
            Lifetime::Current => {}
            Lifetime::NotYet => return Err(PresentationError::FromTheFuture),
            Lifetime::Over => return Err(PresentationError::Expired),
        }
        let issued_at = claims::instant(claims, "iat")?
            .or(claims::instant(claims, "nbf")?)
            .ok_or(ClaimError::Missing("iat"))?;
        if expected.now.duration_since(issued_at) > expected.max_age {
            return Err(PresentationError::TooOld);
        }
        if issued_at.duration_since(expected.now) > expected.skew {
            return Err(PresentationError::FromTheFuture);
        }
        Ok(HolderBinding { holder, issued_at })
    }
}

impl fmt::Debug for ParsedPresentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedPresentation")
            .field("header", self.jwt.header())
            .finish_non_exhaustive()
    }
}

/// What a wallet presents.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentationClaims {
    /// `iss`: the credential's subject, where it has one.
    pub holder: Option<String>,
    /// The verifier's client identifier in full.
    pub audience: String,
    /// The nonce of the request.
    pub nonce: String,
    /// The time of signing.
    pub issued_at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// `jti`: `urn:uuid:` and a fresh UUID.
    pub id: String,
    /// The credential's JWT.
    pub credential: String,
}

/// Wallet: signs a presentation. `kid` names the holder's key, as a DID URL where the holder is a DID.
pub async fn sign(
    signer: &dyn Signer,
    kid: &str,
    claims: &PresentationClaims,
) -> Result<String, SignError> {
    let mut document = json!({
        "@context": [CONTEXT],
        "type": [TYPE],
        "verifiableCredential": [claims.credential],
    });
    let mut members = json!({
        "aud": claims.audience,
        "nonce": claims.nonce,
        "iat": claims.issued_at.as_second(),
        "nbf": claims.issued_at.as_second(),
        "exp": claims.expires_at.as_second(),
        "jti": claims.id,
    });
    if let Some(holder) = &claims.holder {
        document["holder"] = json!(holder);
        members["iss"] = json!(holder);
    }
    members["vp"] = document;
    jws::sign(signer, ProtectedHeader::typ("JWT").kid(kid), &members).await
}

impl fmt::Debug for PresentationClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentationClaims")
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

const TYPE: &str = "VerifiablePresentation";
const LONGEST: usize = 2 * 1024 * 1024;
