//! A person is forgotten (decision 0021). What must stay so that a credential can be revoked stays under a name that leads
//! back to nobody.

use jiff::Timestamp;
use store::{Statement, StoreError};
use uuid::Uuid;

use super::{Cause, Desk};

/// Why a person cannot be erased now. Nothing was erased.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// A credential of theirs is in force.
    #[error(
        "a credential of this person is in force: revoke it first, or have it revoked with the erasure"
    )]
    InForce,
    /// A credential of theirs may be on its way to a wallet.
    #[error("a credential of this person may be on its way to a wallet: try again in an hour")]
    OnItsWay,
    /// The gateway has not confirmed a revocation yet.
    #[error("a revocation for this person waits for the gateway: try again when it is done")]
    RevocationWaiting,
    /// A mail to them is not sent yet.
    #[error("a mail to this person is not sent yet: try again when it is sent or given up")]
    MailWaiting,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EraseError {
    pub(super) fn nth(against: i64) -> Option<Self> {
        match against {
            0 => Some(Self::InForce),
            1 => Some(Self::OnItsWay),
            2 => Some(Self::RevocationWaiting),
            3 => Some(Self::MailWaiting),
            _ => None,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InForce => "credential-in-force",
            Self::OnItsWay => "credential-on-its-way",
            Self::RevocationWaiting => "revocation-waiting",
            Self::MailWaiting => "mail-waiting",
            Self::Store(_) => "store-failed",
        }
    }
}

/// A person is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Erased {
    /// How many credentials are kept without a person, to be revoked if ever needed.
    pub credentials_kept: u64,
}

/// What stands against it, as conditions on `c`, a credential, and `r`, its revocation that is not done, if there is one.
/// `$2` is now. In the order in which they are told.
const IN_FORCE: &str = "c.stage = 'issued' AND r.serial_number IS NULL AND (c.expires_at IS NULL OR c.expires_at > $2)";
const ON_ITS_WAY: &str =
    "c.stage IN ('asked', 'checking') OR (c.stage = 'not-issued' AND r.serial_number IS NOT NULL)";
const REVOCATION_WAITING: &str = "c.stage IN ('issued', 'revoked') AND r.serial_number IS NOT NULL";
/// A mail that somebody holds back would wait for ever: it goes with the person.
const MAIL_WAITING: &str = "EXISTS (SELECT 1 FROM connector_mails m \
    WHERE m.serial_number = c.serial_number AND m.sent_at IS NULL AND m.failed_at IS NULL \
    AND NOT EXISTS (SELECT 1 FROM connector_mail_holds h \
        WHERE (h.scope = 'credential' AND h.name = m.serial_number) \
           OR (h.scope = 'employee' AND h.name = c.employee)))";

/// What stands against it, as a number: the least is told. [`EraseError::nth`] reads it.
pub(super) fn against() -> String {
    format!(
        "CASE WHEN {IN_FORCE} THEN 0 WHEN {ON_ITS_WAY} THEN 1 WHEN {REVOCATION_WAITING} THEN 2 \
         WHEN {MAIL_WAITING} THEN 3 ELSE 4 END"
    )
}

fn of_person(condition: &str) -> String {
    format!(
        "FROM connector_credentials c LEFT JOIN connector_revocations r \
         ON r.serial_number = c.serial_number AND r.done_at IS NULL \
         WHERE c.employee = $1 AND ({condition})"
    )
}

