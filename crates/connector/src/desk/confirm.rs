//! What the employee says before a credential is made: the old copy is gone, and exactly this is right.

use jiff::Timestamp;
use store::{Statement, StoreError};

use super::{Desk, Person, Record};

/// What became of the copy that is in the wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldCopy {
    /// The employee deleted it.
    Deleted,
    /// It is in no wallet any more: a lost or new phone.
    NotThere,
}

impl OldCopy {
    fn code(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::NotThere => "not-there",
        }
    }
}

/// How what was confirmed stands to what the record says.
pub(super) enum Confirmation {
    /// Exactly this was confirmed, then.
    Given(Timestamp),
    /// Something else was confirmed.
    OfSomethingElse,
    /// Nothing was, or too long ago.
    Missing,
}

impl Desk {
    /// Keep, or bring up to date, whom to write to. For the host's own batch, when the person's record changes, and at
    /// log-in.
    pub fn person(&self, person: &Person) -> Statement {
        // A mail says `Dear` and one name.
        let first_name = person.first_names.split_whitespace().next();
        Statement::new(
            "INSERT INTO connector_people (employee, first_name, email) VALUES ($1, $2, $3) \
             ON CONFLICT (employee) DO UPDATE SET first_name = excluded.first_name, email = excluded.email",
        )
        .bind(&person.employee)
        .bind(first_name.unwrap_or_default())
        .bind(person.email.as_deref())
    }

    /// Keep what the employee answered about the old copy.
    pub async fn answer_about_old_copy(
        &self,
        employee: &str,
        record: &str,
        answer: OldCopy,
    ) -> Result<(), StoreError> {
        let upsert = Statement::new(
            "INSERT INTO connector_confirmations (employee, record, old_copy, old_copy_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (employee, record) \
             DO UPDATE SET old_copy = excluded.old_copy, old_copy_at = excluded.old_copy_at",
        )
        .bind(employee)
        .bind(record)
        .bind(answer.code())
        .bind(self.now());
        self.0.store.write([upsert]).await?;
        Ok(())
    }

    /// Keep exactly what the employee saw and confirmed.
    pub async fn confirm(&self, employee: &str, record: &Record) -> Result<Timestamp, StoreError> {
        let now = self.now();
        let upsert = Statement::new(
            "INSERT INTO connector_confirmations (employee, record, snapshot, digest, confirmed_at) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (employee, record) DO UPDATE SET snapshot = excluded.snapshot, digest = excluded.digest, \
             confirmed_at = excluded.confirmed_at",
        )
        .bind(employee)
        .bind(&record.id)
        .bind(record.canonical())
        .bind(record.digest())
        .bind(now);
        self.0.store.write([upsert]).await?;
        Ok(now)
    }

    /// When exactly this was confirmed, if it was and the confirmation still counts.
    pub async fn confirmed(
        &self,
        employee: &str,
        record: &Record,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(match self.confirmation(employee, record).await? {
            Confirmation::Given(at) => Some(at),
            Confirmation::OfSomethingElse | Confirmation::Missing => None,
        })
    }

    pub(super) async fn confirmation(
        &self,
        employee: &str,
        record: &Record,
    ) -> Result<Confirmation, StoreError> {
        let select = Statement::new(
            "SELECT digest, confirmed_at FROM connector_confirmations \
             WHERE employee = $1 AND record = $2 AND confirmed_at > $3",
        )
        .bind(employee)
        .bind(&record.id)
        .bind(self.ago(self.0.options.confirmation_lasts));
        let Some(row) = self.0.store.read_one(select).await? else {
            return Ok(Confirmation::Missing);
        };
        Ok(if row.text("digest")? == record.digest() {
            Confirmation::Given(row.timestamp("confirmed_at")?)
        } else {
            Confirmation::OfSomethingElse
        })
    }

    /// Whether the employee must be asked about an old copy before this record is added (again): one is, was or may be
    /// in a wallet, and nothing was said about it since, nor was the wallet lost.
    pub async fn must_ask_about_old_copy(
        &self,
        employee: &str,
        record: &str,
    ) -> Result<bool, StoreError> {
        // The answer goes when a journey brings another copy (see `ending`); the comparison of times is for a copy
        // of which nobody came back to tell.
        let select = Statement::new(
            "SELECT c.serial_number FROM connector_credentials c \
             WHERE c.employee = $1 AND c.record = $2 AND c.stage IN ('checking', 'issued', 'revoked') \
             AND NOT EXISTS (SELECT 1 FROM connector_confirmations f \
             WHERE f.employee = c.employee AND f.record = c.record \
             AND f.old_copy_at > $3 AND f.old_copy_at >= c.started_at) \
             AND NOT EXISTS (SELECT 1 FROM connector_people p \
             WHERE p.employee = c.employee AND p.wallet_lost_at >= c.started_at) \
             LIMIT 1",
        )
        .bind(employee)
        .bind(record)
        .bind(self.ago(self.0.options.confirmation_lasts));
        Ok(self.0.store.read_one(select).await?.is_some())
    }
}
