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

impl Desk {
    /// Keep, or bring up to date, whom to write to. For the host's own batch, when the person's record changes, and at
    /// log-in.
    pub fn person(&self, person: &Person) -> Statement {
        todo!("{person:?}")
    }

    /// Keep what the employee answered about the old copy.
    pub async fn answer_about_old_copy(
        &self,
        employee: &str,
        record: &str,
        answer: OldCopy,
    ) -> Result<(), StoreError> {
        todo!("{employee} {record} {answer:?}")
    }

    /// Keep exactly what the employee saw and confirmed.
    pub async fn confirm(&self, employee: &str, record: &Record) -> Result<Timestamp, StoreError> {
        todo!("{employee} {record:?}")
    }

    /// When exactly this was confirmed, if it was and the confirmation still counts.
    pub async fn confirmed(
        &self,
        employee: &str,
        record: &Record,
    ) -> Result<Option<Timestamp>, StoreError> {
        todo!("{employee} {record:?}")
    }

    /// Whether the employee must be asked about an old copy before this record is added (again).
    pub async fn must_ask_about_old_copy(
        &self,
        employee: &str,
        record: &str,
    ) -> Result<bool, StoreError> {
        todo!("{employee} {record}")
    }
}
