//! Counting what the test runners report.

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …` (the Rust harness).
    pub(crate) fn add_rust_line(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        let count = |word: &str| {
            counts
                .split([';', '.'])
                .filter_map(|part| part.trim().strip_suffix(word))
                .find_map(|number| number.trim().parse::<u64>().ok())
        };
        self.passed += count("passed").unwrap_or(0);
        self.failed += count("failed").unwrap_or(0);
    }

    /// Adds a line such as `ℹ pass 12` or `# fail 0` (Node's runner).
    pub(crate) fn add_node_line(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) else {
            return;
        };
        let Some((word, number)) = rest.split_once(' ') else {
            return;
        };
        let Ok(number) = number.trim().parse::<u64>() else {
            return;
        };
        match word {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            _ => {}
        }
    }

    /// Reads the report that nextest writes for machines. `None` where it is not such a report.
    pub(crate) fn parse_junit(report: &str) -> Option<Self> {
        let start = report.find("<testsuites")?;
        let suites = &report[start..start + report[start..].find('>')?];
        let number = |name: &str| -> Option<u64> {
            let value = suites.split_once(&format!(" {name}=\""))?.1;
            value[..value.find('"')?].parse().ok()
        };
        let failed = number("failures")? + number("errors")?;
        Some(Self {
            passed: number("tests")?.checked_sub(failed)?,
            failed,
        })
    }
}

/// The tests that passed only when they were tried again, by the names that nextest's report has.
pub(crate) fn passed_at_last(report: &str) -> Vec<&str> {
    let cases = report.split("<testcase ").skip(1);
    cases
        .filter(|case| case.contains("<flakyFailure") || case.contains("<flakyError"))
        .filter_map(|case| {
            let (_, name) = case.split_once("name=\"")?;
            Some(name.split_once('"')?.0)
        })
        .collect()
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_lines_of_the_rust_harness_add_up() {
        let mut tally = Tally::default();
        tally.add_rust_line("running 3 tests");
        tally.add_rust_line("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        tally.add_rust_line(
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        assert_eq!(
            tally,
            Tally {
                passed: 13,
                failed: 2
            }
        );
    }

    #[test]
    fn a_cancelled_node_test_counts_as_failed() {
        let mut tally = Tally::default();
        for line in [
            "ℹ tests 9",
            "ℹ pass 7",
            "ℹ fail 1",
            "ℹ cancelled 1",
            "# pass 1",
        ] {
            tally.add_node_line(line);
        }
        assert_eq!(
            tally,
            Tally {
                passed: 8,
                failed: 2
            }
        );
    }

    #[test]
    fn the_report_of_nextest_is_read() {
        let report = r#"<?xml version="1.0"?><testsuites name="nextest-run" tests="41" failures="2" errors="1" uuid="x"><testsuite tests="7"/></testsuites>"#;
        assert_eq!(
            Tally::parse_junit(report),
            Some(Tally {
                passed: 38,
                failed: 3
            })
        );
        assert_eq!(Tally::parse_junit("nothing of the kind"), None);
    }

    #[test]
    fn a_test_that_passed_only_when_tried_again_is_named() {
        let report = r#"<testsuite name="a"><testcase name="steady" classname="a"/>
            <testcase name="unsteady" classname="a"><flakyFailure type="test failure">…</flakyFailure></testcase>
            <testcase name="failed" classname="a"><failure type="x"/></testcase></testsuite>"#;
        assert_eq!(passed_at_last(report), ["unsteady"]);
    }
}
