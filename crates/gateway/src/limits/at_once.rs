//! How many at once, or how much: places, taken and given back.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts who is inside, by key. A key with nobody inside is not remembered.
#[derive(Debug)]
pub struct AtOnce<K: Eq + Hash> {
    inside: Arc<Mutex<HashMap<K, u32>>>,
}

/// A place that somebody has, until it is dropped.
#[derive(Debug)]
pub struct Place<K: Eq + Hash> {
    key: Option<K>,
    size: u32,
    inside: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Eq + Hash> Default for AtOnce<K> {
    fn default() -> Self {
        Self {
            inside: Arc::default(),
        }
    }
}

impl<K: Eq + Hash> Clone for AtOnce<K> {
    fn clone(&self) -> Self {
        Self {
            inside: Arc::clone(&self.inside),
        }
    }
}

impl<K: Eq + Hash + Clone> AtOnce<K> {
    /// A place, unless so many with this key have one already.
    #[must_use]
    pub fn enter(&self, key: K, most: NonZeroU32) -> Option<Place<K>> {
        self.enter_with(key, NonZeroU32::MIN, most)
    }

    /// A place of that size, unless those with this key would have more than `most` together.
    #[must_use]
    pub fn enter_with(&self, key: K, size: NonZeroU32, most: NonZeroU32) -> Option<Place<K>> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = inside.get(&key).copied().unwrap_or(0);
        let taken = taken.checked_add(size.get());
        inside.insert(key.clone(), taken.filter(|taken| *taken <= most.get())?);
        drop(inside);
        Some(Place {
            key: Some(key),
            size: size.get(),
            inside: Arc::clone(&self.inside),
        })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        match inside.get_mut(&key) {
            Some(taken) if *taken > self.size => *taken -= self.size,
            _ => {
                inside.remove(&key);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_and_an_empty_room_is_forgotten() {
        let two = NonZeroU32::new(2).unwrap();
        let room = AtOnce::default();
        let first = room.enter("a", two).unwrap();
        let second = room.enter("a", two).unwrap();
        assert!(room.enter("a", two).is_none());
        assert!(room.enter("b", two).is_some());
        drop(first);
        let third = room.enter("a", two).unwrap();
        drop((second, third));
        assert!(room.inside.lock().unwrap().is_empty());
    }

    #[test]
    fn places_of_any_size_share_a_room() {
        let number = |number| NonZeroU32::new(number).unwrap();
        let room = AtOnce::default();
        let large = room.enter_with("a", number(7), number(8)).unwrap();
        assert!(room.enter_with("a", number(2), number(8)).is_none());
        assert!(room.enter_with("a", number(u32::MAX), number(8)).is_none());
        let small = room.enter("a", number(8)).unwrap();
        assert!(room.enter("a", number(8)).is_none());
        drop(large);
        let large = room.enter_with("a", number(7), number(8)).unwrap();
        drop((large, small));
        assert!(room.inside.lock().unwrap().is_empty());
    }
}
