//! `lanyard revoke`, `suspend` and `reinstate`: what the operator does to one credential or to a file of them. Works on the
//! database, beside running gateways: each of them knows it within a second.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use gateway::Config;
use gateway::audit::{Act, Actor, Entry};
use gateway::revoke::bulk::{self, Order};
use gateway::revoke::jobs::Stage;
use gateway::revoke::operator::{self, Change, Done, Target};
use gateway::revoke::serials::Serials;
use gateway::status::Reason;
use jiff::Timestamp;
use store::Store;
use uuid::Uuid;

use crate::operator_command::account;
use crate::say::say;

/// Whose credentials, and in which database.
#[derive(Debug, clap::Args)]
struct Place {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// The id of the organisation that issued what is meant.
    #[arg(long, value_name = "ID")]
    organisation: String,
    /// The credential type; what is of another counts as unknown.
    #[arg(long = "type", value_name = "NAME")]
    credential_type: Option<String>,
}

/// What to revoke.
#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// The credential's serial number.
    #[arg(required_unless_present = "file", conflicts_with_all = ["file", "dry_run", "apply", "ticket", "pace"])]
    serial_number: Option<Uuid>,
    /// A file of them: one a line, or CSV with the column `serial_number`.
    #[arg(long, value_name = "FILE", requires = "what")]
    file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    reason: Why,
    /// A note beside the reason, for the operator. No personal data.
    #[arg(long, default_value = "")]
    note: String,
    /// Only count what would be revoked.
    #[arg(long, group = "what")]
    dry_run: bool,
    /// Revoke. The same command again goes on where it stopped.
    #[arg(long, group = "what", requires = "ticket")]
    apply: bool,
    /// Where it was decided.
    #[arg(long, value_name = "TICKET")]
    ticket: Option<String>,
    /// Revocations a second.
    #[arg(long, default_value = "50")]
    pace: NonZeroU32,
}

#[derive(Debug, clap::Args)]
struct Why {
    /// Why: data-error, left-employment, no-longer-qualified, superseded, lost-device, key-compromise, issued-in-error,
    /// deceased, under-review or other.
    #[arg(long, value_name = "CODE", value_parser = reason)]
    reason: Reason,
}

/// What to suspend.
#[derive(Debug, clap::Args)]
pub struct Suspend {
    /// The credential's serial number.
    serial_number: Uuid,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    reason: Why,
}

/// What to reinstate.
#[derive(Debug, clap::Args)]
pub struct Reinstate {
    /// The credential's serial number.
    serial_number: Uuid,
    #[command(flatten)]
    place: Place,
}

fn reason(code: &str) -> Result<Reason, String> {
    Reason::from_code(code).ok_or_else(|| {
        let codes = Reason::ALL.map(Reason::code).join(", ");
        format!("use one of {codes}")
    })
}

/// Revokes, or counts what would be.
pub async fn revoke(options: &Revoke) -> anyhow::Result<ExitCode> {
    if let Some(serial_number) = options.serial_number {
        let change = Change::Revoke(options.reason.reason, &options.note);
        return one(&options.place, serial_number, change, "revoked").await;
    }
    let file = options
        .file
        .as_deref()
        .context("name a serial number or a file")?;
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let serials = Serials::parse(&text).with_context(|| file.display().to_string())?;
    let store = open(&options.place).await?;
    let outcome = many(&store, options, &serials).await;
    store.close().await;
    outcome
}

/// Suspends.
pub async fn suspend(options: &Suspend) -> anyhow::Result<ExitCode> {
    let change = Change::Suspend(options.reason.reason);
    one(&options.place, options.serial_number, change, "suspended").await
}

/// Reinstates.
pub async fn reinstate(options: &Reinstate) -> anyhow::Result<ExitCode> {
    let change = Change::Reinstate;
    one(&options.place, options.serial_number, change, "in force").await
}

async fn open(place: &Place) -> anyhow::Result<Store> {
    let config = Config::read(&place.config)?;
    Ok(gateway::open_store(&config.database_address()?).await?)
}

