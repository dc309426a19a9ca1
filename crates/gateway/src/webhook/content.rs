//! What an event says: made of its row alone, so that each attempt and the list say the same.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::interaction::Refusal;
use crate::interaction::rows::credential_types;
use store::{Row, StoreError};

/// One event, as it is posted. What does not apply is left out.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct Content {
    /// The same for each repeat, and that of `webhook-id`.
    #[schema(example = "evt_0p5Cq1fTOQpGmBfkV4rP3rP2vWJbPVBpN4dDWQdJ4sM")]
    pub(super) id: String,
    /// `credential.issued`, `credential.revoked`, `interaction.failed` or `key.compromised`.
    #[serde(rename = "type")]
    kind: String,
    /// Rises by one from each event of this client to the next: a gap is a loss.
    pub(super) sequence: i64,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    data: Data,
}

/// What happened, to what.
#[derive(Serialize, ToSchema)]
#[schema(as = EventData)]
struct Data {
    /// What the employee read on the gateway's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "K7Q2-9MFD")]
    reference: Option<String>,
    /// SHA-256, in base64url, of the `request_uri`; of a request to verify that was not pushed, of its query; of a draft in an
    /// address, of `draft`, the client id and the hint without its signature, with a space between each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_sha256: Option<String>,
    /// `verify` or `issue`. Not of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    purpose: Option<String>,
    /// What was asked for, or issued. Not of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credential_types: Option<Vec<String>>,
    /// Of the credential that left the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    serial_number: Option<String>,
    /// Why an interaction failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refusal: Option<Reason>,
    /// Why a credential was revoked: `relying-party`, `operator`, `not-kept`, `not-collected` or `code-replayed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cause: Option<String>,
    /// The signing key that is compromised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    signing_key: Option<SigningKey>,
}

/// A signing key of the gateway's.
#[derive(Serialize, ToSchema)]
#[schema(as = EventSigningKey)]
struct SigningKey {
    /// Its id, as `kid` in what it signed.
    id: String,
    /// What it signed: `credentials`, `status`, `requests`, or `id-token-…`.
    purpose: String,
}

/// A refusal.
#[derive(Serialize, ToSchema)]
#[schema(as = EventRefusal)]
struct Reason {
    /// Stable.
    code: String,
    /// What `error_description` said. A code of a later version has its sentence there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<&'static str>,
}

impl Content {
    /// The columns that it is made of.
    pub(super) const COLUMNS: &str = "sequence, id, kind, happened_at, purpose, credential_type, reference, \
        request_digest, serial_number, refusal, cause, signing_key, key_purpose";

    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let optional = |column| Ok::<_, StoreError>(row.optional_text(column)?.map(str::to_owned));
        let signing_key = match (optional("signing_key")?, optional("key_purpose")?) {
            (Some(id), Some(purpose)) => Some(SigningKey { id, purpose }),
            _ => None,
        };
        let is_of_interaction = signing_key.is_none();
        let types = || credential_types(row).map(|types| types.iter().map(str::to_owned).collect());
        let purpose = row.text("purpose")?.to_owned();
        let refusal = optional("refusal")?.map(|code| Reason {
            description: Refusal::parse(&code).map(Refusal::description),
            code,
        });
        Ok(Self {
            id: row.text("id")?.to_owned(),
            kind: row.text("kind")?.to_owned(),
            sequence: row.integer("sequence")?,
            timestamp: row.timestamp("happened_at")?,
            data: Data {
                reference: optional("reference")?,
                request_sha256: optional("request_digest")?,
                purpose: is_of_interaction.then_some(purpose),
                credential_types: is_of_interaction.then(types).transpose()?,
                serial_number: optional("serial_number")?,
                refusal,
                cause: optional("cause")?,
                signing_key,
            },
        })
    }

    /// The body of each attempt.
    pub(super) fn to_body(&self) -> Result<String, StoreError> {
        let unwritable = |_| StoreError::Corrupt("an event cannot be written as JSON".into());
        serde_json::to_string(self).map_err(unwritable)
    }
}