impl Desk {
    /// Erase everything personal that the desk holds of this employee. Safe to repeat; of somebody unknown there is
    /// nothing to erase.
    ///
    /// Refused as long as a credential is in force or on its way, or a revocation or a mail waits:
    /// [`Desk::revoke_and_erase`] sees to that.
    pub async fn erase(&self, employee: &str) -> Result<Erased, EraseError> {
        let now = self.now();
        if let Some(error) = self.what_stands_against_erasing(employee, now).await? {
            return Err(error);
        }
        let about = |sql: &'static str| Statement::new(sql).bind(employee);
        let nothing_stands_against = of_person(&format!(
            "({IN_FORCE}) OR {ON_ITS_WAY} OR ({REVOCATION_WAITING}) OR {MAIL_WAITING}"
        ));
        // Holds only if nothing has come up since; and whoever else erases waits here.
        let guard = Statement::new(format!(
            "INSERT INTO connector_erasures (employee, wanted_at, next_at) \
             SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($2 AS BIGINT) \
             WHERE NOT EXISTS (SELECT 1 {nothing_stands_against}) \
             ON CONFLICT (employee) DO UPDATE SET next_at = excluded.next_at"
        ))
        .bind(employee)
        .bind(now)
        .must_change(1);
        let mails = about(
            "DELETE FROM connector_mails WHERE serial_number IN \
             (SELECT serial_number FROM connector_credentials WHERE employee = $1)",
        );
        // The digest goes, too: whoever can guess what a record said could tell it by that. A credential that somebody
        // asked for in this very moment is not touched.
        let credentials = Statement::new(
            "UPDATE connector_credentials SET employee = $2, label = credential_type, digest = '' \
             WHERE employee = $1 AND stage IN ('issued', 'not-issued', 'revoked')",
        )
        .bind(employee)
        .bind(format!("erased-{}", Uuid::new_v4()));
        let batch = [
            guard,
            mails,
            about("DELETE FROM connector_journeys WHERE employee = $1"),
            about("DELETE FROM connector_identities WHERE employee = $1"),
            about("DELETE FROM connector_confirmations WHERE employee = $1"),
            credentials,
            about("DELETE FROM connector_reviews WHERE employee = $1"),
            about("DELETE FROM connector_people WHERE employee = $1"),
            about("DELETE FROM connector_erasures WHERE employee = $1"),
            about("DELETE FROM connector_mail_holds WHERE scope = 'employee' AND name = $1"),
        ];
        match self.0.store.write(batch).await {
            Ok(written) => {
                let credentials_kept = written.get(5).map_or(0, |outcome| outcome.changed);
                tracing::info!(credentials_kept, "a person was erased");
                Ok(Erased { credentials_kept })
            }
            Err(StoreError::Unmet { .. }) => Err(self
                .what_stands_against_erasing(employee, now)
                .await?
                .unwrap_or(EraseError::OnItsWay)),
            Err(error) => Err(error.into()),
        }
    }

    /// Revoke everything of this employee, tell them, and erase them when all of that is done: stored now, carried out
    /// by [`Desk::keep_working`]. Whatever they add meanwhile is revoked as well.
    pub async fn revoke_and_erase(&self, employee: &str, cause: Cause) -> Result<(), StoreError> {
        self.0
            .store
            .write(self.erasure_wanted(employee, cause))
            .await?;
        self.wake();
        Ok(())
    }

    /// What [`Desk::revoke_and_erase`] writes, for the host's own batch.
    pub fn erasure_wanted(&self, employee: &str, cause: Cause) -> Vec<Statement> {
        let now = self.now();
        let want = Statement::new(
            "INSERT INTO connector_erasures (employee, wanted_at, next_at, cause) VALUES ($1, $2, $2, $3) \
             ON CONFLICT (employee) DO UPDATE SET next_at = excluded.next_at, cause = excluded.cause",
        )
        .bind(employee)
        .bind(now)
        .bind(cause.code());
        let mut batch = self.all_revoked(employee, cause);
        batch.push(want);
        batch
    }

    async fn what_stands_against_erasing(
        &self,
        employee: &str,
        now: Timestamp,
    ) -> Result<Option<EraseError>, StoreError> {
        let select = Statement::new(format!(
            "SELECT {} AS against {} ORDER BY 1 LIMIT 1",
            against(),
            of_person("1 = 1")
        ));
        let row = self
            .0
            .store
            .read_one(select.bind(employee).bind(now))
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(EraseError::nth(row.integer("against")?))
    }
}
