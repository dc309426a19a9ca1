//! `cargo xtask fuzz`: LLVM's libFuzzer over the targets of `fuzz/`, on the stable compiler.
//!
//! What it finds goes to the target folder; a crash is kept there and named. The totals of each run are written to
//! `docs/reference/fuzzing.md`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::cargo::{cargo, output_of, succeeds, target_folder, workspace_root};

/// What makes rustc count which way an input takes, as libFuzzer wants it. No sanitizer: that would need a nightly
/// compiler, and there is no unsafe code of ours for one to watch.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];
/// The bounds of every input: length, seconds, and memory of the whole process in MiB.
const BOUNDS: [&str; 3] = ["-max_len=16384", "-timeout=10", "-rss_limit_mb=512"];
/// How long a target runs where nothing else is asked for.
const SECONDS: u32 = 600;
/// Where the totals go, and the lines between which they stand.
const PAGE: &str = "docs/reference/fuzzing.md";
const BEGIN: &str = "<!-- totals: begin -->\n";
const END: &str = "<!-- totals: end -->\n";

/// What one call is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// None: all of them.
    targets: Vec<String>,
    seconds: u32,
    /// Afterwards, put what was found into the corpus, as few inputs as reach everything.
    keep: bool,
}

impl Plan {
    pub(crate) fn parse(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut plan = Self {
            targets: Vec::new(),
            seconds: SECONDS,
            keep: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--keep" => plan.keep = true,
                "--seconds" => {
                    let seconds = rest.next().context("--seconds needs a number")?;
                    plan.seconds = seconds.parse().context("--seconds needs a number")?;
                }
                option if option.starts_with('-') => anyhow::bail!("unknown option `{option}`"),
                target => plan.targets.push(target.to_owned()),
            }
        }
        Ok(plan)
    }

    /// Every target for its ten minutes.
    pub(crate) fn whole() -> Self {
        Self {
            targets: Vec::new(),
            seconds: SECONDS,
            keep: false,
        }
    }
}

/// Builds the fuzzer and runs it; says whether every target held.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<bool> {
    let root = workspace_root()?;
    let known = targets(&root)?;
    if let Some(unknown) = plan.targets.iter().find(|name| !known.contains(name)) {
        anyhow::bail!("no target `{unknown}`; there are: {}", known.join(", "));
    }
    let wanted = if plan.targets.is_empty() {
        &known
    } else {
        &plan.targets
    };
    let fuzzer = Fuzzer::build(root)?;
    let mut all_held = true;
    for target in wanted {
        println!("\n{target}: {} seconds", plan.seconds);
        match fuzzer.run(target, plan.seconds)? {
            Some(totals) => {
                println!("{}", totals.row(target, plan.seconds));
                fuzzer.log(&totals.row(target, plan.seconds), target)?;
            }
            None => all_held = false,
        }
        if plan.keep {
            fuzzer.keep(target)?;
        }
    }
    Ok(all_held)
}

