//! `cargo xtask generate`: the tables of docs/reference/, made from the last whole test run (rulings 24).
//!
//! A rule's tests are those that name it, in their name or in what stands in and above them. What became of each is
//! read from the reports of the run, never assumed: a test that did not run or failed cannot read `pass`.

mod claims;
mod node;
pub(crate) mod report;
mod rules;
mod tokens;

use std::path::Path;

use anyhow::Context as _;

use crate::cargo::{cargo, succeeds, target_folder};
use claims::Claims;
use report::Report;
use rules::Checklist;

/// Where the tables are.
const FOLDER: &str = "docs/reference";

/// Tells the tests that compare a table with what they find to write it instead.
const REWRITE: &str = "LANYARD_WRITE_REFERENCE";

/// Files that a test compares with what the code itself says, the crate and target where that test is, and its name.
const WRITTEN_BY_TESTS: &[(&str, &str, &[&str], &str)] = &[
    (
        "refusals.md",
        "gateway",
        &["--lib"],
        "the_table_of_refusals",
    ),
    ("causes.md", "gateway", &["--lib"], "the_table_of_causes"),
    ("errors.md", "gateway", &["--lib"], "the_table_of_errors"),
    ("roles.md", "gateway", &["--lib"], "the_table_of_roles"),
    (
        "admin.openapi.json",
        "gateway",
        &["--test", "it"],
        "the_committed_admin_description",
    ),
    (
        "openapi.json",
        "gateway",
        &["--test", "it"],
        "the_committed_description",
    ),
    (
        "mails.md",
        "connector",
        &["--lib"],
        "the_page_of_mails_is_what_is_sent",
    ),
    (
        "sidecar.openapi.json",
        "sidecar",
        &["--test", "it"],
        "the_committed_description",
    ),
];

/// Writes the tables. `Ok(false)`: written, and some row says `fail`.
pub(crate) fn write(root: &Path) -> anyhow::Result<bool> {
    let tables = tables(root)?;
    std::fs::create_dir_all(root.join(FOLDER))?;
    let mut all_good = true;
    for table in &tables {
        let path = root.join(FOLDER).join(table.checklist.file);
        std::fs::write(&path, &table.text)
            .with_context(|| format!("could not write {}", path.display()))?;
        println!("{FOLDER}/{}: {}", table.checklist.file, table.summary);
        all_good &= table.failed == 0;
    }
    for (file, package, target, test) in WRITTEN_BY_TESTS {
        let mut command = cargo(root);
        command
            .args(["test", "--quiet", "--package", package])
            .args(*target)
            .arg(test)
            .env(REWRITE, "1")
            .stdout(std::process::Stdio::null());
        anyhow::ensure!(succeeds(&mut command)?, "{file} could not be written");
        println!("{FOLDER}/{file}: written from the code itself");
    }
    Ok(all_good)
}

/// Compares the committed tables with what the last run yields. Says nothing where they agree.
pub(crate) fn check(root: &Path) -> anyhow::Result<bool> {
    let mut all_same = true;
    for table in tables(root)? {
        let path = root.join(FOLDER).join(table.checklist.file);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some((line, is, was)) = first_difference(&committed, &table.text) {
            all_same = false;
            println!(
                "{FOLDER}/{}:{line} is not what the tests yield.\n  committed: {was}\n  the run:   {is}",
                table.checklist.file
            );
        }
    }
    if !all_same {
        println!("\nRun `cargo xtask generate` and commit what it writes.");
    }
    Ok(all_same)
}

struct Table {
    checklist: &'static Checklist,
    text: String,
    summary: String,
    failed: usize,
}

fn tables(root: &Path) -> anyhow::Result<Vec<Table>> {
    let report = Report::read(&target_folder(root))?;
    let claims = claims::read(root, &report)?;
    rules::CHECKLISTS
        .iter()
        .map(|checklist| make(root, checklist, &claims, &report))
        .collect::<anyhow::Result<_>>()
        .and_then(|tables| {
            known(&claims, root)?;
            Ok(tables)
        })
}

fn make(
    root: &Path,
    checklist: &'static Checklist,
    claims: &Claims,
    report: &Report,
) -> anyhow::Result<Table> {
    let rules = checklist.read(root)?;
    let rows = rules::rows(&rules, claims, report);
    let failed = rows.iter().filter(|row| row.verdict == "fail").count();
    let count = |verdict: &str| rows.iter().filter(|row| row.verdict == verdict).count();
    Ok(Table {
        checklist,
        text: checklist.page(&rules, &rows),
        summary: format!(
            "{} pass, {failed} fail, {} later, {} by evidence, {} not applicable",
            count("pass"),
            count("later"),
            count("evidence"),
            count("n/a")
        ),
        failed,
    })
}

/// A test that names a rule which no list has proves nothing: most likely a slip of the pen.
fn known(claims: &Claims, root: &Path) -> anyhow::Result<()> {
    let mut ids = Vec::new();
    for checklist in rules::CHECKLISTS {
        ids.extend(checklist.read(root)?.into_iter().map(|rule| rule.id));
    }
    for (id, tests) in claims {
        anyhow::ensure!(
            ids.contains(id),
            "{} names {id}, which is in no list of xtask/data",
            tests.iter().next().map_or("a test", String::as_str)
        );
    }
    Ok(())
}

/// The first line in which two texts differ: its number, the new one and the old one.
fn first_difference<'a>(old: &'a str, new: &'a str) -> Option<(usize, &'a str, &'a str)> {
    let (mut olds, mut news) = (old.lines(), new.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (olds.next(), news.next()) {
            (None, None) => return None,
            (was, is) if was == is => {}
            (was, is) => return Some((number, is.unwrap_or("(end)"), was.unwrap_or("(end)"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some((2, "c", "b")));
        assert_eq!(first_difference("", "a\n"), Some((1, "a", "(end)")));
    }
}
