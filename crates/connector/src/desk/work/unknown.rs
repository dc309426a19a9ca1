//! Credentials of which nobody knows whether they reached a wallet.

use store::{Statement, StoreError};

use crate::desk::{Cause, Desk};

/// Whose outcome nobody is going to learn any more: the browser never came back (`$1`: what began so long ago is over
/// at the gateway), the journey ended without an answer, or whoever waited for the answer died (`$2`).
const NOBODY_KNOWS: &str = "\
    FROM connector_credentials c \
    WHERE c.stage IN ('asked', 'checking') \
      AND ((c.stage = 'asked' AND c.stage_at <= $1) \
        OR (c.stage = 'checking' AND (c.stage_at <= $2 OR EXISTS ( \
             SELECT 1 FROM connector_journeys j \
             WHERE j.serial_number = c.serial_number AND j.ended_at IS NOT NULL)))) \
      AND NOT EXISTS (SELECT 1 FROM connector_revocations r WHERE r.serial_number = c.serial_number)";

impl Desk {
    /// What nobody knows is settled by revoking (decision 0010): the gateway's answer says which it was, and nothing
    /// is left in force that no page shows.
    pub(super) async fn want_what_is_unknown_revoked(&self) -> Result<bool, StoreError> {
        let now = self.now();
        let options = &self.0.options;
        let about = |sql: String| {
            Statement::new(sql)
                .bind(now - options.journey_lasts)
                .bind(now - options.answer_lasts)
        };
        // Looked at each second, and nearly always empty: a read costs less than a write.
        let look = about(format!("SELECT c.serial_number {NOBODY_KNOWS} LIMIT 1"));
        if self.0.store.read_one(look).await?.is_none() {
            return Ok(false);
        }
        let want = about(format!(
            "INSERT INTO connector_revocations (serial_number, reason, tell, wanted_at, attempts, next_at) \
             SELECT c.serial_number, CAST($3 AS TEXT), 1, CAST($4 AS BIGINT), 0, CAST($4 AS BIGINT) {NOBODY_KNOWS} \
             ON CONFLICT (serial_number) DO NOTHING"
        ));
        let want = want.bind(Cause::NotConfirmed.code()).bind(now);
        let wanted = self.0.store.write([want]).await?;
        Ok(wanted.iter().any(|outcome| outcome.changed > 0))
    }
}