/// The targets are named by the folders of the corpus; a test compares these with the targets themselves.
fn targets(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in std::fs::read_dir(root.join("fuzz/corpus"))? {
        names.push(folder?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The built fuzzer and its places.
struct Fuzzer {
    program: PathBuf,
    root: PathBuf,
    /// New inputs, in a folder for each target.
    found: PathBuf,
}

impl Fuzzer {
    fn build(root: PathBuf) -> anyhow::Result<Self> {
        let version = output_of("rustc", &["-vV"]).context("rustc does not say what it is")?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .context("rustc does not name its host")?;
        // With a target named, build scripts and macros stay as they are: they could not link the counters.
        let place = target_folder(&root).join("fuzz");
        let mut build = cargo(&root);
        build
            .args([
                "build",
                "--package=fuzz",
                "--bin=fuzz",
                "--features=libfuzzer",
            ])
            .args(["--profile=fuzz", "--target", host, "--target-dir"])
            .arg(&place)
            .env("RUSTFLAGS", COVERAGE.join(" "));
        anyhow::ensure!(succeeds(&mut build)?, "the fuzzer cannot be built");
        Ok(Self {
            program: place.join(host).join("fuzz/fuzz"),
            found: place.join("found"),
            root,
        })
    }

    fn corpus(&self, target: &str) -> PathBuf {
        self.root.join("fuzz/corpus").join(target)
    }

    fn command(&self, target: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(BOUNDS).env("LANYARD_FUZZ_TARGET", target);
        // A database in memory is as good here, and ten times as fast.
        if Path::new("/dev/shm").is_dir() {
            command.env("TMPDIR", "/dev/shm");
        }
        command
    }

    /// Runs a target; no totals when it did not hold.
    fn run(&self, target: &str, seconds: u32) -> anyhow::Result<Option<Totals>> {
        let found = self.found.join(target);
        std::fs::create_dir_all(&found)?;
        let mut command = self.command(target);
        command
            .arg(format!("-max_total_time={seconds}"))
            .arg("-print_final_stats=1")
            .arg(format!(
                "-dict={}",
                self.root.join("fuzz/words.dict").display()
            ))
            .arg(format!(
                "-artifact_prefix={}/{target}-",
                self.found.display()
            ))
            .args([&found, &self.corpus(target)])
            .stdin(Stdio::null());
        let output = command.output().context("the fuzzer does not start")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Totals::parse(&said)
                .map(Some)
                .context("the fuzzer gives no totals");
        }
        let end: Vec<&str> = said.lines().rev().take(60).collect();
        for line in end.iter().rev() {
            println!("{line}");
        }
        println!(
            "{target} did not hold; the input is in {}",
            self.found.display()
        );
        Ok(None)
    }

    /// The fewest inputs, of the corpus and of what was found, that reach all that they reach together.
    fn keep(&self, target: &str) -> anyhow::Result<()> {
        let corpus = self.corpus(target);
        let merged = self.found.join(format!("{target}.merged"));
        let _ = std::fs::remove_dir_all(&merged);
        std::fs::create_dir_all(&merged)?;
        let mut command = self.command(target);
        command
            .arg("-merge=1")
            .args([&merged, &corpus, &self.found.join(target)])
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        anyhow::ensure!(
            succeeds(&mut command)?,
            "the corpus of {target} cannot be merged"
        );
        for file in std::fs::read_dir(&merged)? {
            let file = file?;
            std::fs::copy(file.path(), corpus.join(file.file_name()))?;
        }
        Ok(())
    }

    /// Writes the target's row into the page.
    fn log(&self, row: &str, target: &str) -> anyhow::Result<()> {
        let page = self.root.join(PAGE);
        let text = std::fs::read_to_string(&page)?;
        let with_row = with_row(&text, row, target)
            .with_context(|| format!("{PAGE} has no place for the totals"))?;
        Ok(std::fs::write(page, with_row)?)
    }
}

/// The page with this row in the place of the target's last one, rows in the order of their names.
fn with_row(page: &str, row: &str, target: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (table, after) = rest.split_once(END)?;
    let is_row = |line: &&str| line.starts_with("| `");
    let own = format!("| `{target}` |");
    let mut rows: Vec<&str> = table
        .lines()
        .filter(is_row)
        .filter(|line| !line.starts_with(&own))
        .collect();
    rows.push(row);
    rows.sort_unstable();
    let head: Vec<&str> = table.lines().filter(|line| !is_row(line)).collect();
    let table = [head, rows].concat().join("\n");
    Some(format!("{before}{BEGIN}{table}\n{END}{after}"))
}

/// What libFuzzer says at its end.
#[derive(Debug, PartialEq, Eq)]
struct Totals {
    executions: u64,
    each_second: u64,
    edges: u64,
    peak_mib: u64,
    slowest_seconds: u64,
}

impl Totals {
    fn parse(said: &str) -> Option<Self> {
        let stat = |name: &str| {
            said.lines()
                .find_map(|line| {
                    line.strip_prefix("stat::")?
                        .strip_prefix(name)?
                        .strip_prefix(':')
                })
                .and_then(|number| number.trim().parse().ok())
        };
        let edges = said.rsplit_once("cov: ")?.1.split(' ').next()?;
        Some(Self {
            executions: stat("number_of_executed_units")?,
            each_second: stat("average_exec_per_sec")?,
            edges: edges.parse().ok()?,
            peak_mib: stat("peak_rss_mb")?,
            slowest_seconds: stat("slowest_unit_time_sec")?,
        })
    }

    fn row(&self, target: &str, seconds: u32) -> String {
        let Self {
            executions,
            each_second,
            edges,
            peak_mib,
            slowest_seconds,
        } = self;
        let slowest = match slowest_seconds {
            0 => "under 1 s".to_owned(),
            seconds => format!("{seconds} s"),
        };
        format!(
            "| `{target}` | {seconds} s | {executions} | {each_second} | {edges} | {peak_mib} MiB | {slowest} |"
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn targets_and_options_may_stand_in_any_order() {
        let plan = Plan::parse(&["form", "--seconds", "5", "--keep", "json"]).unwrap();
        assert_eq!(
            plan,
            Plan {
                targets: vec!["form".into(), "json".into()],
                seconds: 5,
                keep: true
            }
        );
        assert_eq!(Plan::parse(&[]).unwrap(), Plan::whole());
        assert!(Plan::parse(&["--seconds"]).is_err());
        assert!(Plan::parse(&["--fast"]).is_err());
    }

    #[test]
    fn what_the_fuzzer_says_at_its_end_is_read() {
        let said = "#2 INITED cov: 40 ft: 41 corp: 1/1b\n#9 DONE   cov: 467 ft: 1984 corp: 9/9Kb\nDone 9 runs\n\
                    stat::number_of_executed_units: 526917\nstat::average_exec_per_sec:     32932\n\
                    stat::new_units_added:          1891\nstat::slowest_unit_time_sec:    0\n\
                    stat::peak_rss_mb:              31\n";
        let totals = Totals::parse(said).unwrap();
        assert_eq!(
            totals.row("form", 15),
            "| `form` | 15 s | 526917 | 32932 | 467 | 31 MiB | under 1 s |"
        );
        assert_eq!(Totals::parse("cov: 1 ft: 1"), None);
    }

    #[test]
    fn a_row_takes_the_place_of_the_targets_last_one() {
        let page = format!("# F\n\n{BEGIN}| target | for |\n|---|---|\n| `b` | 1 |\n{END}end\n");
        let once = with_row(&page, "| `a` | 2 |", "a").unwrap();
        let twice = with_row(&once, "| `b` | 3 |", "b").unwrap();
        assert_eq!(
            twice,
            format!(
                "# F\n\n{BEGIN}| target | for |\n|---|---|\n| `a` | 2 |\n| `b` | 3 |\n{END}end\n"
            )
        );
        assert_eq!(with_row("# F\n", "| `a` |", "a"), None);
    }
}
