//! What the service says that it verified, held against what was asked: pure. That the service found it good is one word
//! more, not the last one. (SEC-20, SEC-32)

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::object::Object;
use crate::interaction::Refusal;
use crate::organisation::catalogue::CredentialType;
use crate::organisation::entra::EntraType;

/// How far clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// One element of `verifiedCredentialsData`. Others may stand beside these.
#[derive(Deserialize)]
pub(super) struct Presented {
    #[serde(default)]
    issuer: String,
    #[serde(default, rename = "type")]
    types: Vec<String>,
    #[serde(default)]
    claims: Map<String, Value>,
    #[serde(default, rename = "credentialState")]
    state: Option<Object<CredentialState>>,
    #[serde(default, rename = "issuanceDate")]
    issued_at: Option<String>,
    #[serde(default, rename = "expirationDate")]
    expires_at: Option<String>,
}

#[derive(Deserialize)]
struct CredentialState {
    #[serde(default, rename = "revocationStatus")]
    revocation: Option<String>,
}

/// What was asked.
pub(super) struct Asked<'a> {
    /// Our type.
    pub(super) credential_type: &'a CredentialType,
    /// What the tenant calls it.
    pub(super) kind: &'a EntraType,
    /// When the answer came.
    pub(super) now: Timestamp,
}

/// The claims, each as `Type.Attribute`, or why they do not count.
pub(super) fn claims(
    presented: &[Object<Presented>],
    asked: &Asked<'_>,
    is_trusted: impl FnOnce(&str) -> bool,
) -> Result<Map<String, Value>, Refusal> {
    let one = match presented {
        [] => return Err(Refusal::CredentialMissing),
        [Object(one)] => one,
        _ => return Err(Refusal::PresentationMalformed),
    };
    if !one.types.contains(&asked.kind.kind) {
        return Err(Refusal::CredentialTypeWrong);
    }
    // Not the list that was sent: the one that holds now.
    if !is_trusted(&one.issuer) {
        return Err(Refusal::IssuerNotTrusted);
    }
    in_force(one)?;
    in_time(one, asked.now)?;
    named(&one.claims, asked)
}

/// [SEC-25] What nobody said, or what nobody here knows, is not a yes.
fn in_force(one: &Presented) -> Result<(), Refusal> {
    let state = one.state.as_ref();
    let said = state.and_then(|Object(state)| state.revocation.as_deref());
    let said = said.unwrap_or_default().to_ascii_lowercase();
    match said.as_str() {
        "valid" => Ok(()),
        "revoked" | "issuerrevoked" => Err(Refusal::CredentialRevoked),
        _ => Err(Refusal::StatusUnknown),
    }
}

/// [SEC-22] A date that cannot be read is none that has not come.
fn in_time(one: &Presented, now: Timestamp) -> Result<(), Refusal> {
    let read = |text: &Option<String>| -> Result<Option<Timestamp>, Refusal> {
        let read = |text| standards::claims::date_time(text).ok_or(Refusal::PresentationMalformed);
        text.as_deref().map(read).transpose()
    };
    if read(&one.expires_at)?.is_some_and(|end| now.duration_since(end) >= SKEW) {
        return Err(Refusal::CredentialExpired);
    }
    if read(&one.issued_at)?.is_some_and(|begin| begin.duration_since(now) > SKEW) {
        return Err(Refusal::CredentialNotYetValid);
    }
    Ok(())
}

/// The attributes of the type and nothing else: the service sends every claim that the credential has.
fn named(sent: &Map<String, Value>, asked: &Asked<'_>) -> Result<Map<String, Value>, Refusal> {
    let kind = asked.credential_type;
    let mut attributes = Map::new();
    for attribute in &kind.attributes {
        match sent.get(asked.kind.claim(&attribute.name)) {
            Some(Value::String(text)) => {
                attributes.insert(attribute.name.clone(), text.as_str().into());
            }
            None | Some(Value::Null) if !attribute.mandatory => {}
            _ => return Err(Refusal::ClaimMissing),
        }
    }
    if !kind.fits(&attributes) {
        return Err(Refusal::ClaimMissing);
    }
    let named = attributes.into_iter();
    Ok(named
        .map(|(name, value)| (format!("{}.{name}", kind.name), value))
        .collect())
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
