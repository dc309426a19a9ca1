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
        /// The last of `earlier_storage_secrets` is the one that this gateway began with. Asked for where several are listed and no
        /// gateway of this version has started before there was a second one; subjects of people hang on it.
        #[arg(long)]
        last_is_first: bool,
    },
}

/// Does it; content when nothing needs an earlier secret any more.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let Command::Rotate {
        config,
        last_is_first,
    } = &options.command;
    let config = Config::read(config)?;
    let (account, now) = (account(), Timestamp::now());
    let rotated = gateway::rotate_storage_secret(&config, *last_is_first, &account, now).await?;
    for one in &rotated.tables {
        say(format_args!(
            "{:14} {} values, {} of them sealed anew",
            one.table, one.found, one.renewed
        ))?;
    }
    let lost: u64 = rotated.tables.iter().map(|one| one.lost).sum();
    anyhow::ensure!(
        lost == 0,
        "sealed-values-lost: {lost} values open with none of the secrets: name the one that sealed them in \
         earlier_storage_secrets, and run this again"
    );
    anyhow::ensure!(
        rotated.settled,
        "storage-secret-still-used: a process goes on sealing with an earlier secret: start it anew with storage_secret as it is \
         here, and run this again"
    );
    say(
        "The last walk through the database found nothing that needs an earlier secret. That stays so only if every process of \
         this gateway was started anew with storage_secret as it is here before this command: which secrets other processes have \
         is not seen from here. If so: in an hour, when nothing is under way that began with it, run this once more, take the \
         earlier secret out of earlier_storage_secrets and start the gateways anew. If a value was written with it all the same, \
         it opens again once the secret is back in the list.",
    )
}
