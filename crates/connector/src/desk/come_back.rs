//! The browser is back from the gateway.

use store::StoreError;
use uuid::Uuid;

use super::{Desk, Person, Session, VerifyOutcome};

/// What the browser came back with. What was learnt is stored before this is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Return {
    /// An identity check ended.
    Verify {
        /// How.
        outcome: VerifyOutcome,
        /// What [`Desk::verify`] was told.
        return_to: Option<String>,
    },
    /// A credential's journey ended, or it is not known how: [`Desk::credentials`] tells.
    Issue {
        /// The host's id of the record.
        record: String,
        /// The credential's serial number.
        serial_number: Uuid,
    },
    /// The same callback is being worked on, or was cut off in the middle of it; ask [`Desk::credentials`] or
    /// [`Desk::standing`] in a moment.
    Unfinished {
        /// The record, where it is about a credential.
        record: Option<String>,
    },
    /// It belongs to no journey of this session: forged, replayed, or begun in another browser or by another employee.
    NotOurs,
}

impl Desk {
    /// Take the browser back. `query` is what stands behind the `?` of the callback's address. `person` is whom the
    /// host's record says to be logged in, now.
    pub async fn come_back(
        &self,
        session: Session<'_>,
        person: &Person,
        query: &str,
    ) -> Result<Return, StoreError> {
        let _ = (session.employee, person, query);
        todo!()
    }
}
