//! The employee proves their identity.

use anyhow::{bail, ensure};
use connector::{Identity, Returned};

use super::place::Cast;
use super::player::Player;

pub(super) async fn play(player: &Player, cast: &Cast) -> anyhow::Result<Identity> {
    player.script.say(
        "The employee asks to be checked. The relying party pushes its request and sends the browser to \
         the gateway, which shows a code for the wallet. Wallet and gateway then speak to each other.",
    );
    let started = player.connector.verify(&["Identity"]).await?;
    let returned = player.succeed(started, &cast.holder, None).await?;
    let Returned::Verified(verified) = returned else {
        bail!("the gateway issued instead of verifying")
    };
    let identity = verified.identity()?;
    if let Some(record) = &cast.record {
        ensure!(
            identity.legal_first_name == record.first_names
                && identity.legal_surname == record.surname
                && identity.birth_date.to_string() == record.date_of_birth,
            "the identity is not the one that the staff record has"
        );
        ensure!(
            identity.unique_identifier.to_string() == record.unique_identifier,
            "the unique identifier is not the one that the staff record has"
        );
    }
    player
        .script
        .say("The relying party has the names, the date of birth and the unique identifier.");
    Ok(identity)
}
