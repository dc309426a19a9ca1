//! `lanyard apply -f FILE`: bring the gateway's registry to what a file declares. It shows its plan first.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use gateway::audit::Actor;
use gateway::registry::Declaration;
use gateway::{Config, Gateway, Surroundings};

use crate::operator_command::account;
use crate::say::say;

/// What is declared, and where.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The declaration: `[[credential_types]]` and `[[organisations]]`, as in the gateway's configuration.
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// Also remove what is registered and not declared.
    #[arg(long)]
    prune: bool,
    /// Show the plan and change nothing; the exit status is 2 where there is something to change.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Shows the plan, asks, carries it out.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let file = options.file.display().to_string();
    let text = std::fs::read_to_string(&options.file).with_context(|| file.clone())?;
    let declaration = Declaration::parse(&file, &text)?;
    let config = Config::read(&options.config)?;
    let surroundings = Surroundings::production();
    let gateway = if options.dry_run {
        Gateway::look(&config, surroundings).await?
    } else {
        Gateway::compose(&config, surroundings).await?
    };
    let outcome = apply(options, &gateway, &declaration).await;
    gateway.close().await;
    outcome
}

async fn apply(
    options: &Options,
    gateway: &Gateway,
    declaration: &Declaration,
) -> anyhow::Result<ExitCode> {
    let plan = gateway.plan(declaration, options.prune).await?;
    say(plan.to_string().trim_end())?;
    if plan.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for (kind, name) in gateway.for_two_persons(&plan).await? {
        say(format_args!(
            "! {} {name}: somebody relies on it, and through the admin API this takes two persons. Here you do it alone.",
            kind.name()
        ))?;
    }
    if options.dry_run {
        return Ok(ExitCode::from(2));
    }
    if !options.yes && !confirmed()? {
        say("Nothing was changed.")?;
        return Ok(ExitCode::FAILURE);
    }
    gateway.apply(&plan, Actor::Command(&account())).await?;
    say(format_args!(
        "Done: {} changed. Running gateways follow within a second.",
        plan.changes.len()
    ))?;
    for client_id in without_secret(gateway, &plan) {
        say(format_args!(
            "{client_id} has no secret yet: lanyard client secret new {client_id} --config {}",
            options.config.display()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The relying parties of the plan that could not prove who they are.
fn without_secret(gateway: &Gateway, plan: &gateway::registry::Plan) -> Vec<String> {
    let mut found = Vec::new();
    let parties = plan.changes.iter().map(|change| &change.key);
    for (_, client_id) in parties.filter(|key| key.0 == gateway::registry::Kind::RelyingParty) {
        let app = gateway.app();
        let party = app.organisations.relying_party(client_id);
        if party.is_some_and(|party| party.has_secrets() && !party.has_live_secret(gateway.now())) {
            found.push(client_id.clone());
        }
    }
    found
}

fn confirmed() -> anyhow::Result<bool> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        anyhow::bail!("nobody is there to ask: say --yes to carry this plan out");
    }
    say("Carry this out? Type yes.")?;
    let mut answer = String::new();
    input.lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
