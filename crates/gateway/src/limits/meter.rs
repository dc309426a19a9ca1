//! How often: one number for each key, and never more than so many keys.
//!
//! The generic cell rate algorithm, which is a leaky bucket without the bucket: of each key it is known only when
//! its debt will be paid off. A key that owes nothing need not be remembered at all.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// What a key may have used up beforehand: a minute's worth, so that *n a minute* is also *n at once*.
const WINDOW: i64 = 60_000_000;

/// Counts by key; knows each key's debt in microseconds.
pub(super) struct Meter<K> {
    most: usize,
    paid_off: Mutex<HashMap<K, i64>>,
}

impl<K: Eq + Hash> Meter<K> {
    /// A meter that remembers at most so many keys.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(8),
            paid_off: Mutex::default(),
        }
    }

    /// Counts one more for this key; where that is one too many, counts nothing and tells how long to wait.
    pub(super) fn charge(
        &self,
        key: K,
        a_minute: NonZeroU32,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let now = now.as_microsecond();
        let mut paid_off = self.paid_off.lock().unwrap_or_else(PoisonError::into_inner);
        let known = paid_off.get(&key).copied();
        let next = next(known, a_minute, now)?;
        if known.is_none() && paid_off.len() >= self.most {
            make_room(&mut paid_off, self.most, now);
        }
        paid_off.insert(key, next);
        Ok(())
    }

    /// Counts one less for this key.
    pub(super) fn forgive(&self, key: &K, a_minute: NonZeroU32) {
        let one = WINDOW / i64::from(a_minute.get());
        let mut paid_off = self.paid_off.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = paid_off.get_mut(key) {
            *at -= one;
        }
    }

    /// Whether one more would be too many; counts nothing.
    pub(super) fn look(
        &self,
        key: &K,
        a_minute: NonZeroU32,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let paid_off = self.paid_off.lock().unwrap_or_else(PoisonError::into_inner);
        let known = paid_off.get(key).copied();
        next(known, a_minute, now.as_microsecond()).map(drop)
    }
}

/// When the debt is paid off after one more.
fn next(known: Option<i64>, a_minute: NonZeroU32, now: i64) -> Result<i64, Duration> {
    let one = WINDOW / i64::from(a_minute.get());
    // (SEC-39) Nobody owes more than the window: a debt beyond it is of a time before the clock was put back, and
    // nobody can tell how much of it is paid.
    let owed = known.filter(|at| *at <= now + WINDOW);
    let owed = owed.unwrap_or(now).max(now);
    let next = owed + one;
    let too_early = next - (now + WINDOW);
    if too_early > 0 {
        return Err(Duration::from_micros(too_early.unsigned_abs()));
    }
    Ok(next)
}

/// Forgets who owes nothing; if that is not enough, those who owe least. So whoever calls from many addresses frees
/// none of them: the one that is held back is the last to be forgotten. An eighth goes at a time, which makes the
/// cost of looking through all of them that of looking at eight.
fn make_room<K: Eq + Hash>(paid_off: &mut HashMap<K, i64>, most: usize, now: i64) {
    paid_off.retain(|_, at| *at > now && *at <= now + WINDOW);
    let room = most / 8;
    if paid_off.len() <= most - room {
        return;
    }
    let mut debts: Vec<i64> = paid_off.values().copied().collect();
    let excess = paid_off.len() - (most - room);
    let (_, cut, _) = debts.select_nth_unstable(excess - 1);
    let cut = *cut;
    let mut left = excess;
    paid_off.retain(|_, at| {
        let goes = *at <= cut && left > 0;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const SIXTY: NonZeroU32 = NonZeroU32::new(60).unwrap();

    fn start() -> Timestamp {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    /// How many of a hundred at once are let through.
    fn burst(meter: &Meter<u32>, key: u32, now: Timestamp) -> usize {
        (0..100)
            .filter(|_| meter.charge(key, SIXTY, now).is_ok())
            .count()
    }

    #[test]
    fn a_minutes_worth_may_come_at_once_and_then_one_by_one() {
        let meter = Meter::new(100);
        let now = start();
        assert_eq!(burst(&meter, 1, now), 60);
        assert_eq!(meter.charge(1, SIXTY, now), Err(Duration::from_secs(1)));
        assert_eq!(meter.look(&1, SIXTY, now), Err(Duration::from_secs(1)));
        assert_eq!(burst(&meter, 1, now + SignedDuration::from_secs(1)), 1);
        assert_eq!(burst(&meter, 1, now + SignedDuration::from_secs(11)), 10);
        assert_eq!(burst(&meter, 1, now + SignedDuration::from_mins(9)), 60);
    }

    #[test]
    fn one_key_costs_another_nothing() {
        let meter = Meter::new(100);
        assert_eq!(burst(&meter, 1, start()), 60);
        assert_eq!(burst(&meter, 2, start()), 60);
    }

    #[test]
    fn sec_39_a_clock_that_is_put_back_shuts_nobody_out() {
        let meter = Meter::new(100);
        assert_eq!(burst(&meter, 1, start()), 60);
        let before = start() - SignedDuration::from_hours(1);
        assert_eq!(burst(&meter, 1, before), 60);
        // A little back is a little debt.
        assert_eq!(burst(&meter, 2, start()), 60);
        let later = start() + SignedDuration::from_secs(40);
        assert_eq!(burst(&meter, 2, later), 40);
        assert_eq!(burst(&meter, 2, later + SignedDuration::from_secs(30)), 30);
        assert_eq!(burst(&meter, 2, later + SignedDuration::from_secs(20)), 60);
    }

    /// SEC-34: memory is bounded, and who is held back stays held back.
    #[test]
    fn sec_34_calling_from_many_addresses_takes_no_memory_and_frees_nobody() {
        let meter = Meter::new(1_000);
        let now = start();
        assert_eq!(burst(&meter, 0, now), 60);
        for address in 1..50_000 {
            assert!(meter.charge(address, SIXTY, now).is_ok());
            assert!(meter.paid_off.lock().unwrap().len() <= 1_000);
        }
        assert_eq!(burst(&meter, 0, now), 0);
        // Whoever owes nothing any more is not remembered.
        let later = now + SignedDuration::from_mins(1);
        for address in 0..200 {
            assert!(meter.charge(100_000 + address, SIXTY, later).is_ok());
        }
        assert!(meter.paid_off.lock().unwrap().len() <= 1_000);
    }
}
