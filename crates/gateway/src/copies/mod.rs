//! Copies of what others publish or give for a while: never fetched twice at once, never used past their end, and not asked for
//! again the moment after they could not be had. [SEC-26]

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::flight::Flights;

/// How many copies are kept.
const MOST: usize = 256;
/// How long something that could not be had is not asked for again: an issuer that is down is not made to answer
/// everybody who waits, and they do not wait one after the other.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// How much earlier than the fetch the time of a request may be that waited for it.
const WAIT: SignedDuration = SignedDuration::from_secs(30);

/// Copies by where they came from. What a key names must be all that its copy depends on.
pub(crate) struct Copies<K, V> {
    entries: Mutex<HashMap<K, Entry<V>>>,
    flights: Flights<K>,
}

struct Entry<V> {
    held: Option<Held<V>>,
    /// The last fetch, if it failed.
    failed_at: Option<Timestamp>,
}

struct Held<V> {
    value: V,
    fetched_at: Timestamp,
    until: Timestamp,
}

/// Why there is no copy.
pub(crate) enum Missing<E> {
    /// It could not be fetched now.
    Failed(E),
    /// It could not be fetched a moment ago.
    FailedBefore,
}

impl<K, V> Default for Copies<K, V> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            flights: Flights::default(),
        }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Copies<K, V> {
    /// A copy that may still be used and `serves` (told when it was fetched), or a fresh one with its end. Never one
    /// past its end, whatever happens to the fetch.
    pub(crate) async fn find_or_fetch<E>(
        &self,
        key: K,
        now: Timestamp,
        serves: impl Fn(&V, Timestamp) -> bool,
        fetch: impl Future<Output = Result<(V, Timestamp), E>>,
    ) -> Result<V, Missing<E>> {
        if let Some(value) = self.find(&key, now, &serves) {
            return Ok(value);
        }
        let _turn = self.flights.turn(&key).await;
        if let Some(value) = self.find(&key, now, &serves) {
            return Ok(value);
        }
        if self.has_failed(&key, now) {
            return Err(Missing::FailedBefore);
        }
        match fetch.await {
            Ok((value, until)) => {
                let held = Held {
                    value: value.clone(),
                    fetched_at: now,
                    until,
                };
                self.keep(key, now, |entry| {
                    *entry = Entry {
                        held: Some(held),
                        failed_at: None,
                    }
                });
                Ok(value)
            }
            Err(error) => {
                self.keep(key, now, |entry| entry.failed_at = Some(now));
                Err(Missing::Failed(error))
            }
        }
    }

    /// Forgets a copy: whoever gave it does not take it any more.
    pub(crate) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entry<V>>> {
        // A panic while the map was held cannot have left half an entry.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &K, now: Timestamp, serves: impl Fn(&V, Timestamp) -> bool) -> Option<V> {
        let entries = self.lock();
        let held = entries.get(key)?.held.as_ref()?;
        (held.is_usable(now) && serves(&held.value, held.fetched_at)).then(|| held.value.clone())
    }

    fn has_failed(&self, key: &K, now: Timestamp) -> bool {
        let entries = self.lock();
        entries.get(key).is_some_and(|entry| entry.is_pausing(now))
    }

    /// Changes an entry. When there is no room, the one that ends first makes way.
    fn keep(&self, key: K, now: Timestamp, change: impl FnOnce(&mut Entry<V>)) {
        let mut entries = self.lock();
        entries.retain(|_, entry| entry.ends(now) > now);
        if entries.len() >= MOST
            && !entries.contains_key(&key)
            && let Some(first) = entries
                .iter()
                .min_by_key(|(_, entry)| entry.ends(now))
                .map(|(key, _)| key.clone())
        {
            entries.remove(&first);
        }
        change(entries.entry(key).or_insert(Entry {
            held: None,
            failed_at: None,
        }));
    }
}

impl<V> Entry<V> {
    fn is_pausing(&self, now: Timestamp) -> bool {
        self.failed_at
            .is_some_and(|at| at <= now + WAIT && now < at + PAUSE)
    }

    /// From when on nothing here is of use.
    fn ends(&self, now: Timestamp) -> Timestamp {
        let held = self.held.as_ref().filter(|held| held.is_usable(now));
        let pause = self.failed_at.filter(|_| self.is_pausing(now));
        held.map(|held| held.until)
            .max(pause.map(|at| at + PAUSE))
            .unwrap_or(now)
    }
}

impl<V> Held<V> {
    /// One that was fetched long after now is from before the clock was set back.
    fn is_usable(&self, now: Timestamp) -> bool {
        self.fetched_at <= now + WAIT && now < self.until
    }
}

#[cfg(test)]
mod tests;
