//! A rehearsal: a backup is restored beside everything, a gateway is made from it without listening, and what came of it is
//! written down. A rehearsal belongs on another machine, whose databases know nothing of the gateway; so its result is a small
//! record, which the gateway's own machine takes into the audit (decision 0045).

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use gateway::audit::{Act, Actor, Entry, Question, list};
use gateway::{ComposeError, Config, Gateway, Surroundings};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::restore::{Restored, Target, digest_of, restore};
use super::{BackupError, RestoreOptions, coded, opener, say_held, write_private};
use crate::operator_command::account;
use crate::say::say;

/// Begins every record: its form, too.
const WHAT: &str = "lanyard restore drill 1";
/// A gateway could start with what was restored.
const FIT: &str = "fit";
/// A record is smaller by far.
const LARGEST_RECORD: u64 = 16 * 1024;
/// The clocks of two machines differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What came of a rehearsal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    what: String,
    /// SHA-256 of the backup's file, in hexadecimal.
    backup_sha256: String,
    /// The gateway's address; nobody knows it of a backup that did not open.
    gateway: Option<String>,
    /// The moment that the backup is of.
    taken_at: Option<Timestamp>,
    /// When the rehearsal was begun.
    drilled_at: Timestamp,
    /// How long it took, until a gateway could have started.
    milliseconds: i64,
    /// `fit`, or the code of what went wrong.
    result: String,
    /// The version of the program that rehearsed.
    program: String,
}

/// `lanyard restore FILE --drill`.
pub(super) async fn run(options: &RestoreOptions, file: &Path) -> anyhow::Result<()> {
    if let Some(taken) = options.record.as_ref().filter(|record| record.exists()) {
        return coded(Err(BackupError::Exists(taken.clone())));
    }
    let (began, drilled_at) = (Instant::now(), Timestamp::now());
    let (mut known, folder) = (
        None,
        std::env::temp_dir().join(format!("lanyard-drill-{}", uuid::Uuid::new_v4())),
    );
    let done = rehearse(options, file, &folder, drilled_at, &mut known).await;
    let took = began.elapsed();
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    if let Some(out) = &options.record {
        let manifest = known.as_ref().map(|restored| &restored.manifest);
        let record = Record {
            what: WHAT.to_owned(),
            backup_sha256: hex::encode(coded(digest_of(file))?),
            gateway: manifest.map(|manifest| manifest.public_url.clone()),
            taken_at: manifest.and_then(|manifest| manifest.begun_at.parse().ok()),
            drilled_at,
            milliseconds: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
            result: done
                .as_ref()
                .map_or_else(BackupError::code, |()| FIT)
                .to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let text = serde_json::to_string_pretty(&record)? + "\n";
        coded(write_private(out, text.as_bytes()))?;
    }
    if let Some(restored) = &known {
        say_held(&restored.held)?;
        say(restored.told())?;
    }
    coded(done)?;
    say(format_args!(
        "drill: a gateway could start with this, {:.1} s after it was begun",
        took.as_secs_f64()
    ))?;
    match &options.record {
        Some(out) => say(format_args!(
            "{}: bring it to the gateway's machine: lanyard restore drilled --config FILE RECORD",
            out.display()
        )),
        None => {
            say("Nothing was written down: with --record FILE the gateway's audit can have it.")
        }
    }
}

async fn rehearse(
    options: &RestoreOptions,
    file: &Path,
    folder: &Path,
    now: Timestamp,
    known: &mut Option<Restored>,
) -> Result<(), BackupError> {
    let target = Target {
        folder: folder.to_owned(),
        database: options.database.clone(),
        account: account(),
        now,
    };
    let restored = restore(file, opener(options)?, target).await?;
    let config = known.insert(restored).config.clone();
    try_to_start(&config).await
}

/// Keys open, secrets are there, the database is of this version or is brought to it.
async fn try_to_start(config: &Path) -> Result<(), BackupError> {
    let config = Config::read(config).map_err(|error| BackupError::Config(error.to_string()))?;
    let gateway = Gateway::compose(&config, Surroundings::production()).await;
    let unfit = |error: ComposeError| BackupError::Unfit(error.to_string());
    gateway.map_err(unfit)?.close().await;
    Ok(())
}

/// Of which gateway, and what came of the rehearsal.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The configuration file of the gateway whose backup was rehearsed.
    #[arg(long, value_name = "FILE", env = "LANYARD_CONFIG")]
    config: PathBuf,
    /// What `lanyard restore FILE --drill --record RECORD` wrote, on whichever machine.
    record: PathBuf,
}

