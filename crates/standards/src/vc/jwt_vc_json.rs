//! `jwt_vc_json`: a W3C credential (data model 1.1) signed as a JWT, without JSON-LD processing.
//!
//! The layout is that of OpenID4VCI appendix A.1.1 and OpenID4VP appendix B.1.3.1: the credential in the claim
//! `vc`, and what JWT has a registered claim for in that claim (VCDM 1.1, 6.3.1). It is not the layout of
//! VC-JOSE, which has no wrapper [JC-01].

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::holder::{self, HolderKeyError};
use super::{Validity, ValidityError};
use crate::claims::{self, ClaimError};
use crate::did::Did;
use crate::jose::jws::{self, Header, ParseError, Parsed, ProtectedHeader, VerifyError};
use crate::jose::{Algorithm, Jwk, SignError, Signer, Typ};
use crate::status_list::{Entry, ReferenceError, StatusReference};

/// The context that comes first in every credential of the data model 1.1.
pub const CONTEXT: &str = "https://www.w3.org/2018/credentials/v1";
/// The type that every credential has.
pub const BASE_TYPE: &str = "VerifiableCredential";

/// A credential. One that came from elsewhere is only had by verifying. Debug prints no claim of the subject.
#[derive(Clone, PartialEq)]
pub struct Credential {
    /// `iss`.
    pub issuer: String,
    /// `sub`: whom the credential is about and, when it is a did:jwk or did:key, whose key holds it.
    pub subject: Option<String>,
    /// `jti`: `urn:uuid:` and the serial number (ruling 14).
    pub id: Option<String>,
    /// The types beside [`BASE_TYPE`].
    pub types: Vec<String>,
    /// `credentialSubject` without its `id`.
    pub credential_subject: Map<String, Value>,
    /// The times.
    pub validity: Validity,
    /// Where its status is.
    pub status: Option<StatusReference>,
    /// `credentialStatus`: the same in the W3C form, for verifiers that read no other. Of a credential from elsewhere,
    /// the entries that can be read.
    pub status_entries: Vec<Entry>,
    /// `credentialSchema`, as it stands: nothing is checked by it here.
    pub schema: Option<Value>,
    /// `cnf.jwk`: the holder's key where `sub` names none.
    pub confirmation: Option<Jwk>,
}

impl Credential {
    /// The claims to sign.
    pub fn to_claims(&self) -> Value {
        let mut subject = self.credential_subject.clone();
        let mut document = Map::new();
        let mut claims = Map::new();
        claims.insert("iss".into(), json!(self.issuer));
        if let Some(id) = &self.subject {
            claims.insert("sub".into(), json!(id));
            subject.insert("id".into(), json!(id));
        }
        if let Some(id) = &self.id {
            claims.insert("jti".into(), json!(id));
            document.insert("id".into(), json!(id));
        }
        for (name, at) in self.times() {
            claims.extend(at.map(|at| (name.to_owned(), json!(at.as_second()))));
        }
        if let Some(status) = &self.status {
            claims.insert("status".into(), status.to_value());
        }
        if let Some(key) = &self.confirmation {
            claims.insert("cnf".into(), json!({ "jwk": key.to_value() }));
        }
        document.insert("@context".into(), json!([CONTEXT]));
        let types: Vec<&str> = [BASE_TYPE]
            .into_iter()
            .chain(self.types.iter().map(String::as_str))
            .collect();
        document.insert("type".into(), json!(types));
        // Mandatory in the data model 1.1 even where the JWT says the same.
        document.insert("issuer".into(), json!(self.issuer));
        if let Some(at) = self.validity.not_before.or(self.validity.issued_at) {
            document.insert("issuanceDate".into(), json!(whole_seconds(at)));
        }
        if let Some(at) = self.validity.expires_at {
            document.insert("expirationDate".into(), json!(whole_seconds(at)));
        }
        if !self.status_entries.is_empty() {
            let entries: Vec<Value> = self.status_entries.iter().map(Entry::to_value).collect();
            document.insert("credentialStatus".into(), entries.into());
        }
        if let Some(schema) = &self.schema {
            document.insert("credentialSchema".into(), schema.clone());
        }
        document.insert("credentialSubject".into(), Value::Object(subject));
        claims.insert("vc".into(), Value::Object(document));
        Value::Object(claims)
    }

