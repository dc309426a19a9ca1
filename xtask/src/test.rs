//! `cargo xtask test`: every test, with one command, on a machine that has Rust and a C compiler.

use std::path::Path;
use std::process::Command;

use crate::cargo::{
    cargo, output_of, succeeds, succeeds_while_reading, target_folder, workspace_root,
};
use crate::fuzz;
use crate::generate::report;
use crate::machine::{self, NPM_FOLDERS};
use crate::postgres::{self, Postgres};
use crate::python;
use crate::scratch::Scratch;
use crate::skipped;
use crate::tally::{Tally, passed_at_last};

/// Tests that are too slow for every change look for this variable.
const LONG: &str = "LANYARD_LONG";

/// Says that everything for a real browser is installed: a test that needs it may not pass over its absence.
const BROWSER: &str = "LANYARD_TEST_BROWSER";

/// The built binary, for tests that are not Rust.
const BINARY: &str = "LANYARD_BINARY";

/// What one run is to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    long: bool,
    runner_arguments: Vec<String>,
}

impl Plan {
    pub(crate) fn parse(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut plan = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--long" => plan.long = true,
                "--" => plan.runner_arguments = rest.by_ref().map(ToString::to_string).collect(),
                other => anyhow::bail!(
                    "unknown option `{other}`; what is for the test runner goes after `--`"
                ),
            }
        }
        Ok(plan)
    }

    fn is_whole(&self) -> bool {
        self.runner_arguments.is_empty()
    }

    /// Which crates the runner is to build: all of them, unless its own arguments choose.
    fn crates(&self) -> &'static [&'static str] {
        let chooses = |argument: &String| argument == "-p" || argument.starts_with("--package");
        if self.runner_arguments.iter().any(chooses) {
            &[]
        } else {
            &["--workspace"]
        }
    }
}

/// Runs the plan; says whether every test passed.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<bool> {
    let root = workspace_root()?;
    let target = target_folder(&root);
    let machine = machine::prepare(&root, &target, plan.long)?;

    let mut environment = vec![(BROWSER, "1".to_owned())];
    environment.extend(path_with(machine.node.as_deref()));
    if plan.long {
        environment.push((LONG, "1".to_owned()));
    }
    // The long tests write more than memory should hold.
    let scratch = (!plan.long).then(Scratch::in_memory).flatten();
    if let Some(scratch) = &scratch {
        let folder = scratch.folder().display().to_string();
        println!("What the tests write lies in memory, in {folder}.");
        environment.push(("TMPDIR", folder));
    }
    let _server = if std::env::var_os(postgres::VARIABLE).is_some() {
        println!("Using the PostgreSQL that {} names.", postgres::VARIABLE);
        None
    } else {
        let server = Postgres::start()?;
        println!(
            "A throw-away PostgreSQL runs in {}.",
            server.folder().display()
        );
        environment.push((postgres::VARIABLE, server.url().to_owned()));
        Some(server)
    };

    if plan.is_whole() {
        report::begin(&target)?;
    }
    let (mut all_passed, mut tally) = run_rust(&root, &target, plan, &environment)?;
    let Some(node) = machine.node.filter(|_| plan.is_whole()) else {
        return Ok(all_passed);
    };
    if let Some(python) = &machine.python {
        environment.push((python::VARIABLE, python.display().to_string()));
    }
    environment.push((BINARY, target.join("debug/lanyard").display().to_string()));
    for folder in NPM_FOLDERS
        .iter()
        .map(|folder| root.join(folder))
        .filter(|folder| has_node_tests(folder))
    {
        println!("\nThe npm tests of {}", folder.display());
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let report = report::place(&target, &name);
        let mut command = Command::new(&node);
        command
            .args([
                "--test",
                "--test-reporter=spec",
                "--test-reporter-destination=stdout",
                "--test-reporter=junit",
            ])
            .arg(format!("--test-reporter-destination={}", report.display()))
            .envs(environment.iter().cloned())
            .current_dir(&folder);
        all_passed &= succeeds_while_reading(&mut command, |line| tally.add_node_line(line))?;
        let said = std::fs::read_to_string(&report).unwrap_or_default();
        all_passed &= skipped::look_at(&said, plan.long);
    }
    println!("\n{tally}");
    if plan.long {
        println!("\nThe fuzz targets, ten minutes each");
        all_passed &= fuzz::run(&fuzz::Plan::whole())?;
    }
    Ok(all_passed)
}

