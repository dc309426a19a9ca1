//! How long things took: a histogram that costs a few atomic additions.
//!
//! It is here because the database is the first thing whose times somebody asks for; whoever measures something else
//! may make one with bounds of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds for what should take milliseconds, in microseconds.
pub const MILLISECONDS: &[u64] = &[
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000,
];

/// Counts durations by how long they were.
#[derive(Debug)]
pub struct Timing {
    bounds: &'static [u64],
    /// One more than there are bounds: the last is for what took longer than all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a [`Timing`] has counted at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Upper bounds in microseconds, each with how many were at most so long.
    pub up_to: Vec<(u64, u64)>,
    /// How many there were in all.
    pub count: u64,
    /// All durations together, in microseconds.
    pub sum: u64,
}

impl Timing {
    /// Nothing counted yet. The bounds rise, and are microseconds.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts one.
    pub fn add(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = self.bounds.partition_point(|bound| *bound < micros);
        // Nobody decides anything by these: relaxed is enough.
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// What is counted by now.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let mut count = 0;
        let mut up_to = Vec::with_capacity(self.bounds.len());
        for (bound, counted) in self.bounds.iter().zip(&self.counts) {
            count += counted.load(Ordering::Relaxed);
            up_to.push((*bound, count));
        }
        count += self.counts[self.bounds.len()].load(Ordering::Relaxed);
        Counted {
            up_to,
            count,
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

/// How long the database took, and how often it did not do what was asked.
#[derive(Debug)]
pub struct Timings {
    /// Reads, from the question to the rows.
    pub reads: Timing,
    /// Batches, from the request to the commit.
    pub writes: Timing,
    /// Reads and batches that the database did not answer: not those that a condition turned down.
    pub failures: AtomicU64,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            reads: Timing::new(MILLISECONDS),
            writes: Timing::new(MILLISECONDS),
            failures: AtomicU64::new(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_for_every_bound_that_it_does_not_exceed() {
        let timing = Timing::new(&[1_000, 2_000]);
        for micros in [1, 1_000, 1_001, 9_000] {
            timing.add(Duration::from_micros(micros));
        }
        let counted = Counted {
            up_to: vec![(1_000, 2), (2_000, 3)],
            count: 4,
            sum: 11_002,
        };
        assert_eq!(timing.counted(), counted);
    }
}
