//! Step 7: exactly what was confirmed goes to the gateway, for the one whose identity was verified.

use jiff::Timestamp;
use store::Statement;
use url::Url;

use super::{Desk, Record, Session, StartFault};

/// What comes of asking for a credential.
#[derive(Clone, Debug)]
pub enum Issuing {
    /// Send the browser there.
    Go(Url),
    /// A credential of this record is out: ask about the old copy first.
    AskAboutOldCopy,
    /// Nothing was confirmed, or too long ago.
    Confirm,
    /// What was confirmed is not what the record says now; it changed, as far as is known, at this time.
    Changed(Timestamp),
    /// The identity was not verified in this session.
    Identify,
}

impl Desk {
    /// Begin to put a credential of this record into the employee's wallet. `unchanged` is a statement of the host's
    /// that changes one row if the record still is as `record` says it, and none otherwise; it stands in the batch
    /// that writes the serial number, so that no change slips in between.
    pub async fn issue(
        &self,
        session: Session<'_>,
        record: &Record,
        unchanged: Statement,
    ) -> Result<Issuing, StartFault> {
        let _ = (session.employee, record, unchanged);
        todo!()
    }
}