async fn one(
    place: &Place,
    serial_number: Uuid,
    change: Change<'_>,
    so: &str,
) -> anyhow::Result<ExitCode> {
    let store = open(place).await?;
    let target = Target {
        organisation: &place.organisation,
        serial_number,
        credential_type: place.credential_type.as_deref(),
    };
    let (act, reason) = match change {
        Change::Revoke(reason, _) => (Act::CredentialRevoked, Some(reason)),
        Change::Suspend(reason) => (Act::CredentialSuspended, Some(reason)),
        Change::Reinstate => (Act::CredentialReinstated, None),
    };
    let now = Timestamp::now();
    let told = entry(act, serial_number, &place.organisation, reason, now);
    let done = operator::change(&store, target, change, vec![told.into()], now).await;
    store.close().await;
    match done? {
        Done::Changed => say(format_args!("{serial_number} is {so}"))?,
        Done::AlreadySo => say(format_args!("{serial_number} was {so} already"))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What was done to one credential, for the audit.
fn entry(
    act: Act,
    serial_number: Uuid,
    organisation: &str,
    reason: Option<Reason>,
    now: Timestamp,
) -> Entry {
    let serial_number = serial_number.to_string();
    let entry = Entry::new(
        Actor::Command(&account()),
        act,
        ("credential", &serial_number),
        now,
    )
    .organisation(Some(organisation));
    match reason {
        Some(reason) => entry.with("reason", reason.code()),
        None => entry,
    }
}

async fn many(store: &Store, options: &Revoke, serials: &Serials) -> anyhow::Result<ExitCode> {
    let place = &options.place;
    let wanted = place.credential_type.as_deref();
    let counts = bulk::count(
        store,
        &place.organisation,
        wanted,
        serials,
        Timestamp::now(),
    )
    .await?;
    say(format_args!(
        "{} serial numbers ({} named more than once): {} in force, {} expired, {} revoked already, {} unknown to {}",
        serials.numbers.len(),
        serials.repeated,
        counts.in_force,
        counts.expired,
        counts.already_revoked,
        counts.unknown,
        place.organisation,
    ))?;
    if !options.apply {
        say("nothing was changed")?;
        return Ok(ExitCode::SUCCESS);
    }
    let order = Order {
        organisation: &place.organisation,
        credential_type: wanted,
        reason: options.reason.reason,
        note: &options.note,
        ticket: options.ticket.as_deref().unwrap_or_default(),
        pace: options.pace,
    };
    let id = bulk::id(&order, serials);
    let now = Timestamp::now();
    let begun = Entry::new(
        Actor::Command(&account()),
        Act::BulkRevocationBegun,
        ("job", &id),
        now,
    )
    .organisation(Some(&place.organisation))
    .with("reason", order.reason.code())
    .number(
        "serial-numbers",
        serials.numbers.len().try_into().unwrap_or(i64::MAX),
    )
    .ticket(options.ticket.as_deref());
    let job = bulk::begin(store, &order, serials, vec![begun.into()], now).await?;
    say(format_args!(
        "{job}: broken off, the same command goes on with it"
    ))?;
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    loop {
        beat.tick().await;
        let now = Timestamp::now();
        let told = |serial_number: Uuid| {
            let act = Act::CredentialRevoked;
            let told = entry(
                act,
                serial_number,
                &place.organisation,
                Some(order.reason),
                now,
            );
            vec![told.id("job", &job).into()]
        };
        if bulk::step(store, &place.organisation, &job, told, now).await? {
            break;
        }
    }
    let progress = bulk::progress(store, &place.organisation, &job).await?;
    let done = progress.context("the job is gone")?;
    if done.stage == Stage::Stopped {
        bail!(
            "{job} was stopped, with {} lines waiting: {} revoked, {} revoked before, {} unknown, and nothing more is done of it. \
             To revoke the rest, decide it anew, with another --ticket",
            done.waiting,
            done.revoked,
            done.already_revoked,
            done.unknown
        );
    }
    say(format_args!(
        "done: {} revoked, {} revoked before, {} unknown",
        done.revoked, done.already_revoked, done.unknown
    ))?;
    Ok(ExitCode::SUCCESS)
}
