//! `lanyard storage-secret rotate`: what an earlier storage secret sealed in the database is sealed anew.

use std::path::PathBuf;

use gateway::Config;
use jiff::Timestamp;

use crate::operator_command::account;
use crate::say::say;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Seal with the secret in use what one of `earlier_storage_secrets` sealed, beside gateways that run. Broken off, the same
    /// command goes on.
    Rotate {
        /// The gateway's configuration file.
        #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
        config: PathBuf,
    },
}

/// Does it; content when nothing needs an earlier secret any more.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let Command::Rotate { config } = &options.command;
    let config = Config::read(config)?;
    let done = gateway::rotate_storage_secret(&config, &account(), Timestamp::now()).await?;
    for one in &done {
        say(format_args!(
            "{:14} {} values, {} of them sealed anew",
            one.table, one.found, one.renewed
        ))?;
    }
    let lost: u64 = done.iter().map(|one| one.lost).sum();
    anyhow::ensure!(
        lost == 0,
        "sealed-values-lost: {lost} values open with none of the secrets: name the one that sealed them in \
         earlier_storage_secrets, and run this again"
    );
    say(
        "Nothing in the database needs an earlier secret. In an hour, when nothing is under way that began with it, take it out \
         of earlier_storage_secrets and start the gateways anew.",
    )
}
