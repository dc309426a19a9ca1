//! What must not stay: personal values after their time, and credentials that nobody collected.
//!
//! A credential whose token no relying party collected has a serial number that nobody but the gateway knows.
//! Nobody could ever revoke it, so it is revoked when its interaction's time is over.

use jiff::SignedDuration;

use crate::app::App;
use crate::interaction::rows::AdvanceError;
use crate::interaction::{GRACE, Interaction, Outcome, Refusal, Stage};
use crate::status;
use crate::store::{Statement, StoreError};

/// Between two rounds.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(30);

pub(crate) async fn run(app: &App, retention_days: u32) {
    loop {
        if let Err(error) = round(app, retention_days).await {
            tracing::error!(%error, "a retention round failed; the next one will do its work");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

pub(crate) async fn round(app: &App, retention_days: u32) -> Result<(), StoreError> {
    let now = app.now();
    for interaction in app.interactions.find_overdue(now - GRACE).await? {
        match wipe(app, interaction).await {
            // Another process wiped it first.
            Ok(()) | Err(AdvanceError::Overtaken) => {}
            Err(AdvanceError::Store(error)) => return Err(error),
            Err(AdvanceError::Duplicate { .. }) => {
                tracing::error!("an interaction could not be wiped");
            }
        }
    }
    app.interactions
        .delete_before(now - SignedDuration::from_hours(24 * i64::from(retention_days)))
        .await?;
    let nonces =
        Statement::new("DELETE FROM used_nonces WHERE expires_at < $1").bind(now.as_second());
    app.store.write([nonces]).await.map(drop)
}

async fn wipe(app: &App, interaction: Interaction) -> Result<(), AdvanceError> {
    let now = app.now();
    let mut wiped = interaction.settled(now);
    let mut also = Vec::new();
    let collected = matches!(wiped.stage, Stage::Collected { .. });
    if let (Some(serial_number), false) = (wiped.serial_number, collected) {
        also = status::revoke_statements(&wiped.organisation, serial_number, "not collected", now);
        tracing::warn!(reference = wiped.reference, %serial_number, "a credential was never collected and is revoked");
        wiped.stage = Stage::Finished {
            at: now,
            outcome: Outcome::Refused(Refusal::Expired),
        };
    }
    wiped.code = None;
    wiped.private = None;
    app.interactions.advance(&mut wiped, also).await
}

pub(crate) async fn forget_everything(app: &App) -> Result<(), StoreError> {
    let tables = ["interactions", "credentials", "status_lists", "used_nonces"];
    app.store
        .write(tables.map(|table| Statement::new(format!("DELETE FROM {table}"))))
        .await
        .map(drop)
}
