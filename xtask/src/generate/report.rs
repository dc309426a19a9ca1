//! What became of each test in the last whole run: the `JUnit` reports of nextest and of Node's runner.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The folder below cargo's own in which a whole run leaves its reports.
const FOLDER: &str = "last-run";

/// The Rust tests' report; any other in the folder is an npm folder's.
const RUST: &str = "rust.xml";

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    /// It said that something it needs is not here.
    Skipped,
    /// It said that it belongs to `cargo xtask test --long`.
    Long,
}

/// Every test of the run by its whole name: `gateway::it::journeys::sqlite::a_name`.
#[derive(Debug, Default)]
pub(super) struct Report {
    outcomes: BTreeMap<String, Outcome>,
    /// Names of tests that have no Rust source.
    foreign: Vec<String>,
}

impl Report {
    pub(super) fn read(target: &Path) -> anyhow::Result<Self> {
        let folder = target.join(FOLDER);
        let mut report = Self::default();
        let rust = std::fs::read_to_string(folder.join(RUST)).context(
            "there is no report of a whole test run: run `cargo xtask test` (with cargo-nextest installed) first",
        )?;
        report.add(&rust);
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name != RUST) {
                let mut other = Self::default();
                other.add(&std::fs::read_to_string(&path)?);
                let place = path.file_stem().unwrap_or_default().to_string_lossy();
                for (name, outcome) in other.outcomes {
                    let name = format!("{place}::{name}");
                    report.foreign.push(name.clone());
                    report.outcomes.insert(name, outcome);
                }
            }
        }
        Ok(report)
    }

    pub(super) fn outcome(&self, test: &str) -> Option<Outcome> {
        self.outcomes.get(test).copied()
    }

    pub(super) fn foreign(&self) -> impl Iterator<Item = &str> {
        self.foreign.iter().map(String::as_str)
    }

    fn add(&mut self, xml: &str) {
        each_case(xml, |name, body| {
            self.outcomes.insert(name, outcome(body));
        });
    }

    #[cfg(test)]
    pub(super) fn of(tests: &[(&str, Outcome)]) -> Self {
        Self {
            outcomes: tests
                .iter()
                .map(|(name, outcome)| ((*name).to_owned(), *outcome))
                .collect(),
            foreign: Vec::new(),
        }
    }
}

/// Where the report of a whole run goes, for `rust` or for an npm folder.
pub(crate) fn place(target: &Path, runner: &str) -> PathBuf {
    target.join(FOLDER).join(format!("{runner}.xml"))
}

/// Forgets the run before.
pub(crate) fn begin(target: &Path) -> anyhow::Result<()> {
    let folder = target.join(FOLDER);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("could not create {}", folder.display()))
}

/// Every test of a report that did not run, with what it says of the reason.
pub(crate) fn skips(xml: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    each_case(xml, |name, body| {
        found.extend(skip(body).map(|said| (name, said)));
    });
    found
}

/// Reads one report, test by test. Both writers escape `<` in texts, so that every `<` begins a tag.
fn each_case(xml: &str, mut read: impl FnMut(String, &str)) {
    let mut suites: Vec<String> = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let tag = &rest[..rest.find('>').unwrap_or(rest.len())];
        if let Some(suite) = tag.strip_prefix("testsuite ") {
            suites.push(attribute(suite, "name"));
        } else if tag.starts_with("/testsuite") && !tag.starts_with("/testsuites") {
            suites.pop();
        } else if let Some(case) = tag.strip_prefix("testcase ") {
            let body = if case.ends_with('/') {
                ""
            } else {
                let end = rest.find("</testcase").unwrap_or(rest.len());
                &rest[tag.len()..end]
            };
            let name = attribute(case, "name");
            let whole: Vec<&str> = suites.iter().map(String::as_str).chain([&*name]).collect();
            read(whole.join("::"), body);
        }
    }
}

fn outcome(body: &str) -> Outcome {
    if body.contains("<failure") || body.contains("<error") {
        return Outcome::Failed;
    }
    match skip(body) {
        Some(said) if said.contains("--long") || said.contains("LANYARD_LONG") => Outcome::Long,
        Some(_) => Outcome::Skipped,
        None => Outcome::Passed,
    }
}

