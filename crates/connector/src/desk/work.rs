//! What is done behind the pages: revocations, outcomes that are not known, mails.

use jiff::Timestamp;
use store::StoreError;
use uuid::Uuid;

use super::Desk;

/// What waits, for the eyes of an operator.
#[derive(Clone, Debug, Default)]
pub struct Backlog {
    /// Revocations that the gateway has not confirmed yet.
    pub revocations: Vec<WaitingRevocation>,
    /// Mails that were not accepted yet, and those that never will be.
    pub mails: Vec<WaitingMail>,
}

/// A revocation that is not done.
#[derive(Clone, Debug)]
pub struct WaitingRevocation {
    /// Of this credential.
    pub serial_number: Uuid,
    /// Since when.
    pub wanted_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed: a code, and words without personal data.
    pub fault: Option<String>,
}

/// A mail that is not sent.
#[derive(Clone, Debug)]
pub struct WaitingMail {
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// About this credential.
    pub serial_number: Uuid,
    /// Since when.
    pub written_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed.
    pub fault: Option<String>,
    /// It will not be tried again: somebody must reach the employee another way.
    pub given_up: bool,
}

impl Desk {
    /// There is new work: do not wait for the next look.
    pub fn wake(&self) {
        self.0.work.notify_one();
    }

    /// Do what is due now, once. True if something was done that may make more due.
    pub async fn work_once(&self) -> Result<bool, StoreError> {
        todo!()
    }

    /// Do what is due, for ever. A failure is logged and tried again.
    pub async fn keep_working(&self) {
        todo!()
    }

    /// What waits.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        todo!()
    }
}
