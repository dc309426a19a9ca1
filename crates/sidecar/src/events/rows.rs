//! Events and their stream in the database. Of all processes one at a time delivers: it holds the lease, and gives it up or
//! lets it run out.

use jiff::{SignedDuration, Timestamp};
use store::{Row, Statement, StoreError};

use super::content::Content;
use crate::app::Parts;

/// How long a lease lasts from the last sign of life: several times as long as one delivery may take.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long events are kept after they were taken.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One event as it is kept.
pub(super) struct Event {
    pub(super) attempts: i64,
    /// Since when it has been offered.
    pub(super) offered_at: Timestamp,
    /// `due`, `delivered` or `parked`.
    pub(super) delivery: String,
    pub(super) content: Content,
}

/// The right to deliver.
pub(super) struct Lease<'a> {
    app: &'a Parts,
    token: String,
}

impl<'a> Lease<'a> {
    /// Takes the lease, unless nothing is due or another process has it.
    pub(super) async fn take(app: &'a Parts, token: String) -> Result<Option<Self>, StoreError> {
        let now = app.now();
        // Looked at twice a second, and nearly always nothing: a read costs less than a write.
        let look = Statement::new(
            "SELECT id FROM sidecar_stream WHERE due_at <= $1 AND leased_until <= $1 \
             AND EXISTS (SELECT 1 FROM sidecar_events WHERE delivery = 'due')",
        );
        if app.store.read_one(look.bind(now)).await?.is_none() {
            return Ok(None);
        }
        let take = Statement::new(
            "UPDATE sidecar_stream SET lease = $1, leased_until = $2 \
             WHERE id = 1 AND due_at <= $3 AND leased_until <= $3",
        )
        .bind(token.as_str())
        .bind(app.ahead(LEASE))
        .bind(now)
        .must_change(1);
        match app.store.write([take]).await {
            Ok(_) => Ok(Some(Self { app, token })),
            Err(StoreError::Unmet { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The next event to deliver.
    pub(super) async fn next(&self) -> Result<Option<Event>, StoreError> {
        let select = events("delivery = 'due' ORDER BY sequence LIMIT 1");
        let row = self.app.store.read_one(select).await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes how a delivery ended, and that this process lives: how many have failed in a row, or `None` if the lease has
    /// gone to another meanwhile.
    pub(super) async fn note(
        &self,
        event: &Event,
        delivery: &str,
        taken: bool,
    ) -> Result<Option<i64>, StoreError> {
        let renew = Statement::new(
            "UPDATE sidecar_stream SET leased_until = $1, failures = CASE WHEN $2 = 1 THEN 0 ELSE failures + 1 END \
             WHERE id = 1 AND lease = $3 RETURNING failures",
        )
        .bind(self.app.ahead(LEASE))
        .bind(taken)
        .bind(self.token.as_str())
        .must_change(1);
        let note = Statement::new(
            "UPDATE sidecar_events SET delivery = $1, attempts = attempts + 1 WHERE sequence = $2 AND delivery = 'due'",
        )
        .bind(delivery)
        .bind(event.content.sequence);
        match self.app.store.write([renew, note]).await {
            Ok(outcomes) => {
                let row = outcomes.first().and_then(|outcome| outcome.rows.first());
                row.map(|row| row.integer("failures")).transpose()
            }
            Err(StoreError::Unmet { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives the lease up. The next attempt is made at `due_at`.
    pub(super) async fn release(self, due_at: Timestamp) -> Result<(), StoreError> {
        let release = Statement::new(
            "UPDATE sidecar_stream SET lease = NULL, leased_until = 0, due_at = $1 WHERE id = 1 AND lease = $2",
        );
        let release = release.bind(due_at).bind(self.token.as_str());
        self.app.store.write([release]).await.map(drop)
    }
}

impl Parts {
    /// The events after that number, the oldest first.
    pub(super) async fn events_after(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let select = events(&format!("sequence > $1 ORDER BY sequence LIMIT {limit}"));
        let rows = self.store.read(select.bind(after)).await?;
        rows.iter().map(read).collect()
    }

    /// The events about an employee, the oldest first. Those of whoever was erased are nobody's.
    pub(crate) async fn events_of(&self, employee: &str) -> Result<Vec<Content>, StoreError> {
        let select = events("employee = $1 AND employee <> 'erased' ORDER BY sequence");
        let rows = self.store.read(select.bind(employee)).await?;
        rows.iter().map(Content::read).collect()
    }

    /// The number of the newest event, whether or not it is still kept.
    pub(super) async fn last_sequence(&self) -> Result<i64, StoreError> {
        let select = Statement::new("SELECT last_sequence FROM sidecar_stream WHERE id = 1");
        let row = self.store.read_one(select).await?;
        row.map_or(Ok(0), |row| row.integer("last_sequence"))
    }

    /// Offers parked events after that number anew, and what is due without waiting. How many were parked.
    pub(super) async fn offer_again(&self, after: i64) -> Result<u64, StoreError> {
        let now = self.now();
        let at_once =
            Statement::new("UPDATE sidecar_stream SET failures = 0, due_at = $1 WHERE id = 1");
        let again = Statement::new(
            "UPDATE sidecar_events SET delivery = 'due', offered_at = $1 WHERE sequence > $2 AND delivery = 'parked'",
        );
        let batch = [at_once.bind(now), again.bind(now).bind(after)];
        let outcomes = self.store.write(batch).await?;
        Ok(outcomes.last().map_or(0, |outcome| outcome.changed))
    }

    /// Deletes what has served its time.
    pub(crate) fn old_events(&self) -> Statement {
        // Where nobody is told, nothing waits to be taken.
        let waits = if self.webhook.is_some() {
            " AND delivery <> 'due'"
        } else {
            ""
        };
        Statement::new(format!(
            "DELETE FROM sidecar_events WHERE offered_at < $1{waits}"
        ))
        .bind(self.ago(KEPT))
    }
}

fn events(condition: &str) -> Statement {
    Statement::new(format!(
        "SELECT {}, delivery, attempts, offered_at FROM sidecar_events WHERE {condition}",
        Content::COLUMNS
    ))
}

fn read(row: &Row) -> Result<Event, StoreError> {
    Ok(Event {
        content: Content::read(row)?,
        attempts: row.integer("attempts")?,
        offered_at: row.timestamp("offered_at")?,
        delivery: row.text("delivery")?.to_owned(),
    })
}
