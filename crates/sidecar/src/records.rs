//! What a record says now, as far as the host has told: the sidecar's side of 'exactly what was confirmed is issued'.

use std::collections::BTreeMap;

use connector::desk::{Cause, Change, Record};
use jiff::Timestamp;
use serde::Deserialize;
use store::{Statement, StoreError};
use utoipa::ToSchema;

use crate::app::Parts;
use crate::problem::{Code, Problem};
use crate::told::text;

/// The most claims that one credential has.
const MOST_CLAIMS: usize = 200;
/// The longest value of a claim, in bytes: a photo does not come this way.
const LONGEST_CLAIM: usize = 16 * 1024;

/// A record as its credential would say it now, but for the unique identifier, which the sidecar adds.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Record)]
pub(crate) struct RecordTold {
    /// The host's id, for one record of one employee and never another.
    #[schema(example = "r-77")]
    pub(crate) id: String,
    /// The type of credential that is made of it.
    #[schema(example = "FireSafety")]
    pub(crate) credential_type: String,
    /// What pages and mails call the credential.
    #[schema(example = "Fire safety")]
    pub(crate) label: String,
    /// What the credential says.
    pub(crate) claims: BTreeMap<String, String>,
    /// When the credential ends, if not with its type.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
}

impl RecordTold {
    pub(crate) fn check(self) -> Result<Record, Problem> {
        text("record.id", &self.id)?;
        text("record.credential_type", &self.credential_type)?;
        text("record.label", &self.label)?;
        let claims = said(self.claims);
        check_claims("record.claims", &claims)?;
        Ok(Record {
            id: self.id,
            credential_type: self.credential_type,
            label: self.label,
            claims,
            expires_at: self.expires_at,
        })
    }
}

/// The claims that say something. An empty one is none, as in CSV: the same record must not say two things.
pub(crate) fn said(mut claims: BTreeMap<String, String>) -> BTreeMap<String, String> {
    claims.retain(|_, value| !value.is_empty());
    claims
}

pub(crate) fn check_claims(name: &str, claims: &BTreeMap<String, String>) -> Result<(), Problem> {
    if claims.is_empty() || claims.len() > MOST_CLAIMS {
        return Err(Problem::field(name, "it holds no claim, or more than 200"));
    }
    if claims.contains_key("UniqueIdentifier") {
        let reason = "UniqueIdentifier comes from the verified identity and is added here";
        return Err(Problem::field(name, reason));
    }
    for (claim, value) in claims {
        if value.len() > LONGEST_CLAIM || value.contains('\0') {
            let reason = format!("{claim} is longer than 16 KiB or holds a zero byte");
            return Err(Problem::field(name, &reason));
        }
    }
    Ok(())
}

impl Parts {
    /// The record says this now, and is this employee's. What was issued of it and says something else is to be revoked.
    pub(crate) async fn keep_record(&self, employee: &str, record: &Record) -> Result<(), Problem> {
        let change = [Change::says(record, Cause::Corrected)];
        let keep = Statement::new(
            "INSERT INTO sidecar_records AS known (record, employee, digest, told_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (record) DO UPDATE SET digest = excluded.digest, told_at = excluded.told_at \
             WHERE known.employee = excluded.employee",
        )
        .bind(&record.id)
        .bind(employee)
        .bind(record.digest())
        .bind(self.now())
        .must_change(1);
        let mut batch = vec![keep];
        batch.extend(self.desk.records_changed(&change));
        match self.store.write(batch).await {
            Ok(_) => {
                self.desk.wake();
                Ok(())
            }
            Err(StoreError::Unmet { statement: 0 }) => Err(Code::RecordOfSomebodyElse.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Holds only as long as the record is this employee's and says this: for the batch that writes a serial number.
    pub(crate) fn unchanged(&self, employee: &str, record: &Record) -> Statement {
        Statement::new(
            "UPDATE sidecar_records SET told_at = $1 WHERE record = $2 AND employee = $3 AND digest = $4",
        )
        .bind(self.now())
        .bind(&record.id)
        .bind(employee)
        .bind(record.digest())
    }
}
