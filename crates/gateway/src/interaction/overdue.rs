//! What time alone has decided, made durable although nobody loads a page: a wallet that said nothing has kept its
//! credential, and what ended long ago is wiped.
//!
//! Nothing sealed is opened here: what cannot be read must end all the same.

use jiff::Timestamp;
use uuid::Uuid;

use super::news::Told;
use super::rows::{Interactions, purpose, read_stage, serial_number};
use super::{NOTIFICATION_WAIT, Outcome, Purpose, Refusal, Stage};
use crate::event;
use store::{Row, Statement, StoreError};

/// How many overdue interactions are read at once.
pub const OVERDUE_AT_ONCE: usize = 500;

/// An interaction whose time is over.
pub struct Overdue {
    /// The page's address.
    pub id: String,
    version: i64,
    /// Whose it is.
    pub organisation: String,
    pub(super) client_id: String,
    pub(super) purpose: Purpose,
    credential_type: String,
    request_digest: String,
    pub(super) stage: Stage,
    released: bool,
    expires_at: Timestamp,
    /// What its page showed.
    pub reference: String,
    /// The credential that left the gateway, if one did.
    pub serial_number: Option<Uuid>,
    vouched: bool,
    wallet_came: bool,
}

const COLUMNS: &str = "id, version, organisation, client_id, purpose, credential_type, reference, request_digest, \
    stage, stage_at, outcome, bound_to, released, expires_at, serial_number, vouched, wallet_came";

impl Interactions {
    /// Those whose time is over and that still hold personal values, the oldest first, at most
    /// [`OVERDUE_AT_ONCE`].
    pub async fn find_overdue(&self, before: Timestamp) -> Result<Vec<Overdue>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM interactions \
             WHERE expires_at < $1 AND sealed IS NOT NULL ORDER BY expires_at LIMIT {OVERDUE_AT_ONCE}"
        );
        self.overdue(Statement::new(sql).bind(before.as_second()))
            .await
    }

    /// Ends an overdue interaction and wipes its personal values, together with `also`; `counts` come last, since every
    /// process changes their rows. A token collected at the same moment wins: then nothing is done, and the answer is false.
    pub async fn wipe(
        &self,
        overdue: &Overdue,
        also: Vec<Statement>,
        counts: Vec<Statement>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Whoever was verified, or refused, stays so. A credential that nobody collected does not.
        let settled = overdue
            .stage
            .settled(overdue.released, overdue.expires_at, now);
        let ended = match settled.outcome() {
            Some(outcome @ (Outcome::Verified | Outcome::Refused(_))) => outcome,
            _ => Outcome::Refused(Refusal::Expired),
        };
        let wipe = Statement::new(
            "UPDATE interactions SET version = version + 1, stage_at = $1, released = 1, code_digest = NULL, \
             response_digest = NULL, short_code = NULL, sealed = NULL, outcome = $2, stage = 'finished' \
             WHERE id = $3 AND version = $4",
        );
        let wipe = wipe
            .bind(now.as_second())
            .bind(ended.name())
            .bind(overdue.id.as_str())
            .bind(overdue.version)
            .must_change(1);
        let news = self.news(&overdue.told(), Some(ended), now);
        let batch = std::iter::once(wipe).chain(also).chain(news);
        let is_ended = self.end(batch.chain(counts)).await?;
        if is_ended {
            self.count_wiped(overdue, settled.outcome(), ended);
        }
        Ok(is_ended)
    }

    /// Ends those whose wallet had five seconds to say that it did not keep its credential, and did not
    /// ([`Stage::settled`], rulings 9).
    pub async fn settle(&self, now: Timestamp) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM interactions WHERE stage = 'issued' AND stage_at <= $1 \
             ORDER BY stage_at LIMIT {OVERDUE_AT_ONCE}"
        );
        let before = now - NOTIFICATION_WAIT;
        let silent = self
            .overdue(Statement::new(sql).bind(before.as_second()))
            .await?;
        for one in &silent {
            let Stage::Issued { at } = one.stage else {
                continue;
            };
            let settle = Statement::new(
                "UPDATE interactions SET version = version + 1, stage = 'finished', outcome = 'issued', \
                 stage_at = $1 WHERE id = $2 AND version = $3",
            );
            let at = at + NOTIFICATION_WAIT;
            let settle = settle
                .bind(at.as_second())
                .bind(one.id.as_str())
                .bind(one.version)
                .must_change(1);
            let news = self.news(&one.told(), Some(Outcome::Issued), at);
            if self.end(std::iter::once(settle).chain(news)).await? {
                self.count_ended(one, Outcome::Issued);
            }
        }
        Ok(())
    }

    /// Whether it ended so: whoever took a step at the same moment was quicker, and that step counts.
    async fn end(&self, batch: impl Iterator<Item = Statement>) -> Result<bool, StoreError> {
        match self.store.write(batch).await {
            Ok(_) => Ok(true),
            Err(StoreError::Unmet { statement: 0 }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A row that cannot be read, since somebody changed it by hand, holds up none of the others.
    async fn overdue(&self, select: Statement) -> Result<Vec<Overdue>, StoreError> {
        let rows = self.store.read(select).await?;
        let read = |row| {
            read(row)
                .inspect_err(|error| tracing::error!(%error, "an interaction cannot be read and is left as it is"))
                .ok()
        };
        Ok(rows.iter().filter_map(read).collect())
    }
}

impl Overdue {
    fn told(&self) -> Told<'_> {
        Told {
            step: (&self.id, self.version),
            before: self.stage.outcome(),
            concerns: self.vouched || self.wallet_came,
            about: event::About {
                client_id: &self.client_id,
                purpose: self.purpose.name(),
                credential_types: self.credential_type.clone(),
                reference: &self.reference,
                request_digest: &self.request_digest,
                serial_number: self.serial_number,
            },
        }
    }
}

fn read(row: &Row) -> Result<Overdue, StoreError> {
    Ok(Overdue {
        id: row.text("id")?.to_owned(),
        version: row.integer("version")?,
        organisation: row.text("organisation")?.to_owned(),
        client_id: row.text("client_id")?.to_owned(),
        purpose: purpose(row)?,
        credential_type: row.text("credential_type")?.to_owned(),
        request_digest: row.text("request_digest")?.to_owned(),
        stage: read_stage(row)?,
        released: row.boolean("released")?,
        expires_at: row.timestamp("expires_at")?,
        reference: row.text("reference")?.to_owned(),
        serial_number: serial_number(row)?,
        vouched: row.boolean("vouched")?,
        wallet_came: row.boolean("wallet_came")?,
    })
}
