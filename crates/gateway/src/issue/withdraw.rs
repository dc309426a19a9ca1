//! Taking back what an interaction has issued, when its end says so.

use jiff::Timestamp;

use crate::app::Parts;
use crate::interaction::Interaction;
use crate::status::{self, Cause};
use store::StoreError;

/// Revokes the credential of an interaction whose code was used a second time, if it issued one. Once more changes
/// nothing.
pub async fn withdraw_replayed(
    parts: &Parts,
    interaction: &Interaction,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(serial_number) = interaction.serial_number else {
        return Ok(());
    };
    let cause = Cause::CodeReplayed;
    let batch = status::revoke_by_itself(&interaction.organisation, serial_number, cause, now);
    match parts.store.write(batch).await {
        Ok(_) => {}
        // It is revoked: that is written down, and counted, once.
        Err(StoreError::Unmet { .. }) => return Ok(()),
        Err(error) => return Err(error),
    }
    tracing::warn!(
        reference = interaction.reference,
        cause = cause.code(),
        "a credential is withdrawn"
    );
    parts.metrics.revocations.add(&[cause.code()]);
    parts.lists.changed();
    Ok(())
}
