//! What is in force after a restore, perhaps again, and that somebody has looked at it.

use std::path::PathBuf;

use gateway::Config;
use gateway::restored::{self, InForce};
use jiff::Timestamp;

use super::restore::Restored;
use crate::operator_command::account;
use crate::say::say;

/// Of which gateway, and what was seen.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The restored configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// The word that stands below the list: you have looked through it. Without it the list is shown and nothing accepted.
    #[arg(long, value_name = "WORD")]
    seen: Option<String>,
}

/// What to do about each kind.
const TO_CHECK: &str = "\
Whatever was ended after the backup is in this list again, and nothing in the database says so. Go through it with what you have
of the time since: the audit's export, tickets, mails. What is not to be in force any more, end it now:
  key       lanyard key compromised KID, lanyard key remove KID
  operator  lanyard operator remove NAME
  sign-in   lanyard operator sign-in reset NAME; recovery codes that were used since are good again
  token     lanyard operator token revoke ID
  secret    lanyard client secret end
Relying parties, keys and secrets of theirs that were declared are as they were, too: lanyard apply with today's declaration.
Sessions are ended, open proposals declined, and new credentials go to a new status list.";

/// `lanyard restore accept`.
pub(super) async fn run(options: &Options) -> anyhow::Result<()> {
    let config = Config::read(&options.config)?;
    let store = gateway::look_into_store(&config.database_address()?).await?;
    let now = Timestamp::now();
    let done = match &options.seen {
        Some(word) => restored::accept(&store, word, &account(), now)
            .await
            .map_err(anyhow::Error::from),
        None => match restored::in_force(&store, now).await {
            Ok(in_force) => show(&in_force, now),
            Err(error) => Err(error.into()),
        },
    };
    store.close().await;
    done?;
    let config = options.config.display();
    match &options.seen {
        Some(_) => say("accepted: a gateway serves from this database"),
        None => say(format_args!(
            "Nothing was accepted. When all of it is right: lanyard restore accept --config {config} --seen WORD"
        )),
    }
}

/// After a restore: what is in force now, and that no gateway serves before somebody has looked.
pub(super) async fn tell(restored: &Restored) -> anyhow::Result<()> {
    let store = gateway::look_into_store(&restored.database).await?;
    let now = Timestamp::now();
    let in_force = restored::in_force(&store, now).await;
    store.close().await;
    say(format_args!(
        "The audit goes on with an entry `restored`, of the backup with the SHA-256 {}",
        hex::encode(restored.digest)
    ))?;
    show(&in_force?, now)?;
    say(format_args!(
        "No gateway serves from this database before you have looked: lanyard restore accept --config {} --seen WORD",
        restored.config.display()
    ))
}

fn show(in_force: &InForce, now: Timestamp) -> anyhow::Result<()> {
    say("In force:")?;
    for thing in &in_force.things {
        say(format_args!("  {}", thing.line(now)))?;
    }
    say(TO_CHECK)?;
    say(format_args!("The word of this list: {}", in_force.word()))
}
