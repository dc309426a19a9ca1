//! The new credential is revoked; showing it fails from then on.

use anyhow::ensure;
use connector::Revocation;

use super::issue::NewCredential;
use super::place::{Because, Cast, NEW_CREDENTIAL};
use super::player::Player;
use super::refused::without_a_code;

pub(super) async fn play(
    player: &Player,
    cast: &Cast,
    issued: &NewCredential,
) -> anyhow::Result<()> {
    player
        .script
        .say("The record behind the credential is deleted, so the relying party revokes it.");
    let revocation = Revocation::new(
        NEW_CREDENTIAL,
        issued.serial_number,
        "Source record deleted",
    );
    player.connector.revoke(&revocation).await?;

    player
        .script
        .say("Revoking is safe to repeat: a relying party that is not sure says it again.");
    player.connector.revoke(&revocation).await?;

    player
        .script
        .say("Whoever tries to show the credential now is refused.");
    let started = player
        .connector
        .verify(&[&cast.new_credential_scope])
        .await?;
    // Only our own gateway's reasons are known by name.
    let reason = cast.record.as_ref().map(|_| "credential-revoked");
    let because = Because {
        reason,
        by_gateway: true,
    };
    without_a_code(
        player,
        started,
        &cast.holder,
        issued.held_as.as_deref(),
        because,
    )
    .await?;

    let wanted = issued.serial_number.to_string();
    let held = player.wallet.credentials(&cast.holder).await?;
    let found = held
        .iter()
        .find(|held| held.serial_number.as_deref() == Some(wanted.as_str()));
    let status = found.and_then(|held| held.status.as_deref());
    ensure!(
        matches!(status, None | Some("revoked")),
        "the wallet, asking the status list, still says {}",
        status.unwrap_or_default()
    );
    Ok(())
}
