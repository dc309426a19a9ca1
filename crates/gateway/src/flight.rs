//! One at a time for each key: of many requests that need the same costly thing, the first makes or fetches it and the
//! others wait for that. [SEC-26]

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

/// Who is at work on what. Knows only keys that somebody is at work on or waits for.
pub struct Flights<K>(Mutex<HashMap<K, Weak<tokio::sync::Mutex<()>>>>);

/// A turn at a key; it ends when this is dropped, also where its request was given up.
pub struct Turn(#[allow(dead_code)] OwnedMutexGuard<()>);

impl<K> Default for Flights<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash + Clone> Flights<K> {
    /// Waits until nobody else is at work on that key. Whoever waited looks again before working: the one before
    /// may have brought it.
    pub async fn turn(&self, key: &K) -> Turn {
        let lock = {
            // A panic while the map was held cannot have left half an entry.
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            flights.retain(|_, flight| flight.strong_count() > 0);
            let known = flights.get(key).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::<tokio::sync::Mutex<()>>::default();
                flights.insert(key.clone(), Arc::downgrade(&lock));
                lock
            })
        };
        Turn(lock.lock_owned().await)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_key_is_one_persons_at_a_time_and_another_key_is_free() {
        let flights = Flights::default();
        let turn = flights.turn(&"a").await;
        let second = tokio::time::timeout(Duration::from_millis(20), flights.turn(&"a"));
        assert!(second.await.is_err());
        drop(flights.turn(&"b").await);
        drop(turn);
        drop(flights.turn(&"a").await);
    }

    #[tokio::test]
    async fn nothing_is_remembered_of_work_that_is_over() {
        let flights = Flights::default();
        for key in 0..100 {
            drop(flights.turn(&key).await);
        }
        assert_eq!(flights.0.lock().unwrap().len(), 1);
    }
}
