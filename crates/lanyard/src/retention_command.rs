//! `lanyard retention`: what is to go, by which rule; and what must stay although its time is over.

use std::path::PathBuf;

use anyhow::Context;
use gateway::audit::{Act, Actor, Entry};
use gateway::retention::holds::{self, Placer, Subject};
use gateway::retention::plan;
use gateway::{Config, Gateway, Surroundings, timeline};
use jiff::Timestamp;
use store::Store;

use crate::interaction_command::open;
use crate::operator_command::account;
use crate::say::say;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Tell how many rows each rule would remove now, and how many a legal hold keeps. Nothing is changed.
    Plan {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Do now what a running gateway does every half minute.
    Run,
    /// Keep an organisation's or one interaction's traces until they are released.
    Hold {
        #[command(flatten)]
        subject: Held,
        /// Why: an inquiry's number, who asked for it. No names of employees.
        #[arg(long)]
        reason: String,
    },
    /// Let what was held go at its time.
    Release {
        #[command(flatten)]
        subject: Held,
    },
    /// Tell what is held, and why.
    Holds,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Held {
    /// The organisation's id.
    #[arg(long)]
    organisation: Option<String>,
    /// The interaction's reference, `request_uri` or serial number.
    #[arg(long)]
    interaction: Option<String>,
}

/// Does it.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let file = options
        .config
        .as_ref()
        .context("say --config FILE, or set LANYARD_CONFIG")?;
    let config = Config::read(file)?;
    if matches!(options.command, Command::Run) {
        return run_once(&config).await;
    }
    let store = match options.command {
        // Looking changes nothing, not even the version of the tables.
        Command::Plan { .. } => open(&config).await?,
        _ => gateway::open_store(&config.database_address()?).await?,
    };
    let done = with(&store, &config, &options.command).await;
    store.close().await;
    done
}

async fn run_once(config: &Config) -> anyhow::Result<()> {
    let gateway = Gateway::compose(config, Surroundings::production()).await?;
    let round = gateway.tidy_once().await;
    let round = match round {
        Ok(round) => {
            let account = account();
            let told = round.entry(Actor::Command(&account), gateway.now());
            let written = gateway.app().store.write([told.into()]).await;
            written.map(|_| round)
        }
        Err(error) => Err(error),
    };
    gateway.close().await;
    let round = round?;
    say(format_args!(
        "{} interactions were wiped of personal values",
        round.wiped
    ))?;
    say(format_args!(
        "{} credentials that nobody collected were revoked",
        round.revoked
    ))?;
    for (rule, rows) in round.deleted {
        say(format_args!("{rows} rows were deleted: {rule}"))?;
    }
    if !round.unfinished.is_empty() {
        say(format_args!(
            "not all that is due by these rules was deleted: {}; run this again",
            round.unfinished.join(", ")
        ))?;
    }
    Ok(())
}

async fn with(store: &Store, config: &Config, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Plan { json } => {
            let plan = plan(store, Timestamp::now(), config.kept_for()).await?;
            if *json {
                return say(serde_json::to_string_pretty(&plan)?);
            }
            for due in plan {
                let held = if due.held > 0 {
                    format!("; {} more are held", due.held)
                } else {
                    String::new()
                };
                say(format_args!(
                    "{:>8}  {:<17} {}{held}",
                    due.rows, due.rule, due.sentence
                ))?;
            }
            Ok(())
        }
        Command::Hold { subject, reason } => {
            let held = Found::find(store, config, subject).await?;
            held.must_be_here()?;
            let account = account();
            let actor = Actor::Command(&account);
            let now = Timestamp::now();
            let placer = Placer {
                actor: &actor.to_string(),
                within: None,
            };
            let told = held.entry(actor, Act::HoldPlaced, now).reason(Some(reason));
            let place = holds::place(&held.subject, reason, placer, now);
            store.write([place, told.into()]).await?;
            say("held")
        }
        Command::Release { subject } => {
            let held = Found::find(store, config, subject).await?;
            if !holds::stands(store, &held.subject).await? {
                held.must_be_here()?;
                anyhow::bail!("nothing of that was held");
            }
            let account = account();
            let told = held.entry(Actor::Command(&account), Act::HoldLifted, Timestamp::now());
            store
                .write([holds::lift(&held.subject, None), told.into()])
                .await?;
            say("released")
        }
        Command::Holds => {
            for hold in holds::find(store, None).await? {
                say(format_args!(
                    "{:.0}  {} {}: {}",
                    hold.placed_at, hold.kind, hold.subject, hold.reason
                ))?;
            }
            Ok(())
        }
        Command::Run => Ok(()),
    }
}

/// What a hold is for, whose it is, and how people name it.
struct Found {
    subject: Subject,
    organisation: String,
    named: String,
    /// Whether the gateway has that organisation; it may have been removed since it was held.
    is_here: bool,
}

impl Found {
    async fn find(store: &Store, config: &Config, held: &Held) -> anyhow::Result<Self> {
        if let Some(id) = &held.organisation {
            // Of the configuration file, or declared while the gateway runs.
            let known = gateway::organisation_ids(store, config).await?;
            return Ok(Self {
                subject: Subject::Organisation(id.clone()),
                organisation: id.clone(),
                named: id.clone(),
                is_here: known.contains(id),
            });
        }
        let text = held.interaction.as_deref().unwrap_or_default();
        let one = timeline::one(store, text, None).await?;
        let one = one.context("that names no interaction, or several")?;
        Ok(Self {
            subject: Subject::Interaction(one.id),
            organisation: one.organisation,
            named: one.reference,
            is_here: true,
        })
    }

    fn must_be_here(&self) -> anyhow::Result<()> {
        let id = &self.organisation;
        anyhow::ensure!(self.is_here, "this gateway has no organisation {id}");
        Ok(())
    }

    fn entry(&self, actor: Actor<'_>, act: Act, now: Timestamp) -> Entry {
        Entry::new(actor, act, (self.subject.kind(), &self.named), now)
            .organisation(Some(&self.organisation))
    }
}
