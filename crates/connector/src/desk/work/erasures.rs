//! Erasing the people who are to be erased, as soon as nothing of theirs is in force and nothing waits.

use jiff::SignedDuration;
use store::{Statement, StoreError};

use super::IN_A_ROW;
use crate::desk::{Cause, Desk, EraseError};

/// How long to wait where something stands against it: mostly a mail.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

impl Desk {
    /// True if somebody was erased.
    pub(super) async fn erase_who_is_to_be_erased(&self) -> Result<bool, StoreError> {
        let now = self.now();
        let due = Statement::new(format!(
            "SELECT employee, cause, next_at FROM connector_erasures WHERE next_at <= $1 ORDER BY next_at, wanted_at, employee LIMIT {IN_A_ROW}"
        ));
        let mut something = false;
        for row in self.0.store.read(due.bind(now)).await? {
            let employee = row.text("employee")?;
            // Whichever process is first.
            let take = Statement::new(
                "UPDATE connector_erasures SET next_at = $1 WHERE employee = $2 AND next_at = $3",
            )
            .bind(now + PAUSE)
            .bind(employee)
            .bind(row.integer("next_at")?)
            .must_change(1);
            let mut batch = vec![take];
            // What was added since is to be revoked as well.
            if let Some(cause) = row.optional_text("cause")?.and_then(Cause::parse) {
                batch.extend(self.all_revoked(employee, cause));
            }
            match self.0.store.write(batch).await {
                Ok(_) => {}
                Err(StoreError::Unmet { .. }) => continue,
                Err(error) => return Err(error),
            }
            match self.erase(employee).await {
                Ok(_) => something = true,
                Err(EraseError::Store(error)) => return Err(error),
                Err(waits) => tracing::debug!(code = waits.code(), "an erasure waits"),
            }
        }
        Ok(something)
    }
}
