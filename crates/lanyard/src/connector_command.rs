//! `lanyard connector`: the connector as a process of its own ([`serve`]), and what else an external system uses of it.
//!
//! `lanyard connector match` says whether an identity is the employee on record, line by line, for trying a policy on names
//! of one's own and for hosts in other languages.

mod reconcile;
mod serve;

use std::io::{self, BufRead as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use connector::{Identity, OnRecord, Policy, compare};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::say;

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

/// One line: what the host holds, and what the credential says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    record: Record,
    identity: Shown,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    first_names: String,
    surname: String,
    #[serde(default)]
    known_as: Option<String>,
    #[serde(default)]
    date_of_birth: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    first_name: String,
    surname: String,
    date_of_birth: Date,
}

/// Does what the command line says.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let done = match (&options.verb, &options.config) {
        (Some(Verb::Match { policy }), _) => return answer_lines(*policy),
        (Some(Verb::Reconcile { config, repair }), _) => {
            return reconcile::run(config, *repair).await;
        }
        (Some(Verb::Key), _) => serve::new_key(),
        (None, Some(file)) => serve::run(file, options.check).await,
        (None, None) => anyhow::bail!("say --config FILE to serve, or what else to do (--help)"),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Answers every line that can be read. Those that cannot are answered with an error, and the command fails at its end.
fn answer_lines(policy: Choice) -> anyhow::Result<ExitCode> {
    let policy = match policy {
        Choice::Exact => Policy::Exact,
        Choice::Fuzzy => Policy::Fuzzy,
    };
    let mut all_read = true;
    for line in io::stdin().lock().lines() {
        let line = line.context("standard input cannot be read")?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Pair>(&line) {
            Ok(pair) => say::say(answer(pair, policy))?,
            Err(error) => {
                all_read = false;
                say::say(json!({ "error": unreadable(&error) }))?;
            }
        }
    }
    Ok(if all_read {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn answer(pair: Pair, policy: Policy) -> serde_json::Value {
    let record = OnRecord {
        first_names: &pair.record.first_names,
        surname: &pair.record.surname,
        known_as: pair.record.known_as.as_deref(),
        date_of_birth: pair.record.date_of_birth,
    };
    let identity = Identity {
        legal_first_name: pair.identity.first_name,
        legal_surname: pair.identity.surname,
        birth_date: pair.identity.date_of_birth,
        // Says who somebody is to the staff passport, and is not compared.
        unique_identifier: Uuid::nil(),
    };
    json!(compare(&record, &identity, policy))
}

/// Where a line stops making sense. What stands there may be somebody's name.
fn unreadable(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => {
            "not a record and an identity with first names, surnames and dates as YYYY-MM-DD"
        }
        _ => "not JSON",
    };
    format!("{what}, column {}", error.column())
}
