//! `lanyard client`: what an operator does for one relying party — its secrets, and its checklist before it goes live.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use gateway::audit::Actor;
use gateway::registry::onboarding::Item;
use gateway::registry::secrets::OVERLAP;
use gateway::{Config, Gateway, Surroundings};
use jiff::SignedDuration;
use jiff::civil::Date;

use crate::operator_command::account;
use crate::say::say;

/// What is done for a relying party, which on the wire is called a client.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Its secrets: shown once when they are made.
    #[command(subcommand)]
    Secret(Secret),
    /// What is settled before it goes live, with the evidence and its date.
    Onboarding {
        /// Its client id.
        client_id: String,
        /// The item that is settled.
        #[arg(long, requires = "evidence", value_parser = parse_item)]
        item: Option<Item>,
        /// What shows it, and where that lies: "report PT-117, findings closed 2026-11-20".
        #[arg(long, requires = "item")]
        evidence: Option<String>,
        /// The day on which it was settled; today, unless another is named.
        #[arg(long, requires = "item")]
        on: Option<Date>,
        /// As JSON, to be kept or handed on.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Secret {
    /// Those that it has: when each was made, last used, and ends.
    List {
        /// Its client id.
        client_id: String,
    },
    /// Make one more and leave the others as they are.
    New {
        /// Its client id.
        client_id: String,
    },
    /// Make a new one; the others end after the overlap.
    Rotate {
        /// Its client id.
        client_id: String,
        /// How many days the others go on working; 14, unless another number is named.
        #[arg(long, value_name = "DAYS")]
        overlap: Option<u16>,
    },
    /// End one now.
    End {
        /// Its client id.
        client_id: String,
        /// The secret's id, as the list shows it.
        id: String,
    },
}

fn parse_item(name: &str) -> Result<Item, String> {
    Item::parse(name).ok_or_else(|| {
        let names = Item::ALL.map(Item::name).join(", ");
        format!("the items are: {names}")
    })
}

/// Does it, beside the running gateway if there is one.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let config = options.config.as_ref();
    let config = config.context("name the gateway's configuration: --config FILE")?;
    let config = Config::read(config)?;
    let surroundings = Surroundings::production();
    let gateway = match &options.command {
        Command::Secret(Secret::List { .. }) | Command::Onboarding { item: None, .. } => {
            Gateway::look(&config, surroundings).await?
        }
        _ => Gateway::compose(&config, surroundings).await?,
    };
    let done = match &options.command {
        Command::Secret(secret) => change_secret(&gateway, secret).await,
        Command::Onboarding {
            client_id,
            item: Some(item),
            evidence: Some(evidence),
            on,
            ..
        } => {
            let on = on.unwrap_or_else(|| jiff::Zoned::now().date());
            let account = account();
            let actor = Actor::Command(&account);
            let settled = gateway
                .settle(client_id, *item, (evidence, on), actor)
                .await;
            settled.map_err(Into::into)
        }
        Command::Onboarding {
            client_id, json, ..
        } => show_checklist(&gateway, client_id, *json).await,
    };
    gateway.close().await;
    done
}

async fn change_secret(gateway: &Gateway, secret: &Secret) -> anyhow::Result<()> {
    match secret {
        Secret::List { client_id } => {
            for secret in gateway.client_secrets(client_id).await? {
                let time =
                    |at: Option<jiff::Timestamp>| at.map_or("-".to_owned(), |at| at.to_string());
                let state = if secret.is_live(gateway.now()) {
                    "live"
                } else {
                    "ended"
                };
                say(format_args!(
                    "{}  {state:5}  made {}  last used {}  ends {}",
                    secret.id,
                    secret.created_at,
                    time(secret.last_used_at),
                    time(secret.ends_at)
                ))?;
            }
            Ok(())
        }
        Secret::New { client_id } => make(gateway, client_id, None).await,
        Secret::Rotate { client_id, overlap } => {
            let overlap = overlap.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
            make(gateway, client_id, Some(overlap.unwrap_or(OVERLAP))).await
        }
        Secret::End { client_id, id } => {
            gateway
                .end_client_secret(client_id, id, Actor::Command(&account()))
                .await?;
            say(format_args!("ended {id}"))
        }
    }
}

/// The secret goes to standard output by itself, so that it can go straight into the file or vault that it is for.
async fn make(
    gateway: &Gateway,
    client_id: &str,
    overlap: Option<SignedDuration>,
) -> anyhow::Result<()> {
    let made = gateway
        .make_client_secret(client_id, overlap, Actor::Command(&account()))
        .await?;
    say(made.text.as_str())?;
    eprintln!(
        "That is the secret {} of {client_id}. It is shown this once and cannot be looked up.",
        made.id
    );
    if let Some(overlap) = overlap {
        eprintln!(
            "Those that the gateway made before end at {}. One whose digest is declared (client_secret_sha256) goes on \
             until it is taken out of the declaration.",
            gateway.now() + overlap
        );
    }
    Ok(())
}

async fn show_checklist(gateway: &Gateway, client_id: &str, json: bool) -> anyhow::Result<()> {
    let list = gateway.onboarding(client_id).await?;
    if json {
        let items: Vec<_> = list
            .iter()
            .map(|(item, evidence)| {
                serde_json::json!({ "item": item, "label": item.label(), "settled": evidence })
            })
            .collect();
        let whole = serde_json::json!({ "client_id": client_id, "items": items });
        return say(serde_json::to_string_pretty(&whole)?);
    }
    for (item, evidence) in &list {
        match evidence {
            Some(found) => say(format_args!(
                "[x] {}  {}: {} ({})",
                item.name(),
                found.settled_on,
                found.evidence,
                found.actor
            ))?,
            None => say(format_args!("[ ] {}  {}", item.name(), item.label()))?,
        }
    }
    Ok(())
}
