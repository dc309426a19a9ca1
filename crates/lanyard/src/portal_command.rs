//! `lanyard portal --config FILE`: the reference staff portal alone; `lanyard portal import`: people and records for it;
//! `lanyard portal reconcile`: whether what it has issued is what the gateway says.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use portal::{Accept, Config, Portal, Surroundings};

use crate::listen::{self, Listeners};
use crate::reconcile;
use crate::say::say;

/// What to run.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Options {
    /// The configuration file; docs/operate/portal.md explains its keys.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANYARD_PORTAL_CONFIG",
        required = true
    )]
    config: Option<PathBuf>,
    /// Check the configuration, the staff file and the database, say what the feed of records would change, and stop.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Take in employees and records of a CSV file, or of the feed that the configuration names, all of it or nothing.
    Import(Import),
    /// Print who did and saw what as CSV, the newest first.
    Audit(Audit),
    /// Compare what this portal has issued with the gateway and with the published status lists. Fails if something
    /// differs.
    Reconcile(Reconcile),
}

#[derive(Debug, clap::Args)]
struct Audit {
    /// The portal's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_PORTAL_CONFIG")]
    config: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Reconcile {
    /// The portal's configuration file; it may be running.
    #[arg(long, value_name = "FILE", env = "LANYARD_PORTAL_CONFIG")]
    config: PathBuf,
    /// Store what has to be done about it: revoke what should be, mark what is.
    #[arg(long)]
    repair: bool,
}

#[derive(Debug, clap::Args)]
struct Import {
    /// The portal's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_PORTAL_CONFIG")]
    config: PathBuf,
    /// The CSV file; docs/operate/portal.md describes its columns. Without one, the configuration's feed.
    file: Option<PathBuf>,
    /// Take it in although it removes more than `records.removals` allows.
    #[arg(long)]
    accept_removals: bool,
    /// Take it in although it changes or ends more than `records.changes` allows, or removes more than `records.removals`.
    #[arg(long)]
    accept_large_change: bool,
}

/// Does what the command line says.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let done = match &options.command {
        Some(Command::Reconcile(options)) => return compare_lists(options).await,
        Some(Command::Import(options)) => import(options).await,
        Some(Command::Audit(options)) => audit(options).await,
        None => serve(options).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Runs the portal until it is told to stop, or checks whether it could.
async fn serve(options: &Options) -> anyhow::Result<()> {
    let file = options.config.as_ref().context("--config is missing")?;
    let config = Config::read(file)?;
    let tls = match (&config.tls_certificate, &config.tls_key) {
        (Some(certificate), Some(key)) => Some(listen::tls(certificate, key)?),
        (None, None) => None,
        _ => anyhow::bail!("tls_certificate and tls_key belong together"),
    };
    let portal = Portal::compose(&config, Surroundings::production()).await?;
    if options.check {
        let feed = portal.look_at_feed().await;
        portal.close().await;
        let feed = feed.context("the feed of people and records would not be taken in")?;
        if let Some(taken) = feed {
            say(format_args!(
                "the feed of people and records would change this: {taken}"
            ))?;
        }
        return say(format_args!("{}: this portal can start", file.display()));
    }
    let mut listeners = Listeners::default();
    listeners
        .serve_at("portal", config.listen, tls, portal.router())
        .context("the portal cannot listen")?;
    tracing::info!(listen = %config.listen, public_url = %config.public_url, "the portal is ready");
    let outcome = listeners
        .until_stopped(async {
            Box::pin(portal.keep_working()).await;
            anyhow::anyhow!("the portal stopped working behind its pages")
        })
        .await;
    portal.close().await;
    outcome
}

async fn compare_lists(options: &Reconcile) -> anyhow::Result<ExitCode> {
    let config = Config::read(&options.config)?;
    let portal = Portal::compose(&config, Surroundings::production()).await?;
    let outcome = reconcile::compare(portal.desk(), options.repair).await;
    portal.close().await;
    outcome
}

async fn audit(options: &Audit) -> anyhow::Result<()> {
    let config = Config::read(&options.config)?;
    let portal = Portal::compose(&config, Surroundings::production()).await?;
    let text = portal.audit_csv().await;
    portal.close().await;
    say(format_args!("{}", text?.trim_end()))
}

/// The portal may run meanwhile: what has to be revoked is a row, which it finds, or finds when it starts.
async fn import(options: &Import) -> anyhow::Result<()> {
    let config = Config::read(&options.config)?;
    let portal = Portal::compose(&config, Surroundings::production()).await?;
    let accept = match options {
        options if options.accept_large_change => Accept::LargeChange,
        options if options.accept_removals => Accept::Removals,
        _ => Accept::Nothing,
    };
    let (what, taken) = if let Some(file) = &options.file {
        let taken = portal.take_in_file(file, accept).await;
        (file.display().to_string(), taken.map(Some))
    } else {
        let taken = portal.take_in_now(accept).await;
        ("the configuration's feed".to_owned(), taken)
    };
    portal.close().await;
    let taken = taken.with_context(|| format!("{what} was not taken in"))?;
    let taken = taken.context("name a CSV file: the configuration has no [records]")?;
    say(format_args!("{taken}"))
}
