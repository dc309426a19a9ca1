//! What waits, for the eyes of an operator.

use jiff::Timestamp;
use store::{Row, Statement, StoreError};
use uuid::Uuid;

use crate::desk::erase::against;
use crate::desk::{Desk, EraseError};

/// What waits, the oldest first; no more than a thousand of each kind.
#[derive(Clone, Debug, Default)]
pub struct Backlog {
    /// Revocations that the gateway has not confirmed yet.
    pub revocations: Vec<WaitingRevocation>,
    /// Mails that were not accepted yet, then those that never will be and whose employee is not known to be told.
    pub mails: Vec<WaitingMail>,
    /// People who are to be erased and are not yet: [`Desk::revoke_and_erase`] was asked for them.
    pub erasures: Vec<WaitingErasure>,
}

/// A person who is to be erased.
#[derive(Clone, Debug)]
pub struct WaitingErasure {
    /// The host's id of them.
    pub employee: String,
    /// Since when.
    pub wanted_at: Timestamp,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// What stands against it, as the code of an [`EraseError`]; nothing where they are erased the next time.
    pub waits_for: Option<&'static str>,
}

/// A revocation that is not done.
#[derive(Clone, Debug)]
pub struct WaitingRevocation {
    /// Of this credential.
    pub serial_number: Uuid,
    /// What pages call it.
    pub label: String,
    /// The host's id of its employee.
    pub employee: String,
    /// Since when.
    pub wanted_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// Why the last try failed: a code, a colon, and words without personal data.
    pub fault: Option<String>,
}

/// How far a mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// Written, and not accepted by anybody.
    Queued,
    /// The mail server or GOV.UK Notify took it. By SMTP no more is learnt: what cannot be delivered comes back by mail.
    Accepted,
    /// It is in the mailbox.
    Delivered,
    /// The mailbox did not take it; it is tried again unless it is given up.
    TemporaryFailure,
    /// The address does not exist: somebody must reach the employee another way.
    PermanentFailure,
    /// Something between the parties failed, and nobody tries again by themselves.
    TechnicalFailure,
}

impl MailState {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "queued" => Self::Queued,
            "accepted" => Self::Accepted,
            "delivered" => Self::Delivered,
            "temporary-failure" => Self::TemporaryFailure,
            "permanent-failure" => Self::PermanentFailure,
            "technical-failure" => Self::TechnicalFailure,
            _ => return None,
        })
    }
}

/// A mail that is not sent.
#[derive(Clone, Debug)]
pub struct WaitingMail {
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// How far it has come.
    pub state: MailState,
    /// About this credential.
    pub serial_number: Uuid,
    /// What pages call it.
    pub label: String,
    /// The host's id of its employee.
    pub employee: String,
    /// Since when.
    pub written_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// Why the last try failed: a code, a colon, and words without personal data.
    pub fault: Option<String>,
    /// It will not be tried again: somebody must reach the employee another way.
    pub given_up: bool,
}

impl Desk {
    /// What waits.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        // What did not reach a wallet as far as is known, and is only looked at once more, is nothing to wait for.
        let revocations = Statement::new(
            "SELECT r.serial_number, c.label, c.employee, r.wanted_at, r.attempts, r.next_at, r.fault \
             FROM connector_revocations r \
             JOIN connector_credentials c ON c.serial_number = r.serial_number \
             WHERE r.done_at IS NULL AND (c.stage <> 'not-issued' OR r.attempts > 0) \
             ORDER BY r.wanted_at, r.serial_number LIMIT 1000",
        );
        let mails = Statement::new(
            // Who was told another way, or holds what has expired, needs no mail that failed.
            "SELECT m.message_id, m.serial_number, c.label, c.employee, m.state, m.written_at, m.attempts, m.next_at, \
                m.fault, m.failed_at \
             FROM connector_mails m JOIN connector_credentials c ON c.serial_number = m.serial_number \
             WHERE (m.sent_at IS NULL AND m.failed_at IS NULL) \
                OR (m.failed_at IS NOT NULL AND (c.expires_at IS NULL OR c.expires_at > $1) \
                    AND NOT EXISTS (SELECT 1 FROM connector_revocations r \
                        WHERE r.serial_number = m.serial_number AND r.told_at IS NOT NULL)) \
             ORDER BY CASE WHEN m.failed_at IS NULL THEN 0 ELSE 1 END, m.written_at, m.message_id LIMIT 1000",
        )
        .bind(self.now());
        let erasures = Statement::new(format!(
            "SELECT e.employee, e.wanted_at, e.next_at, \
                (SELECT MIN({}) FROM connector_credentials c LEFT JOIN connector_revocations r \
                 ON r.serial_number = c.serial_number AND r.done_at IS NULL WHERE c.employee = e.employee) AS against \
             FROM connector_erasures e ORDER BY e.wanted_at, e.employee LIMIT $1",
            against()
        ))
        .bind(1000)
        .bind(self.now());
        let erasures = self.0.store.read(erasures).await?;
        let revocations = self.0.store.read(revocations).await?;
        let mails = self.0.store.read(mails).await?;
        Ok(Backlog {
            revocations: revocations
                .iter()
                .map(revocation)
                .collect::<Result<_, _>>()?,
            mails: mails.iter().map(mail).collect::<Result<_, _>>()?,
            erasures: erasures.iter().map(erasure).collect::<Result<_, _>>()?,
        })
    }
}

fn revocation(row: &Row) -> Result<WaitingRevocation, StoreError> {
    Ok(WaitingRevocation {
        serial_number: serial_number(row)?,
        label: row.text("label")?.to_owned(),
        employee: row.text("employee")?.to_owned(),
        wanted_at: row.timestamp("wanted_at")?,
        attempts: attempts(row)?,
        next_at: row.timestamp("next_at")?,
        fault: row.optional_text("fault")?.map(str::to_owned),
    })
}

fn erasure(row: &Row) -> Result<WaitingErasure, StoreError> {
    let against = row.optional_integer("against")?.and_then(EraseError::nth);
    Ok(WaitingErasure {
        employee: row.text("employee")?.to_owned(),
        wanted_at: row.timestamp("wanted_at")?,
        next_at: row.timestamp("next_at")?,
        waits_for: against.map(|error| error.code()),
    })
}

fn mail(row: &Row) -> Result<WaitingMail, StoreError> {
    Ok(WaitingMail {
        message_id: row.text("message_id")?.to_owned(),
        state: mail_state(row)?,
        serial_number: serial_number(row)?,
        label: row.text("label")?.to_owned(),
        employee: row.text("employee")?.to_owned(),
        written_at: row.timestamp("written_at")?,
        attempts: attempts(row)?,
        next_at: row.timestamp("next_at")?,
        fault: row.optional_text("fault")?.map(str::to_owned),
        given_up: row.optional_integer("failed_at")?.is_some(),
    })
}

pub(super) fn serial_number(row: &Row) -> Result<Uuid, StoreError> {
    Uuid::try_parse(row.text("serial_number")?).map_err(|_| StoreError::Column {
        column: "serial_number".to_owned(),
        wanted: "a serial number",
    })
}

pub(super) fn mail_state(row: &Row) -> Result<MailState, StoreError> {
    MailState::parse(row.text("state")?).ok_or_else(|| StoreError::Column {
        column: "state".to_owned(),
        wanted: "a mail's state",
    })
}

fn attempts(row: &Row) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.integer("attempts")?).unwrap_or(u32::MAX))
}
