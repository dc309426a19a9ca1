//! The employee shows the new credential.

use anyhow::{Context as _, bail, ensure};
use connector::Returned;

use super::issue::{NewCredential, PROGRAMME};
use super::place::{Cast, NEW_CREDENTIAL};
use super::player::Player;

pub(super) async fn play(
    player: &Player,
    cast: &Cast,
    issued: &NewCredential,
) -> anyhow::Result<()> {
    player.script.say(
        "Someone asks for the new credential, as an employer would, and the employee shows it.",
    );
    let started = player
        .connector
        .verify(&[&cast.new_credential_scope])
        .await?;
    let returned = player
        .succeed(started, &cast.holder, issued.held_as.as_deref())
        .await?;
    let Returned::Verified(verified) = returned else {
        bail!("the gateway issued instead of verifying")
    };
    let shown = verified
        .credentials
        .get(&cast.new_credential_scope)
        .with_context(|| format!("no {NEW_CREDENTIAL} credential was shown"))?;
    ensure!(
        shown.find("TPR-Name") == Some(PROGRAMME),
        "the credential shown is not the one that was issued"
    );
    if let Some(serial_number) = shown.find("SerialNumber") {
        ensure!(
            serial_number == issued.serial_number.to_string(),
            "another credential was shown"
        );
    }
    player.script.say("The gateway has checked signature, holder, time, status and issuer, and says what it says.");
    Ok(())
}
