//! Step 7: exactly what was confirmed goes to the gateway, for the one whose identity was verified.

use jiff::Timestamp;
use store::{Statement, StoreError};
use url::Url;
use uuid::Uuid;

use super::confirm::Confirmation;
use super::{Desk, Record, Session, StartFault};
use crate::{Draft, GatewayFault, StartError};

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
        self.issue_and_return_to(session, record, unchanged, None)
            .await
    }

    /// As [`Desk::issue`]. `return_to` is the host's word for where to go on afterwards; it comes back in
    /// [`super::Return`].
    pub async fn issue_and_return_to(
        &self,
        session: Session<'_>,
        record: &Record,
        unchanged: Statement,
        return_to: Option<&str>,
    ) -> Result<Issuing, StartFault> {
        let Some(unique_identifier) = self.unique_identifier(session).await? else {
            return Ok(Issuing::Identify);
        };
        if self
            .must_ask_about_old_copy(session.employee, &record.id)
            .await?
        {
            return Ok(Issuing::AskAboutOldCopy);
        }
        match self.confirmation(session.employee, record).await? {
            Confirmation::Given(_) => {}
            Confirmation::OfSomethingElse => return Ok(Issuing::Changed(self.now())),
            Confirmation::Missing => return Ok(Issuing::Confirm),
        }
        // Nothing is written as long as there is nobody to ask.
        let connector = self.0.gateway.connector().await?;

        let serial_number = Uuid::new_v4();
        // It is still theirs, in the batch that writes the serial number; and whoever revokes everything of theirs waits, and
        // finds the credential.
        let identified = self
            .still_identified(session, &unique_identifier)
            .must_change(1);
        let mut claims = record.claims.clone();
        claims.insert("UniqueIdentifier".to_owned(), unique_identifier);
        let draft = Draft {
            credential_type: record.credential_type.clone(),
            claims,
            serial_number,
            expires_at: record.expires_at,
        };
        let asked = self.asked(session, record, serial_number);
        let batch = [identified, unchanged.must_change(1), asked];
        match self.0.store.write(batch).await {
            Ok(_) => {}
            Err(StoreError::Unmet { statement: 0 }) => return Ok(Issuing::Identify),
            Err(StoreError::Unmet { statement: 1 }) => return Ok(Issuing::Changed(self.now())),
            Err(error) => return Err(error.into()),
        }
        let started = match connector.issue(draft).await {
            Ok(started) => started,
            Err(error) => {
                self.never_left(serial_number, &error).await?;
                return Err(error.into());
            }
        };
        self.begin_journey(session, &started.pending, return_to)
            .await?;
        Ok(Issuing::Go(started.url))
    }

    fn asked(&self, session: Session<'_>, record: &Record, serial_number: Uuid) -> Statement {
        let now = self.now();
        Statement::new(
            "INSERT INTO connector_credentials \
             (serial_number, employee, record, credential_type, label, digest, stage, started_at, stage_at, expires_at, nth) \
             VALUES ($1, $2, $3, $4, $5, $6, 'asked', $7, $8, $9, \
             (SELECT COALESCE(MAX(nth), 0) + 1 FROM connector_credentials WHERE employee = $2))",
        )
        .bind(serial_number.to_string())
        .bind(session.employee)
        .bind(&record.id)
        .bind(&record.credential_type)
        .bind(&record.label)
        .bind(record.digest())
        .bind(now)
        .bind(now)
        .bind(record.expires_at)
    }

    /// No browser was sent with the request, so no wallet can have heard of the credential, whatever the gateway took.
    async fn never_left(&self, serial_number: Uuid, why: &StartError) -> Result<(), StoreError> {
        let outcome = match why {
            StartError::Gateway(fault) if !matches!(fault, GatewayFault::Refused { .. }) => {
                "gateway-failed"
            }
            _ => "refused",
        };
        let not_issued = Statement::new(
            "UPDATE connector_credentials SET stage = 'not-issued', outcome = $1, stage_at = $2 \
             WHERE serial_number = $3 AND stage = 'asked'",
        )
        .bind(outcome)
        .bind(self.now())
        .bind(serial_number.to_string());
        self.0.store.write([not_issued]).await?;
        Ok(())
    }
}
