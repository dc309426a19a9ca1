//! What a credential says: read for showing and choosing, and checked when it is received.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use standards::claims::{self, ClaimError};
use standards::dcql::Format;
use standards::did::Relationship;
use standards::jose::jws::{self, Header, ParseError, VerifyError};
use standards::jose::{Algorithm, Jwk, Typ};
use standards::openid4vci::CredentialConfiguration;
use standards::sd_jwt::{SdJwt, SdJwtError};
use url::Url;

use crate::keys::{self, KeyError};
use crate::proof::did_of;
use crate::report::{CredentialStatus, CredentialSummary};
use crate::storage::HeldCredential;
use crate::wallet::Wallet;

const BASE_TYPE: &str = "VerifiableCredential";

/// How far the issuer's clock may be ahead.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Claims that are about the credential and not about its holder.
const TECHNICAL: [&str; 12] = [
    "iss",
    "iat",
    "nbf",
    "exp",
    "sub",
    "jti",
    "id",
    "cnf",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "status",
];

/// Why a credential is not kept.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The JWT cannot be read.
    #[error(transparent)]
    Jwt(#[from] ParseError),
    /// The SD-JWT cannot be read or does not verify.
    #[error(transparent)]
    SdJwt(#[from] SdJwtError),
    /// The issuer's signature.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The issuer's key.
    #[error("the issuer's key: {0}")]
    Key(#[from] KeyError),
    /// A registered claim.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// A format that this wallet does not know.
    #[error("its format is not known to this wallet")]
    Format,
    /// Not what was asked for.
    #[error("it is of another type than was asked for")]
    Type,
    /// Bound to another key, or to none.
    #[error("it is not bound to the key that was proved")]
    Binding,
    /// Past its end or before its beginning.
    #[error("it is not valid at this time")]
    Time,
}

/// A credential as its text says, unverified: what is held was verified when it was received.
pub(crate) struct Reading {
    pub(crate) format: Format,
    /// Where DCQL paths start: the content of `vc`, or the SD-JWT's processed claims.
    pub(crate) root: Value,
    header: Header,
    claims: Map<String, Value>,
}

impl Reading {
    pub(crate) fn parse(format: &str, compact: &str) -> Result<Self, CredentialError> {
        let format = Format::from(format.to_owned());
        let (header, claims) = match format {
            Format::JwtVcJson => {
                let parsed = jws::parse(compact)?;
                (parsed.header().clone(), parsed.unverified_claims().clone())
            }
            Format::DcSdJwt => {
                let parsed = SdJwt::parse(compact)?;
                (parsed.header().clone(), parsed.claims_of_held()?)
            }
            Format::Other(_) => return Err(CredentialError::Format),
        };
        let root = match format {
            Format::JwtVcJson => claims.get("vc").cloned().ok_or(ClaimError::Missing("vc"))?,
            _ => Value::Object(claims.clone()),
        };
        Ok(Self {
            format,
            root,
            header,
            claims,
        })
    }

    pub(crate) fn of(held: &HeldCredential) -> Result<Self, CredentialError> {
        Self::parse(&held.format, &held.credential)
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn issuer(&self) -> Result<&str, ClaimError> {
        claims::required_text(&self.claims, "iss")
    }

    /// The claims of the JWT; for an SD-JWT with everything that the wallet can disclose.
    pub(crate) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    fn expires_at(&self) -> Option<Timestamp> {
        claims::instant(&self.claims, "exp").ok().flatten()
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }

    fn begins_at(&self) -> Option<Timestamp> {
        claims::instant(&self.claims, "nbf").ok().flatten()
    }

    fn begins_after(&self, now: Timestamp) -> bool {
        self.begins_at()
            .is_some_and(|at| at.saturating_sub(SKEW).is_ok_and(|at| at > now))
    }

    /// W3C: the most specific type. SD-JWT VC: the short form of the `vct`.
    fn type_name(&self) -> String {
        let types = self.root.get("type").and_then(Value::as_array);
        let specific = types
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .rfind(|name| *name != BASE_TYPE);
        match (specific, self.vct()) {
            (Some(name), _) => name.to_owned(),
            (None, Some(vct)) => short_type(vct),
            (None, None) => BASE_TYPE.to_owned(),
        }
    }

    /// The type of an SD-JWT VC.
    fn vct(&self) -> Option<&str> {
        match self.format {
            Format::DcSdJwt => self.claims.get("vct")?.as_str(),
            _ => None,
        }
    }

    /// What it says about its holder.
    fn holder_claims(&self) -> Map<String, Value> {
        let all = match self.format {
            Format::JwtVcJson => self
                .root
                .get("credentialSubject")
                .and_then(Value::as_object),
            _ => Some(&self.claims),
        };
        let all = all
            .into_iter()
            .flatten()
            .filter(|(name, _)| !TECHNICAL.contains(&name.as_str()));
        all.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn serial_number(&self) -> Option<String> {
        let id = self
            .claims
            .get("jti")
            .or_else(|| self.root.get("id"))?
            .as_str()?;
        uuid::Uuid::parse_str(id.strip_prefix("urn:uuid:")?)
            .ok()
            .map(|uuid| uuid.to_string())
    }

    /// What the clock alone says.
    pub(crate) fn clock_status(&self, now: Timestamp) -> CredentialStatus {
        if self.has_expired(now) {
            CredentialStatus::Expired
        } else if self.begins_after(now) {
            CredentialStatus::NotYetValid
        } else if self.claims.contains_key("status") {
            CredentialStatus::NotChecked
        } else {
            CredentialStatus::Valid
        }
    }
}

/// The end of a `vct` that is a web address, which is where issuers put the name; any other `vct` as it is.
pub(crate) fn short_type(vct: &str) -> String {
    let name = Url::parse(vct)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http"))
        .and_then(|url| {
            let mut segments = url.path_segments()?;
            let last = segments.rfind(|segment| !segment.is_empty())?;
            Some(last.to_owned())
        });
    name.unwrap_or_else(|| vct.to_owned())
}

/// A held credential for lists and pages; the status list is not asked.
pub(crate) fn summary(held: &HeldCredential, now: Timestamp) -> CredentialSummary {
    let blank = CredentialSummary {
        id: held.id.clone(),
        credential_type: "unreadable".to_owned(),
        vct: None,
        format: held.format.clone(),
        issuer: String::new(),
        claims: Map::new(),
        labels: BTreeMap::new(),
        status: CredentialStatus::Unknown,
        issued_at: None,
        expires_at: None,
        serial_number: None,
    };
    let Ok(reading) = Reading::of(held) else {
        return blank;
    };
    let issued_at = claims::instant(&reading.claims, "iat").ok().flatten();
    CredentialSummary {
        credential_type: reading.type_name(),
        vct: reading.vct().map(str::to_owned),
        issuer: reading.issuer().unwrap_or_default().to_owned(),
        claims: reading.holder_claims(),
        labels: held.labels.clone(),
        status: reading.clock_status(now),
        issued_at: issued_at.or_else(|| reading.begins_at()),
        expires_at: reading.expires_at(),
        serial_number: reading.serial_number(),
        ..blank
    }
}

/// Checks what an issuer sent: its signature, its type, that it is bound to `holder`, its time.
pub(crate) async fn check(
    wallet: &Wallet,
    configuration: &CredentialConfiguration,
    compact: &str,
    holder: &Jwk,
) -> Result<(), CredentialError> {
    let reading = Reading::parse(configuration.format.as_str(), compact)?;
    let issuer = reading.issuer()?;
    let key = keys::fetch_key(
        wallet.network(),
        issuer,
        reading.header(),
        Relationship::AssertionMethod,
    )
    .await?;
    if reading.format == Format::DcSdJwt {
        // [SV-01] The type of the token, then of the credential.
        SdJwt::parse(compact)?.verify(&key, Algorithm::ASYMMETRIC, Typ::Is("dc+sd-jwt"))?;
        let vct = claims::required_text(&reading.claims, "vct")?;
        if Some(vct) != configuration.vct.as_deref() {
            return Err(CredentialError::Type);
        }
    } else {
        jws::parse(compact)?.verify(&key, Algorithm::ASYMMETRIC, Typ::AbsentOr(&["JWT"]))?;
        let types = reading
            .root
            .get("type")
            .and_then(Value::as_array)
            .ok_or(CredentialError::Type)?;
        let mut wanted = configuration
            .credential_definition
            .iter()
            .flat_map(|definition| &definition.types);
        if !wanted.all(|name| types.iter().any(|known| known == name)) {
            return Err(CredentialError::Type);
        }
    }
    if !is_bound_to(&reading.claims, holder) {
        return Err(CredentialError::Binding);
    }
    let now = wallet.now();
    if reading.has_expired(now) || reading.begins_after(now) {
        return Err(CredentialError::Time);
    }
    Ok(())
}

/// By `cnf` where there is one, else by a `sub` that is the key's own DID.
fn is_bound_to(claims: &Map<String, Value>, holder: &Jwk) -> bool {
    match claims.get("cnf") {
        Some(confirmation) => {
            let key = confirmation.get("jwk").and_then(|key| Jwk::parse(key).ok());
            key.is_some_and(|key| key.same_key(holder))
        }
        None => claims.get("sub").and_then(Value::as_str) == Some(did_of(holder).as_str()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;
    use standards::jose::jws::{ProtectedHeader, sign_now};

    use super::*;
    use crate::proof::HolderKey;

    fn held(claims: &Value) -> HeldCredential {
        let key = HolderKey::generate().unwrap();
        HeldCredential {
            id: "c".into(),
            format: "jwt_vc_json".into(),
            credential: sign_now(key.software_key(), ProtectedHeader::typ("JWT"), claims).unwrap(),
            key: key.to_text().unwrap(),
            issuer_name: None,
            labels: BTreeMap::new(),
            received_at: Timestamp::UNIX_EPOCH,
            notification: None,
        }
    }

    #[test]
    fn a_summary_shows_what_is_said_of_the_holder_and_when_it_ends() {
        let summary = |now| {
            let held = held(&json!({
                "iss": "did:web:issuer.example", "sub": "did:jwk:x", "iat": 1_000, "nbf": 1_000, "exp": 2_000,
                "jti": "urn:uuid:4f2a6f2e-2f5c-4d0b-9d0e-0d7f6f3c6c11",
                "vc": {"type": ["VerifiableCredential", "Identity"],
                       "credentialSubject": {"id": "did:jwk:x", "surname": "O’Neil"}},
            }));
            super::summary(&held, Timestamp::from_second(now).unwrap())
        };
        let good = summary(1_500);
        assert_eq!(good.credential_type, "Identity");
        assert_eq!(Value::Object(good.claims), json!({"surname": "O’Neil"}));
        assert_eq!(
            good.serial_number.unwrap(),
            "4f2a6f2e-2f5c-4d0b-9d0e-0d7f6f3c6c11"
        );
        assert_eq!(good.status, CredentialStatus::Valid);
        assert_eq!(summary(2_000).status, CredentialStatus::Expired);
        assert_eq!(summary(500).status, CredentialStatus::NotYetValid);
    }

    #[test]
    fn the_short_form_of_a_type_is_the_end_of_its_web_address() {
        for (vct, short) in [
            ("https://example.org/credential-types/Identity", "Identity"),
            ("http://localhost:8080/types/Identity/?v=2#x", "Identity"),
            ("https://example.org/", "https://example.org/"),
            ("urn:eudi:pid:1", "urn:eudi:pid:1"),
            ("Identity", "Identity"),
        ] {
            assert_eq!(short_type(vct), short);
        }
    }

    #[test]
    fn a_credential_for_another_key_or_for_none_is_not_bound() {
        let (mine, other) = (
            HolderKey::generate().unwrap(),
            HolderKey::generate().unwrap(),
        );
        let bound = |claims: Value| is_bound_to(claims.as_object().unwrap(), mine.public_jwk());
        assert!(bound(json!({"sub": did_of(mine.public_jwk())})));
        assert!(bound(
            json!({"cnf": {"jwk": mine.public_jwk().bare_key().to_value()}})
        ));
        assert!(!bound(json!({"sub": did_of(other.public_jwk())})));
        // `cnf` decides where there is one.
        assert!(!bound(
            json!({"sub": did_of(mine.public_jwk()), "cnf": {"jwk": other.public_jwk().bare_key().to_value()}})
        ));
        assert!(!bound(json!({})));
    }
}