/// What a test says that did not run, from the word `skipped` on.
fn skip(body: &str) -> Option<String> {
    if let Some((_, tag)) = body.split_once("<skipped") {
        let tag = tag.split('>').next().unwrap_or_default();
        return Some(attribute(tag.trim_end_matches('/'), "message"));
    }
    // Rust's harness has no word for it: a test that cannot run here says so in a line of its own, which the harness
    // may have begun with `test a_name ... `.
    let texts = body
        .split('<')
        .filter_map(|tag| Some(tag.split_once('>')?.1));
    let said = texts.flat_map(str::lines).find_map(|line| {
        let line = line.rsplit(" ... ").next().unwrap_or(line);
        // However it is written: a test that did not run is taken for one that passed by nobody.
        let begins = line.get(.."skipped".len());
        begins
            .is_some_and(|word| word.eq_ignore_ascii_case("skipped"))
            .then_some(line)
    });
    said.map(|line| unescape(line.trim_end()))
}

fn attribute(tag: &str, name: &str) -> String {
    let start = format!("{name}=\"");
    let value = tag
        .strip_prefix(start.as_str())
        .or_else(|| Some(tag.split_once(&format!(" {start}"))?.1))
        .and_then(|rest| Some(rest.split_once('"')?.0))
        .unwrap_or_default();
    // Node's runner escapes twice.
    unescape(&unescape(value))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_passes_only_if_it_ran_and_nothing_failed() {
        let mut report = Report::default();
        report.add(
            r#"<?xml version="1.0"?><testsuites name="nextest-run" tests="5">
<testsuite name="gateway::it" tests="5">
<testcase name="a::good" classname="gateway::it" time="0.1"/>
<testcase name="a::loud" time="0.1"><system-out>test a::loud ... nothing was skipped
&lt;testcase name="a::forged"/&gt; ok</system-out></testcase>
<testcase name="a::bad" time="0.1"><failure message="x">y</failure></testcase>
<testcase name="postgres::absent" time="0.1"><system-out>
running 1 test
test postgres::absent ... skipped on PostgreSQL: no server
ok</system-out></testcase>
<testcase name="postgres::quiet"><system-out>skipped: no browser</system-out></testcase>
<testcase name="loud::absent"><system-err>SKIPPED, no browser</system-err></testcase>
<testcase name="kill::many" time="0.1"><system-out>skipped: run `cargo xtask test --long`</system-out></testcase>
<testcase name="kill::more"><system-out>skipped: LANYARD_LONG is not set</system-out></testcase>
</testsuite><testsuite name="other"><testcase name="b"/></testsuite></testsuites>"#,
        );
        let found: Vec<(&str, Outcome)> = report
            .outcomes
            .iter()
            .map(|(name, outcome)| (name.as_str(), *outcome))
            .collect();
        assert_eq!(
            found,
            [
                ("gateway::it::a::bad", Outcome::Failed),
                ("gateway::it::a::good", Outcome::Passed),
                ("gateway::it::a::loud", Outcome::Passed),
                ("gateway::it::kill::many", Outcome::Long),
                ("gateway::it::kill::more", Outcome::Long),
                ("gateway::it::loud::absent", Outcome::Skipped),
                ("gateway::it::postgres::absent", Outcome::Skipped),
                ("gateway::it::postgres::quiet", Outcome::Skipped),
                ("other::b", Outcome::Passed),
            ]
        );
    }

    #[test]
    fn nodes_nested_tests_have_the_names_above_them() {
        let mut report = Report::default();
        report.add(
            "<testsuites>\n<testsuite name=\"over &amp;quot;https&amp;quot;\" tests=\"1\">\n\
             <testcase name=\"inner\" classname=\"test\"/>\n</testsuite>\n\
             <testcase name=\"outer\" classname=\"test\">\n<skipped type=\"skipped\"/>\n</testcase>\n<!-- tests 2 -->\n</testsuites>",
        );
        assert_eq!(
            report.outcome("over \"https\"::inner"),
            Some(Outcome::Passed)
        );
        assert_eq!(report.outcome("outer"), Some(Outcome::Skipped));
    }
}
