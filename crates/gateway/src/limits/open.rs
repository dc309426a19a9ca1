//! How many requests of one client are open, without asking the database: pushed, and no browser has come yet; or begun
//! by a browser alone, and no wallet has met it yet. A count for each ten seconds of the time that such a request lives.
//!
//! Each process counts what it has taken itself, and what it has seen come to its end. A request that was taken here and
//! ended elsewhere counts until its time is over.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

const SLOT: i64 = 10;

/// What a client may have open only so many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Pushed requests that no browser has opened.
    Pushed,
    /// Interactions that a browser began by itself, and that no wallet has met.
    Unpushed,
}

/// The counts by client.
pub(super) struct OpenRequests {
    slots: i64,
    by_client: Mutex<HashMap<String, BTreeMap<i64, u32>>>,
}

impl OpenRequests {
    /// Counts requests that live that long.
    pub(super) fn new(lifetime: SignedDuration) -> Self {
        Self {
            slots: lifetime.as_secs().div_euclid(SLOT).max(1),
            by_client: Mutex::default(),
        }
    }

    /// Counts one more, unless there are so many; then tells when the oldest will be gone.
    pub(super) fn add(
        &self,
        client_id: &str,
        most: NonZeroU32,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let slot = slot(now);
        let mut by_client = self
            .by_client
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let counts = by_client.entry(client_id.to_owned()).or_default();
        // (SEC-39) What lies in the future was counted before the clock was put back.
        counts.retain(|at, _| *at <= slot && *at > slot - self.slots);
        if counts.values().sum::<u32>() >= most.get() {
            let oldest = counts.keys().next().copied().unwrap_or(slot);
            let gone_in = (oldest + self.slots) * SLOT - now.as_second();
            return Err(Duration::from_secs(gone_in.max(1).unsigned_abs()));
        }
        *counts.entry(slot).or_insert(0) += 1;
        Ok(())
    }

    /// One that began at that time is no longer open.
    pub(super) fn remove(&self, client_id: &str, began_at: Timestamp) {
        let mut by_client = self
            .by_client
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_client
            .get_mut(client_id)
            .and_then(|counts| counts.get_mut(&slot(began_at)))
        {
            *count = count.saturating_sub(1);
        }
    }
}

fn slot(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SLOT)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const THREE: NonZeroU32 = NonZeroU32::new(3).unwrap();

    fn after(seconds: i64) -> Timestamp {
        let start: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        start + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_request_counts_until_it_is_opened_or_its_time_is_over() {
        let open = OpenRequests::new(SignedDuration::from_secs(600));
        for second in [0, 12, 24] {
            open.add("a", THREE, after(second)).unwrap();
        }
        let wait = open.add("a", THREE, after(30)).unwrap_err();
        assert_eq!(wait, Duration::from_secs(570));
        assert!(open.add("b", THREE, after(30)).is_ok());
        open.remove("a", after(12));
        assert!(open.add("a", THREE, after(31)).is_ok());
        assert!(open.add("a", THREE, after(32)).is_err());
        assert!(open.add("a", THREE, after(600)).is_ok());
    }

    /// SEC-39.
    #[test]
    fn sec_39_a_clock_that_is_put_back_keeps_no_count_for_ever() {
        let open = OpenRequests::new(SignedDuration::from_secs(600));
        for second in [7200, 7200, 7200] {
            open.add("a", THREE, after(second)).unwrap();
        }
        assert!(open.add("a", THREE, after(0)).is_ok());
    }
}
