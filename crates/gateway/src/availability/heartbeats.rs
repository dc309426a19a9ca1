//! One row for each minute and process.

use jiff::Timestamp;

use store::{Statement, Store, StoreError};

/// Writes that this process was there in the minute of `now`, and whether it could do its work. Of several beats in one
/// minute the best counts.
pub fn beat(process: &str, ready: bool, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO heartbeats (minute, process, ready) VALUES ($1, $2, $3) \
         ON CONFLICT (minute, process) DO UPDATE SET ready = CASE WHEN excluded.ready = 1 THEN 1 ELSE heartbeats.ready END",
    )
    .bind(minute_of(now))
    .bind(process)
    .bind(ready)
}

/// Minutes since 1970.
pub(super) fn minute_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

/// The time at which a minute begins.
pub(super) fn begin_of(minute: i64) -> Timestamp {
    Timestamp::from_second(minute.saturating_mul(60)).unwrap_or(Timestamp::MAX)
}

/// The first minute of which anything is known: what was before nobody can say.
pub(super) async fn first(store: &Store) -> Result<Option<i64>, StoreError> {
    let select = Statement::new("SELECT MIN(minute) AS minute FROM heartbeats");
    let row = store.read_one(select).await?;
    let minute = row.map(|row| row.optional_integer("minute")).transpose()?;
    Ok(minute.flatten())
}

/// The minutes in which a process was ready, from one (inclusive) to another (exclusive), in order.
pub(super) async fn ready(store: &Store, from: i64, to: i64) -> Result<Vec<i64>, StoreError> {
    let select = Statement::new(
        "SELECT DISTINCT minute FROM heartbeats WHERE minute >= $1 AND minute < $2 AND ready = 1 ORDER BY minute",
    );
    let rows = store.read(select.bind(from).bind(to)).await?;
    rows.iter().map(|row| row.integer("minute")).collect()
}
