//! Families of figures: one for each combination of labels that has occurred, and never too many.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use store::Timing;

use super::text::Text;

/// How many combinations of labels one family has at most. Labels are words of closed lists, routes and registered
/// clients: a gateway that comes near this has thousands of clients, and the rest of them is counted as `other`.
const MOST_SERIES: usize = 20_000;
/// Between two labels of a key; no label has it.
const BETWEEN: char = '\u{1f}';

/// Something that is kept for each combination of labels.
pub(super) struct Series<T> {
    labels: &'static [&'static str],
    all: RwLock<HashMap<String, Arc<T>>>,
}

impl<T> Series<T> {
    pub(super) fn new(labels: &'static [&'static str]) -> Self {
        Self {
            labels,
            all: RwLock::default(),
        }
    }

    /// That of these labels, made by `make` where it is the first.
    pub(super) fn of(&self, values: &[&str], make: impl FnOnce() -> T) -> Arc<T> {
        debug_assert_eq!(values.len(), self.labels.len());
        if let [one] = values {
            return self.find(one, make);
        }
        let length = values.iter().map(|value| value.len() + 1).sum();
        let mut key = String::with_capacity(length);
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                key.push(BETWEEN);
            }
            key.push_str(value);
        }
        self.find(&key, make)
    }

    fn find(&self, key: &str, make: impl FnOnce() -> T) -> Arc<T> {
        // A panic while the map was held cannot have left half an entry.
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = all.get(key) {
            return Arc::clone(found);
        }
        let is_full = all.len() >= MOST_SERIES;
        drop(all);
        let key = if is_full {
            vec!["other"; self.labels.len()].join(&BETWEEN.to_string())
        } else {
            key.to_owned()
        };
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(key).or_insert_with(|| Arc::new(make())))
    }

    /// Calls `tell` with each combination of labels, in order.
    pub(super) fn each(&self, mut tell: impl FnMut(&[(&str, &str)], &T)) {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<_> = all.iter().collect();
        sorted.sort_by(|one, other| one.0.cmp(other.0));
        for (key, value) in sorted {
            let labels = self.labels.iter().copied().zip(key.split(BETWEEN));
            tell(&labels.collect::<Vec<_>>(), value);
        }
    }
}

/// A family that counts.
pub struct Counters {
    name: &'static str,
    help: &'static str,
    series: Series<AtomicU64>,
}

impl Counters {
    pub(super) fn new(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            help,
            series: Series::new(labels),
        }
    }

    /// One more.
    pub fn add(&self, labels: &[&str]) {
        let counter = self.series.of(labels, AtomicU64::default);
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self, text: &mut Text) {
        text.family(self.name, "counter", self.help);
        self.series.each(|labels, counter| {
            text.sample(self.name, labels, counter.load(Ordering::Relaxed));
        });
    }
}

/// A family that counts durations.
pub struct Timers {
    name: &'static str,
    help: &'static str,
    bounds: &'static [u64],
    series: Series<Timing>,
}

impl Timers {
    pub(super) fn new(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        bounds: &'static [u64],
    ) -> Self {
        Self {
            name,
            help,
            bounds,
            series: Series::new(labels),
        }
    }

    /// One that took so long.
    pub fn add(&self, labels: &[&str], took: Duration) {
        self.series
            .of(labels, || Timing::new(self.bounds))
            .add(took);
    }

    pub(super) fn write(&self, text: &mut Text) {
        text.family(self.name, "histogram", self.help);
        self.series.each(|labels, timing| {
            text.histogram(self.name, labels, &timing.counted());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_combination_of_labels_has_a_count_of_its_own() {
        let counters = Counters::new("a_total", "A.", &["client", "outcome"]);
        counters.add(&["one", "verified"]);
        counters.add(&["one", "verified"]);
        counters.add(&["one", "declined"]);
        let mut text = Text::default();
        counters.write(&mut text);
        assert_eq!(
            text.into_string(),
            "# HELP a_total A.\n# TYPE a_total counter\n\
             a_total{client=\"one\",outcome=\"declined\"} 1\n\
             a_total{client=\"one\",outcome=\"verified\"} 2\n"
        );
    }

    #[test]
    fn a_family_that_is_full_counts_what_is_new_as_other() {
        let counters = Counters::new("a_total", "A.", &["client"]);
        for number in 0..MOST_SERIES + 5 {
            counters.add(&[&number.to_string()]);
        }
        let mut text = Text::default();
        counters.write(&mut text);
        let text = text.into_string();
        assert!(text.contains("a_total{client=\"other\"} 5\n"));
        assert_eq!(text.lines().count(), 2 + MOST_SERIES + 1);
    }
}
