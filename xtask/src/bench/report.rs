//! What was measured, as people read it (Markdown) and as programs do (JSON).

use serde_json::{Map, Value, json};

use super::machine::Machine;

/// The figures of one benchmark.
pub(super) struct Report {
    pub(super) name: String,
    command: String,
    paragraphs: Vec<String>,
    values: Map<String, Value>,
}

impl Report {
    pub(super) fn new(name: String, command: &str) -> Self {
        Self {
            command: format!("cargo xtask bench {command}"),
            name,
            paragraphs: Vec::new(),
            values: Map::new(),
        }
    }

    /// An option of the command that differs from the usual.
    pub(super) fn with(&mut self, option: &str) {
        self.command.push(' ');
        self.command.push_str(option);
    }

    /// A sentence, or several.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.paragraphs.push(text.into());
    }

    /// A table; the first row is its head.
    pub(super) fn table(&mut self, rows: &[Vec<String>]) {
        let line = |cells: &Vec<String>| format!("| {} |", cells.join(" | "));
        let mut lines: Vec<String> = rows.iter().map(line).collect();
        if let Some(head) = rows.first() {
            lines.insert(1, format!("|{}", "---|".repeat(head.len())));
        }
        self.paragraphs.push(lines.join("\n"));
    }

    /// What a run told, whole.
    pub(super) fn keep(&mut self, name: &str, told: Value) {
        self.values.insert(name.to_owned(), told);
    }

    /// Where, of what and by which command, then the figures.
    pub(super) fn text(&self, machine: &Machine) -> String {
        let head = format!("{}\n\n    {}", machine.sentence, self.command);
        let mut all = vec![head];
        all.extend(self.paragraphs.iter().cloned());
        all.join("\n\n")
    }

    pub(super) fn into_value(self, machine: &Machine) -> Value {
        json!({
            "benchmark": self.name,
            "command": self.command,
            "machine": machine.sentence,
            "runs": self.values,
        })
    }
}

/// A number of what a run told; NaN, which shows, where it is missing.
pub(super) fn number(told: &Value, path: &str) -> f64 {
    told.pointer(path)
        .and_then(Value::as_f64)
        .unwrap_or(f64::NAN)
}

/// Microseconds in milliseconds.
pub(super) fn milliseconds(told: &Value, path: &str) -> String {
    format!("{:.1} ms", number(told, path) / 1e3)
}

/// Bytes in megabytes of a million.
pub(super) fn megabytes(told: &Value, path: &str) -> String {
    format!("{:.0} MB", number(told, path) / 1e6)
}

/// The worst 99th percentile of the endpoints that were asked, in microseconds; NaN, which meets no aim, where one is missing.
pub(super) fn slowest_p99(told: &Value) -> f64 {
    let asked = told["endpoints"].as_array().into_iter().flatten();
    let slowest = asked.map(|one| number(one, "/p99_us")).reduce(|a, b| {
        // `f64::max` would pass over what is missing.
        if b > a || b.is_nan() { b } else { a }
    });
    slowest.unwrap_or(f64::NAN)
}

/// Whether an aim was met, in a word.
pub(super) fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

/// Rows of median and 99th percentile, one for each endpoint that was asked.
pub(super) fn endpoint_rows(told: &Value) -> Vec<Vec<String>> {
    let mut rows = vec![
        ["endpoint", "requests", "p50", "p99"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for one in told["endpoints"].as_array().into_iter().flatten() {
        rows.push(vec![
            one["endpoint"].as_str().unwrap_or_default().to_owned(),
            format!("{:.0}", number(one, "/count")),
            milliseconds(one, "/p50_us"),
            milliseconds(one, "/p99_us"),
        ]);
    }
    rows
}

/// The middle of some values, or between the two in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(median(&[3.0, 1.0, 2.0]), 2.0));
        assert!(close(median(&[4.0, 1.0, 2.0, 3.0]), 2.5));
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn figures_are_rounded_and_a_missing_one_is_seen() {
        let told = json!({ "a": { "p50_us": 1_449 }, "resident": 61_600_000 });
        assert_eq!(milliseconds(&told, "/a/p50_us"), "1.4 ms");
        assert_eq!(megabytes(&told, "/resident"), "62 MB");
        assert_eq!(megabytes(&told, "/nothing"), "NaN MB");
    }

    #[test]
    fn one_slow_or_missing_endpoint_among_many_misses_the_aim() {
        let slowest = |told: Value| slowest_p99(&json!({ "endpoints": told }));
        let took = |p99: f64| json!({ "p99_us": p99 });
        for told in [
            json!([took(3e3), took(9e3), took(7e3)]),
            json!([took(9e3), took(3e3)]),
        ] {
            assert!((slowest(told) - 9e3).abs() < 1e-9);
        }
        for told in [
            json!([took(3e3), {}]),
            json!([{}, took(3e3)]),
            json!([]),
            json!(null),
        ] {
            assert_eq!(verdict(slowest(told.clone()) < 50e3), "missed", "{told}");
        }
    }

    #[test]
    fn a_table_has_its_line_under_the_head() {
        let mut report = Report::new("x".to_owned(), "x --seconds 1");
        report.table(&[
            vec!["a".to_owned(), "b".to_owned()],
            vec!["1".to_owned(), "2".to_owned()],
        ]);
        assert_eq!(report.paragraphs, ["| a | b |\n|---|---|\n| 1 | 2 |"]);
    }
}
