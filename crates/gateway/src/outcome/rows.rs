//! What the database says of an interaction without opening anything that is sealed, and of the credential that came
//! of it.

use jiff::Timestamp;

use super::PAGE;
use super::question::{By, Cursor, Question};
use crate::app::Parts;
use crate::interaction::rows::{credential_types, purpose, read_stage};
use crate::interaction::{CredentialTypes, Digest, Purpose, Stage};
use store::{Row, Statement, StoreError};

/// One interaction of the client that asks.
pub(super) struct Trace {
    pub(super) reference: String,
    pub(super) request_digest: String,
    pub(super) purpose: Purpose,
    pub(super) credential_types: CredentialTypes,
    /// What time alone has decided is decided already.
    pub(super) stage: Stage,
    pub(super) began_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) serial_number: Option<String>,
    /// When and by which cause.
    pub(super) revoked: Option<(Timestamp, String)>,
}

impl Trace {
    pub(super) fn cursor(&self) -> Cursor {
        Cursor {
            began_at: self.began_at,
            reference: self.reference.clone(),
        }
    }

    /// Since when it has been at its stage.
    pub(super) fn since(&self) -> Timestamp {
        match self.stage {
            Stage::Pushed | Stage::Waiting => self.began_at,
            Stage::Scanned { at, .. }
            | Stage::Issued { at }
            | Stage::Finished { at, .. }
            | Stage::Collected { at, .. } => at,
        }
    }
}

/// The newest first, one more than a page has.
pub(super) async fn find(
    app: &Parts,
    client_id: &str,
    question: &Question<'_>,
    now: Timestamp,
) -> Result<Vec<Trace>, StoreError> {
    let (column, value) = match &question.by {
        // These name credentials, not interactions.
        By::SerialNumbers(_) | By::InForceAfter(_) => return Ok(Vec::new()),
        By::State(state) => ("state_digest", app.seal.digest_of_chosen(client_id, state)),
        By::RequestUri(request_uri) => ("request_digest", Digest::of(request_uri).0),
        By::Reference(reference) => ("reference", reference.clone()),
    };
    // Before all there is comes the end of time.
    let (at, reference) = match &question.before {
        Some(cursor) => (cursor.began_at.as_second(), cursor.reference.as_str()),
        None => (i64::MAX, ""),
    };
    // The client is part of every condition, not a filter behind it (SEC-33).
    let sql = format!(
        "SELECT i.reference, i.request_digest, i.purpose, i.credential_type, i.stage, i.stage_at, i.outcome, \
         i.bound_to, i.released, i.serial_number, i.created_at, i.expires_at, c.revoked_at, c.revocation_cause \
         FROM interactions i LEFT JOIN credentials c ON c.serial_number = i.serial_number \
         WHERE i.client_id = $1 AND i.{column} = $2 \
         AND (i.created_at < $3 OR (i.created_at = $4 AND i.reference < $5)) \
         ORDER BY i.created_at DESC, i.reference DESC LIMIT {}",
        PAGE + 1
    );
    let select = Statement::new(sql)
        .bind(client_id)
        .bind(value)
        .bind(at)
        .bind(at)
        .bind(reference);
    let rows = app.store.read(select).await?;
    rows.iter().map(|row| read(row, now)).collect()
}

fn read(row: &Row, now: Timestamp) -> Result<Trace, StoreError> {
    let expires_at = row.timestamp("expires_at")?;
    let revoked = row.optional_timestamp("revoked_at")?.map(|at| {
        let cause = row.optional_text("revocation_cause")?;
        Ok::<_, StoreError>((at, cause.unwrap_or("unknown").to_owned()))
    });
    Ok(Trace {
        reference: row.text("reference")?.to_owned(),
        request_digest: row.text("request_digest")?.to_owned(),
        purpose: purpose(row)?,
        credential_types: credential_types(row)?,
        stage: read_stage(row)?.settled(row.boolean("released")?, expires_at, now),
        began_at: row.timestamp("created_at")?,
        expires_at,
        serial_number: row.optional_text("serial_number")?.map(str::to_owned),
        revoked: revoked.transpose()?,
    })
}