/// `lanyard restore drilled`: takes the record of a rehearsal into the audit.
pub(super) async fn take_in(options: &Options) -> anyhow::Result<()> {
    let config = Config::read(&options.config)?;
    let record = read(&options.record)?;
    let now = Timestamp::now();
    check(&record, &config.public_url, now)?;
    let store = gateway::look_into_store(&config.database_address()?).await?;
    let object = format!("backup:{}", record.backup_sha256);
    let found = async |act: Act| {
        let question = Question {
            act: Some(act.code()),
            object: Some(&object),
            limit: 200,
            ..Question::default()
        };
        list(&store, &question).await.map(|(entries, _)| entries)
    };
    let drilled_at = record.drilled_at.to_string();
    let (made, drills) = (
        found(Act::BackupMade).await?,
        found(Act::RestoreDrilled).await?,
    );
    let is_known = !made.is_empty();
    anyhow::ensure!(
        is_known || record.gateway.is_some(),
        "drill-of-another: the backup did not open there, and this gateway's audit knows no backup with that SHA-256"
    );
    anyhow::ensure!(
        drills
            .iter()
            .all(|one| one.detail["drilled-at"] != drilled_at.as_str()),
        "drill-noted: this rehearsal is in the audit already"
    );
    let entry = Entry::new(
        Actor::Command(&account()),
        Act::RestoreDrilled,
        ("backup", &record.backup_sha256),
        now,
    )
    .id("drilled-at", &drilled_at)
    .number("milliseconds", record.milliseconds)
    .id("result", &record.result)
    .id("program", &record.program)
    .with("backup", if is_known { "known" } else { "unknown" });
    let entry = match record.taken_at {
        Some(at) => entry.id("taken-at", &at.to_string()),
        None => entry,
    };
    store.write([entry.into()]).await?;
    store.close().await;
    say(format_args!(
        "noted: a rehearsal of {drilled_at}, {:.1} s, {}",
        std::time::Duration::from_millis(record.milliseconds.unsigned_abs()).as_secs_f64(),
        record.result
    ))?;
    if is_known {
        return Ok(());
    }
    say(
        "No backup with that SHA-256 is in this gateway's audit: it was made by an earlier version, or its entry is gone.",
    )
}

fn read(file: &Path) -> anyhow::Result<Record> {
    let size = std::fs::metadata(file)
        .with_context(|| file.display().to_string())?
        .len();
    let text = if size > LARGEST_RECORD {
        String::new()
    } else {
        std::fs::read_to_string(file).with_context(|| file.display().to_string())?
    };
    let record = serde_json::from_str::<Record>(&text).ok();
    record.filter(is_sound).with_context(|| {
        format!(
            "drill-record-invalid: {} is not what `lanyard restore FILE --drill --record RECORD` writes",
            file.display()
        )
    })
}

