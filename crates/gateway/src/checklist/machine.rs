//! What the machine itself shows: files, disk, clock, what stands before the gateway; and how long a durable write takes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use crate::Gateway;
use crate::config::{Config, Secret};

use super::{Findings, OLD, listed};

/// Below this a database stops growing sooner than somebody comes.
const LITTLE_SPACE_KIB: u64 = 1024 * 1024;
/// Below this no new key is written when one is needed at night: a key is small, and what fills a disk beside it is not.
const LITTLE_FOR_KEYS_KIB: u64 = 100 * 1024;
/// A durable write that takes longer makes every journey slow.
const SLOW_WRITE: Duration = Duration::from_millis(100);

/// The configuration file itself: whoever can change it is the gateway.
pub fn of_file(file: &Path, findings: &mut Findings) {
    if std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o022 != 0) {
        findings.bad(
            "configuration-file",
            format!("others can change {}", file.display()),
            "chmod 644 or less",
        );
    }
}

/// Files, disk, clock, and what stands before the gateway. It reads files and runs two short programs: not on a thread that
/// serves others.
pub fn of_machine(config: &Config, findings: &mut Findings) {
    look_at_files(config, findings);
    look_at_disk(config, findings);
    look_at_clock(findings);
    look_at_proxy(config, findings);
}

/// Who can read what only the gateway may read, and how old the secrets in files are. Keys lie there, too; how old they are the
/// database knows, since a copy of a file is younger than its key.
fn look_at_files(config: &Config, findings: &mut Findings) {
    let secrets = [&config.key_passphrase, &config.storage_secret];
    let file = |secret: &Secret| match secret {
        Secret::File(path) => Some(path.clone()),
        Secret::Env(_) | Secret::Held(_) => None,
    };
    let mut paths: Vec<PathBuf> = secrets.into_iter().filter_map(file).collect();
    let old: Vec<String> = paths
        .iter()
        .filter(|path| age_in_days(path).is_some_and(|days| days > OLD))
        .map(|path| path.display().to_string())
        .collect();
    paths.extend(config.tls_key.clone());
    let earlier = config.earlier_key_passphrases.iter();
    let earlier = earlier.chain(&config.earlier_storage_secrets);
    paths.extend(earlier.filter_map(file));
    let keys = std::fs::read_dir(&config.keys)
        .into_iter()
        .flatten()
        .flatten();
    let keys = keys.map(|entry| entry.path());
    paths.extend(keys.filter(|path| path.extension().is_some_and(|extension| extension == "pem")));
    paths.retain(|path| path.exists());
    let open_to_others = |path: &&PathBuf| {
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    };
    let open: Vec<String> = paths
        .iter()
        .filter(open_to_others)
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        let count = paths.len();
        findings.good(
            "secret-files",
            format!("{count} files of secrets and keys, readable by their owner only"),
        );
    } else {
        findings.bad(
            "secret-files",
            format!("others can read {}", open.join(", ")),
            "make new ones; `chmod 600` is enough only where nobody has",
        );
    }
    if !old.is_empty() {
        findings.look(
            "age",
            format!("older than a year: {}", listed(&old)),
            "change them beside gateways that run: lanyard key passphrase for the key passphrase (docs/operate/keys.md), lanyard \
             storage-secret rotate for the storage secret (docs/operate/gateway.md)",
        );
    }
}

fn age_in_days(path: &Path) -> Option<i64> {
    let changed = std::fs::metadata(path).and_then(|found| found.modified());
    let age = SystemTime::now().duration_since(changed.ok()?).ok()?;
    i64::try_from(age.as_secs() / 86_400).ok()
}

/// Room for the database, where it is a file, and for the keys, wherever the database is.
fn look_at_disk(config: &Config, findings: &mut Findings) {
    if let Some(path) = config.database.strip_prefix("sqlite:") {
        let folder = Path::new(path)
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        look_at_folder(folder, "the database is", LITTLE_SPACE_KIB, findings);
    }
    look_at_folder(&config.keys, "the keys are", LITTLE_FOR_KEYS_KIB, findings);
}

