//! `POST /issuers/{organisation}/notification`: the wallet says what became of its credential. [VCI 11, VCI-19]
//!
//! A notification id is the serial number, sealed: it needs no storage and works as long as the credential's
//! row stands, so that a wallet that throws its credential away later still has it revoked.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use standards::base64url;
use standards::openid4vci::{NotificationErrorCode, NotificationEvent, NotificationRequest};
use uuid::Uuid;

use super::answer::Refused;
use super::credential::bearer;
use super::kept::{ATTEMPTS, Found};
use super::organisation;
use crate::app::{App, Parts};
use crate::interaction::rows::AdvanceError;
use crate::interaction::{Interaction, Refusal, Stage};
use crate::organisation::Organisation;
use crate::status::{self, Cause};
use store::{Statement, StoreError};

/// No notification id of ours is longer.
const LONGEST: usize = 256;

pub(super) async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refused> {
    let organisation = organisation(&app, &id)?;
    let token = bearer(&headers)?;
    let request =
        NotificationRequest::parse(&body).map_err(|code| refused(code, "notification-invalid"))?;
    let unknown = || {
        refused(
            NotificationErrorCode::InvalidNotificationId,
            "notification-id-unknown",
        )
    };
    let serial_number = parse(&app, organisation, &request.notification_id).ok_or_else(unknown)?;
    for _ in 0..ATTEMPTS {
        let credential = find(&app, organisation, serial_number)
            .await?
            .ok_or_else(unknown)?;
        let interaction = app.interactions.find(&credential.interaction).await?;
        // [VCI 11.1] The access token has to be the one that the credential was given for. Its five minutes do
        // not count here, and it cannot be compared any more once the interaction's secrets are wiped.
        if interaction
            .as_ref()
            .is_some_and(|interaction| interaction.wallet().is_some())
        {
            let (found, ..) = Found::find_by_token(&app, &organisation.id, token).await?;
            if found.interaction.id != credential.interaction {
                return Err(Refused::token(
                    "token-invalid",
                    "the access token is of another credential",
                ));
            }
        }
        let done = match request.event {
            NotificationEvent::CredentialAccepted => accept(&app, interaction).await?,
            NotificationEvent::CredentialDeleted | NotificationEvent::CredentialFailure => {
                credential.is_revoked
                    || withdraw(
                        &app,
                        organisation,
                        serial_number,
                        interaction,
                        request.event,
                    )
                    .await?
            }
        };
        if done {
            return Ok(StatusCode::NO_CONTENT);
        }
    }
    Err(Refused::unavailable())
}

/// The notification id of a credential.
pub(super) fn id_for(
    app: &Parts,
    organisation: &Organisation,
    serial_number: Uuid,
) -> Result<String, Refused> {
    let sealed = app
        .seal
        .seal(&place(organisation), serial_number.as_bytes());
    sealed
        .map(base64url::encode)
        .map_err(|_| Refused::unavailable())
}

fn parse(app: &Parts, organisation: &Organisation, id: &str) -> Option<Uuid> {
    if id.len() > LONGEST {
        return None;
    }
    let opened = app
        .seal
        .open(&place(organisation), &base64url::decode(id).ok()?)
        .ok()?;
    Uuid::from_slice(&opened).ok()
}

fn place(organisation: &Organisation) -> String {
    format!("notification_id/{}", organisation.id)
}

fn refused(error: NotificationErrorCode, code: &'static str) -> Refused {
    Refused::new(error.as_str(), code, error.to_string())
}

/// The row of an issued credential, as far as it is needed here.
struct Credential {
    interaction: String,
    is_revoked: bool,
}

async fn find(
    app: &Parts,
    organisation: &Organisation,
    serial_number: Uuid,
) -> Result<Option<Credential>, Refused> {
    let select = Statement::new(
        "SELECT interaction, revoked_at FROM credentials WHERE serial_number = $1 AND organisation = $2",
    );
    let select = select
        .bind(serial_number.to_string())
        .bind(organisation.id.as_str());
    let Some(row) = app.store.read_one(select).await? else {
        return Ok(None);
    };
    let is_revoked = row.optional_integer("revoked_at")?.is_some();
    Ok(Some(Credential {
        interaction: row.text("interaction")?.to_owned(),
        is_revoked,
    }))
}

/// The wallet keeps the credential. Said twice, or after the five seconds of silence, it changes nothing.
async fn accept(app: &Parts, interaction: Option<Interaction>) -> Result<bool, Refused> {
    let Some(interaction) =
        interaction.filter(|interaction| matches!(interaction.stage, Stage::Issued { .. }))
    else {
        return Ok(true);
    };
    let mut accepted = interaction.accepted(app.now())?;
    advanced(app.interactions.advance(&mut accepted, Vec::new()).await)
}

/// The wallet does not keep the credential: it is revoked and the interaction ends refused, in one batch
/// (rulings 9). If the relying party has its token already, it is revoked all the same.
async fn withdraw(
    app: &Parts,
    organisation: &Organisation,
    serial_number: Uuid,
    interaction: Option<Interaction>,
    event: NotificationEvent,
) -> Result<bool, Refused> {
    let now = app.now();
    let cause = Cause::NotKept(event.as_str());
    let revoked = status::revoke_by_itself(&organisation.id, serial_number, cause, now);
    let reference = interaction
        .as_ref()
        .map(|interaction| interaction.reference.clone());
    let open = interaction.filter(|interaction| {
        matches!(
            interaction.stage,
            Stage::Issued { .. } | Stage::Finished { .. }
        )
    });
    if let Some(interaction) = open {
        tracing::info!(reference, event = event.as_str(), "credential not kept");
        let mut ended = interaction.refused(Refusal::NotKept, now)?;
        return match app.interactions.advance(&mut ended, revoked).await {
            Ok(()) => {
                app.metrics.revocations.add(&[cause.code()]);
                app.lists.changed();
                Ok(true)
            }
            // Somebody took a step, or revoked it, in the same moment.
            Err(AdvanceError::Overtaken | AdvanceError::TurnedDown { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        };
    }
    tracing::warn!(
        reference,
        event = event.as_str(),
        "credential not kept, after the relying party was told that it was"
    );
    match app.store.write(revoked).await {
        Ok(_) => {}
        Err(StoreError::Unmet { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    app.metrics.revocations.add(&[cause.code()]);
    app.lists.changed();
    Ok(true)
}

fn advanced(result: Result<(), AdvanceError>) -> Result<bool, Refused> {
    match result {
        Ok(()) => Ok(true),
        Err(AdvanceError::Overtaken) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever was overtaken looks again: a credential that the wallet threw away does not stay in force by that.
    #[test]
    fn a_notification_is_taken_only_when_its_step_was_kept() {
        assert!(matches!(advanced(Ok(())), Ok(true)));
        assert!(matches!(advanced(Err(AdvanceError::Overtaken)), Ok(false)));
        let again = AdvanceError::TurnedDown { statement: 0 };
        assert!(advanced(Err(again)).is_err());
    }
}
