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
    /// `credential.issued`, `credential.not-issued` or `credential.revoked`; or `identity.review`.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credential_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    serial_number: Option<String>,
    /// Which identity somebody has to look at: the `id` of `/v1/reviews`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    review: Option<String>,
    /// What the comparison found, as codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["surname-differs", "names-similar"]))]
    why: Vec<String>,
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
    pub(super) const COLUMNS: &str = "sequence, kind, employee, record, credential_type, serial_number, reason, happened_at, review";

    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let text = |column| Ok::<_, StoreError>(row.text(column)?.to_owned());
        let kind = text("kind")?;
        let reason = row.optional_text("reason")?.map(str::to_owned);
        let (mut cause, mut outcome, mut why) = (None, None, Vec::new());
        match kind.as_str() {
            "credential.revoked" => cause = reason,
            "identity.review" => {
                let codes = reason.unwrap_or_default();
                why.extend(codes.split(' ').map(str::to_owned));
            }
            _ => outcome = reason,
        }
        let sequence = row.integer("sequence")?;
        let held =
            |column| Ok::<_, StoreError>(Some(text(column)?).filter(|text| !text.is_empty()));
        let serial_number = held("serial_number")?;
        let review = row.optional_text("review")?.map(str::to_owned);
        let about = serial_number.as_ref().or(review.as_ref());
        Ok(Self {
            id: format!("evt_{sequence}_{}", about.map_or("", String::as_str)),
            kind,
            sequence,
            timestamp: row.timestamp("happened_at")?,
            data: Data {
                employee: text("employee")?,
                record: held("record")?,
                credential_type: held("credential_type")?,
                serial_number,
                review,
                why,
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