fn look_at_folder(folder: &Path, what: &str, little: u64, findings: &mut Findings) {
    let output = Command::new("df").args(["-Pk", "--"]).arg(folder).output();
    let text = output.ok().map(|output| output.stdout);
    match text.as_deref().and_then(free_kib) {
        Some(free) => judge_disk(free, what, little, findings),
        None => {
            findings.look(
                "disk",
                format!(
                    "how much is free in {}, where {what}, could not be found out",
                    folder.display()
                ),
                "see that there is room",
            );
        }
    }
}

/// The fourth column of the second line [POSIX `df -P`].
fn free_kib(output: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(output).ok()?.lines().nth(1)?;
    line.split_whitespace().nth(3)?.parse().ok()
}

fn judge_disk(free: u64, what: &str, little: u64, findings: &mut Findings) {
    if free < little {
        findings.bad(
            "disk",
            format!("only {} MB are free where {what}", free / 1024),
            "make room before the gateway runs out of it",
        );
    } else {
        let free = if free < 1024 * 1024 {
            format!("{} MB", free / 1024)
        } else {
            format!("{} GB", free / (1024 * 1024))
        };
        findings.good("disk", format!("{free} are free where {what}"));
    }
}

/// Codes, tokens and credentials all carry times: a clock that is wrong by a minute is refused by others.
fn look_at_clock(findings: &mut Findings) {
    let output = Command::new("timedatectl")
        .args(["show", "-p", "NTPSynchronized", "--value"])
        .output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    judge_clock(said.ok().as_deref(), findings);
}

fn judge_clock(said: Option<&str>, findings: &mut Findings) {
    match said {
        Some("yes") => findings.good("clock", "the clock is kept by NTP"),
        Some("no") => findings.bad(
            "clock",
            "the clock is not kept by NTP",
            "start chrony or systemd-timesyncd",
        ),
        _ => findings.look(
            "clock",
            "whether the clock is kept by NTP could not be found out here",
            "see that it is; of a container, on its host",
        ),
    };
}

/// Behind a proxy, the caller's address comes in a header, or everybody is one address.
fn look_at_proxy(config: &Config, findings: &mut Findings) {
    let ends_tls = config.tls_certificate.is_some();
    match (ends_tls, &config.address_header) {
        (false, None) => findings.look(
            "proxy",
            "a proxy ends TLS, and no address_header is named: everybody counts as one address, or as none",
            "name in address_header the header in which the proxy says whom it took a request from",
        ),
        (true, Some(header)) => findings.look(
            "proxy",
            format!("the gateway ends TLS itself, and believes whatever a caller writes into {header}"),
            "take address_header out, or say where TLS ends",
        ),
        (false, Some(header)) => findings.good(
            "proxy",
            format!("a proxy ends TLS; the last value of {header} is the caller's address"),
        ),
        (true, None) => findings.good(
            "proxy",
            "the gateway ends TLS itself; the caller's address is the connection's",
        ),
    };
}

/// Whether the database answers, and how long a durable write takes.
pub(super) async fn look_at_database(gateway: &Gateway, findings: &mut Findings) {
    let began = Instant::now();
    match gateway.try_database().await {
        Ok(engine) => judge_write(engine, began.elapsed(), findings),
        Err(error) => {
            findings.bad("database", error.to_string(), "look at the database");
        }
    }
}

