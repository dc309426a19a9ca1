//! The nonce endpoint and the credential endpoint [VCI 7 and 8].

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The nonce endpoint's answer [VCI-12].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// What a key proof must hold.
    pub c_nonce: String,
}

/// A wallet's credential request [VCI-13].
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialRequest {
    /// What is asked for.
    pub requested: Requested,
    /// Proofs of possession of the keys to bind to.
    pub proofs: Option<Proofs>,
    /// How the response is to be encrypted.
    pub credential_response_encryption: Option<Value>,
}

/// The two ways of naming what is asked for; exactly one is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// `credential_identifier`, when the token response gave identifiers.
    Identifier(String),
    /// `credential_configuration_id` otherwise.
    ConfigurationId(String),
}

/// Proofs of one type.
#[derive(Clone, PartialEq)]
pub enum Proofs {
    /// Key proofs as JWTs.
    Jwt(Vec<String>),
    /// A key attestation without a proof of possession.
    Attestation(String),
    /// W3C presentations with Data Integrity proofs.
    DiVp(Vec<Value>),
}

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwt(list) => write!(f, "Jwt({} proofs)", list.len()),
            Self::Attestation(_) => f.write_str("Attestation(…)"),
            Self::DiVp(list) => write!(f, "DiVp({} proofs)", list.len()),
        }
    }
}

/// Why a credential request is refused before its proofs are looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialRequestError {
    /// Not JSON, or a member of the wrong type.
    #[error("the credential request is not well formed: {0}")]
    Shape(String),
    /// Both or neither of the two names.
    #[error(
        "the credential request must have exactly one of credential_identifier and credential_configuration_id"
    )]
    ExactlyOne,
    /// `proofs` with no type, several types, no proof, or a type that is not known.
    #[error("proofs must hold exactly one known proof type with at least one proof")]
    Proofs,
}

impl CredentialRequestError {
    /// The code on the wire.
    pub fn code(&self) -> CredentialErrorCode {
        match self {
            Self::Proofs => CredentialErrorCode::InvalidProof,
            Self::Shape(_) | Self::ExactlyOne => CredentialErrorCode::InvalidCredentialRequest,
        }
    }
}

impl CredentialRequest {
    /// Reads a request body.
    pub fn parse(body: &[u8]) -> Result<Self, CredentialRequestError> {
        let members = crate::json::parse_object(body)
            .map_err(|error| CredentialRequestError::Shape(error.to_string()))?;
        let requested = match (
            text(&members, "credential_identifier")?,
            text(&members, "credential_configuration_id")?,
        ) {
            (Some(identifier), None) => Requested::Identifier(identifier),
            (None, Some(id)) => Requested::ConfigurationId(id),
            _ => return Err(CredentialRequestError::ExactlyOne),
        };
        Ok(Self {
            requested,
            proofs: members.get("proofs").map(Proofs::parse).transpose()?,
            credential_response_encryption: members.get("credential_response_encryption").cloned(),
        })
    }

    /// The request body.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        match &self.requested {
            Requested::Identifier(id) => {
                members.insert("credential_identifier".into(), id.as_str().into())
            }
            Requested::ConfigurationId(id) => {
                members.insert("credential_configuration_id".into(), id.as_str().into())
            }
        };
        if let Some(proofs) = &self.proofs {
            members.insert("proofs".into(), proofs.to_value());
        }
        if let Some(encryption) = &self.credential_response_encryption {
            members.insert("credential_response_encryption".into(), encryption.clone());
        }
        Value::Object(members)
    }
}

