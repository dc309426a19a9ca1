//! `lanyard interaction show|tail`: what became of an interaction and why, from the gateway's database.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use gateway::Config;
use gateway::timeline::{self, Timeline};
use jiff::{SignedDuration, Timestamp};
use store::Store;

use crate::say::say;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Tell one interaction from beginning to end, and why it failed, for the person, the desk and the developer.
    Show(Show),
    /// Tell steps of all interactions as they happen, until it is stopped.
    Tail(Tail),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The reference that the person reads out (K7Q2-9MFD), a `request_uri`, a serial number, or the id in the page's address.
    reference: String,
    #[command(flatten)]
    from: From,
}

#[derive(Debug, clap::Args)]
struct Tail {
    /// How many minutes to look back first.
    #[arg(long, default_value_t = 5)]
    minutes: u32,
    /// Tell what there is, and stop.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    from: From,
}

/// Which gateway, and in which form.
#[derive(Debug, clap::Args)]
struct From {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Opens the database of a gateway and changes nothing in it, not even its version.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Store> {
    let address = config.database_address()?.parse()?;
    Store::open(&address, &[])
        .await
        .context("the gateway's database could not be opened")
}

/// Does it.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    match &options.command {
        Command::Show(show) => tell_one(show).await,
        Command::Tail(tail) => follow(tail).await,
    }
}

async fn tell_one(show: &Show) -> anyhow::Result<()> {
    let store = open(&Config::read(&show.from.config)?).await?;
    let found = timeline::find(&store, &show.reference, None, Timestamp::now()).await;
    store.close().await;
    let found = found.context("the gateway's database does not say")?;
    if show.from.json {
        return say(serde_json::to_string_pretty(&found)?);
    }
    anyhow::ensure!(
        !found.is_empty(),
        "no interaction is known by that: it may be another gateway's, older than retention_days, or misread \
         (there is no I, L, O or U in a reference)"
    );
    for (at, one) in found.iter().enumerate() {
        if at > 0 {
            say("")?;
        }
        tell(one)?;
    }
    Ok(())
}

fn tell(one: &Timeline) -> anyhow::Result<()> {
    say(format_args!(
        "{}  {} {}",
        one.reference, one.purpose, one.credential_types
    ))?;
    say(format_args!("  organisation   {}", one.organisation))?;
    say(format_args!("  client         {}", one.client_id))?;
    if let Some(serial_number) = &one.serial_number {
        say(format_args!("  serial number  {serial_number}"))?;
    }
    say(format_args!("  stands at      {}", one.stage))?;
    if let Some(outcome) = one.outcome {
        say(format_args!("  outcome        {outcome}"))?;
    }
    say("")?;
    for step in &one.steps {
        let cause = step
            .cause
            .map(|cause| format!(" ({cause})"))
            .unwrap_or_default();
        say(format_args!(
            "  {:.0}  {:<13}  {}{cause}",
            step.at, step.step, step.sentence
        ))?;
    }
    let Some(cause) = one.cause else {
        return Ok(());
    };
    say("")?;
    say(format_args!("  cause      {}", cause.code))?;
    say(format_args!("  person     {}", cause.person))?;
    say(format_args!("  desk       {}", cause.desk))?;
    say(format_args!("  developer  {}", cause.developer))
}

/// How long after its time a step may appear: its process wrote it down later, or has another clock.
const LATE: SignedDuration = SignedDuration::from_secs(10);
/// At most so many interactions are told in one look.
const MOST: u32 = 1000;

async fn follow(tail: &Tail) -> anyhow::Result<()> {
    let store = open(&Config::read(&tail.from.config)?).await?;
    let mut after = Timestamp::now() - SignedDuration::from_mins(tail.minutes.into());
    let remembered = SignedDuration::from_mins(i64::from(tail.minutes).max(60));
    let mut told: HashSet<(String, Timestamp, &str)> = HashSet::new();
    // One for all rounds: what comes while the database is read is not forgotten.
    let stopped = crate::listen::stop_signal();
    tokio::pin!(stopped);
    loop {
        let now = Timestamp::now();
        let newest = timeline::newest(&store, after, MOST, now).await;
        for one in newest.context("the gateway's database does not say")? {
            for step in &one.steps {
                let key = format!("{} {}", one.reference, one.client_id);
                let is_old = step.at < now - remembered;
                if !is_old && told.insert((key, step.at, step.step)) {
                    tell_step(&one, step, tail.from.json)?;
                }
            }
            let (last, cause) = (one.steps.last(), one.cause);
            if let Some((last, cause)) = last.zip(cause)
                && last.at >= now - remembered
                && told.insert((
                    format!("{} {}", one.reference, one.client_id),
                    last.at,
                    cause.code,
                ))
            {
                tell_cause(&one, last, cause, tail.from.json)?;
            }
        }
        if tail.once {
            store.close().await;
            return Ok(());
        }
        after = now - LATE;
        // Whoever watches for weeks remembers the last hour or so.
        told.retain(|(_, at, _)| *at > now - remembered);
        tokio::select! {
            () = &mut stopped => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

/// Why it came to nothing, in the words for each of the three who ask.
fn tell_cause(
    one: &Timeline,
    last: &timeline::Step,
    cause: &timeline::Cause,
    json: bool,
) -> anyhow::Result<()> {
    if json {
        return say(serde_json::json!({
            "at": last.at, "reference": one.reference, "client_id": one.client_id, "purpose": one.purpose,
            "cause": cause.code, "person": cause.person, "desk": cause.desk, "developer": cause.developer,
        }));
    }
    let about = format!("{:.0}  {}  {}", last.at, one.reference, one.client_id);
    for (voice, sentence) in [
        ("person", cause.person),
        ("desk", cause.desk),
        ("developer", cause.developer),
    ] {
        say(format_args!("{about}  {voice}: {sentence}"))?;
    }
    Ok(())
}

fn tell_step(one: &Timeline, step: &timeline::Step, json: bool) -> anyhow::Result<()> {
    if json {
        let line = serde_json::json!({
            "at": step.at, "reference": one.reference, "client_id": one.client_id, "purpose": one.purpose,
            "step": step.step, "cause": step.cause,
        });
        return say(line);
    }
    let cause = step
        .cause
        .map(|cause| format!(" ({cause})"))
        .unwrap_or_default();
    say(format_args!(
        "{:.0}  {}  {}  {}  {}{cause}",
        step.at, one.reference, one.client_id, one.purpose, step.step
    ))
}
