//! Taking back what an interaction has issued, when its end says so.

use jiff::Timestamp;

use crate::app::Parts;
use crate::interaction::Interaction;
use crate::status;
use store::StoreError;

/// Revokes the credential of an interaction, if it issued one. Once more changes nothing.
pub async fn withdraw(
    parts: &Parts,
    interaction: &Interaction,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(serial_number) = interaction.serial_number else {
        return Ok(());
    };
    tracing::warn!(reference = interaction.reference, %serial_number, reason, "a credential is withdrawn");
    let batch = status::revoke_statements(&interaction.organisation, serial_number, reason, now);
    parts.store.write(batch).await.map(drop)
}
