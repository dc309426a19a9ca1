//! `lanyard connector`: the connector as a process of its own ([`serve`]), and what else an external system uses of it.
//!
//! `lanyard connector match` says whether an identity is the employee on record, line by line, for trying a policy on names
//! of one's own and for hosts in other languages.

mod serve;

use std::io::{self, BufRead, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use connector::{Answer, Policy, compare_line};
use serde_json::json;
use sidecar::{Config, Sidecar, Surroundings};

use crate::{reconcile, say};

/// The longest line that is read, in bytes, as in the sidecar's feed.
const LONGEST_LINE: usize = 256 * 1024;

/// What of the connector to use.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Serve the API: the configuration file; docs/integrate/sidecar.md explains its keys.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONNECTOR_CONFIG")]
    config: Option<PathBuf>,
    /// Check the configuration and the database, and stop.
    #[arg(long, requires = "config")]
    check: bool,
}

impl Options {
    /// Whether it runs until it is told to stop.
    pub fn is_service(&self) -> bool {
        self.verb.is_none() && !self.check
    }
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Compare what this connector has issued with the gateway and with the published status lists. Fails if something
    /// differs.
    Reconcile {
        /// The configuration file of the connector; it may be running.
        #[arg(long, value_name = "FILE", env = "LANYARD_CONNECTOR_CONFIG")]
        config: PathBuf,
        /// Store what has to be done about it: revoke what should be, mark what is.
        #[arg(long)]
        repair: bool,
    },
    /// Make an API key: for whoever calls, and its SHA-256 for the configuration file.
    Key,
    /// Compare records with identities: one JSON object on each line of standard input, one answer for each.
    Match {
        /// How alike the names must be.
        #[arg(long, value_enum, default_value = "exact")]
        policy: Choice,
    },
}

/// As on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Choice {
    /// The same name, however it is written.
    Exact,
    /// Also what is alike in sound and in letters.
    Fuzzy,
}

/// Does what the command line says.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let done = match (&options.verb, &options.config) {
        (Some(Verb::Match { policy }), _) => return answer_lines(*policy),
        (Some(Verb::Reconcile { config, repair }), _) => {
            return compare_lists(config, *repair).await;
        }
        (Some(Verb::Key), _) => serve::new_key(),
        (None, Some(file)) => serve::run(file, options.check).await,
        (None, None) => anyhow::bail!("say --config FILE to serve, or what else to do (--help)"),
    };
    done.map(|()| ExitCode::SUCCESS)
}

async fn compare_lists(file: &Path, repair: bool) -> anyhow::Result<ExitCode> {
    let config = Config::read(file)?;
    let sidecar = Sidecar::compose(&config, Surroundings::production()).await?;
    let outcome = reconcile::compare(sidecar.desk(), repair).await;
    sidecar.close().await;
    outcome
}

/// Answers every line that is not blank. The command fails at its end if one of them was no pair.
fn answer_lines(policy: Choice) -> anyhow::Result<ExitCode> {
    let policy = match policy {
        Choice::Exact => Policy::Exact,
        Choice::Fuzzy => Policy::Fuzzy,
    };
    let mut all_read = true;
    let mut lines = Lines::of(io::stdin().lock());
    while let Some(line) = lines.next().context("standard input cannot be read")? {
        let answer = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => continue,
            Line::Whole(line) => compare_line(line, policy),
            Line::TooLong => Answer::unreadable("the line is longer than 256 KiB"),
        };
        all_read &= answer.error.is_none();
        say::say(json!(answer))?;
    }
    Ok(if all_read {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One line of the input.
enum Line<'a> {
    /// With its end.
    Whole(&'a [u8]),
    /// Longer than is kept in memory; it was passed over.
    TooLong,
}

/// The input line by line, whatever bytes it has.
struct Lines<R> {
    input: R,
    line: Vec<u8>,
    is_first: bool,
}

impl<R: BufRead> Lines<R> {
    fn of(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            is_first: true,
        }
    }

    fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        if self.read_within_bound()? == 0 {
            return Ok(None);
        }
        if !self.line.ends_with(b"\n") && self.line.len() > LONGEST_LINE {
            while !self.line.ends_with(b"\n") {
                self.line.clear();
                if self.read_within_bound()? == 0 {
                    break;
                }
            }
            self.is_first = false;
            return Ok(Some(Line::TooLong));
        }
        let is_first = std::mem::replace(&mut self.is_first, false);
        // What some systems write before a text in UTF-8.
        let mark = b"\xEF\xBB\xBF".as_slice();
        let line = match self.line.strip_prefix(mark) {
            Some(line) if is_first => line,
            _ => &self.line,
        };
        Ok(Some(Line::Whole(line)))
    }

    fn read_within_bound(&mut self) -> io::Result<usize> {
        let mut within = self.input.by_ref().take(LONGEST_LINE as u64 + 1);
        within.read_until(b'\n', &mut self.line)
    }
}
