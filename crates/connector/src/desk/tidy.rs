//! What has served its time goes: journeys, sessions' identities, confirmations.

use jiff::SignedDuration;
use store::{Statement, StoreError};

use super::Desk;

/// Every table, those that refer to others first.
const TABLES: [&str; 11] = [
    "mail_holds",
    "erasures",
    "mails",
    "questions",
    "revocations",
    "credentials",
    "journeys",
    "identities",
    "reviews",
    "confirmations",
    "people",
];

impl Desk {
    /// Deletes everything that the desk knows: a sandbox begins anew.
    pub async fn forget_everything(&self) -> Result<(), StoreError> {
        let deletes = TABLES.map(|table| Statement::new(format!("DELETE FROM connector_{table}")));
        self.0.store.write(deletes).await.map(drop)
    }

    /// Deletes what nobody can need any more. What is kept for good is what was asked for and what became of it.
    pub(super) async fn tidy(&self) -> Result<(), StoreError> {
        // Twice its time: whoever settles a journey's credential when it is certainly over still finds the journey. While
        // the gateway cannot be asked, it waits.
        let journeys = Statement::new(
            "DELETE FROM connector_journeys WHERE started_at < $1 AND NOT EXISTS ( \
             SELECT 1 FROM connector_credentials c \
             WHERE c.serial_number = connector_journeys.serial_number AND c.stage IN ('asked', 'checking'))",
        )
        .bind(self.ago(self.0.options.journey_lasts * 2));
        let identities = Statement::new("DELETE FROM connector_identities WHERE expires_at < $1")
            .bind(self.now());
        let a_day_ago = self.ago(SignedDuration::from_hours(24));
        let confirmations = Statement::new(
            "DELETE FROM connector_confirmations \
             WHERE COALESCE(confirmed_at, 0) < $1 AND COALESCE(old_copy_at, 0) < $2",
        )
        .bind(a_day_ago)
        .bind(a_day_ago);
        // That there was a mail stays; whom it went to and what it said does not (SEC-40).
        let mails = Statement::new(
            "UPDATE connector_mails SET recipient = '', body = '', personalisation = '{}' WHERE body <> '' AND (sent_at < $1 OR failed_at < $2)",
        );
        let a_month_ago = self.ago(SignedDuration::from_hours(30 * 24));
        let mails = mails.bind(a_month_ago).bind(a_month_ago);
        let batch = [
            journeys,
            identities,
            self.old_reviews(),
            confirmations,
            mails,
        ];
        self.0.store.write(batch).await.map(drop)
    }
}
