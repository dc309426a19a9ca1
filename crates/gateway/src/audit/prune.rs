//! Entries do not stay for ever: after the retention period (six years unless the configuration says otherwise) they are
//! removed from the chain's beginning. The chain then begins at the *horizon*, and an entry says how far it went.

use jiff::{SignedDuration, Timestamp};
use store::{Statement, Store, StoreError};

use super::chain::{self, Kept};
use super::{Act, Actor, Entry};

/// Removes what is older than that many days; tells how many entries.
pub async fn round(store: &Store, days: u32, now: Timestamp) -> Result<u64, StoreError> {
    let before = now - SignedDuration::from_hours(24 * i64::from(days));
    let horizon = chain::horizon(store).await?;
    // Up to the first entry that must stay: an old one behind it, whose batch came late, stays with it.
    let sql = format!(
        "SELECT {} FROM audit_entries WHERE position > $1 AND position < COALESCE((SELECT MIN(position) FROM audit_entries \
         WHERE happened_at >= $2 AND position IS NOT NULL), 0) ORDER BY position DESC LIMIT 1",
        Kept::COLUMNS
    );
    let last = store
        .read_one(Statement::new(sql).bind(horizon.position).bind(before))
        .await?;
    let Some(last) = last else { return Ok(0) };
    let (position, digest) = (last.integer("position")?, last.blob("digest")?);
    let count = position - horizon.position;
    let go_on = "UPDATE audit_chain SET position = $1, digest = $2 WHERE name = 'horizon' AND position = $3";
    let go_on = Statement::new(go_on)
        .bind(position)
        .bind(digest)
        .bind(horizon.position)
        .must_change(1);
    let delete = Statement::new("DELETE FROM audit_entries WHERE position <= $1").bind(position);
    let told = Entry::new(Actor::Gateway, Act::AuditPruned, ("audit", "chain"), now)
        .number("position", position)
        .id("digest", &hex::encode(digest))
        .number("entries", count);
    match store.write([go_on, delete, told.into()]).await {
        Ok(_) => Ok(count.try_into().unwrap_or_default()),
        // Another process was first.
        Err(StoreError::Unmet { .. }) => Ok(0),
        Err(error) => Err(error),
    }
}
