//! From a presentation to a verdict: pure functions over what came and what was asked.
//!
//! `wire text -> Parsed -> Verified -> claims`. Only [`Parsed::verify`] makes a [`Verified`], and claims come out
//! of one only with the trust and the status that were looked up for it. One failed check refuses the whole
//! answer. [SEC-14 to SEC-22, VP-12, VP-13]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use standards::dcql::{
    Candidate, CredentialQuery, Element, Format, Matched, Mismatch, Query, Unsatisfied,
};
use standards::jose::jws::Header;
use standards::jose::{Algorithm, Jwk};
use standards::openid4vp::VpToken;
use standards::sd_jwt::{KeyBindingError, SdJwt, SdJwtError};
use standards::status_list::{Status, StatusReference};
use standards::vc::holder::PresentationExpectation;
use standards::vc::jwt_vc_json::{self, ParsedCredential};
use standards::vc::jwt_vp::{ParsedPresentation, PresentationError};
use standards::vc::{ValidityError, sd_jwt_vc};

use super::query::Question;
use crate::interaction::Refusal;

/// What issuers and holders may sign with.
pub(super) const ALGORITHMS: &[Algorithm] = &[Algorithm::ES256, Algorithm::EdDSA, Algorithm::ES384];
/// How old a presentation may be: as old as the request that it answers can be.
const PRESENTATION_AGE: SignedDuration = SignedDuration::from_mins(5);
/// How far clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// What the presentation is held against.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The question that the presentation answers.
    pub(super) query: &'a Query,
    /// The verifier's client identifier in full.
    pub(super) client_id: &'a str,
    /// The nonce of the request object.
    pub(super) nonce: &'a str,
    /// The time of receipt.
    pub(super) now: Timestamp,
}

/// A presentation that was read; nothing in it is believed.
pub(super) struct Parsed {
    query_id: String,
    issuer: String,
    presented: Presented,
}

enum Presented {
    JwtVcJson(ParsedPresentation, ParsedCredential),
    SdJwtVc(SdJwt),
}