fn judge_write(engine: &str, took: Duration, findings: &mut Findings) {
    let says = format!(
        "{engine} keeps a write in {:.1} ms",
        took.as_secs_f64() * 1000.0
    );
    if took > SLOW_WRITE {
        findings.look(
            "database",
            format!("{says}, which makes every journey slow"),
            "look at its disk or its distance",
        );
    } else {
        findings.good("database", says);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::State;
    use super::*;

    fn only(look: impl FnOnce(&mut Findings)) -> (&'static str, State, String) {
        let mut findings = Findings::default();
        look(&mut findings);
        let found: Vec<_> = findings.iter().cloned().collect();
        let [one] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(one.remedy.is_none(), one.state == State::Good, "{one:?}");
        (one.code, one.state, one.says.clone())
    }

    fn config() -> Config {
        let public = "https://credentials.example".parse().unwrap();
        Config::sandboxed(public, Path::new("/nowhere"), "unused")
    }

    #[test]
    fn a_disk_with_less_than_a_gigabyte_is_told() {
        let df = b"Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 9 8 1048575 9% /srv\n";
        let free = free_kib(df).unwrap();
        let judged = |free, what, little| {
            let (_, state, says) = only(|found| judge_disk(free, what, little, found));
            (state, says)
        };
        let (state, says) = judged(free, "the database is", LITTLE_SPACE_KIB);
        assert_eq!(
            (state, says.as_str()),
            (State::Bad, "only 1023 MB are free where the database is")
        );
        let (state, _) = judged(free + 1, "the database is", LITTLE_SPACE_KIB);
        assert_eq!(state, State::Good);
        // Keys are small.
        let (state, says) = judged(free, "the keys are", LITTLE_FOR_KEYS_KIB);
        assert_eq!(
            (state, says.as_str()),
            (State::Good, "1023 MB are free where the keys are")
        );
        let (state, _) = judged(LITTLE_FOR_KEYS_KIB - 1, "the keys are", LITTLE_FOR_KEYS_KIB);
        assert_eq!(state, State::Bad);
        assert_eq!(free_kib(b"df: /nowhere: No such file or directory\n"), None);
    }

    #[test]
    fn a_folder_that_nobody_can_measure_is_looked_at_and_that_of_the_keys_on_postgresql_too() {
        let told = |database: &str, keys: &str| {
            let config = Config {
                database: database.to_owned(),
                keys: keys.into(),
                ..config()
            };
            let mut findings = Findings::default();
            look_at_disk(&config, &mut findings);
            let found = findings.iter().map(|one| (one.code, one.state));
            found.collect::<Vec<_>>()
        };
        let (unknown, good) = (("disk", State::Look), ("disk", State::Good));
        let nowhere = "sqlite:/nowhere/at/all/gateway.db";
        assert_eq!(told(nowhere, "/nowhere/keys"), [unknown, unknown]);
        assert_eq!(told("postgres://server/gateway", "/"), [good]);
        assert_eq!(
            told("postgres://server/gateway", "/nowhere/keys"),
            [unknown]
        );
    }

    #[test]
    fn a_clock_that_nobody_keeps_is_told() {
        for (said, expected) in [
            (Some("yes"), State::Good),
            (Some("no"), State::Bad),
            (Some(""), State::Look),
            (None, State::Look),
        ] {
            let (_, state, _) = only(|found| judge_clock(said, found));
            assert_eq!(state, expected, "{said:?}");
        }
    }

    #[test]
    fn a_header_that_callers_write_themselves_is_told_and_so_is_a_proxy_without_one() {
        let tls = Some(PathBuf::from("chain.pem"));
        let header = Some("x-forwarded-for".to_owned());
        for (tls_certificate, address_header, expected) in [
            (None, None, State::Look),
            (tls.clone(), header.clone(), State::Look),
            (None, header, State::Good),
            (tls, None, State::Good),
        ] {
            let config = Config {
                tls_certificate,
                address_header,
                ..config()
            };
            let (_, state, says) = only(|found| look_at_proxy(&config, found));
            assert_eq!(state, expected, "{says}");
        }
    }

    #[test]
    fn a_database_that_keeps_a_write_slowly_is_looked_at() {
        let (_, state, says) = only(|found| judge_write("SQLite", SLOW_WRITE, found));
        assert_eq!(
            (state, says.as_str()),
            (State::Good, "SQLite keeps a write in 100.0 ms")
        );
        let slow = SLOW_WRITE + Duration::from_millis(1);
        let (_, state, _) = only(|found| judge_write("SQLite", slow, found));
        assert_eq!(state, State::Look);
    }
}
