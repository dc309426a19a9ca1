//! What is out: every credential ever asked for, under its serial number.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use store::StoreError;
use uuid::Uuid;

use super::Desk;

/// A record of the host's as a credential would say it now. Debug prints no value.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The host's id of the record.
    pub id: String,
    /// The type of credential that is made of it, e.g. `FireSafety`.
    pub credential_type: String,
    /// What pages and mails call the credential, e.g. "Fire safety".
    pub label: String,
    /// What the credential says, but for the unique identifier, which the desk adds.
    pub claims: BTreeMap<String, String>,
    /// When the credential ends, if not with its type.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("credential_type", &self.credential_type)
            .field("claims", &self.claims.keys())
            .finish_non_exhaustive()
    }
}

impl Record {
    /// Everything that the credential would say, as canonical JSON: names in order, no spaces.
    pub fn canonical(&self) -> String {
        todo!()
    }

    /// SHA-256 of [`Record::canonical`], in hexadecimal: equal exactly when the credential would say the same.
    pub fn digest(&self) -> String {
        todo!()
    }
}

/// How far a credential has come, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The employee was sent to the gateway and is not back.
    Asked,
    /// The gateway gave a code, or may have, and it could not be learnt what became of it.
    Checking,
    /// The gateway said that it is in the wallet.
    Issued,
    /// It did not reach a wallet.
    NotIssued,
    /// It is revoked.
    Revoked,
}

/// A credential that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credential {
    /// By which it is revoked.
    pub serial_number: Uuid,
    /// The host's id of its record.
    pub record: String,
    /// Its type.
    pub credential_type: String,
    /// What pages call it.
    pub label: String,
    /// [`Record::digest`] of what it says.
    pub digest: String,
    /// How far it has come.
    pub stage: Stage,
    /// Why it did not reach a wallet, as a code: `declined`, `not-accepted`, `gateway-failed`, `refused`.
    pub outcome: Option<String>,
    /// When the employee was sent to the gateway.
    pub started_at: Timestamp,
    /// When its record changed after that and before it was issued, if it did.
    pub changed_at: Option<Timestamp>,
    /// When the gateway said that it is in the wallet.
    pub issued_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Why it was revoked, or is going to be.
    pub reason: Option<super::Cause>,
    /// A revocation is stored and not done yet.
    pub revoking: bool,
}

impl Desk {
    /// Everything that was ever asked for in this employee's name, the newest first.
    pub async fn credentials(&self, employee: &str) -> Result<Vec<Credential>, StoreError> {
        todo!("{employee}")
    }
}
