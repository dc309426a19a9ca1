//! A record changes: what was issued from it must be revoked, and what is on its way must not be left in force.

use store::Statement;

use super::{Desk, Record};

/// Why a credential is revoked: the closed list that mails and pages have words for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The record says something else now.
    Corrected,
    /// What it was about ended earlier.
    EndedEarly,
    /// It should not have been there.
    AddedInError,
    /// A newer one takes its place.
    Replaced,
    /// Nobody learnt whether it reached the wallet.
    NotConfirmed,
}

impl Desk {
    /// What follows for the credentials when the host changes a record, as statements for the host's own batch: the
    /// record and the revocations are written together or not at all. `now_says` is what the record says after the
    /// change; `None` when it is gone. A change that the credential does not show revokes nothing.
    ///
    /// After the batch is written, [`Desk::wake`] saves a moment.
    pub fn record_changed(
        &self,
        record: &str,
        now_says: Option<&Record>,
        cause: Cause,
    ) -> Vec<Statement> {
        todo!("{record} {now_says:?} {cause:?}")
    }
}
