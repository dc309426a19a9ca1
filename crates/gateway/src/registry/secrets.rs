//! Client secrets that the gateway makes: shown once, kept as digests, several alive at once while they are changed
//! (SEC-06, rulings 23).
//!
//! Changing one without an outage takes three steps: a new secret is made and given to the relying party; the old one
//! goes on working until its end; `last used` says whether anybody still needs it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::RegistryError;
pub use crate::organisation::ClientSecret;
use crate::random::Random;
use crate::revision::{self, Subject};
use store::{Statement, Store, StoreError};

/// How long an old secret goes on working after a new one was made, unless something else is said.
pub const OVERLAP: SignedDuration = SignedDuration::from_hours(24 * 14);

/// The secrets of every relying party, by client id; those that have ended for more than a month are not among them.
pub(crate) async fn read(store: &Store) -> Result<HashMap<String, Vec<ClientSecret>>, StoreError> {
    let select = "SELECT id, client_id, digest, created_at, ends_at, last_used_at \
                  FROM client_secrets ORDER BY created_at, id";
    let mut found: HashMap<String, Vec<ClientSecret>> = HashMap::new();
    for row in store.read(Statement::new(select)).await? {
        let mut digest = [0; 32];
        if hex::decode_to_slice(row.text("digest")?, &mut digest).is_err() {
            // A digest that is none matches nothing.
            continue;
        }
        let secret = ClientSecret {
            id: row.text("id")?.to_owned(),
            digest,
            created_at: row.timestamp("created_at")?,
            ends_at: row.optional_timestamp("ends_at")?,
            last_used_at: row.optional_timestamp("last_used_at")?,
        };
        let client_id = row.text("client_id")?.to_owned();
        found.entry(client_id).or_default().push(secret);
    }
    Ok(found)
}

/// A secret that was just made: the only time that its text is there.
pub struct Made {
    /// What the relying party is given.
    pub text: Zeroizing<String>,
    /// Names it from now on.
    pub id: String,
    /// Belong in one batch.
    pub(crate) batch: Vec<Statement>,
}

/// Makes a secret of 256 bits; with `others_end`, those that the relying party has end then, unless they end before.
pub(crate) fn make(
    client_id: &str,
    others_end: Option<Timestamp>,
    random: &Random,
    now: Timestamp,
) -> Made {
    let text = Zeroizing::new(random.token_256());
    let id = Uuid::new_v4().simple().to_string()[..12].to_owned();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut batch = vec![revision::raise(Subject::Registry)];
    if let Some(end) = others_end {
        let others = "UPDATE client_secrets SET ends_at = $1 \
                      WHERE client_id = $2 AND (ends_at IS NULL OR ends_at > $3)";
        batch.push(Statement::new(others).bind(end).bind(client_id).bind(end));
    }
    let insert =
        "INSERT INTO client_secrets (id, client_id, digest, created_at) VALUES ($1, $2, $3, $4)";
    batch.push(
        Statement::new(insert)
            .bind(id.as_str())
            .bind(client_id)
            .bind(hex::encode(digest))
            .bind(now),
    );
    Made { text, id, batch }
}

/// Ends one secret now. Changes nothing, and fails as unmet, where it has ended or no other would be left.
pub(crate) fn end(client_id: &str, id: &str, now: Timestamp) -> Vec<Statement> {
    let update = "UPDATE client_secrets SET ends_at = $1 \
                  WHERE client_id = $2 AND id = $3 AND (ends_at IS NULL OR ends_at > $4) \
                  AND EXISTS (SELECT 1 FROM client_secrets other WHERE other.client_id = $5 AND other.id <> $6 \
                  AND (other.ends_at IS NULL OR other.ends_at > $7))";
    let update = Statement::new(update)
        .bind(now)
        .bind(client_id)
        .bind(id)
        .bind(now)
        .bind(client_id)
        .bind(id)
        .bind(now);
    // The number's row is held until the batch is kept, so that of two who end two secrets at once one sees the other's.
    vec![revision::raise(Subject::Registry), update.must_change(1)]
}

/// Ends every secret of a relying party that is there no more.
pub(crate) fn end_all(client_id: &str, now: Timestamp) -> Statement {
    let update = "UPDATE client_secrets SET ends_at = $1 \
                  WHERE client_id = $2 AND (ends_at IS NULL OR ends_at > $3)";
    Statement::new(update).bind(now).bind(client_id).bind(now)
}

/// Which secrets were used lately: remembered in memory, written once a minute, so that no request waits for it.
#[derive(Debug, Default)]
pub struct Uses(Mutex<HashMap<String, Timestamp>>);

impl Uses {
    /// Remembers that the secret of that id was used.
    pub fn note(&self, id: &str, now: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(id) {
            Some(at) => *at = now,
            None => drop(uses.insert(id.to_owned(), now)),
        }
    }

    /// Writes down what is remembered. What cannot be written is remembered until the next time.
    pub(crate) async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let noted: Vec<_> = {
            let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            uses.drain().collect()
        };
        let update = "UPDATE client_secrets SET last_used_at = $1 \
                      WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $3)";
        let batch = noted
            .iter()
            .map(|(id, at)| Statement::new(update).bind(*at).bind(id.as_str()).bind(*at));
        let written = store.write(batch).await.map(drop);
        if written.is_err() {
            for (id, at) in &noted {
                self.note(id, *at);
            }
        }
        written
    }
}

/// Finds the live secret of that id, or says why it cannot be ended.
pub(crate) fn find_ending<'a>(
    secrets: &'a [ClientSecret],
    client_id: &str,
    id: &str,
    now: Timestamp,
) -> Result<&'a ClientSecret, RegistryError> {
    let live = || secrets.iter().filter(|secret| secret.is_live(now));
    let unknown = || RegistryError::SecretUnknown(client_id.to_owned(), id.to_owned());
    let found = live().find(|secret| secret.id == id).ok_or_else(unknown)?;
    if live().count() == 1 {
        return Err(RegistryError::LastSecret(client_id.to_owned()));
    }
    Ok(found)
}