/// Reads what answers each question, in the order of the questions: one presentation for each, and nothing that was
/// not asked for. [VP 8.1, VP 6.4.2, SEC-20]
pub(super) fn answers(token: &VpToken, questions: &[Question<'_>]) -> Result<Vec<Parsed>, Refusal> {
    let mut answers: Vec<Option<Parsed>> = questions.iter().map(|_| None).collect();
    for (id, presentations) in token.iter() {
        let [presentation] = presentations else {
            return Err(Refusal::PresentationMalformed);
        };
        let answered = questions
            .iter()
            .zip(&mut answers)
            .find_map(|(question, answer)| question.query.find(id).map(|asked| (asked, answer)));
        // Unasked for, or the same credential type in two formats.
        let Some((asked, answer @ None)) = answered else {
            return Err(Refusal::PresentationMalformed);
        };
        *answer = Some(Parsed::parse(presentation, asked)?);
    }
    let all = answers.into_iter().collect::<Option<Vec<_>>>();
    all.ok_or(Refusal::CredentialMissing)
}

impl Parsed {
    /// Reads one presentation.
    fn parse(presentation: &str, asked: &CredentialQuery) -> Result<Self, Refusal> {
        let malformed = Refusal::PresentationMalformed;
        let (issuer, presented) = match asked.format {
            Format::JwtVcJson => {
                let presentation = ParsedPresentation::parse(presentation)
                    .map_err(|error| refuse_presentation(&error))?;
                let credential = ParsedCredential::parse(presentation.credential())
                    .map_err(|error| refuse_jwt_vc(&error))?;
                (
                    credential.issuer().to_owned(),
                    Presented::JwtVcJson(presentation, credential),
                )
            }
            Format::DcSdJwt => {
                let sd_jwt = SdJwt::parse(presentation).map_err(|error| refuse_sd_jwt(&error))?;
                let issuer = sd_jwt_vc::unverified_issuer(&sd_jwt).map_err(|_| malformed)?;
                (issuer.to_owned(), Presented::SdJwtVc(sd_jwt))
            }
            Format::Other(_) => return Err(malformed),
        };
        Ok(Self {
            query_id: asked.id.clone(),
            issuer,
            presented,
        })
    }

    /// Who says to have issued the credential.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The header of the credential, to find its issuer's key by.
    pub(super) fn header(&self) -> &Header {
        match &self.presented {
            Presented::JwtVcJson(_, credential) => credential.header(),
            Presented::SdJwtVc(sd_jwt) => sd_jwt.header(),
        }
    }

    /// Checks, with the issuer's key: signature, validity, holder binding, and the whole query again.
    pub(super) fn verify(&self, issuer_key: &Jwk, asked: &Asked<'_>) -> Result<Verified, Refusal> {
        let expected = PresentationExpectation {
            audience: asked.client_id,
            nonce: asked.nonce,
            algorithms: ALGORITHMS,
            now: asked.now,
            max_age: PRESENTATION_AGE,
            skew: SKEW,
        };
        let (document, status) = match &self.presented {
            Presented::JwtVcJson(presentation, credential) => {
                let credential = credential
                    .verify(issuer_key, ALGORITHMS, asked.now, SKEW)
                    .map_err(|error| refuse_jwt_vc(&error))?;
                presentation
                    .check(&credential, &expected)
                    .map_err(|error| refuse_presentation(&error))?;
                (credential.document(), credential.status)
            }
            Presented::SdJwtVc(sd_jwt) => {
                let (credential, verified) =
                    sd_jwt_vc::Credential::verify(sd_jwt, issuer_key, ALGORITHMS, asked.now, SKEW)
                        .map_err(|error| refuse_sd_jwt_vc(&error))?;
                verified
                    .check_key_binding(&expected)
                    .map_err(|error| refuse_key_binding(&error))?;
                (Value::Object(verified.claims().clone()), credential.status)
            }
        };
        let claims = self.matching(&document, asked.query)?;
        Ok(Verified {
            issuer: self.issuer.clone(),
            claims,
            status,
        })
    }

    /// [VP-12, SEC-20] Evaluates the query on what came, and keeps of it what was asked for and nothing else.
    fn matching(&self, document: &Value, query: &Query) -> Result<Map<String, Value>, Refusal> {
        let format = match self.presented {
            Presented::JwtVcJson(..) => Format::JwtVcJson,
            Presented::SdJwtVc(_) => Format::DcSdJwt,
        };
        // The proof of possession was checked above; there is no way here without it.
        let candidate = Candidate {
            format: &format,
            claims: document,
            holder_binding: true,
        };
        let presented = BTreeMap::from([(self.query_id.clone(), vec![candidate])]);
        let matched = query
            .check(&presented)
            .map_err(|unsatisfied| refuse_match(&unsatisfied))?;
        let mut claims = Map::new();
        for path in matched
            .into_values()
            .flatten()
            .flat_map(|Matched { paths, .. }| paths)
        {
            let Some(Element::Key(name)) = path.elements().last() else {
                return Err(Refusal::PresentationMalformed);
            };
            // Every attribute is a text; a credential that has something else there is not of this type.
            let value = path
                .select(document)
                .ok()
                .and_then(|found| found.first()?.1.as_str().map(Value::from));
            claims.insert(name.clone(), value.ok_or(Refusal::ClaimMissing)?);
        }
        Ok(claims)
    }
}

/// A presentation whose signatures, binding, validity and claims hold. Whether its issuer counts and whether
/// it is revoked is still open.
pub(super) struct Verified {
    issuer: String,
    claims: Map<String, Value>,
    status: Option<StatusReference>,
}

impl Verified {
    /// Who issued the credential.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where its status is.
    pub(super) fn status(&self) -> Option<&StatusReference> {
        self.status.as_ref()
    }

    /// [SEC-16] Trust is asked after the signature: before it, `issuer` is only a text.
    pub(super) fn trusted(self, is_trusted: impl FnOnce(&str) -> bool) -> Result<Trusted, Refusal> {
        if is_trusted(&self.issuer) {
            Ok(Trusted(self))
        } else {
            Err(Refusal::IssuerNotTrusted)
        }
    }
}

/// A verified presentation of a credential whose issuer counts.
pub(super) struct Trusted(Verified);

impl Trusted {
    /// What was verified.
    pub(super) fn verified(&self) -> &Verified {
        &self.0
    }

    /// The claims, if the credential is in force.
    pub(super) fn claims(self, status: Status) -> Result<Map<String, Value>, Refusal> {
        match status {
            Status::Valid => Ok(self.0.claims),
            Status::Invalid => Err(Refusal::CredentialRevoked),
            Status::Suspended => Err(Refusal::CredentialSuspended),
            // [SEC-25] A status that only its issuer understands is not a yes.
            Status::Other(_) => Err(Refusal::StatusUnknown),
        }
    }
}

fn refuse_validity(error: ValidityError) -> Refusal {
    match error {
        ValidityError::Expired(_) => Refusal::CredentialExpired,
        ValidityError::NotYetValid(_) | ValidityError::IssuedInTheFuture => {
            Refusal::CredentialNotYetValid
        }
    }
}

fn refuse_jwt_vc(error: &jwt_vc_json::CredentialError) -> Refusal {
    use jwt_vc_json::CredentialError as Error;
    match error {
        Error::Verify(_) | Error::KeyOfAnother => Refusal::SignatureInvalid,
        Error::Validity(error) => refuse_validity(*error),
        Error::Status(_) => Refusal::StatusUnknown,
        Error::Confirmation(_) => Refusal::HolderBindingInvalid,
        _ => Refusal::PresentationMalformed,
    }
}

fn refuse_presentation(error: &PresentationError) -> Refusal {
    use PresentationError as Error;
    match error {
        // A bare credential, too, is one that nobody has shown to hold.
        Error::NotAPresentation
        | Error::Key(_)
        | Error::Verify(_)
        | Error::Claim(_)
        | Error::Holder
        | Error::FromTheFuture => Refusal::HolderBindingInvalid,
        Error::Audience | Error::Nonce | Error::Expired | Error::TooOld => {
            Refusal::PresentationReplayed
        }
        Error::Jwt(_) | Error::OneCredential => Refusal::PresentationMalformed,
    }
}

fn refuse_sd_jwt(error: &SdJwtError) -> Refusal {
    match error {
        SdJwtError::Verify(_) => Refusal::SignatureInvalid,
        _ => Refusal::PresentationMalformed,
    }
}

fn refuse_sd_jwt_vc(error: &sd_jwt_vc::CredentialError) -> Refusal {
    use sd_jwt_vc::CredentialError as Error;
    match error {
        Error::SdJwt(error) => refuse_sd_jwt(error),
        Error::Validity(error) => refuse_validity(*error),
        Error::Status(_) => Refusal::StatusUnknown,
        Error::Confirmation(_) => Refusal::HolderBindingInvalid,
        Error::Claim(_) | Error::Disclosed(_) => Refusal::PresentationMalformed,
    }
}

fn refuse_key_binding(error: &KeyBindingError) -> Refusal {
    use KeyBindingError as Error;
    match error {
        Error::Audience | Error::Nonce | Error::Expired | Error::TooOld => {
            Refusal::PresentationReplayed
        }
        Error::Missing
        | Error::Key(_)
        | Error::Verify(_)
        | Error::Claim(_)
        | Error::SdHash
        | Error::FromTheFuture => Refusal::HolderBindingInvalid,
    }
}

fn refuse_match(unsatisfied: &Unsatisfied) -> Refusal {
    match unsatisfied {
        Unsatisfied::Mismatch { cause, .. } => match cause {
            Mismatch::Format | Mismatch::Type => Refusal::CredentialTypeWrong,
            Mismatch::HolderBinding => Refusal::HolderBindingInvalid,
            Mismatch::Claim(_) | Mismatch::Value { .. } | Mismatch::ClaimSets => {
                Refusal::ClaimMissing
            }
        },
        Unsatisfied::Missing { .. } | Unsatisfied::Set { .. } => Refusal::CredentialMissing,
        Unsatisfied::UnknownId | Unsatisfied::Empty { .. } | Unsatisfied::Several { .. } => {
            Refusal::PresentationMalformed
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
