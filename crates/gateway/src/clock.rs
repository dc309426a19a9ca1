//! The one clock. Everything that depends on time is told the time; this is who tells it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Tells the time; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds ahead of the system's clock; `None` for a clock that nobody can move.
    ahead: Option<Arc<AtomicI64>>,
}

/// Moves the clock that it was made with. Whoever holds only the [`Clock`] cannot.
#[derive(Clone, Debug)]
pub struct Shift(Arc<AtomicI64>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that starts as the system's and goes on as fast, from wherever it is put: for tests, and for the
    /// sandbox, which issues a credential in the past.
    #[must_use]
    pub fn shifted() -> (Self, Shift) {
        let ahead = Arc::new(AtomicI64::new(0));
        let clock = Self {
            ahead: Some(Arc::clone(&ahead)),
        };
        (clock, Shift(ahead))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let system = Timestamp::now();
        let Some(ahead) = &self.ahead else {
            return system;
        };
        let ahead = SignedDuration::from_millis(ahead.load(Ordering::SeqCst));
        system.saturating_add(ahead).unwrap_or(system)
    }
}

impl Shift {
    /// Puts the clock this far ahead of the system's, behind it where negative.
    pub fn set(&self, ahead: SignedDuration) {
        self.0.store(milliseconds(ahead), Ordering::SeqCst);
    }

    /// Moves the clock on from where it is.
    pub fn advance(&self, by: SignedDuration) {
        self.0.fetch_add(milliseconds(by), Ordering::SeqCst);
    }
}

/// Some 292 million years at most, beyond every time that there is.
fn milliseconds(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(clock: &Clock) -> i64 {
        let seconds = clock.now().duration_since(Timestamp::now()).as_secs_f64();
        #[allow(clippy::cast_possible_truncation)]
        {
            seconds.round() as i64
        }
    }

    #[test]
    fn a_shifted_clock_goes_where_it_is_put_and_its_clones_with_it() {
        let (clock, shift) = Clock::shifted();
        let clone = clock.clone();
        assert_eq!(ahead(&clone), 0);
        shift.set(SignedDuration::from_hours(-48));
        assert_eq!(ahead(&clone), -48 * 3600);
        shift.advance(SignedDuration::from_hours(49));
        assert_eq!(ahead(&clock), 3600);
        assert_eq!(ahead(&Clock::system()), 0);
    }

    #[test]
    fn a_clock_put_beyond_all_time_stops_at_its_end() {
        let (clock, shift) = Clock::shifted();
        shift.set(SignedDuration::from_hours(24 * 366 * 20_000));
        assert_eq!(clock.now(), Timestamp::MAX);
    }
}
