//! Developer commands: `cargo xtask COMMAND`.

mod bench;
mod cargo;
mod frontend;
mod fuzz;
mod generate;
mod house;
mod machine;
mod postgres;
mod python;
mod release;
mod scratch;
mod skipped;
mod tally;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test [--long] [-- RUNNER ARGUMENTS]
      Runs every test. Installs what is missing (through apt and npm, when it may),
      starts a throw-away PostgreSQL and stops it again.
      --long also runs what is too slow for every change.
      Arguments after `--` go to the Rust test runner; only the Rust tests run then.
  fuzz [TARGET ...] [--seconds N] [--keep]
      Runs the fuzz targets (all, unless some are named) for ten minutes each, or N seconds, and
      writes their totals to docs/reference/fuzzing.md. --keep adds what was found to the corpus.
  generate [--check]
      Writes the tables of docs/reference/ from the last whole test run.
      --check compares them with that run instead, and says nothing where they agree.
  bench journey|peer|gateway|flood|connector|matching|all [--seconds N] [--json] [--write]
      Measures the release build on this machine; leave it alone meanwhile.
      journey: verify-and-issue journeys, beside the cryptography they cannot avoid.
      peer: our verification beside the login of npm's oidc-provider.
      gateway: single steps, and 10,000 waiting pages.
      connector: a feed of a million records against everything that is out.
      matching: names that match and names that must not, by each policy and by two plainer rules.
      --write puts the figures into docs/reference/performance.md (matching: docs/reference/matching.md).
  release --out FOLDER [--key FILE]
      Builds the program as it is released, from a tree without changes, and puts it into FOLDER with its bill of
      materials and SHA256SUMS; signs those with the releaser's SSH key (docs/release.md).
  release --check FOLDER --signers FILE
      Checks what somebody released: the signature by one of FILE's keys, then every digest.
  house
      Checks the rules of the house: which part may know which, names, file lengths.
  vendor-frontend
      Rebuilds the vendored front-end files from their pinned sources (needs Node and npm).
  help
      Shows this text.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command. `Ok(false)` means that it did its work and the news is bad.
fn run(arguments: &[String]) -> anyhow::Result<bool> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["test", rest @ ..] => test::run(&test::Plan::parse(rest)?),
        ["bench", rest @ ..] => bench::run(&cargo::workspace_root()?, &bench::Plan::parse(rest)?),
        ["fuzz", rest @ ..] => fuzz::run(&fuzz::Plan::parse(rest)?),
        ["generate"] => generate::write(&cargo::workspace_root()?),
        ["generate", "--check"] => generate::check(&cargo::workspace_root()?),
        ["release", rest @ ..] => {
            release::run(&cargo::workspace_root()?, &release::Plan::parse(rest)?)
        }
        ["house"] => house::run(&cargo::workspace_root()?),
        ["vendor-frontend"] => frontend::vendor(&cargo::workspace_root()?),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(true)
        }
        other => anyhow::bail!("unknown command `{}`\n\n{USAGE}", other.join(" ")),
    }
}
