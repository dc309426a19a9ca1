//! `lanyard config check`: whether a gateway of this version could start with a file, before anything is started or changed.
//! `lanyard gateway --check` brings the database's tables up, as a start does; this only reads.

use std::path::PathBuf;

use gateway::{Config, OtherTables};

use crate::gateway_command;
use crate::say::say;
use crate::trial;

/// What to do with a configuration.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say whether a gateway could start with it; nothing is changed, and no network is asked.
    Check(Check),
}

/// What to check.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
}

/// Content if a gateway could start.
pub async fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Check(Check { config: file }) = command;
    let config = Config::read(file)?;
    gateway_command::tls(&config)?;
    let mut other = None;
    let tried = trial::of(&config, |tables: OtherTables| {
        let is_newer = tables.found.is_some_and(|found| found > tables.known);
        if !is_newer {
            other = Some(tables);
        }
        !is_newer
    });
    let trial = tried.await?;
    let accepted = if trial.is_on_its_database() {
        gateway::restored::check(&trial.gateway.app().store).await
    } else {
        Ok(Ok(()))
    };
    trial.close().await;
    accepted??;
    if let Some(tables) = other {
        say(format_args!("{tables}"))?;
    }
    say(format_args!(
        "{}: a gateway can start with this file",
        file.display()
    ))
}
