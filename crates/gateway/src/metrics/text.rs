//! The text that Prometheus reads [Prometheus text exposition format 0.0.4].

use std::fmt::Write as _;

use store::Counted;

/// What the answer is called.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// An exposition that is being written: each family's two lines, then its samples.
#[derive(Default)]
pub struct Text(String);

impl Text {
    /// Begins a family. `kind` is `counter`, `gauge` or `histogram`; help is one line of ours.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample of the family that was begun last.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        self.labels(labels, None);
        let _ = writeln!(self.0, " {value}");
    }

    /// A family of one sample without labels.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The samples of one histogram, whose microseconds are told as seconds.
    pub fn histogram(&mut self, name: &str, labels: &[(&str, &str)], counted: &Counted) {
        for (bound, count) in &counted.up_to {
            let _ = write!(self.0, "{name}_bucket");
            self.labels(labels, Some(&seconds(*bound)));
            let _ = writeln!(self.0, " {count}");
        }
        let _ = write!(self.0, "{name}_bucket");
        self.labels(labels, Some("+Inf"));
        let _ = writeln!(self.0, " {}", counted.count);
        self.sample(&format!("{name}_sum"), labels, seconds(counted.sum));
        self.sample(&format!("{name}_count"), labels, counted.count);
    }

    /// The whole.
    pub fn into_string(self) -> String {
        self.0
    }

    fn labels(&mut self, labels: &[(&str, &str)], bound: Option<&str>) {
        let all = labels.iter().copied().chain(bound.map(|le| ("le", le)));
        let mut is_first = true;
        for (name, value) in all {
            self.0.push(if is_first { '{' } else { ',' });
            is_first = false;
            let _ = write!(self.0, "{name}=\"");
            for character in value.chars() {
                match character {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    other => self.0.push(other),
                }
            }
            self.0.push('"');
        }
        if !is_first {
            self.0.push('}');
        }
    }
}

/// Microseconds as seconds, without a rounding error and without zeros at the end.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let text = text.trim_end_matches('0');
    text.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_labels_escaped_and_a_histogram_its_bounds_in_seconds() {
        let mut text = Text::default();
        text.family("a_total", "counter", "What is counted.");
        text.sample("a_total", &[("client", "a\"b\\c\nd")], 7);
        let counted = Counted {
            up_to: vec![(500, 1), (2_500_000, 2)],
            count: 3,
            sum: 12_000_001,
        };
        text.histogram("b_seconds", &[("of", "it")], &counted);
        text.single("c", "gauge", "One.", 1);
        let expected = "# HELP a_total What is counted.\n# TYPE a_total counter\n\
            a_total{client=\"a\\\"b\\\\c\\nd\"} 7\n\
            b_seconds_bucket{of=\"it\",le=\"0.0005\"} 1\n\
            b_seconds_bucket{of=\"it\",le=\"2.5\"} 2\n\
            b_seconds_bucket{of=\"it\",le=\"+Inf\"} 3\n\
            b_seconds_sum{of=\"it\"} 12.000001\n\
            b_seconds_count{of=\"it\"} 3\n\
            # HELP c One.\n# TYPE c gauge\nc 1\n";
        assert_eq!(text.into_string(), expected);
    }
}
