//! A new credential goes into the employee's wallet.

use anyhow::{Context as _, bail, ensure};
use connector::{Draft, Identity, Returned};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::place::{Cast, NEW_CREDENTIAL};
use super::player::Player;

/// The programme that the new credential is about.
pub(super) const PROGRAMME: &str = "Cardiology";

/// The credential that is now in the wallet.
pub(super) struct NewCredential {
    pub(super) serial_number: Uuid,
    /// The wallet's own id of it, if the wallet tells serial numbers.
    pub(super) held_as: Option<String>,
}

pub(super) async fn play(
    player: &Player,
    cast: &Cast,
    identity: &Identity,
) -> anyhow::Result<NewCredential> {
    player.script.say(
        "The employee confirms what is to go into the wallet. The relying party signs the draft of it, with \
         the unique identifier just learnt and a serial number of its own, and pushes it.",
    );
    let draft = draft(identity.unique_identifier, Timestamp::now())?;
    let serial_number = draft.serial_number;
    let started = player.connector.issue(draft).await?;
    let returned = player.succeed(started, &cast.holder, None).await?;
    let Returned::Issued(issued) = returned else {
        bail!("the gateway verified instead of issuing")
    };
    ensure!(
        issued.serial_number == serial_number,
        "the serial number is not the one of the draft"
    );

    let held = player.wallet.credentials(&cast.holder).await?;
    let wanted = serial_number.to_string();
    let found = held
        .into_iter()
        .find(|held| held.serial_number.as_deref() == Some(wanted.as_str()));
    let found = found.context("the new credential is not in the wallet")?;
    ensure!(
        found
            .status
            .as_deref()
            .is_none_or(|status| status == "valid"),
        "the wallet says that the new credential is {}",
        found.status.unwrap_or_default()
    );
    player.script.say(&format!(
        "Credential {serial_number} is in the wallet; the relying party keeps its serial number."
    ));
    Ok(NewCredential {
        serial_number,
        held_as: Some(found.id),
    })
}

/// A training programme that runs since last month, for a year.
fn draft(unique_identifier: Uuid, now: Timestamp) -> anyhow::Result<Draft> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let (begins, ends) = (today.checked_sub(1.month())?, today.checked_add(1.year())?);
    Ok(Draft::new(NEW_CREDENTIAL)
        .claim("TPR-Name", PROGRAMME)
        .claim("TPR-ProgrammeStartDate", begins.to_string())
        .claim("TPR-ProgrammeEndDate", ends.to_string())
        .claim("TPR-Origin", "NHS England")
        .claim(
            "TPR-AssurancePolicy",
            "Postgraduate doctor trainee programme assessment",
        )
        .claim(
            "TPR-AssuranceOutcome",
            "Postgraduate doctor trainee programme registration",
        )
        .claim("TPR-Provider", "NHS England")
        .claim("TPR-Verifier", "Origin")
        .claim("TPR-VerificationMethod", "Record Verification")
        .claim("TPR-Pedigree", "Authoritative")
        .claim("TPR-LastRefresh", today.to_string())
        .claim("UniqueIdentifier", unique_identifier.to_string())
        .expires_at(end_of(ends)?))
}

/// A programme's credential expires with the last second of its last day [gateway contract 4.3].
fn end_of(day: Date) -> anyhow::Result<Timestamp> {
    Ok(day.at(23, 59, 59, 0).to_zoned(TimeZone::UTC)?.timestamp())
}
