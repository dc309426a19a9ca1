//! People who may still hold a cancelled credential: revoked, and as far as is known they have not been told.

use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, StoreError};
use uuid::Uuid;

use super::backlog::{MailState, serial_number};
use super::holds::HoldReason;
use crate::desk::{Desk, Language};

/// How long a mail may take to arrive before a person looks after it.
const MAY_TAKE: SignedDuration = SignedDuration::from_hours(72);

/// A credential that is revoked and may still be in a wallet whose holder does not know. Holds no value of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MayStillHold {
    /// The host's id of the employee.
    pub employee: String,
    /// The credential's serial number.
    pub serial_number: Uuid,
    /// What pages call it.
    pub label: String,
    /// Since when it is revoked.
    pub revoked_at: Timestamp,
    /// Why the employee has not been told.
    pub why: NotTold,
}

/// Why an employee has not been told, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotTold {
    /// There was no address to write to, or no way to write.
    NoMail,
    /// The address is none, or has no mailbox.
    AddressFailed,
    /// Something else failed for good.
    GivenUp,
    /// The mail is held back.
    Held(HoldReason),
    /// Three days, and it is not known to have arrived.
    NotDelivered,
}

impl NotTold {
    /// Its code, for pages and programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoMail => "no-mail",
            Self::AddressFailed => "address-failed",
            Self::GivenUp => "given-up",
            Self::Held(_) => "held",
            Self::NotDelivered => "not-delivered",
        }
    }
}

impl Desk {
    /// Revoked, not known to be told, and not expired; the longest first, no more than a thousand. A mail that a mail
    /// server took counts as told, since by SMTP nobody learns more.
    pub async fn may_still_hold(&self) -> Result<Vec<MayStillHold>, StoreError> {
        let now = self.now();
        let select = Statement::new(
            "SELECT c.employee, c.serial_number, c.label, c.revoked_at, m.state, m.failed_at, \
                    (SELECT h.reason FROM connector_mail_holds h \
                     WHERE (h.scope = 'credential' AND h.name = c.serial_number) \
                        OR (h.scope = 'employee' AND h.name = c.employee) ORDER BY h.scope LIMIT 1) AS held \
             FROM connector_credentials c \
             JOIN connector_revocations r ON r.serial_number = c.serial_number \
             LEFT JOIN connector_mails m ON m.serial_number = c.serial_number AND m.template = 'delete-credential' \
             WHERE c.stage = 'revoked' AND r.tell = 1 AND r.told_at IS NULL \
               AND (c.expires_at IS NULL OR c.expires_at > $1) \
               AND (m.message_id IS NULL OR m.failed_at IS NOT NULL \
                    OR (c.revoked_at <= $2 AND m.state <> 'delivered' \
                        AND NOT (m.state = 'accepted' AND m.channel = 'smtp'))) \
             ORDER BY c.revoked_at, c.serial_number LIMIT 1000",
        )
        .bind(now)
        .bind(now.saturating_sub(MAY_TAKE).unwrap_or(Timestamp::MIN));
        let rows = self.0.store.read(select).await?;
        rows.iter().map(read).collect()
    }

    /// Somebody told the employee another way. True if the credential stood on the list of [`Desk::may_still_hold`] or
    /// could have come to.
    pub async fn told_another_way(&self, serial_number: Uuid) -> Result<bool, StoreError> {
        let outcomes = self.0.store.write([self.told(serial_number)]).await?;
        Ok(outcomes.iter().any(|outcome| outcome.changed > 0))
    }

    /// What [`Desk::told_another_way`] writes, for the host's own batch: it changes one row, or none.
    pub fn told(&self, serial_number: Uuid) -> Statement {
        Statement::new(
            "UPDATE connector_revocations SET told_at = $1 \
             WHERE serial_number = $2 AND done_at IS NOT NULL AND told_at IS NULL",
        )
        .bind(self.now())
        .bind(serial_number.to_string())
    }

    /// Writes to the employee again: after a failure, to the address that the host says now. False where no mail was given up,
    /// or there is no address.
    pub async fn send_mail_again(&self, serial_number: Uuid) -> Result<bool, StoreError> {
        let outcomes = self.0.store.write([self.mail_again(serial_number)]).await?;
        self.wake();
        Ok(outcomes.iter().any(|outcome| outcome.changed > 0))
    }

    /// What [`Desk::send_mail_again`] writes, for the host's own batch: it changes one row, or none.
    pub fn mail_again(&self, serial_number: Uuid) -> Statement {
        Statement::new(
            "UPDATE connector_mails SET state = 'queued', state_at = $1, failed_at = NULL, sent_at = NULL, fault = NULL, \
             look_at = NULL, bounces = 0, first_tried_at = NULL, next_at = $1, recipient = (SELECT p.email \
                FROM connector_people p JOIN connector_credentials c ON c.employee = p.employee \
                WHERE c.serial_number = connector_mails.serial_number) \
             WHERE serial_number = $2 AND failed_at IS NOT NULL AND body <> '' AND EXISTS (SELECT 1 \
                FROM connector_people p JOIN connector_credentials c ON c.employee = p.employee \
                WHERE c.serial_number = connector_mails.serial_number AND p.email IS NOT NULL)",
        )
        .bind(self.now())
        .bind(serial_number.to_string())
    }

    /// The language in which the employee wishes to be written to, for the host's own batch after [`Desk::person`].
    pub fn person_language(&self, employee: &str, language: Language) -> Statement {
        Statement::new("UPDATE connector_people SET language = $1 WHERE employee = $2")
            .bind(language.code())
            .bind(employee)
    }

    /// Whether the templates at GOV.UK Notify have the placeholders that there are values for. To be asked at the start:
    /// no mail goes out before they do.
    pub async fn check_mail(&self) -> Result<(), crate::desk::NotifyTemplateError> {
        match &self.0.mail {
            Some(room) => room.check_templates().await,
            None => Ok(()),
        }
    }
}

fn read(row: &Row) -> Result<MayStillHold, StoreError> {
    let state = row.optional_text("state")?.and_then(MailState::parse);
    let given_up = row.optional_integer("failed_at")?.is_some();
    let held = row.optional_text("held")?.and_then(HoldReason::parse);
    let why = match (state, held) {
        (None, _) => NotTold::NoMail,
        (Some(MailState::PermanentFailure), _) => NotTold::AddressFailed,
        (Some(_), _) if given_up => NotTold::GivenUp,
        (Some(MailState::Queued | MailState::TemporaryFailure), Some(reason)) => {
            NotTold::Held(reason)
        }
        (Some(_), _) => NotTold::NotDelivered,
    };
    Ok(MayStillHold {
        employee: row.text("employee")?.to_owned(),
        serial_number: serial_number(row)?,
        label: row.text("label")?.to_owned(),
        revoked_at: row.timestamp("revoked_at")?,
        why,
    })
}