impl Proofs {
    fn parse(value: &Value) -> Result<Self, CredentialRequestError> {
        let members = value.as_object().ok_or(CredentialRequestError::Proofs)?;
        let mut entries = members.iter();
        let (Some((kind, list)), None) = (entries.next(), entries.next()) else {
            return Err(CredentialRequestError::Proofs);
        };
        let list = list
            .as_array()
            .filter(|list| !list.is_empty())
            .ok_or(CredentialRequestError::Proofs)?;
        let texts = || {
            let texts: Option<Vec<String>> = list
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect();
            texts.ok_or(CredentialRequestError::Proofs)
        };
        match kind.as_str() {
            "jwt" => texts().map(Self::Jwt),
            "attestation" => match <[String; 1]>::try_from(texts()?) {
                Ok([one]) => Ok(Self::Attestation(one)),
                Err(_) => Err(CredentialRequestError::Proofs),
            },
            "di_vp" if list.iter().all(Value::is_object) => Ok(Self::DiVp(list.clone())),
            _ => Err(CredentialRequestError::Proofs),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Jwt(list) => serde_json::json!({ "jwt": list }),
            Self::Attestation(one) => serde_json::json!({ "attestation": [one] }),
            Self::DiVp(list) => serde_json::json!({ "di_vp": list }),
        }
    }
}

fn text(
    members: &Map<String, Value>,
    name: &str,
) -> Result<Option<String>, CredentialRequestError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(CredentialRequestError::Shape(format!(
            "{name} must be a text"
        ))),
    }
}

/// The credential endpoint's answer: 200 with credentials, or 202 with a transaction id [VCI-16].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CredentialResponse {
    /// The credentials, one for each key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Vec<IssuedCredential>>,
    /// Under which the wallet tells what became of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<String>,
    /// Under which a deferred credential is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// Seconds until the wallet should ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u64>,
}

/// One issued credential. Debug does not print it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct IssuedCredential {
    /// A text for the JWT formats, an object for others.
    pub credential: Value,
}

impl fmt::Debug for IssuedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuedCredential(…)")
    }
}

impl CredentialResponse {
    /// An answer with one credential in a text format.
    pub fn issued(credential: &str, notification_id: Option<String>) -> Self {
        let credentials = Some(vec![IssuedCredential {
            credential: credential.into(),
        }]);
        Self {
            credentials,
            notification_id,
            ..Self::default()
        }
    }

    /// Reads the answer; unknown members are ignored.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let value = crate::json::parse(body).map_err(|error| error.to_string())?;
        let response = Self::deserialize(value).map_err(|error| error.to_string())?;
        match (&response.credentials, &response.transaction_id) {
            (Some(list), None) if !list.is_empty() => Ok(response),
            (None, Some(_)) => Ok(response),
            _ => Err(
                "the credential response must have either credentials or a transaction_id"
                    .to_owned(),
            ),
        }
    }

    /// The answer as JSON.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// [VCI-17] Errors of the credential endpoint, all with status 400. Trouble with the token is RFC 6750's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialErrorCode {
    /// Missing, repeated, malformed.
    InvalidCredentialRequest,
    /// No such configuration.
    UnknownCredentialConfiguration,
    /// No such identifier.
    UnknownCredentialIdentifier,
    /// A proof is missing or wrong.
    InvalidProof,
    /// The nonce is not (or no more) one of ours; the wallet fetches a new one.
    InvalidNonce,
    /// Encryption parameters wrong or missing.
    InvalidEncryptionParameters,
    /// Not issued, and asking again will not help.
    CredentialRequestDenied,
    /// [VCI-18] Deferred: no such transaction.
    InvalidTransactionId,
}

impl CredentialErrorCode {
    /// The code as it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCredentialRequest => "invalid_credential_request",
            Self::UnknownCredentialConfiguration => "unknown_credential_configuration",
            Self::UnknownCredentialIdentifier => "unknown_credential_identifier",
            Self::InvalidProof => "invalid_proof",
            Self::InvalidNonce => "invalid_nonce",
            Self::InvalidEncryptionParameters => "invalid_encryption_parameters",
            Self::CredentialRequestDenied => "credential_request_denied",
            Self::InvalidTransactionId => "invalid_transaction_id",
        }
    }
}
