//! What is out: every credential ever asked for, under its serial number.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde_json::json;
use store::{Row, Statement, StoreError};
use uuid::Uuid;

use super::journey::sha256;
use super::{Cause, Desk};

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
        // The names stand in order here, and a `BTreeMap` keeps its own so: whichever map `serde_json` was built with.
        json!({
            "claims": self.claims,
            "credential_type": self.credential_type,
            "expires_at": self.expires_at.map(|at| at.to_string()),
        })
        .to_string()
    }

    /// SHA-256 of [`Record::canonical`], in hexadecimal: equal exactly when the credential would say the same.
    pub fn digest(&self) -> String {
        sha256(&self.canonical())
    }
}

/// How far a credential has come, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
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
    /// Why it did not reach a wallet, as a code: `declined`, `not-accepted`, `timed-out`, `gateway-failed`, `refused`;
    /// `never-came-back` and `not-in-force` where it was settled behind the pages.
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
    pub reason: Option<Cause>,
    /// A revocation is stored and not done yet.
    pub revoking: bool,
}

impl Stage {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "asked" => Self::Asked,
            "checking" => Self::Checking,
            "issued" => Self::Issued,
            "not-issued" => Self::NotIssued,
            "revoked" => Self::Revoked,
            _ => return None,
        })
    }
}

impl Desk {
    /// Everything that was ever asked for in this employee's name, the newest first.
    pub async fn credentials(&self, employee: &str) -> Result<Vec<Credential>, StoreError> {
        let select = Statement::new(
            "SELECT c.serial_number, c.record, c.credential_type, c.label, c.digest, c.stage, c.outcome, \
             c.started_at, c.changed_at, c.issued_at, c.expires_at, c.revoked_at, \
             COALESCE(r.reason, c.reason) AS reason, \
             CASE WHEN r.serial_number IS NOT NULL AND r.done_at IS NULL THEN 1 ELSE 0 END AS revoking \
             FROM connector_credentials c \
             LEFT JOIN connector_revocations r ON r.serial_number = c.serial_number \
             WHERE c.employee = $1 \
             ORDER BY c.nth DESC, c.started_at DESC",
        )
        .bind(employee);
        let rows = self.0.store.read(select).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Credential, StoreError> {
    let text = |column| row.text(column).map(str::to_owned);
    Ok(Credential {
        serial_number: parse_serial_number(row.text("serial_number")?)?,
        record: text("record")?,
        credential_type: text("credential_type")?,
        label: text("label")?,
        digest: text("digest")?,
        stage: Stage::parse(row.text("stage")?).ok_or_else(|| unlike("stage", "a stage"))?,
        outcome: row.optional_text("outcome")?.map(str::to_owned),
        started_at: row.timestamp("started_at")?,
        changed_at: row.optional_timestamp("changed_at")?,
        issued_at: row.optional_timestamp("issued_at")?,
        expires_at: row.optional_timestamp("expires_at")?,
        revoked_at: row.optional_timestamp("revoked_at")?,
        reason: row.optional_text("reason")?.map(parse_cause).transpose()?,
        revoking: row.boolean("revoking")?,
    })
}

fn parse_cause(text: &str) -> Result<Cause, StoreError> {
    Cause::parse(text).ok_or_else(|| unlike("reason", "a cause"))
}

pub(super) fn parse_serial_number(text: &str) -> Result<Uuid, StoreError> {
    Uuid::try_parse(text).map_err(|_| unlike("serial_number", "a serial number"))
}

fn unlike(column: &str, wanted: &'static str) -> StoreError {
    StoreError::Column {
        column: column.to_owned(),
        wanted,
    }
}
