//! What is due behind the acts: places in the chain every second, and once a day the checkpoint and what is too old.

use std::time::Duration;

use jiff::Timestamp;

use super::{chain, checkpoint, prune};
use crate::keys::{GATEWAY, KeyPurpose};
use crate::live::Live;

/// Between two looks for entries without a place.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks for a new day, in seconds.
const DAILY: i64 = 600;

/// Does what is due, until the future is dropped.
pub(crate) async fn run(live: &Live, days: u32) {
    let mut looked: Option<Timestamp> = None;
    loop {
        let app = live.now();
        if let Err(error) = chain::round(&app.store).await {
            tracing::error!(%error, "audit entries have no place in the chain yet; the next round gives them theirs");
        }
        let now = app.now();
        if looked.is_none_or(|at| now.as_second() - at.as_second() >= DAILY) {
            looked = Some(now);
            let made = match app.keys.active(KeyPurpose::Audit, GATEWAY) {
                Ok(key) => {
                    let made = checkpoint::round(&app.store, &app.base, key.as_ref(), now).await;
                    made.map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = made {
                tracing::error!(%error, "today's checkpoint of the audit was not made; it is tried again");
            }
            match prune::round(&app.store, days, now).await {
                Ok(0) => {}
                Ok(entries) => tracing::info!(
                    entries,
                    "audit entries older than the retention period are removed"
                ),
                Err(error) => {
                    tracing::error!(%error, "old audit entries were not removed; it is tried again")
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