fn run_rust(
    root: &Path,
    target: &Path,
    plan: &Plan,
    environment: &[(&str, String)],
) -> anyhow::Result<(bool, Tally)> {
    let mut tally = Tally::default();
    let with_nextest = output_of("cargo", &["nextest", "--version"]).is_some();
    if !with_nextest {
        println!("cargo-nextest is not installed: using `cargo test` (slower, the same tests).");
        let mut command = cargo(root);
        command
            .args(["test", "--no-fail-fast"])
            .args(plan.crates())
            .args(&plan.runner_arguments)
            .envs(environment.iter().cloned());
        let passed = succeeds_while_reading(&mut command, |line| tally.add_rust_line(line))?;
        println!("Which tests did not run is not seen without cargo-nextest.");
        // Its last line counts the last binary only.
        println!("\n{tally}");
        return Ok((passed, tally));
    }
    let mut all_passed = true;
    if plan.is_whole() {
        // nextest does not run the examples in documentation.
        let mut examples = cargo(root);
        examples
            .args(["test", "--workspace", "--doc", "--quiet"])
            .envs(environment.iter().cloned());
        all_passed &= succeeds_while_reading(&mut examples, |line| tally.add_rust_line(line))?;
    }
    let profile = if plan.long { "long" } else { "default" };
    let report = target.join("nextest").join(profile).join("junit.xml");
    let _ = std::fs::remove_file(&report);
    let mut command = cargo(root);
    command
        .args(["nextest", "run", "--profile", profile])
        .args(plan.crates())
        .args(&plan.runner_arguments)
        .envs(environment.iter().cloned());
    all_passed &= succeeds(&mut command)?;
    let said = std::fs::read_to_string(&report).unwrap_or_default();
    let counted = Tally::parse_junit(&said);
    for name in passed_at_last(&said) {
        println!("passed only when it was tried again, to be mended: {name}");
    }
    all_passed &= skipped::look_at(&said, plan.long);
    if plan.is_whole() && report.is_file() {
        std::fs::copy(&report, report::place(target, "rust"))?;
    }
    Ok((all_passed, tally + counted.unwrap_or_default()))
}

/// The search path, with the Node that was found in front: Rust's tests start it by its name.
fn path_with(node: Option<&Path>) -> Option<(&'static str, String)> {
    let folder = node?
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    let joined = std::env::join_paths(folders).ok()?.into_string().ok()?;
    Some(("PATH", joined))
}

fn has_node_tests(folder: &Path) -> bool {
    let is_test = |name: &str| name.ends_with(".test.mjs") || name.ends_with(".test.js");
    ["", "test"]
        .iter()
        .filter_map(|below| std::fs::read_dir(folder.join(below)).ok())
        .flatten()
        .flatten()
        .any(|entry| entry.file_name().to_str().is_some_and(is_test))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_follows_two_dashes_belongs_to_the_runner() {
        let plan = Plan::parse(&["--long", "--", "-p", "gateway", "--long"]).unwrap();
        assert_eq!(
            plan,
            Plan {
                long: true,
                runner_arguments: vec!["-p".into(), "gateway".into(), "--long".into()]
            }
        );
        assert_eq!(plan.crates(), [""; 0]);
        assert_eq!(
            Plan::parse(&["--", "a_name"]).unwrap().crates(),
            ["--workspace"]
        );
        assert!(Plan::parse(&["-p", "gateway"]).is_err());
    }
}
