//! First half of issuing: the signed draft, pushed.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use standards::jose::jws::ProtectedHeader;
use standards::jose::{Algorithm, jws};
use uuid::Uuid;

use crate::Connector;
use crate::pending::{Pending, Purpose, Started};
use crate::settings::{Dialect, SigningKey};
use crate::verify::{StartError, check_credential_type};

/// How long a signed draft may travel. It is pushed at once; this allows for clocks that differ.
const DRAFT_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How much the gateway's clock may be behind ours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(30);

/// A credential as it is to be issued: checked here for form, by the gateway against its type.
#[derive(Clone)]
pub struct Draft {
    /// The credential's type.
    pub credential_type: String,
    /// Its claims by name, e.g. `TPR-Name`. The contract knows only texts.
    pub claims: BTreeMap<String, String>,
    /// Its serial number: our own, so that it is known before anything is in a wallet.
    pub serial_number: Uuid,
    /// When it expires. The type may set an end of its own; for a relying party of the first
    /// contract, dialect A, this is mandatory.
    pub expires_at: Option<Timestamp>,
}

/// Why a draft cannot be sent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DraftError {
    /// The name belongs to the message that carries the draft.
    #[error(
        "a claim cannot be called {0}: that name belongs to the message that carries the draft"
    )]
    ReservedClaim(String),
    /// In this dialect the draft's own end is the credential's, so there has to be one.
    #[error("a draft in this relying party's dialect has to say when the credential expires")]
    NoExpiry,
    /// There is no key to sign with.
    #[error("this relying party has no signing key, so it cannot issue")]
    NoSigningKey,
    /// The draft could not be signed.
    #[error("the draft could not be signed")]
    Signing,
}

impl Draft {
    /// A draft without claims, with a serial number of its own.
    pub fn new(credential_type: impl Into<String>) -> Self {
        Self {
            credential_type: credential_type.into(),
            claims: BTreeMap::new(),
            serial_number: Uuid::new_v4(),
            expires_at: None,
        }
    }

    /// The draft with this claim.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// The draft with this expiry.
    #[must_use]
    pub fn expires_at(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// The claims of the message that carries the draft to the gateway.
    fn message(
        &self,
        client_id: &str,
        issuer: &str,
        dialect: Dialect,
        now: Timestamp,
    ) -> Result<Map<String, Value>, DraftError> {
        const RESERVED: [&str; 10] = [
            "iss",
            "sub",
            "aud",
            "exp",
            "nbf",
            "iat",
            "jti",
            "nonce",
            "SerialNumber",
            "ExpiresAt",
        ];
        let mut message = Map::new();
        for (name, value) in &self.claims {
            if RESERVED.contains(&name.as_str()) {
                return Err(DraftError::ReservedClaim(name.clone()));
            }
            message.insert(name.clone(), Value::from(value.as_str()));
        }
        message.insert(
            "SerialNumber".to_owned(),
            Value::from(self.serial_number.to_string()),
        );
        // Public client A puts the credential's end into `exp`; everyone else means the message's
        // own there, and the credential's end travels beside it [gateway contract 3.1].
        let message_ends = match (dialect, self.expires_at) {
            (Dialect::V1A, expires_at) => expires_at.ok_or(DraftError::NoExpiry)?,
            (_, None) => now + DRAFT_LIFETIME,
            (_, Some(at)) => {
                message.insert("ExpiresAt".to_owned(), Value::from(at.to_string()));
                now + DRAFT_LIFETIME
            }
        };
        for (name, value) in [
            ("iss", json!(client_id)),
            ("aud", json!(issuer)),
            ("iat", json!(now.as_second())),
            ("nbf", json!((now - CLOCK_SKEW).as_second())),
            ("exp", json!(message_ends.as_second())),
        ] {
            message.insert(name.to_owned(), value);
        }
        Ok(message)
    }
}

/// The contract's form of the message: `HS256`, `typ` `JWT`, no key id.
fn sign(message: &Map<String, Value>, key: &SigningKey) -> Result<String, DraftError> {
    let header = ProtectedHeader::typ("JWT");
    jws::sign_hmac(key.key(), Algorithm::HS256, header, message).map_err(|_| DraftError::Signing)
}

/// Claims are about a person: only their names are printed.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("credential_type", &self.credential_type)
            .field("claims", &self.claims.keys())
            .field("serial_number", &self.serial_number)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

impl Connector {
    /// Begin putting a new credential into the employee's wallet. Keep the answer's `pending`
    /// before the browser leaves: it has the serial number.
    pub async fn issue(&self, draft: Draft) -> Result<Started, StartError> {
        check_credential_type(&draft.credential_type)?;
        let key = self
            .settings
            .signing_key
            .as_ref()
            .ok_or(DraftError::NoSigningKey)?;
        let now = self.now();
        let message = draft.message(
            &self.settings.client_id,
            &self.metadata.issuer,
            self.settings.dialect,
            now,
        )?;
        let hint = sign(&message, key)?;
        let scope = self.settings.dialect.issue_scope(&draft.credential_type);
        let purpose = Purpose::Issue {
            credential_type: draft.credential_type,
            serial_number: draft.serial_number,
        };
        let (pending, challenge) =
            Pending::new(purpose, now).map_err(|_| StartError::NoRandomness)?;
        let mut parameters = self.request_parameters(&pending, &challenge, scope);
        parameters.push(("id_token_hint", hint));
        let url = self.push(parameters).await?;
        Ok(Started { url, pending })
    }
}
