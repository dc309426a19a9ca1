//! Everything that the desk holds of one person, for that person to read [UK GDPR article 15].

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use store::{Row, Statement, StoreError};

use super::{Credential, Desk};

/// What the desk holds of one person. Secrets of journeys and hashes of sessions are not in it: they say nothing of the
/// person. Debug prints none of it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Export {
    /// The host's id.
    pub employee: String,
    /// When this was put together.
    pub exported_at: Timestamp,
    /// Whom mails are addressed to.
    pub person: Option<ExportedPerson>,
    /// Every credential ever asked for, the newest first.
    pub credentials: Vec<Credential>,
    /// What became of revoking them.
    pub revocations: Vec<ExportedRevocation>,
    /// Mails about them.
    pub mails: Vec<ExportedMail>,
    /// What the person said before credentials were made, as long as that is kept.
    pub confirmations: Vec<ExportedConfirmation>,
    /// Checks of identity, as long as they are kept.
    pub identities: Vec<ExportedIdentity>,
    /// Identities shown that somebody has to look at, or has looked at, as long as that is kept.
    pub reviews: Vec<ExportedReview>,
    /// Ways to the gateway and back, as long as they are kept.
    pub journeys: Vec<ExportedJourney>,
    /// Since when the person is to be erased.
    pub erasure_wanted_at: Option<Timestamp>,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Export(…)")
    }
}

/// Whom mails are addressed to.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportedPerson {
    /// The name of the greeting.
    pub first_name: String,
    /// The address.
    pub email: Option<String>,
    /// The language in which they wish to be written to, as a code.
    pub language: Option<String>,
    /// When they said that their wallet is lost.
    pub wallet_lost_at: Option<Timestamp>,
}

/// A revocation.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportedRevocation {
    /// Of which credential.
    pub serial_number: String,
    /// Its cause, as a code.
    pub cause: String,
    /// Since when it has been wanted.
    pub wanted_at: Timestamp,
    /// When the gateway confirmed it.
    pub done_at: Option<Timestamp>,
    /// Why the last try failed.
    pub fault: Option<String>,
}

/// A mail.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportedMail {
    /// Its Message-ID.
    pub message_id: String,
    /// About which credential.
    pub serial_number: String,
    /// To whom; empty a month after it was sent.
    pub recipient: String,
    /// What stands above it.
    pub subject: String,
    /// What it says; empty a month after it was sent.
    pub body: String,
    /// When it was written.
    pub written_at: Timestamp,
    /// How far it has come, as a code.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was accepted for delivery.
    pub sent_at: Option<Timestamp>,
    /// When it was given up.
    pub failed_at: Option<Timestamp>,
    /// Why the last try failed.
    pub fault: Option<String>,
}

/// What was said about one record.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportedConfirmation {
    /// The host's id of the record.
    pub record: String,
    /// What became of the old copy: `deleted` or `not-there`.
    pub old_copy: Option<String>,
    /// When that was said.
    pub old_copy_at: Option<Timestamp>,
    /// What was seen and confirmed.
    pub confirmed: Option<serde_json::Value>,
    /// When.
    pub confirmed_at: Option<Timestamp>,
}

/// What one log-in has seen of an identity.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportedIdentity {
    /// The unique identifier, if it was verified.
    pub unique_identifier: Option<String>,
    /// When it was.
    pub verified_at: Option<Timestamp>,
    /// How the last check ended, as a code.
    pub last_outcome: Option<String>,
    /// When it did.
    pub last_outcome_at: Option<Timestamp>,
    /// Identities shown that were not this person's.
    pub mismatches: i64,
}

/// An identity that was neither this person's for certain nor somebody else's.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportedReview {
    /// What the comparison found, as codes.
    pub why: Vec<String>,
    /// The last four characters of its unique identifier.
    pub ends_with: String,
    /// When it was first shown.
    pub first_at: Timestamp,
    /// When it was last shown.
    pub last_at: Timestamp,
    /// What was found by somebody who looked, as a code: `same` or `not-same`.
    pub decision: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