    fn times(&self) -> [(&'static str, Option<Timestamp>); 3] {
        let Validity {
            issued_at,
            not_before,
            expires_at,
        } = self.validity;
        [("iat", issued_at), ("nbf", not_before), ("exp", expires_at)]
    }

    /// Issuer: signs the credential. `kid` names the key in the issuer's DID document.
    pub async fn sign(&self, signer: &dyn Signer, kid: &str) -> Result<String, SignError> {
        jws::sign(
            signer,
            ProtectedHeader::typ("JWT").kid(kid),
            &self.to_claims(),
        )
        .await
    }

    /// The credential as claims paths see it: the content of `vc` (OpenID4VP, appendix B.1.2).
    pub fn document(&self) -> Value {
        self.to_claims().get("vc").cloned().unwrap_or_default()
    }

    /// The key that the holder must prove possession of: `cnf.jwk`, else the key in `sub`.
    pub fn holder_key(&self) -> Result<Jwk, HolderKeyError> {
        if let Some(key) = &self.confirmation {
            return Ok(key.clone());
        }
        let subject = self.subject.as_deref().ok_or(HolderKeyError::Unbound)?;
        holder::key_of_did(&Did::parse(subject).map_err(|_| HolderKeyError::Did)?)
    }

    /// Whether the credential is of that type.
    pub fn is_a(&self, credential_type: &str) -> bool {
        self.types.iter().any(|known| known == credential_type)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("issuer", &self.issuer)
            .field("types", &self.types)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// A credential, read but not verified.
#[derive(Clone)]
pub struct ParsedCredential {
    jwt: Parsed,
    issuer: String,
}

/// Why a credential is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Not a JWT that we read.
    #[error("the credential is no JWT: {0}")]
    Jwt(#[from] ParseError),
    /// Wrong type, algorithm or signature.
    #[error("the credential does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// A claim is missing or malformed.
    #[error("the credential: {0}")]
    Claim(#[from] ClaimError),
    /// The header names a key of somebody else than `iss` [SEC-16].
    #[error("the credential is signed with a key of another than its issuer")]
    KeyOfAnother,
    /// Also, or instead, a presentation or an unwrapped credential [SEC-14, JC-01].
    #[error("the JWT is not a credential of the data model 1.1 with the claim vc")]
    NotACredential,
    /// The context of the data model 1.1 does not come first.
    #[error("the credential's @context does not begin with {CONTEXT}")]
    Context,
    /// No type `VerifiableCredential`, or none beside it.
    #[error("the credential lacks the type {BASE_TYPE} or a type of its own")]
    Type,
    /// The same thing said twice, differently.
    #[error("the credential's {0} differs from its JWT claim")]
    Differs(&'static str),
    /// Not one subject.
    #[error("the credential must have exactly one credentialSubject")]
    Subject,
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

impl ParsedCredential {
    /// Reads the JWT.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let jwt = jws::parse_within(text, LONGEST)?;
        let issuer = claims::required_text(jwt.unverified_claims(), "iss")?.to_owned();
        // [SEC-16] A `kid` that is a DID URL belongs to one DID: the issuer's.
        let kid_owner = jwt
            .header()
            .kid()
            .and_then(|kid| kid.split_once('#'))
            .map(|(owner, _)| owner);
        if kid_owner.is_some_and(|owner| !owner.is_empty() && owner != issuer) {
            return Err(CredentialError::KeyOfAnother);
        }
        Ok(Self { jwt, issuer })
    }

    /// Who says to have issued it. Unverified.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The header, to find the issuer's key by.
    pub fn header(&self) -> &Header {
        self.jwt.header()
    }

    /// Verifies with the issuer's key and checks everything that needs neither network nor storage.
    pub fn verify(
        &self,
        key: &Jwk,
        allowed: &[Algorithm],
        now: Timestamp,
        skew: SignedDuration,
    ) -> Result<Credential, CredentialError> {
        let credential = self.verify_whenever(key, allowed)?;
        credential.validity.check(now, skew)?;
        Ok(credential)
    }

    /// As [`verify`](Self::verify), but for a reader (a wallet's list) that shows expired credentials too.
    pub fn verify_whenever(
        &self,
        key: &Jwk,
        allowed: &[Algorithm],
    ) -> Result<Credential, CredentialError> {
        let verified = self.jwt.verify(key, allowed, Typ::AbsentOr(&["JWT"]))?;
        read(verified.claims())
    }
}

fn read(claims: &Map<String, Value>) -> Result<Credential, CredentialError> {
    let (Some(Value::Object(document)), None) = (claims.get("vc"), claims.get("vp")) else {
        return Err(CredentialError::NotACredential);
    };
    if document
        .get("@context")
        .and_then(|context| context.get(0))
        .and_then(Value::as_str)
        != Some(CONTEXT)
    {
        return Err(CredentialError::Context);
    }
    let all: Option<Vec<&str>> = document
        .get("type")
        .and_then(Value::as_array)
        .and_then(|list| list.iter().map(Value::as_str).collect());
    let all = all.ok_or(CredentialError::Type)?;
    let types: Vec<String> = all
        .iter()
        .filter(|one| **one != BASE_TYPE)
        .map(|&one| one.to_owned())
        .collect();
    if types.is_empty() || types.len() == all.len() {
        return Err(CredentialError::Type);
    }
    let mut subject = match document.get("credentialSubject") {
        Some(Value::Object(subject)) => subject.clone(),
        Some(Value::Array(list)) if list.len() == 1 => {
            list[0].as_object().ok_or(CredentialError::Subject)?.clone()
        }
        _ => return Err(CredentialError::Subject),
    };
    let issuer = claims::required_text(claims, "iss")?;
    let stated_issuer = document
        .get("issuer")
        .map(|stated| stated.get("id").unwrap_or(stated));
    agree(stated_issuer, Some(issuer), "issuer")?;
    let id = claims::text(claims, "jti")?;
    agree(document.get("id"), id, "id")?;
    let subject_id = claims::text(claims, "sub")?;
    agree(
        subject.remove("id").as_ref(),
        subject_id,
        "credentialSubject.id",
    )?;
    let validity = Validity {
        issued_at: claims::instant(claims, "iat")?,
        not_before: claims::instant(claims, "nbf")?,
        expires_at: claims::instant(claims, "exp")?,
    };
    agree_on_time(
        document.get("expirationDate"),
        validity.expires_at,
        "expirationDate",
    )?;
    agree_on_time(
        document.get("issuanceDate"),
        validity.not_before.or(validity.issued_at),
        "issuanceDate",
    )?;
    // A credential whose status is in the W3C form only: nobody here looks it up, so fail closed.
    let status_entries = document.get("credentialStatus");
    if status_entries.is_some() && !claims.contains_key("status") {
        return Err(ReferenceError::Mechanism.into());
    }
    Ok(Credential {
        issuer: issuer.to_owned(),
        subject: subject_id.map(str::to_owned),
        id: id.map(str::to_owned),
        types,
        credential_subject: subject,
        validity,
        status: StatusReference::parse(claims)?,
        status_entries: status_entries.map(Entry::parse_all).unwrap_or_default(),
        schema: document.get("credentialSchema").cloned(),
        confirmation: holder::key_of_confirmation(claims)?,
    })
}

/// [VCDM 1.1 6.3.1] What the document repeats of the JWT's claims must be the same; and it may not say what
/// the JWT leaves out, or two readers would see two credentials.
fn agree(
    stated: Option<&Value>,
    claim: Option<&str>,
    name: &'static str,
) -> Result<(), CredentialError> {
    match stated {
        None => Ok(()),
        Some(stated) if stated.as_str() == claim && claim.is_some() => Ok(()),
        Some(_) => Err(CredentialError::Differs(name)),
    }
}

fn agree_on_time(
    stated: Option<&Value>,
    claim: Option<Timestamp>,
    name: &'static str,
) -> Result<(), CredentialError> {
    let Some(stated) = stated else { return Ok(()) };
    let stated = stated.as_str().and_then(claims::date_time);
    if stated.map(Timestamp::as_second) == claim.map(Timestamp::as_second) && claim.is_some() {
        Ok(())
    } else {
        Err(CredentialError::Differs(name))
    }
}

fn whole_seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second())
        .unwrap_or(at)
        .to_string()
}

impl fmt::Debug for ParsedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedCredential")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// A credential with a photograph fits; a flood does not.
const LONGEST: usize = 1024 * 1024;
