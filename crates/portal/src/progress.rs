//! How far a record's credential is: worked out of what the record says and what the desk knows, each time anew.

use connector::desk::Credential;
use jiff::Timestamp;
use store::StoreError;

use crate::credential_state::CredentialState;
use crate::records::Record;
use crate::visit::Visit;

/// A record, and how far its credential is.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    pub(crate) record: Record,
    pub(crate) state: CredentialState,
    /// Everything that was ever asked for of this record, the newest first.
    pub(crate) credentials: Vec<Credential>,
    /// Whether a credential can be made of the record as it is now.
    pub(crate) can_be_added: bool,
}

impl Progress {
    /// Of this record at this time; nothing where there is nothing to show: a record that is deleted or that is not for
    /// the wallet, and of which no credential is or was out.
    pub(crate) fn of(record: Record, all: &[Credential], now: Timestamp) -> Option<Self> {
        Self::where_it(true, record, all, now)
    }

    /// The same, where it `applies` or not.
    fn where_it(applies: bool, record: Record, all: &[Credential], now: Timestamp) -> Option<Self> {
        let of_it = all
            .iter()
            .filter(|credential| credential.record == record.id);
        let credentials: Vec<Credential> = of_it.cloned().collect();
        // One that is not for the wallet is shown as one that is gone would be.
        let mut on_file = record.on_file();
        on_file.is_deleted |= !applies;
        let state = CredentialState::of(&on_file, &credentials, now)?;
        Some(Self {
            can_be_added: applies && record.can_be_added(now) && state != CredentialState::Checking,
            record,
            state,
            credentials,
        })
    }

    /// When a copy was added last, or may have been.
    pub(crate) fn added_at(&self) -> Option<Timestamp> {
        let mut added = self.credentials.iter().filter_map(|one| one.issued_at);
        let may_have = self.credentials.first().map(|one| one.started_at);
        added.next().or(may_have)
    }
}

impl Visit {
    /// Everything of this person's, in the order in which it is shown.
    pub(crate) async fn progress(&self) -> Result<Vec<Progress>, StoreError> {
        let records = self.app.records_of(&self.employee.id).await?;
        let credentials = self.app.desk.credentials(&self.employee.id).await?;
        let of = |record| self.progress_with(record, &credentials);
        Ok(records.into_iter().filter_map(of).collect())
    }

    /// The one of this id, if it is theirs and there is something to show.
    pub(crate) async fn progress_of(&self, id: &str) -> Result<Option<Progress>, StoreError> {
        let record = self.app.find_record(id).await?;
        let Some(record) = record.filter(|record| record.employee == self.employee.id) else {
            return Ok(None);
        };
        let credentials = self.app.desk.credentials(&self.employee.id).await?;
        Ok(self.progress_with(record, &credentials))
    }

    fn progress_with(&self, record: Record, credentials: &[Credential]) -> Option<Progress> {
        let applies = self
            .app
            .rules
            .let_through(&self.employee, &record, self.now);
        Progress::where_it(applies, record, credentials, self.now)
    }
}