/// One way to the gateway and back.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportedJourney {
    /// The credential that it was to bring; none where it was about an identity.
    pub serial_number: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When the browser was back.
    pub used_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Desk {
    /// Everything that the desk holds of this employee, in a form that can be written as JSON. Nothing is held of
    /// somebody unknown: then all lists are empty.
    pub async fn export(&self, employee: &str) -> Result<Export, StoreError> {
        let person = self.held(
            employee,
            "first_name, email, language, wallet_lost_at FROM connector_people WHERE employee = $1",
            |row| {
                Ok(ExportedPerson {
                    first_name: text(row, "first_name")?,
                    email: optional(row, "email")?,
                    language: optional(row, "language")?,
                    wallet_lost_at: row.optional_timestamp("wallet_lost_at")?,
                })
            },
        );
        let revocations = self.held(
            employee,
            "r.serial_number, r.reason, r.wanted_at, r.done_at, r.fault FROM connector_revocations r \
             JOIN connector_credentials c ON c.serial_number = r.serial_number \
             WHERE c.employee = $1 ORDER BY r.wanted_at, r.serial_number",
            |row| {
                Ok(ExportedRevocation {
                    serial_number: text(row, "serial_number")?,
                    cause: text(row, "reason")?,
                    wanted_at: row.timestamp("wanted_at")?,
                    done_at: row.optional_timestamp("done_at")?,
                    fault: optional(row, "fault")?,
                })
            },
        );
        let mails = self.held(
            employee,
            "m.message_id, m.serial_number, m.recipient, m.subject, m.body, m.written_at, m.state, m.attempts, m.sent_at, \
             m.failed_at, m.fault FROM connector_mails m \
             JOIN connector_credentials c ON c.serial_number = m.serial_number \
             WHERE c.employee = $1 ORDER BY m.written_at, m.message_id",
            |row| {
                Ok(ExportedMail {
                    message_id: text(row, "message_id")?,
                    serial_number: text(row, "serial_number")?,
                    recipient: text(row, "recipient")?,
                    subject: text(row, "subject")?,
                    body: text(row, "body")?,
                    written_at: row.timestamp("written_at")?,
                    state: text(row, "state")?,
                    attempts: row.integer("attempts")?,
                    sent_at: row.optional_timestamp("sent_at")?,
                    failed_at: row.optional_timestamp("failed_at")?,
                    fault: optional(row, "fault")?,
                })
            },
        );
        let confirmations = self.held(
            employee,
            "record, old_copy, old_copy_at, snapshot, confirmed_at FROM connector_confirmations \
             WHERE employee = $1 ORDER BY record",
            |row| {
                let snapshot = row.optional_text("snapshot")?;
                Ok(ExportedConfirmation {
                    record: text(row, "record")?,
                    old_copy: optional(row, "old_copy")?,
                    old_copy_at: row.optional_timestamp("old_copy_at")?,
                    confirmed: snapshot.and_then(|says| serde_json::from_str(says).ok()),
                    confirmed_at: row.optional_timestamp("confirmed_at")?,
                })
            },
        );
        let identities = self.held(
            employee,
            "unique_identifier, verified_at, last_outcome, last_outcome_at, mismatches FROM connector_identities \
             WHERE employee = $1 ORDER BY last_outcome_at",
            |row| {
                Ok(ExportedIdentity {
                    unique_identifier: optional(row, "unique_identifier")?,
                    verified_at: row.optional_timestamp("verified_at")?,
                    last_outcome: optional(row, "last_outcome")?,
                    last_outcome_at: row.optional_timestamp("last_outcome_at")?,
                    mismatches: row.integer("mismatches")?,
                })
            },
        );
        let reviews = self.held(
            employee,
            "why, ends_with, first_at, last_at, decision, decided_at FROM connector_reviews \
             WHERE employee = $1 ORDER BY first_at, id",
            |row| {
                Ok(ExportedReview {
                    why: row.text("why")?.split(' ').map(str::to_owned).collect(),
                    ends_with: text(row, "ends_with")?,
                    first_at: row.timestamp("first_at")?,
                    last_at: row.timestamp("last_at")?,
                    decision: optional(row, "decision")?,
                    decided_at: row.optional_timestamp("decided_at")?,
                })
            },
        );
        let journeys = self.held(
            employee,
            "serial_number, started_at, used_at, ended_at FROM connector_journeys \
             WHERE employee = $1 ORDER BY started_at, state_digest",
            |row| {
                Ok(ExportedJourney {
                    serial_number: optional(row, "serial_number")?,
                    started_at: row.timestamp("started_at")?,
                    used_at: row.optional_timestamp("used_at")?,
                    ended_at: row.optional_timestamp("ended_at")?,
                })
            },
        );
        let erasure = self.held(
            employee,
            "wanted_at FROM connector_erasures WHERE employee = $1",
            |row| row.timestamp("wanted_at"),
        );
        Ok(Export {
            employee: employee.to_owned(),
            exported_at: self.now(),
            person: person.await?.pop(),
            credentials: self.credentials(employee).await?,
            revocations: revocations.await?,
            mails: mails.await?,
            confirmations: confirmations.await?,
            identities: identities.await?,
            reviews: reviews.await?,
            journeys: journeys.await?,
            erasure_wanted_at: erasure.await?.pop(),
        })
    }

    async fn held<T>(
        &self,
        employee: &str,
        select: &str,
        read: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let select = Statement::new(format!("SELECT {select}")).bind(employee);
        let rows = self.0.store.read(select).await?;
        rows.iter().map(read).collect()
    }
}

fn text(row: &Row, column: &str) -> Result<String, StoreError> {
    row.text(column).map(str::to_owned)
}

fn optional(row: &Row, column: &str) -> Result<Option<String>, StoreError> {
    Ok(row.optional_text(column)?.map(str::to_owned))
}
