//! `lanyard evidence`: one folder for an assurance file — what this gateway is, who may use it, what was done, how it was
//! there — with a manifest of digests. No personal data of employees is in it, and no secret.

mod folder;
mod parts;

use std::path::PathBuf;

use anyhow::Context as _;
use gateway::availability::{Holidays, Hours};
use gateway::{Config, Gateway, Surroundings};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use self::folder::Folder;
use crate::say::say;

/// For which days, and where to.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// The folder to make. There must be none of that name.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The first day of what is told of a time (audit, availability), such as 2026-11-01.
    #[arg(long)]
    from: Date,
    /// The last day of it.
    #[arg(long)]
    to: Date,
    /// Supported hours: `Mon-Fri 08:00-18:00 Europe/London`, or `24x7`.
    #[arg(long, default_value = "24x7")]
    hours: String,
    /// Days without support: a file with a date in each line, or GOV.UK's bank-holidays.json.
    #[arg(long, value_name = "FILE")]
    bank_holidays: Option<PathBuf>,
    /// A certificate authority that the doctor trusts besides the machine's own, as PEM.
    #[arg(long, value_name = "FILE")]
    certificate_authority: Option<PathBuf>,
    /// Let the doctor leave out what asks the network.
    #[arg(long)]
    offline: bool,
}

/// Writes the folder: all of it or nothing.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    anyhow::ensure!(options.from <= options.to, "--from must not be after --to");
    let hours = Hours::parse(&options.hours)?;
    let holidays = match &options.bank_holidays {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            Holidays::parse(&text).with_context(|| file.display().to_string())?
        }
        None => Holidays::default(),
    };
    let config = Config::read(&options.config)?;
    let mut folder = Folder::begin(&options.out, parts::secrets(&options.config)?)?;
    let gateway = Gateway::look(&config, Surroundings::production()).await?;
    let written = write(options, &config, &gateway, (&hours, &holidays), &mut folder).await;
    gateway.close().await;
    written?;
    let about = parts::about(&config, (options.from, options.to));
    let count = folder.finish(&about)?;
    say(format_args!(
        "{}: {count} files and manifest.json, which names their SHA-256",
        options.out.display()
    ))
}

async fn write(
    options: &Options,
    config: &Config,
    gateway: &Gateway,
    (hours, holidays): (&Hours, &Holidays),
    folder: &mut Folder,
) -> anyhow::Result<()> {
    let program = parts::program_sha256()?;
    folder.add_json("version.json", &parts::version(gateway, &program))?;
    folder.add_json(
        "sbom.cdx.json",
        &crate::sbom_command::document(Some(&program))?,
    )?;
    folder.add(
        "configuration.toml",
        &parts::configuration(&options.config)?,
    )?;
    let begin = options.from.to_zoned(TimeZone::UTC)?.timestamp();
    let end = options.to.tomorrow()?.to_zoned(TimeZone::UTC)?.timestamp();
    for (name, value) in gateway.evidence((begin, end)).await? {
        folder.add_json(&name, &value)?;
    }
    for (name, text) in parts::TABLES {
        folder.add(name, text)?;
    }
    let days = (options.from, options.to);
    let report = parts::availability(config, gateway, days, hours, holidays).await?;
    folder.add_json("availability.json", &report)?;
    let verified = parts::audit(config, (begin, end), folder).await?;
    folder.add_json("audit-verification.json", &verified)?;
    let looked = crate::doctor_command::Options::of(
        &options.config,
        options.certificate_authority.as_deref(),
        options.offline,
    );
    folder.add_json(
        "doctor.json",
        &crate::doctor_command::findings(&looked).await,
    )
}
