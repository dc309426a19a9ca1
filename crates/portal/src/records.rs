//! What is known of an employee that can become a credential.

use std::collections::BTreeMap;
use std::fmt;

use connector::desk;
use jiff::Timestamp;
use jiff::civil::Date;
use store::{Row, Statement, StoreError};

use crate::app::{Parts, can_be_kept};
use crate::credential_type::{self, CredentialType};

/// A record. Debug prints no value.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) employee: String,
    pub(crate) credential_type: &'static CredentialType,
    /// What pages call it.
    pub(crate) label: String,
    pub(crate) claims: BTreeMap<String, String>,
    /// Counts the changes: a page or a statement that knows another one is out of date.
    pub(crate) version: i64,
    pub(crate) changed_at: Timestamp,
    pub(crate) deleted_at: Option<Timestamp>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

pub(crate) const COLUMNS: &str =
    "id, employee, credential_type, label, claims, version, changed_at, deleted_at";

impl Record {
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        let unlike = |column: &str, wanted| StoreError::Column {
            column: column.to_owned(),
            wanted,
        };
        Ok(Self {
            id: row.text("id")?.to_owned(),
            employee: row.text("employee")?.to_owned(),
            credential_type: credential_type::find(row.text("credential_type")?)
                .ok_or_else(|| unlike("credential_type", "a type of this version"))?,
            label: row.text("label")?.to_owned(),
            claims: serde_json::from_str(row.text("claims")?)
                .map_err(|_| unlike("claims", "a JSON object of texts"))?,
            version: row.integer("version")?,
            changed_at: row.timestamp("changed_at")?,
            deleted_at: row.optional_timestamp("deleted_at")?,
        })
    }

    /// As the desk issues it. What is held of nothing is left out: a credential has no empty claims.
    pub(crate) fn for_desk(&self) -> desk::Record {
        let held = self
            .claims
            .iter()
            .filter(|(_, value)| !value.trim().is_empty());
        desk::Record {
            id: self.id.clone(),
            credential_type: self.credential_type.name.clone(),
            label: self.label.clone(),
            claims: held
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            expires_at: self.credential_type.expires_at(&self.claims),
        }
    }

    /// What the state of its credential depends on.
    pub(crate) fn on_file(&self) -> desk::OnFile<'_> {
        desk::OnFile {
            record: &self.id,
            is_deleted: self.deleted_at.is_some(),
            is_complete: self.credential_type.is_complete(&self.claims),
            last_day: self.credential_type.last_day(&self.claims),
            expires_at: self.credential_type.expires_at(&self.claims),
        }
    }

    /// Its last day, once that has come.
    pub(crate) fn ended_on(&self, now: Timestamp) -> Option<Date> {
        self.on_file().ended_on(now)
    }

    /// Whether a credential can be made of it as it is now.
    pub(crate) fn can_be_added(&self, now: Timestamp) -> bool {
        self.on_file().can_be_added(now)
    }

    /// Changes one row if the record is still as this one says it, and none otherwise: for the desk's own batch.
    pub(crate) fn unchanged(&self) -> Statement {
        Statement::new(
            "UPDATE portal_records SET version = version \
             WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        )
        .bind(&self.id)
        .bind(self.version)
    }

    /// Writes the claims of this one over the version that it was read as.
    pub(crate) fn update(&self, now: Timestamp) -> Statement {
        Statement::new(
            "UPDATE portal_records SET claims = $1, version = version + 1, changed_at = $2 \
             WHERE id = $3 AND version = $4 AND deleted_at IS NULL",
        )
        .bind(claims_text(&self.claims))
        .bind(now)
        .bind(&self.id)
        .bind(self.version)
        .must_change(1)
    }

    /// Deletes it, if nobody changed it meanwhile.
    pub(crate) fn delete(&self, now: Timestamp) -> Statement {
        Statement::new(
            "UPDATE portal_records SET version = version + 1, changed_at = $1, deleted_at = $1 \
             WHERE id = $2 AND version = $3 AND deleted_at IS NULL",
        )
        .bind(now)
        .bind(&self.id)
        .bind(self.version)
        .must_change(1)
    }
}

/// Claims as they are kept.
pub(crate) fn claims_text(claims: &BTreeMap<String, String>) -> String {
    let object: serde_json::Map<String, serde_json::Value> = claims
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    serde_json::Value::Object(object).to_string()
}

impl Parts {
    /// The record of this id, whoever's it is, deleted or not.
    pub(crate) async fn find_record(&self, id: &str) -> Result<Option<Record>, StoreError> {
        if !can_be_kept(id) {
            return Ok(None);
        }
        let sql = format!("SELECT {COLUMNS} FROM portal_records WHERE id = $1");
        let row = self.store.read_one(Statement::new(sql).bind(id)).await?;
        row.as_ref().map(Record::read).transpose()
    }

    /// Everything of this employee, deleted or not, in the order in which it is shown.
    pub(crate) async fn records_of(&self, employee: &str) -> Result<Vec<Record>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM portal_records WHERE employee = $1 ORDER BY place, id");
        let rows = self.store.read(Statement::new(sql).bind(employee)).await?;
        rows.iter().map(Record::read).collect()
    }
}
