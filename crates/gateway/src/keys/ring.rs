//! The keys that there are now, ready to sign and to be published.
//!
//! The public half of a key is always read from whoever holds the private one: a row says what a key may do, and cannot
//! put a key of somebody else's into what the gateway publishes.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use standards::jose::{Jwk, Signer};
use store::{Statement, Store, StoreError};

use super::acts::Change;
use super::rows::{self, KeyRow};
use super::{GATEWAY, KeyError, KeyHolder, KeyPurpose, Place, State};
use crate::audit::Actor;
use crate::revision::{self, Subject};

/// Why the keys could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// There is no key that signs in this place: its organisation was made a moment ago, or taken away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no key signs as {0}")]
pub struct NoKey(Place);

/// A published key.
#[derive(Clone)]
struct Key {
    row: KeyRow,
    signer: Arc<dyn Signer>,
}

/// Every published key. The same from the beginning of a request to its end.
#[derive(Clone, Default)]
pub struct Ring(HashMap<Place, Vec<Key>>);

impl Ring {
    /// Reads the keys that are published.
    pub async fn load(store: &Store, holder: &Arc<dyn KeyHolder>) -> Result<Self, RingError> {
        let (ring, fault) = Self::read(store, holder, &Self::default()).await?;
        fault.map_or(Ok(ring), |fault| Err(fault.into()))
    }

    /// Reads them anew; those of `known` are not opened again. One that does not open is used for nothing and keeps nobody
    /// from the rest: what is compromised must be out of use here, too, whatever else is wrong with the keys. The first
    /// such fault comes with the ring.
    pub(crate) async fn read(
        store: &Store,
        holder: &Arc<dyn KeyHolder>,
        known: &Self,
    ) -> Result<(Self, Option<KeyError>), StoreError> {
        let mut fault = None;
        let mut places: HashMap<Place, Vec<Key>> = HashMap::new();
        for row in rows::find_all(store).await? {
            if row.state.is_published() {
                let signer = match known.signer(&row) {
                    Some(signer) => Ok(signer),
                    None => opened(holder, &row.name).await,
                };
                let is_own =
                    |signer: &Arc<dyn Signer>| signer.public_jwk().kid() == Some(row.kid.as_str());
                let signer = match signer {
                    Ok(signer) if is_own(&signer) => signer,
                    Ok(_) => {
                        fault.get_or_insert(KeyError::Another(row.name, row.kid));
                        continue;
                    }
                    Err(error) => {
                        fault.get_or_insert(error);
                        continue;
                    }
                };
                let keys = places.entry(row.place.clone()).or_default();
                keys.push(Key { row, signer });
            }
        }
        for keys in places.values_mut() {
            // The one that signs comes first: some clients take the first that fits.
            keys.sort_by_key(|key| match key.row.state {
                State::Active => 0,
                State::Next => 1,
                _ => 2,
            });
        }
        Ok((Self(places), fault))
    }

    fn signer(&self, row: &KeyRow) -> Option<Arc<dyn Signer>> {
        let mut keys = self.0.get(&row.place)?.iter();
        let key = keys.find(|key| key.row.kid == row.kid && key.row.name == row.name)?;
        Some(key.signer.clone())
    }

    fn keys(&self, purpose: KeyPurpose, owner: &str) -> &[Key] {
        let place = Place {
            owner: owner.to_owned(),
            purpose,
        };
        self.0.get(&place).map_or(&[], Vec::as_slice)
    }

    /// The key that signs for an organisation.
    pub fn active(
        &self,
        purpose: KeyPurpose,
        organisation: &str,
    ) -> Result<&Arc<dyn Signer>, NoKey> {
        let keys = self.keys(purpose, organisation);
        let active = keys.iter().find(|key| key.row.state == State::Active);
        active.map(|key| &key.signer).ok_or_else(|| {
            NoKey(Place {
                owner: organisation.to_owned(),
                purpose,
            })
        })
    }

    /// The key that signs ID tokens of that purpose.
    pub fn id_token(&self, purpose: KeyPurpose) -> Result<&Arc<dyn Signer>, NoKey> {
        self.active(purpose, GATEWAY)
    }

    /// Every key that is published for that, the one that signs first.
    pub fn published(&self, purpose: KeyPurpose, owner: &str) -> impl Iterator<Item = &Jwk> {
        self.keys(purpose, owner)
            .iter()
            .map(|key| key.signer.public_jwk())
    }

    /// The published key of that id. One that does not sign yet counts, too: another process may have heard earlier that it
    /// does.
    pub fn find(&self, purpose: KeyPurpose, owner: &str, kid: &str) -> Option<&Jwk> {
        self.published(purpose, owner)
            .find(|key| key.kid() == Some(kid))
    }
}

/// Opening a key takes long on purpose; nobody else waits for it.
pub(super) async fn opened(
    holder: &Arc<dyn KeyHolder>,
    name: &str,
) -> Result<Arc<dyn Signer>, KeyError> {
    let (holder, name) = (holder.clone(), name.to_owned());
    let opened = tokio::task::spawn_blocking(move || holder.find(&name)).await;
    opened.map_err(|error| KeyError::Unmade(error.to_string()))?
}

/// How often another process may be first.
const MOST_OTHERS: u32 = 10;

/// Takes the key that a place had before there was a table for the one that signs there, if the table names none.
pub async fn adopt(
    store: &Store,
    holder: &Arc<dyn KeyHolder>,
    places: impl IntoIterator<Item = Place>,
    now: Timestamp,
) -> Result<(), RingError> {
    let places: Vec<Place> = places.into_iter().collect();
    let mut others = 0;
    loop {
        let batch = find_unadopted(store, holder, &places, now).await?;
        match store.write(batch).await {
            Ok(_) => return Ok(()),
            // Another process was first with one of them: look again what is missing.
            Err(StoreError::Duplicate { .. }) if others < MOST_OTHERS => others += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// What that would write: nothing, where every place has its key in the table.
pub async fn find_unadopted(
    store: &Store,
    holder: &Arc<dyn KeyHolder>,
    places: &[Place],
    now: Timestamp,
) -> Result<Vec<Statement>, RingError> {
    let rows = rows::find_all(store).await?;
    let mut batch = Vec::new();
    for place in places {
        let signs = |row: &KeyRow| row.place == *place && row.state == State::Active;
        if rows.iter().any(signs) {
            continue;
        }
        let name = place.to_string();
        let signer = opened(holder, &name).await?;
        if !place.purpose.fits(signer.algorithm()) {
            return Err(KeyError::Algorithm(name, signer.algorithm()).into());
        }
        let row = KeyRow {
            adopted: true,
            ..KeyRow::new(place, name, signer.as_ref(), now).active(now)
        };
        // A key that was taken out of use does not come back with a copy of its file.
        if rows.iter().any(|known| known.kid == row.kid) {
            return Err(KeyError::Ended(row.name).into());
        }
        tracing::info!(place = %place, kid = row.kid, "a signing key is in use from now on");
        let change = Change {
            kid: row.kid.clone(),
            place: place.clone(),
            to: State::Active,
            public: None,
        };
        batch.push(row.insert());
        batch.push(change.entry(Actor::Gateway.into(), now).into());
    }
    if !batch.is_empty() {
        batch.push(revision::raise(Subject::Keys));
    }
    Ok(batch)
}
