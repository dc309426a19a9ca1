//! Many records change at once: the same rules as [`Desk::record_changed`], a few statements for hundreds of records.

use store::{Statement, Value};

use super::change::tells;
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
        // What is looked up is looked up by record, for each of the few that change: left to itself, SQLite goes through
        // all that is out, for each batch anew. `CROSS JOIN` keeps the order in which it is written there.
        // Of whom is erased nobody knows what the record said: it counts as before until the record is gone.
        let otherwise = |stage: &str| {
            format!(
                "FROM now_says CROSS JOIN connector_credentials c WHERE c.record = now_says.record AND {stage} \
                 AND (now_says.digest IS NULL OR (c.digest <> now_says.digest AND c.digest <> ''))"
            )
        };
        let on_its_way = otherwise("c.stage IN ('asked', 'checking', 'not-issued')");
        let is_out = otherwise("c.stage = 'issued'");
        // In the order of `record_changed`, for the same reason.
        vec![
            Change::statement(
                changes,
                &format!(
                    "UPDATE connector_credentials SET changed_at = $1, reason = \
                     (SELECT n.cause FROM now_says n WHERE n.record = connector_credentials.record) \
                     WHERE stage IN ('asked', 'checking', 'not-issued') AND changed_at IS NULL \
                     AND serial_number IN (SELECT c.serial_number {on_its_way})"
                ),
                now(),
            ),
            Change::statement(
                changes,
                &format!(
                    "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
                     SELECT c.serial_number, now_says.cause, {}, CAST($1 AS BIGINT), 0, CAST($1 AS BIGINT) {is_out} \
                     ON CONFLICT (serial_number) DO NOTHING",
                    tells("c.expires_at", "$1")
                ),
                now(),
            ),
        ]
    }
}