fn is_sound(record: &Record) -> bool {
    let is_digest = record.backup_sha256.len() == 64
        && record
            .backup_sha256
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let is_code = |text: &str| {
        (1..=40).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    // What could start was opened, and whoever opened it knows whose it is.
    let is_whole = record.result != FIT || (record.gateway.is_some() && record.taken_at.is_some());
    record.what == WHAT
        && is_digest
        && is_code(&record.result)
        && is_whole
        && record.milliseconds >= 0
}

/// Whether it is about this gateway, and of a time that has been.
fn check(record: &Record, own: &Url, now: Timestamp) -> anyhow::Result<()> {
    if let Some(gateway) = &record.gateway {
        anyhow::ensure!(
            *gateway == own.to_string(),
            "drill-of-another: it rehearsed a backup of {gateway}, and this gateway is {own}"
        );
    }
    let begun = record
        .taken_at
        .is_none_or(|at| at <= record.drilled_at + SKEW);
    anyhow::ensure!(
        begun && record.drilled_at <= now + SKEW,
        "drill-in-the-future: by its clocks the rehearsal was before the backup, or is still to come: look at both machines' clocks"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record() -> Record {
        Record {
            what: WHAT.to_owned(),
            backup_sha256: "ab".repeat(32),
            gateway: Some("https://gateway.example/".to_owned()),
            taken_at: Some("2026-11-28T03:00:00Z".parse().unwrap()),
            drilled_at: "2026-11-29T10:00:00Z".parse().unwrap(),
            milliseconds: 2_500,
            result: FIT.to_owned(),
            program: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn a_record_that_no_drill_writes_is_not_taken_in() {
        assert!(is_sound(&record()));
        let changes: [fn(&mut Record); 9] = [
            |one| one.what = "lanyard restore drill 2".to_owned(),
            |one| one.backup_sha256 = "AB".repeat(32),
            |one| one.backup_sha256 = "ab".repeat(31),
            |one| one.result = "it went well".to_owned(),
            |one| one.result = String::new(),
            |one| one.result = "a".repeat(41),
            |one| one.milliseconds = -1,
            |one| one.gateway = None,
            |one| one.taken_at = None,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut other = record();
            change(&mut other);
            assert!(!is_sound(&other), "{number}");
        }
        // A backup that did not open is known by its digest alone.
        let locked = Record {
            gateway: None,
            taken_at: None,
            result: "backup-locked".to_owned(),
            ..record()
        };
        assert!(is_sound(&locked));
    }

    #[test]
    fn what_is_no_record_is_not_read_into_one() {
        let file = std::env::temp_dir().join(format!("lanyard-record-{}", uuid::Uuid::new_v4()));
        let sound = serde_json::to_value(record()).unwrap();
        let kept = |text: &str| {
            std::fs::write(&file, text).unwrap();
            read(&file).map_err(|error| error.to_string())
        };
        assert!(kept(&sound.to_string()).is_ok());
        let mut more = sound.clone();
        more["note"] = "it went well".into();
        let mut less = sound.clone();
        less.as_object_mut().unwrap().remove("program");
        // Sound, and so much of it that nobody's drill wrote it.
        let endless = sound.to_string() + &" ".repeat(16 * 1024);
        for text in [&more.to_string(), &less.to_string(), &endless, "", "{}"] {
            let refused = kept(text).unwrap_err();
            assert!(refused.starts_with("drill-record-invalid: "), "{refused}");
        }
        std::fs::remove_file(&file).unwrap();
        assert!(read(&file).is_err());
    }

    #[test]
    fn a_record_is_of_this_gateway_and_of_a_time_that_has_been() {
        let own: Url = "https://gateway.example/".parse().unwrap();
        let now = "2026-11-29T10:00:00Z".parse().unwrap();
        let checked = |change: fn(&mut Record)| {
            let mut record = record();
            change(&mut record);
            let refused = check(&record, &own, now).err()?;
            let sentence = refused.to_string();
            Some(sentence.split(':').next().unwrap().to_owned())
        };
        assert_eq!(checked(|_| ()), None);
        assert_eq!(
            checked(|one| one.gateway = None),
            None,
            "nobody knows whose it is"
        );
        let another = "drill-of-another".to_owned();
        let elsewhere =
            |one: &mut Record| one.gateway = Some("https://gateway.example:8443/".to_owned());
        assert_eq!(checked(elsewhere), Some(another));
        // The clocks of two machines may differ by five minutes, and by no more.
        assert_eq!(checked(|one| one.drilled_at += SKEW), None);
        assert_eq!(
            checked(|one| one.taken_at = Some(one.drilled_at + SKEW)),
            None
        );
        let future = Some("drill-in-the-future".to_owned());
        let late = |one: &mut Record| one.drilled_at += SKEW + SignedDuration::from_secs(1);
        assert_eq!(checked(late), future);
        let before = |one: &mut Record| {
            one.taken_at = Some(one.drilled_at + SKEW + SignedDuration::from_secs(1));
        };
        assert_eq!(checked(before), future);
    }
}
