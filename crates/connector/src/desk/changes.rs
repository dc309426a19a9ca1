//! Many records change at once: the same rules as [`Desk::record_changed`], a few statements for hundreds of records.

use store::{Statement, Value};

use super::{Cause, Desk, Record};

/// The most changes in one batch: each binds four values, and both engines take far more than that.
pub const MOST_CHANGES: usize = 1000;

/// What a record says now.
#[derive(Clone, Debug)]
pub struct Change {
    /// The host's id of the record.
    pub record: String,
    /// [`Record::digest`] of what it says now; `None` when it is gone.
    pub digest: Option<String>,
    /// Why what it said before is to be revoked.
    pub cause: Cause,
}

impl Change {
    /// The record says this now.
    #[must_use]
    pub fn says(record: &Record, cause: Cause) -> Self {
        Self {
            record: record.id.clone(),
            digest: Some(record.digest()),
            cause,
        }
    }

    /// The record is gone.
    #[must_use]
    pub fn gone(record: impl Into<String>, cause: Cause) -> Self {
        Self {
            record: record.into(),
            digest: None,
            cause,
        }
    }

    /// A statement that begins with the table `now_says (record, digest, cause)`: what the records say now. `sql` may
    /// name it, and binds `values` from `$1` on. A host that keeps a table of its records brings it up to date with
    /// one of these, in the batch of [`Desk::records_changed`]. Empty changes are no table: ask for none.
    #[must_use]
    pub fn statement(changes: &[Self], sql: &str, values: Vec<Value>) -> Statement {
        let first = values.len() + 1;
        let row = |nth: usize| {
            let at = first + nth * 3;
            let (record, digest, cause) = (at, at + 1, at + 2);
            format!("(CAST(${record} AS TEXT), CAST(${digest} AS TEXT), CAST(${cause} AS TEXT))")
        };
        let rows = (0..changes.len()).map(row).collect::<Vec<_>>().join(", ");
        let mut statement = Statement::new(format!(
            "WITH now_says (record, digest, cause) AS (VALUES {rows}) {sql}"
        ));
        for value in values {
            statement = statement.bind(value);
        }
        for change in changes {
            statement = statement
                .bind(&change.record)
                .bind(change.digest.as_ref())
                .bind(change.cause.code());
        }
        statement
    }
}

impl Desk {
    /// What follows for the credentials when the host changes these records, as statements for the host's own batch. The
    /// second one's outcome says how many revocations are wanted now. Each record stands in `changes` once; at most
    /// [`MOST_CHANGES`] of them, and not none.
    pub fn records_changed(&self, changes: &[Change]) -> Vec<Statement> {
        let now = || vec![Value::from(self.now())];
        // Of whom is erased nobody knows what the record said: it counts as before until the record is gone.
        // In the order of `record_changed`, for the same reason. That the second one's stage is an expression keeps SQLite
        // from making an index of its own over all that is out, for each batch anew, in the place of the one by record.
        vec![
            Change::statement(
                changes,
                "UPDATE connector_credentials SET changed_at = $1, reason = now_says.cause FROM now_says \
                 WHERE connector_credentials.record = now_says.record \
                 AND connector_credentials.stage IN ('asked', 'checking', 'not-issued') \
                 AND connector_credentials.changed_at IS NULL \
                 AND (now_says.digest IS NULL \
                 OR (connector_credentials.digest <> now_says.digest AND connector_credentials.digest <> ''))",
                now(),
            ),
            Change::statement(
                changes,
                "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
                 SELECT c.serial_number, now_says.cause, 1, CAST($1 AS BIGINT), 0, CAST($1 AS BIGINT) \
                 FROM now_says JOIN connector_credentials c ON c.record = now_says.record \
                 WHERE c.stage || '' = 'issued' AND (now_says.digest IS NULL \
                 OR (c.digest <> now_says.digest AND c.digest <> '')) \
                 ON CONFLICT (serial_number) DO NOTHING",
                now(),
            ),
        ]
    }
}
