//! Private halves that nobody may use any more are destroyed, whoever took the key out of use and whatever crashed in between.

use std::sync::Arc;

use store::{Store, StoreError};

use super::ring::opened;
use super::rows::{self, KeyRow};
use super::{KeyError, KeyHolder};

/// Destroys what is left of keys that were removed or found compromised. What cannot be destroyed is told in the log and tried
/// again next time: it is used for nothing in any case.
pub(crate) async fn destroy_ended(
    store: &Store,
    holder: &Arc<dyn KeyHolder>,
) -> Result<(), StoreError> {
    let rows = rows::find_all(store).await?;
    let ended: Vec<&KeyRow> = rows
        .iter()
        .filter(|row| !row.state.is_published())
        .collect();
    if ended.is_empty() {
        return Ok(());
    }
    let there = holder.names().unwrap_or_else(|error| {
        tracing::warn!(%error, "the key store does not say which keys it has");
        Vec::new()
    });
    for row in ended.into_iter().filter(|row| there.contains(&row.name)) {
        match destroy(holder, row).await {
            Ok(true) => tracing::warn!(
                kid = row.kid,
                "what was left of a key that is out of use was destroyed"
            ),
            Ok(false) => {}
            Err(error) => tracing::warn!(
                %error,
                kid = row.kid,
                "what is left of a key that is out of use could not be destroyed"
            ),
        }
    }
    Ok(())
}

/// Only the very key: another may have got its name by somebody's hand.
async fn destroy(holder: &Arc<dyn KeyHolder>, row: &KeyRow) -> Result<bool, KeyError> {
    let signer = opened(holder, &row.name).await?;
    if signer.public_jwk().kid() != Some(row.kid.as_str()) {
        return Ok(false);
    }
    holder.destroy(&row.name)?;
    Ok(true)
}
