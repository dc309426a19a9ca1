//! `lanyard report availability`: whether the service was there in the hours in which it had to be.

use std::path::PathBuf;

use anyhow::Context;
use gateway::Config;
use gateway::availability::{Holidays, Hours, PlannedWork, report};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::interaction_command::open;
use crate::say::say;

/// What to report.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The share of supported minutes in which a process of the gateway was ready.
    Availability(Availability),
}

#[derive(Debug, clap::Args)]
struct Availability {
    /// The first day, such as 2026-11-01.
    #[arg(long)]
    from: Date,
    /// The last day.
    #[arg(long)]
    to: Date,
    /// Supported hours: `Mon-Fri 08:00-18:00 Europe/London`, or `24x7`.
    #[arg(long, default_value = "24x7")]
    hours: String,
    /// Days without support: a file with a date in each line, or GOV.UK's bank-holidays.json.
    #[arg(long, value_name = "FILE")]
    bank_holidays: Option<PathBuf>,
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Reports.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let Command::Availability(options) = &options.command;
    let hours = Hours::parse(&options.hours)?;
    let holidays = match &options.bank_holidays {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            Holidays::parse(&text).with_context(|| file.display().to_string())?
        }
        None => Holidays::default(),
    };
    anyhow::ensure!(options.from <= options.to, "--from must not be after --to");
    let config = Config::read(&options.config)?;
    let planned = PlannedWork::read(config.availability.planned_work.as_deref())?;
    let store = open(&config).await?;
    let days = (options.from, options.to);
    let told = report(&store, days, &hours, &holidays, &planned, Timestamp::now()).await;
    store.close().await;
    let told = told.context("the gateway's database does not say")?;
    if options.json {
        return say(serde_json::to_string_pretty(&told)?);
    }
    say(format_args!(
        "availability from {} to {}, {}",
        told.from, told.to, options.hours
    ))?;
    match told.availability {
        // Rounded down: what was not quite all is never called all.
        Some(share) => say(format_args!(
            "  available       {:.3} %",
            (share * 1000.0).floor() / 1000.0
        ))?,
        None => say("  available       nothing is known of these hours")?,
    }
    say(format_args!(
        "  supported       {} minutes",
        told.supported_minutes
    ))?;
    say(format_args!(
        "  away            {} minutes",
        told.supported_minutes - told.available_minutes
    ))?;
    say(format_args!(
        "  planned work    {} minutes, not counted",
        told.planned_minutes
    ))?;
    say(format_args!(
        "  not known       {} minutes, not counted",
        told.unknown_minutes
    ))?;
    for outage in &told.outages {
        say(format_args!(
            "  away from {:.0} to {:.0}: {} minutes",
            outage.from, outage.to, outage.minutes
        ))?;
    }
    Ok(())
}
