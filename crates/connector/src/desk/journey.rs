//! A browser that is away at the gateway: one row, found again by a hash of the `state` that it brings back.
//!
//! The row holds the journey's `state`, nonce and code verifier in clear, until the journey ended. Sealing them would
//! need one more key for every host, and would protect little: a code is exchanged with the client secret, which is
//! not in the database, and a callback counts only in the session that began, of which the row has no more than a hash.
//!
//! A credential's journey keeps its `state` for as long as the credential is not settled, also when it ended: by it the
//! gateway is asked what became of it. No callback counts by then.

use aws_lc_rs::digest;
use jiff::Timestamp;
use store::{Row, Statement, StoreError};
use uuid::Uuid;

use super::{Desk, Session};
use crate::Pending;

/// SHA-256 in hexadecimal, for what is looked up and need not be read.
pub(super) fn sha256(text: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// A journey that this session's employee began.
pub(super) struct Journey {
    pub(super) state_digest: String,
    pub(super) session: String,
    pub(super) employee: String,
    pub(super) return_to: Option<String>,
    pub(super) used_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    /// `None` also where it cannot be read: then nothing can be learnt from the gateway any more.
    pub(super) pending: Option<Pending>,
    /// What it is to bring, unless it is about an identity.
    pub(super) credential: Option<Awaited>,
}

/// The credential that a journey is to bring.
#[derive(Clone)]
pub(super) struct Awaited {
    pub(super) serial_number: Uuid,
    pub(super) record: String,
    /// The employee said what became of the copy that they have.
    pub(super) old_copy_answered: bool,
}

impl Desk {
    /// Keeps what the browser's return needs, before it leaves.
    pub(super) async fn begin_journey(
        &self,
        session: Session<'_>,
        pending: &Pending,
        return_to: Option<&str>,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(pending).map_err(|_| StoreError::Rejected {
            statement: 0,
            reason: "a journey that cannot be written as JSON".to_owned(),
        })?;
        let insert = Statement::new(
            "INSERT INTO connector_journeys \
             (state_digest, session, employee, serial_number, return_to, pending, started_at, state) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(sha256(pending.state()))
        .bind(sha256(session.id))
        .bind(session.employee)
        .bind(pending.serial_number().map(|number| number.to_string()))
        .bind(return_to)
        .bind(text)
        .bind(self.now())
        .bind(pending.serial_number().map(|_| pending.state()));
        self.0.store.write([insert]).await?;
        Ok(())
    }

    /// The journey that this session's employee began with this `state`.
    pub(super) async fn find_journey(
        &self,
        session: Session<'_>,
        state: &str,
    ) -> Result<Option<Journey>, StoreError> {
        let select = Statement::new(
            "SELECT j.state_digest, j.session, j.employee, j.return_to, j.pending, j.used_at, j.ended_at, \
             c.serial_number, c.record, f.old_copy \
             FROM connector_journeys j \
             LEFT JOIN connector_credentials c ON c.serial_number = j.serial_number \
             LEFT JOIN connector_confirmations f ON f.employee = c.employee AND f.record = c.record \
             WHERE j.state_digest = $1 AND j.session = $2 AND j.employee = $3",
        )
        .bind(sha256(state))
        .bind(sha256(session.id))
        .bind(session.employee);
        let row = self.0.store.read_one(select).await?;
        row.as_ref().map(read).transpose()
    }
}

impl Journey {
    /// Takes the callback up: changes one row for one caller, and none for any other.
    pub(super) fn use_up(&self, now: Timestamp) -> Statement {
        Statement::new(
            "UPDATE connector_journeys SET used_at = $1, old_copy_answered = $3 \
             WHERE state_digest = $2 AND used_at IS NULL AND ended_at IS NULL",
        )
        .bind(now)
        .bind(&self.state_digest)
        .bind(
            self.credential
                .as_ref()
                .is_some_and(|awaited| awaited.old_copy_answered),
        )
    }

    /// Puts it back as it was before the callback. What a browser says without a code proves nothing: the wallet may
    /// be asked again from the gateway's page, and the code that then comes is this journey's.
    pub(super) fn put_back(&self) -> Statement {
        Statement::new(
            "UPDATE connector_journeys SET used_at = NULL WHERE state_digest = $1 AND ended_at IS NULL",
        )
        .bind(&self.state_digest)
    }

    /// Nobody works on it any more, and its secrets go. Changes one row, or none if somebody else ended it.
    pub(super) fn end(&self, now: Timestamp) -> Statement {
        Statement::new(
            "UPDATE connector_journeys SET ended_at = $1, pending = NULL WHERE state_digest = $2 AND ended_at IS NULL",
        )
        .bind(now)
        .bind(&self.state_digest)
    }
}

fn read(row: &Row) -> Result<Journey, StoreError> {
    let credential = match (
        row.optional_text("serial_number")?,
        row.optional_text("record")?,
    ) {
        (Some(serial_number), Some(record)) => Some(Awaited {
            serial_number: super::registry::parse_serial_number(serial_number)?,
            record: record.to_owned(),
            old_copy_answered: row.optional_text("old_copy")?.is_some(),
        }),
        _ => None,
    };
    Ok(Journey {
        state_digest: row.text("state_digest")?.to_owned(),
        session: row.text("session")?.to_owned(),
        employee: row.text("employee")?.to_owned(),
        return_to: row.optional_text("return_to")?.map(str::to_owned),
        used_at: row.optional_timestamp("used_at")?,
        ended_at: row.optional_timestamp("ended_at")?,
        pending: row
            .optional_text("pending")?
            .and_then(|text| serde_json::from_str(text).ok()),
        credential,
    })
}
