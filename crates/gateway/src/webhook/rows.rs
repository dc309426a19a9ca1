//! Events and streams in the database. Of all processes one at a time delivers to a client: it holds the lease of the
//! client's stream, and gives it up or lets it run out.

use jiff::{SignedDuration, Timestamp};

use super::content::Content;
use store::{Row, Statement, Store, StoreError};

/// How long a lease lasts from the last sign of life: several times as long as one delivery may take.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// One event as it is kept.
pub(super) struct Event {
    /// How often it was tried.
    pub(super) attempts: i64,
    /// Since when it has been offered.
    pub(super) offered_at: Timestamp,
    /// `due`, `delivered` or `parked`.
    pub(super) delivery: String,
    /// What is told.
    pub(super) content: Content,
}

/// The clients for whom something is to be delivered now and nobody does.
pub(super) async fn find_due(store: &Store, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let select = Statement::new(
        "SELECT s.client_id FROM event_streams s \
         WHERE s.active = 1 AND s.due_at <= $1 AND s.leased_until <= $2 \
         AND EXISTS (SELECT 1 FROM events e WHERE e.client_id = s.client_id AND e.delivery = 'due')",
    );
    let rows = store.read(select.bind(now).bind(now)).await?;
    rows.iter()
        .map(|row| Ok(row.text("client_id")?.to_owned()))
        .collect()
}

/// The right to deliver to one client.
pub(super) struct Lease<'a> {
    pub(super) store: &'a Store,
    pub(super) client_id: &'a str,
    token: String,
}

impl<'a> Lease<'a> {
    /// Takes the lease, unless another process has it or the client has time until later.
    pub(super) async fn take(
        store: &'a Store,
        client_id: &'a str,
        token: String,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let take = Statement::new(
            "UPDATE event_streams SET lease = $1, leased_until = $2 \
             WHERE client_id = $3 AND active = 1 AND due_at <= $4 AND leased_until <= $5",
        );
        let take = take
            .bind(token.as_str())
            .bind(now + LEASE)
            .bind(client_id)
            .bind(now)
            .bind(now)
            .must_change(1);
        match store.write([take]).await {
            Ok(_) => Ok(Some(Self {
                store,
                client_id,
                token,
            })),
            Err(StoreError::Unmet { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The next event to deliver.
    pub(super) async fn next(&self) -> Result<Option<Event>, StoreError> {
        let select = events("client_id = $1 AND delivery = 'due' ORDER BY sequence LIMIT 1");
        let row = self.store.read_one(select.bind(self.client_id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes how a delivery ended, and that this process lives. False if the lease has gone to another meanwhile.
    pub(super) async fn note(
        &self,
        event: &Event,
        delivery: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let failures = if delivery == "delivered" {
            "0"
        } else {
            "failures"
        };
        let renew = Statement::new(format!(
            "UPDATE event_streams SET leased_until = $1, failures = {failures} WHERE client_id = $2 AND lease = $3"
        ));
        let note = Statement::new(
            "UPDATE events SET delivery = $1, attempts = attempts + 1 \
             WHERE client_id = $2 AND sequence = $3 AND delivery = 'due'",
        );
        let batch = [
            renew
                .bind(now + LEASE)
                .bind(self.client_id)
                .bind(self.token.as_str())
                .must_change(1),
            note.bind(delivery)
                .bind(self.client_id)
                .bind(event.content.sequence),
        ];
        match self.store.write(batch).await {
            Ok(_) => Ok(true),
            Err(StoreError::Unmet { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How many deliveries to this client have failed in a row.
    pub(super) async fn failures(&self) -> Result<i64, StoreError> {
        let select = Statement::new("SELECT failures FROM event_streams WHERE client_id = $1");
        let row = self.store.read_one(select.bind(self.client_id)).await?;
        row.map_or(Ok(0), |row| row.integer("failures"))
    }

    /// Gives the lease up. The next attempt is made at `due_at`, after that many failures.
    pub(super) async fn release(self, due_at: Timestamp, failures: i64) -> Result<(), StoreError> {
        let release = Statement::new(
            "UPDATE event_streams SET lease = NULL, leased_until = 0, due_at = $1, failures = $2 \
             WHERE client_id = $3 AND lease = $4",
        );
        let release = release
            .bind(due_at)
            .bind(failures)
            .bind(self.client_id)
            .bind(self.token.as_str());
        self.store.write([release]).await.map(drop)
    }
}

/// The events of a client after that number, the oldest first.
pub(super) async fn find_after(
    store: &Store,
    client_id: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    let select = events(&format!(
        "client_id = $1 AND sequence > $2 ORDER BY sequence LIMIT {limit}"
    ));
    let rows = store.read(select.bind(client_id).bind(after)).await?;
    rows.iter().map(read).collect()
}

/// The number of a client's newest event, whether or not it is still kept.
pub(super) async fn last_sequence(store: &Store, client_id: &str) -> Result<i64, StoreError> {
    let select = Statement::new("SELECT last_sequence FROM event_streams WHERE client_id = $1");
    let row = store.read_one(select.bind(client_id)).await?;
    row.map_or(Ok(0), |row| row.integer("last_sequence"))
}

/// Offers a client's parked events after that number anew, and what is due without waiting. How many were parked.
pub(super) async fn offer_again(
    store: &Store,
    client_id: &str,
    after: i64,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let at_once = Statement::new(
        "UPDATE event_streams SET failures = 0, due_at = $1 WHERE client_id = $2 AND due_at > $3",
    );
    let again = Statement::new(
        "UPDATE events SET delivery = 'due', offered_at = $1 \
         WHERE client_id = $2 AND sequence > $3 AND delivery = 'parked'",
    );
    let batch = [
        at_once.bind(now).bind(client_id).bind(now),
        again.bind(now).bind(client_id).bind(after),
    ];
    let outcomes = store.write(batch).await?;
    Ok(outcomes.last().map_or(0, |outcome| outcome.changed))
}

fn events(condition: &str) -> Statement {
    Statement::new(format!(
        "SELECT {}, delivery, attempts, offered_at FROM events WHERE {condition}",
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
