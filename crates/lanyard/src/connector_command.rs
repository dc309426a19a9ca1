//! `lanyard connector match`: whether an identity is the employee on record, line by line, for trying a policy on names of
//! one's own and for hosts in other languages.

use std::io::{self, BufRead as _};
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
pub struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
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

/// Answers every line that can be read. Those that cannot are answered with an error, and the command fails at its end.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let Verb::Match { policy } = options.verb;
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
