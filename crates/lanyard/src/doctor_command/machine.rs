//! What the machine itself shows: files, disk, clock, database, the age of secrets.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use gateway::config::Secret;
use gateway::organisation::certificates::ChainError;
use gateway::{Config, Gateway};

use super::Findings;

/// Below this a database stops growing sooner than somebody comes.
const LITTLE_SPACE_KIB: u64 = 1024 * 1024;
/// Secrets and keys older than this should be changed.
const OLD: Duration = Duration::from_hours(365 * 24);
/// A durable write that takes longer makes every journey slow.
const SLOW_WRITE: Duration = Duration::from_millis(100);
/// A certificate chain that ends in fewer days should have been renewed.
const SOON: i64 = 21;

/// Who can read what only the gateway may read, and how old it is.
pub(super) fn look_at_files(file: &Path, config: &Config, findings: &mut Findings) {
    let mut open_to_others = Vec::new();
    let mut old = Vec::new();
    let secrets = [&config.key_passphrase, &config.storage_secret];
    let mut paths: Vec<std::path::PathBuf> = secrets
        .into_iter()
        .filter_map(|secret| match secret {
            Secret::File(path) => Some(path.clone()),
            Secret::Env(_) | Secret::Held(_) => None,
        })
        .collect();
    paths.extend(config.tls_key.clone());
    let keys = std::fs::read_dir(&config.keys)
        .into_iter()
        .flatten()
        .flatten();
    let keys = keys.map(|entry| entry.path());
    paths.extend(keys.filter(|path| path.extension().is_some_and(|extension| extension == "pem")));
    for path in &paths {
        let Ok(found) = std::fs::metadata(path) else {
            continue;
        };
        if found.permissions().mode() & 0o077 != 0 {
            open_to_others.push(path.display().to_string());
        }
        let age = found
            .modified()
            .ok()
            .and_then(|at| SystemTime::now().duration_since(at).ok());
        if age.is_some_and(|age| age > OLD) {
            old.push(path.display().to_string());
        }
    }
    if open_to_others.is_empty() {
        let count = paths.len();
        findings.good(
            "secret-files",
            format!("{count} files of secrets and keys, readable by their owner only"),
        );
    } else {
        let names = open_to_others.join(", ");
        findings.bad("secret-files", format!("others can read {names}: make new ones; `chmod 600` is enough only where nobody has"));
    }
    if !old.is_empty() {
        findings.look(
            "age",
            format!(
                "older than a year: {}; change them (docs/operate/gateway.md)",
                old.join(", ")
            ),
        );
    }
    let writable =
        std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o022 != 0);
    if writable {
        findings.bad(
            "configuration-file",
            format!("others can change {}: chmod 644 or less", file.display()),
        );
    }
}

/// Room for the database, where it is a file.
pub(super) fn look_at_disk(config: &Config, findings: &mut Findings) {
    let Some(path) = config.database.strip_prefix("sqlite:") else {
        return;
    };
    let folder = Path::new(path)
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let output = Command::new("df").arg("-Pk").arg(folder).output();
    let free = output.ok().and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.lines()
            .nth(1)?
            .split_whitespace()
            .nth(3)?
            .parse::<u64>()
            .ok()
    });
    match free {
        Some(free) if free < LITTLE_SPACE_KIB => findings.bad(
            "disk",
            format!("only {} MB are free where the database is: make room before the gateway runs out of it", free / 1024),
        ),
        Some(free) => findings.good("disk", format!("{} GB are free where the database is", free / (1024 * 1024))),
        None => findings.look("disk", format!("how much is free in {} could not be found out", folder.display())),
    }
}

/// Codes, tokens and credentials all carry times: a clock that is wrong by a minute is refused by others.
pub(super) fn look_at_clock(findings: &mut Findings) {
    let output = Command::new("timedatectl")
        .args(["show", "-p", "NTPSynchronized", "--value"])
        .output();
    match output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .as_deref()
    {
        Ok("yes") => findings.good("clock", "the clock is kept by NTP"),
        Ok("no") => findings.bad(
            "clock",
            "the clock is not kept by NTP: start chrony or systemd-timesyncd",
        ),
        _ => findings.look(
            "clock",
            "whether the clock is kept by NTP could not be found out here; see that it is",
        ),
    }
}

/// Whether the database answers, and how long a durable write takes.
pub(super) async fn look_at_database(gateway: &Gateway, findings: &mut Findings) {
    let began = Instant::now();
    match gateway.try_database().await {
        Ok(engine) => {
            let took = began.elapsed();
            let says = format!(
                "{engine} keeps a write in {:.1} ms",
                took.as_secs_f64() * 1000.0
            );
            if took > SLOW_WRITE {
                findings.look(
                    "database",
                    format!(
                        "{says}, which makes every journey slow: look at its disk or its distance"
                    ),
                );
            } else {
                findings.good("database", says);
            }
        }
        Err(error) => findings.bad("database", format!("{error}: look at the database")),
    }
}

/// Client secrets that nobody uses, or that are old.
pub(super) async fn look_at_secrets(gateway: &Gateway, findings: &mut Findings) {
    let app = gateway.app();
    let now = gateway.now();
    let (mut none, mut old) = (Vec::new(), Vec::new());
    for party in app
        .organisations
        .relying_parties()
        .filter(|party| party.has_secrets())
    {
        if !party.has_live_secret(now) {
            none.push(party.client_id.clone());
        }
        let Ok(secrets) = gateway.client_secrets(&party.client_id).await else {
            continue;
        };
        let year = jiff::SignedDuration::from_hours(365 * 24);
        let is_old = |made: jiff::Timestamp| now.duration_since(made) > year;
        if secrets
            .iter()
            .any(|one| one.is_live(now) && is_old(one.created_at))
        {
            old.push(party.client_id.clone());
        }
    }
    if !none.is_empty() {
        findings.look("client-secrets", format!("without a secret, so that they cannot use the gateway: {}; lanyard client secret new", none.join(", ")));
    }
    if !old.is_empty() {
        findings.look(
            "client-secrets",
            format!(
                "with secrets older than a year: {}; lanyard client secret rotate",
                old.join(", ")
            ),
        );
    }
    if none.is_empty() && old.is_empty() {
        let count = app.organisations.relying_parties().count();
        findings.good(
            "client-secrets",
            format!("{count} relying parties can prove who they are"),
        );
    }
}

/// The certificate chains of keys that issue: one that does not hold is left out of what is signed.
pub(super) fn look_at_chains(gateway: &Gateway, findings: &mut Findings) {
    let code = "certificate-chains";
    let (mut good, mut least) = (0, i64::MAX);
    for chain in gateway.certificate_chains() {
        let of = format!(
            "the chain of {} for the key {}",
            chain.organisation, chain.kid
        );
        let days = chain.days_left;
        match chain.fault {
            Some(fault @ ChainError::AnotherKey(_)) => findings.look(
                code,
                format!("{of} is not used: {fault}; take it out if its key is gone"),
            ),
            Some(fault) => findings.bad(
                code,
                format!("{of} is left out: {fault}; have the key certified again"),
            ),
            None if days < SOON => findings.look(
                code,
                format!("{of} ends in {days} days: declare the next one beside it"),
            ),
            None => (good, least) = (good + 1, least.min(days)),
        }
    }
    if good > 0 {
        findings.good(
            code,
            format!("{good} hold, the first of them for {least} days"),
        );
    }
}
