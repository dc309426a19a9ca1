//! `lanyard audit`: whether the audit is what was written, and the audit for somebody else.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use gateway::Config;
use gateway::audit::export::{self, Format};
use gateway::audit::verify::Report;
use jiff::Timestamp;
use standards::jose::Jwk;

use crate::backup::{WholeFile, coded};
use crate::operator_command::account;
use crate::say::say;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check every entry against the chain, and the chain against its signed checkpoints.
    Verify {
        /// The gateway's configuration file: which database, and the key of the checkpoints.
        #[arg(
            long,
            value_name = "FILE",
            env = "LANYARD_CONFIG",
            required_unless_present = "file"
        )]
        config: Option<PathBuf>,
        /// An export of JSON lines instead of the database, also from a pipe: /dev/stdin. Its signatures are checked where --config
        /// is given, too.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Write what happened from one time up to another to standard output, or into a file.
    Export {
        /// The gateway's configuration file.
        #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
        config: PathBuf,
        /// The first moment or day: 2026-11-01 or 2026-11-01T00:00:00Z.
        #[arg(long, value_parser = moment)]
        from: Timestamp,
        /// Where it ends, not itself included.
        #[arg(long, value_parser = moment)]
        to: Timestamp,
        /// JSON lines can be verified; CSV is for a spreadsheet, CEF for a log collector.
        #[arg(long, value_enum, default_value = "jsonl")]
        format: Form,
        /// Write it into this file, which is there when the export is whole and not before. There must be none of that name.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Jsonl,
    Csv,
    Cef,
}

/// Does it; fails where something is not as it was written.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    match &options.what {
        What::Verify { config, file: None } => {
            let config = config
                .as_ref()
                .context("say which gateway: --config FILE")?;
            let config = Config::read(config)?;
            tell(&gateway::verify_audit(&config).await?, true)
        }
        What::Verify {
            config,
            file: Some(file),
        } => {
            let keys = match config {
                Some(config) => Some(gateway::audit_keys(&Config::read(config)?)?),
                None => None,
            };
            tell(&verify_file(file, keys.as_deref())?, keys.is_some())
        }
        What::Export {
            config,
            from,
            to,
            format,
            out,
        } => {
            anyhow::ensure!(from < to, "--to must be later than --from");
            let format = match format {
                Form::Jsonl => Format::Jsonl,
                Form::Csv => Format::Csv,
                Form::Cef => Format::Cef,
            };
            let (config, time) = (Config::read(config)?, (*from, *to));
            // Before the audit has its entry of an export that cannot be written.
            let mut file = coded(out.as_deref().map(WholeFile::begin).transpose())?;
            let mut export = gateway::export_audit(&config, &account(), time, format).await?;
            while let Some(piece) = export.next().await? {
                match &mut file {
                    Some(file) => coded(file.write_all(piece.as_bytes()).map_err(Into::into))?,
                    None => say(piece.trim_end_matches('\n'))?,
                }
            }
            coded(file.map_or(Ok(()), WholeFile::finish))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What an export says. A file is read twice and never held in memory; a pipe hands out once what is in it.
fn verify_file(file: &Path, keys: Option<&[Jwk]>) -> anyhow::Result<Report> {
    let unread = || format!("{} cannot be read", file.display());
    let about = std::fs::metadata(file).with_context(unread)?;
    let report = if about.is_file() {
        let open = || std::fs::File::open(file).map(std::io::BufReader::new);
        open().with_context(unread)?;
        export::verify_lines(open, keys)
    } else {
        let text = std::fs::read_to_string(file).with_context(unread)?;
        export::verify(&text, keys)
    };
    report.with_context(|| file.display().to_string())
}

fn tell(report: &Report, signatures: bool) -> anyhow::Result<ExitCode> {
    let Report {
        entries,
        from,
        to,
        checkpoints,
        waiting,
        faults,
        notes,
    } = report;
    say(format_args!(
        "{entries} entries, behind position {from} up to {to}; {checkpoints} checkpoints"
    ))?;
    if *waiting > 0 {
        say(format_args!(
            "{waiting} entries have no place yet: a running gateway gives them theirs within a second"
        ))?;
    }
    if !signatures {
        say("the signatures of the checkpoints are not checked: give --config, too")?;
    }
    for note in notes {
        say(format_args!("{}: {}", note.code, note.sentence))?;
    }
    for fault in faults {
        say(format_args!("{}: {}", fault.code, fault.sentence))?;
    }
    if faults.is_empty() {
        say("everything is as it was written")?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// A moment, or the beginning of a day in UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .or_else(|_| format!("{text}T00:00:00Z").parse())
        .map_err(|_| {
            "a day such as 2026-11-01, or a moment such as 2026-11-01T00:00:00Z".to_owned()
        })
}
