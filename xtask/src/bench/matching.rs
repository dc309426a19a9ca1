//! How often each policy of the name comparison is right: every pair of the corpus, judged by the connector's two
//! policies and by two plainer rules, beside what a careful officer wrote down before the rules were.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;
use serde_json::Value;

use super::report::{Report, number};
use crate::cargo::{SHIPPED, built, cargo};

const CORPUS: &str = "crates/connector/corpus/names";

/// What counts, for one rule.
#[derive(Default, Clone, Copy)]
struct Tally {
    pairs: u32,
    /// A match where the officer says review or no, and of those the ones where it is no: another person.
    false_accepts: u32,
    of_another_person: u32,
    /// No match where the officer says match.
    false_rejects: u32,
    reviews: u32,
}

impl Tally {
    fn count(&mut self, expected: &str, found: &str) {
        self.pairs += 1;
        self.false_accepts += u32::from(found == "match" && expected != "match");
        self.of_another_person += u32::from(found == "match" && expected == "no");
        self.false_rejects += u32::from(found != "match" && expected == "match");
        self.reviews += u32::from(found == "review");
    }

    fn cells(self) -> [String; 5] {
        [
            self.pairs.to_string(),
            self.false_accepts.to_string(),
            self.of_another_person.to_string(),
            self.false_rejects.to_string(),
            self.reviews.to_string(),
        ]
    }
}

const HEAD: [&str; 5] = [
    "pairs",
    "false accepts",
    "of these another person",
    "false rejects",
    "reviews",
];

pub(super) fn measure(root: &Path, report: &mut Report) -> anyhow::Result<()> {
    let text = corpus(root)?;
    let pairs: Vec<Value> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let judged = judge(root, &text)?;
    report.say(
        "`exact` and `client A's rule` are not asked the same: a plainer rule is held against what was written down for \
         the policy that it stands beside (equality: `exact`; client A: `fuzzy`).",
    );
    let mut rows = vec![row(&["rule"], &HEAD, &["comparisons per second"])];
    let mut tables = Vec::new();
    for told in judged {
        let name = told["rule"].as_str().unwrap_or_default().to_owned();
        let policy = match name.as_str() {
            "fuzzy" | "client A's rule alone" => "fuzzy",
            _ => "exact",
        };
        let outcomes = told["outcomes"].as_array().context("no outcomes")?;
        anyhow::ensure!(outcomes.len() == pairs.len(), "{name} has not judged all");
        let (mut all, mut habits) = (Tally::default(), BTreeMap::<&str, Tally>::new());
        for (pair, found) in pairs.iter().zip(outcomes) {
            let expected = pair[policy].as_str().unwrap_or_default();
            let found = found.as_str().unwrap_or_default();
            let habit = pair["habit"].as_str().unwrap_or_default();
            all.count(expected, found);
            habits.entry(habit).or_default().count(expected, found);
        }
        let per_second = format!("{:.0}", number(&told, "/per_second"));
        rows.push(row(&[&name], &all.cells(), &[&per_second]));
        let mut table = vec![row(&["habit"], &HEAD, &[])];
        for (habit, tally) in habits {
            table.push(row(&[habit], &tally.cells(), &[]));
        }
        tables.push((name.clone(), table));
        report.keep(&name, told);
    }
    report.table(&rows);
    for (name, table) in tables {
        report.say(format!("**{name}**, by habit of naming:"));
        report.table(&table);
    }
    Ok(())
}

fn row<T: AsRef<str>>(before: &[&str], cells: &[T], after: &[&str]) -> Vec<String> {
    let owned = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let cells = cells.iter().map(|cell| cell.as_ref().to_owned()).collect();
    [owned(before), cells, owned(after)].concat()
}

/// All files of the corpus, in the order of their names.
fn corpus(root: &Path) -> anyhow::Result<String> {
    let mut files = fs::read_dir(root.join(CORPUS))
        .context(CORPUS)?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    files.sort();
    let texts = files.iter().map(fs::read_to_string);
    Ok(texts.collect::<Result<Vec<_>, _>>()?.concat())
}

/// In a process of its own, and of the release build: this program is neither.
fn judge(root: &Path, corpus: &str) -> anyhow::Result<Vec<Value>> {
    let arguments = [
        "build",
        "--quiet",
        "--profile",
        SHIPPED,
        "-p",
        "connector",
        "--bin",
        "judge-names",
    ];
    let status = cargo(root).args(arguments).status()?;
    anyhow::ensure!(status.success(), "judge-names does not build");
    let program = built(root).join("judge-names");
    let mut child = std::process::Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("judge-names does not start")?;
    // It reads all before it answers, so neither side waits for the other.
    child
        .stdin
        .take()
        .context("no standard input")?
        .write_all(corpus.as_bytes())?;
    let output = child.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "judge-names failed");
    let lines = String::from_utf8(output.stdout)?;
    Ok(lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_of_another_person_is_a_false_accept_and_a_review_of_the_same_a_false_reject() {
        let mut tally = Tally::default();
        for (expected, found) in [
            ("match", "match"),
            ("no", "match"),
            ("review", "match"),
            ("match", "review"),
            ("no", "no"),
        ] {
            tally.count(expected, found);
        }
        assert_eq!(tally.cells(), ["5", "2", "1", "1", "1"]);
    }
}
