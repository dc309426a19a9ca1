//! What a callback must bring, in the database: whichever process it reaches, and whether or not the call that made the
//! request has been answered yet.

use jiff::Timestamp;
use store::{Statement, Store, StoreError};

use crate::interaction::{Digest, Interaction};

/// A request that was made.
pub(super) struct Made {
    /// The digest of its state, which names it.
    pub(super) state: Digest,
    /// The digest of its callback key.
    pub(super) key: Digest,
    /// Whose it is.
    pub(super) organisation: String,
    /// The interaction that it is for.
    pub(super) interaction: String,
    /// The interaction's link when it was made.
    pub(super) link: String,
    /// The service's name for it, once that is known.
    pub(super) request_id: Option<String>,
    /// When the service forgets it.
    pub(super) expires_at: Timestamp,
    /// Whether a callback has ended it.
    pub(super) has_ended: bool,
}

/// Keeps a request before the service hears of it: a callback may be quicker than the answer.
pub(super) async fn insert(
    store: &Store,
    interaction: &Interaction,
    (state, key): (&Digest, &Digest),
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let insert = Statement::new(
        "INSERT INTO entra_requests (state_digest, key_digest, organisation, interaction, link, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(state.0.as_str())
    .bind(key.0.as_str())
    .bind(interaction.organisation.as_str())
    .bind(interaction.id.as_str())
    .bind(interaction.link.as_str())
    .bind(expires_at);
    store.write([insert]).await.map(drop)
}

/// The service's name for it, which must be the one that a quicker callback brought.
pub(super) fn named(state: &Digest, request_id: &str, expires_at: Timestamp) -> Statement {
    Statement::new(
        "UPDATE entra_requests SET request_id = $1, expires_at = $2 \
         WHERE state_digest = $3 AND (request_id IS NULL OR request_id = $4)",
    )
    .bind(request_id)
    .bind(expires_at)
    .bind(state.0.as_str())
    .bind(request_id)
    .must_change(1)
}

/// By its state.
pub(super) async fn find(store: &Store, state: &Digest) -> Result<Option<Made>, StoreError> {
    let select = Statement::new(
        "SELECT key_digest, organisation, interaction, link, request_id, expires_at, ended_at FROM entra_requests \
         WHERE state_digest = $1",
    );
    let row = store.read_one(select.bind(state.0.as_str())).await?;
    row.map(|row| {
        Ok(Made {
            state: state.clone(),
            key: Digest(row.text("key_digest")?.to_owned()),
            organisation: row.text("organisation")?.to_owned(),
            interaction: row.text("interaction")?.to_owned(),
            link: row.text("link")?.to_owned(),
            request_id: row.optional_text("request_id")?.map(str::to_owned),
            expires_at: row.timestamp("expires_at")?,
            has_ended: row.optional_timestamp("ended_at")?.is_some(),
        })
    })
    .transpose()
}

/// A wallet has it. Once; and not after its end.
pub(super) fn retrieved(made: &Made, request_id: &str, now: Timestamp) -> Statement {
    once("retrieved_at", made, request_id, now)
}

/// It ended. Once, so that of two callbacks at once, in however many processes, one decides.
pub(super) fn ended(made: &Made, request_id: &str, now: Timestamp) -> Statement {
    once("ended_at", made, request_id, now)
}

fn once(column: &'static str, made: &Made, request_id: &str, now: Timestamp) -> Statement {
    Statement::new(format!(
        "UPDATE entra_requests SET {column} = $1, request_id = $2 WHERE state_digest = $3 \
         AND {column} IS NULL AND ended_at IS NULL AND (request_id IS NULL OR request_id = $4)"
    ))
    .bind(now)
    .bind(request_id)
    .bind(made.state.0.as_str())
    .bind(request_id)
    .must_change(1)
}
