//! What must not stay: personal values after their time, and credentials that nobody collected.
//!
//! A credential whose token no relying party collected has a serial number that nobody but the gateway knows.
//! Nobody could ever revoke it, so it is revoked when its interaction's time is over.

use jiff::SignedDuration;

use crate::app::App;
use crate::event;
use crate::interaction::GRACE;
use crate::interaction::overdue::{OVERDUE_AT_ONCE, Overdue};
use crate::live::Live;
use crate::status::{self, Cause};
use store::{Statement, StoreError};

/// Between two rounds.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(30);

pub(crate) async fn run(live: &Live, retention_days: u32) {
    loop {
        if let Err(error) = round(&live.now(), retention_days).await {
            tracing::error!(%error, "a retention round failed; the next one will do its work");
        }
        let app = live.now();
        if let Err(error) = app.secret_uses.write(&app.store).await {
            tracing::warn!(%error, "which client secrets were used is written down later");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

pub(crate) async fn round(app: &App, retention_days: u32) -> Result<(), StoreError> {
    let now = app.now();
    loop {
        let overdue = app.interactions.find_overdue(now - GRACE).await?;
        for one in &overdue {
            wipe(app, one).await?;
        }
        if overdue.len() < OVERDUE_AT_ONCE {
            break;
        }
    }
    let kept = SignedDuration::from_hours(24 * i64::from(retention_days));
    app.interactions.delete_before(now - kept).await?;
    let used = ["used_nonces", "used_assertions"].map(|table| {
        Statement::new(format!("DELETE FROM {table} WHERE expires_at < $1")).bind(now.as_second())
    });
    let events = event::delete_before(now - kept);
    app.store
        .write(used.into_iter().chain([events]))
        .await
        .map(drop)
}

async fn wipe(app: &App, overdue: &Overdue) -> Result<(), StoreError> {
    let now = app.now();
    let also = overdue.serial_number.map(|serial_number| {
        tracing::warn!(reference = overdue.reference, %serial_number, "a credential was never collected and is revoked");
        status::revoke_statements(&overdue.organisation, serial_number, Cause::NotCollected, now)
    });
    app.interactions
        .wipe(overdue, also.unwrap_or_default(), now)
        .await
}

pub(crate) async fn forget_everything(app: &App) -> Result<(), StoreError> {
    // The streams stay: their numbers go on.
    let tables = [
        "interactions",
        "credentials",
        "status_lists",
        "used_nonces",
        "used_assertions",
        "events",
    ];
    app.store
        .write(tables.map(|table| Statement::new(format!("DELETE FROM {table}"))))
        .await
        .map(drop)
}
