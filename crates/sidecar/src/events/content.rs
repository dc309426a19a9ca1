//! What an event says: made of its row alone, so that each attempt and the list say the same.

use jiff::Timestamp;
use serde::Serialize;
use store::{Row, StoreError};
use utoipa::ToSchema;

/// One event, as it is posted. What does not apply is left out.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct Content {
    /// The same for each repeat, and that of `webhook-id`.
    #[schema(example = "evt_42_3e1f1ad5-4b43-4a2f-8d0e-6a2f0c3b7c55")]
    pub(super) id: String,
    /// `credential.issued`, `credential.not-issued` or `credential.revoked`.
    #[serde(rename = "type")]
    kind: String,
    /// Rises by one from each event to the next: a gap is a loss.
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
    /// The host's id of whose credential it is; a pseudonym once that person was erased.
    employee: String,
    /// The host's id of the record.
    record: String,
    credential_type: String,
    serial_number: String,
    /// Why it was revoked: from the closed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "corrected")]
    cause: Option<String>,
    /// Why it did not reach a wallet, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "declined")]
    outcome: Option<String>,
}

impl Content {
    /// The columns that it is made of.
    pub(super) const COLUMNS: &str =
        "sequence, kind, employee, record, credential_type, serial_number, reason, happened_at";

    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let text = |column| Ok::<_, StoreError>(row.text(column)?.to_owned());
        let kind = text("kind")?;
        let reason = row.optional_text("reason")?.map(str::to_owned);
        let (cause, outcome) = if kind == "credential.revoked" {
            (reason, None)
        } else {
            (None, reason)
        };
        let (sequence, serial_number) = (row.integer("sequence")?, text("serial_number")?);
        Ok(Self {
            id: format!("evt_{sequence}_{serial_number}"),
            kind,
            sequence,
            timestamp: row.timestamp("happened_at")?,
            data: Data {
                employee: text("employee")?,
                record: text("record")?,
                credential_type: text("credential_type")?,
                serial_number,
                cause,
                outcome,
            },
        })
    }

    /// The body of each attempt.
    pub(super) fn to_body(&self) -> Result<String, StoreError> {
        let unwritable = |_| StoreError::Corrupt("an event cannot be written as JSON".into());
        serde_json::to_string(self).map_err(unwritable)
    }
}
