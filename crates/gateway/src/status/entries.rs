//! The entries of a list, as it is published: those of its credentials that are revoked or suspended, and its decoys.
//!
//! What never changes is kept in memory; what does is read when the list has changed: a few thousand rows at most, by an
//! index that holds no others (`docs/reference/performance.md` says how long that takes).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use standards::status_list::{ListError, Status, StatusList};

use super::decoys;
use crate::seal::Seal;
use store::{Statement, Store, StoreError};

/// A place that was found taken is no decoy. So often it is looked again: a program before this one, still running
/// during an upgrade, knows of no decoys and may give one out.
const LOOKED: SignedDuration = SignedDuration::from_hours(1);
/// Lists that are held, at 64 KiB each; with more, all are made anew.
const MOST_HELD: usize = 2048;

/// Why a list could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum EntriesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a credential's place is not in its list: {0}")]
    Place(#[from] ListError),
}

/// What is known of each list that somebody asked for.
#[derive(Default)]
pub(super) struct Ground(Mutex<HashMap<(String, i64), Arc<Held>>>);

struct Held {
    /// Every decoy.
    decoys: StatusList,
    /// The decoys that no credential has the place of, and when that was looked up.
    free: Option<(Timestamp, StatusList)>,
}

impl Ground {
    /// Whether a place is a decoy, and must not be given out.
    pub(super) fn is_decoy(&self, seal: &Seal, organisation: &str, list: i64, index: i64) -> bool {
        let held = self.held(seal, organisation, list);
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        held.decoys.find(index) != Ok(Status::Valid)
    }

    /// The entries as the database has them now.
    pub(super) async fn entries(
        &self,
        store: &Store,
        seal: &Seal,
        organisation: &str,
        list: i64,
        now: Timestamp,
    ) -> Result<StatusList, EntriesError> {
        let mut entries = self.free(store, seal, organisation, list, now).await?;
        for (condition, status) in [
            ("suspended_at IS NOT NULL", Status::Suspended),
            // What is both is revoked: hence it comes last.
            ("revoked_at IS NOT NULL", Status::Invalid),
        ] {
            for index in places(store, organisation, list, Some(condition)).await? {
                entries.set(index, status)?;
            }
        }
        Ok(entries)
    }

    async fn free(
        &self,
        store: &Store,
        seal: &Seal,
        organisation: &str,
        list: i64,
        now: Timestamp,
    ) -> Result<StatusList, EntriesError> {
        let held = self.held(seal, organisation, list);
        if let Some((at, free)) = &held.free
            && *at <= now
            && now < *at + LOOKED
        {
            return Ok(free.clone());
        }
        let mut free = held.decoys.clone();
        for index in places(store, organisation, list, None).await? {
            free.set(index, Status::Valid)?;
        }
        let looked = Held {
            decoys: held.decoys.clone(),
            free: Some((now, free.clone())),
        };
        self.keep(organisation, list, Arc::new(looked));
        Ok(free)
    }

    fn held(&self, seal: &Seal, organisation: &str, list: i64) -> Arc<Held> {
        let place = (organisation.to_owned(), list);
        let found = self.lock().get(&place).cloned();
        found.unwrap_or_else(|| {
            let held = Arc::new(Held {
                decoys: decoys::of(seal, organisation, list),
                free: None,
            });
            self.keep(organisation, list, Arc::clone(&held));
            held
        })
    }

    fn keep(&self, organisation: &str, list: i64, held: Arc<Held>) {
        let mut all = self.lock();
        if all.len() >= MOST_HELD {
            all.clear();
        }
        all.insert((organisation.to_owned(), list), held);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, i64), Arc<Held>>> {
        // A panic while the map was held cannot have left half an entry.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The places of a list's credentials, of all or of those for which a condition holds.
async fn places(
    store: &Store,
    organisation: &str,
    list: i64,
    condition: Option<&'static str>,
) -> Result<Vec<u64>, StoreError> {
    let and = condition.map(|condition| format!(" AND {condition}"));
    let select = Statement::new(format!(
        "SELECT list_index FROM credentials WHERE organisation = $1 AND list = $2{}",
        and.unwrap_or_default()
    ));
    let rows = store.read(select.bind(organisation).bind(list)).await?;
    let places = rows.iter().map(|row| {
        let index = row.integer("list_index")?;
        Ok(u64::try_from(index).unwrap_or(u64::MAX))
    });
    places.collect()
}
