//! The parts of an assurance file that this program knows by itself or by the configuration file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use gateway::audit::export::{self, Format};
use gateway::availability::{Holidays, Hours, PlannedWork, report};
use gateway::evidence::without_secrets;
use gateway::{Config, Gateway};
use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};
use toml::Table;
use zeroize::Zeroizing;

use super::folder::Folder;
use crate::backup::secrets_of;
use crate::operator_command::account;

/// Which rules this version keeps, each with the tests that prove it: the tables of this very program.
pub(super) const TABLES: [(&str, &str); 2] = [
    (
        "security.md",
        include_str!("../../../../docs/reference/security.md"),
    ),
    (
        "requirements.md",
        include_str!("../../../../docs/reference/requirements.md"),
    ),
];

/// The audit as JSON lines.
const AUDIT: &str = "audit.jsonl";

/// What the manifest says besides the files.
pub(super) fn about(config: &Config, (from, to): (Date, Date)) -> Value {
    json!({
        "what": "evidence of a Lanyard gateway",
        "made_at": Timestamp::now(),
        "made_by": format!("command:{}", account()),
        "gateway": config.public_url.as_str().trim_end_matches('/'),
        "environment": config.environment.name(),
        "from": from,
        "to": to,
    })
}

/// SHA-256 of this very program: whoever released it says the same.
pub(super) fn program_sha256() -> anyhow::Result<String> {
    let program = std::env::current_exe().context("where this program is cannot be found out")?;
    let bytes = std::fs::read(&program).with_context(|| program.display().to_string())?;
    Ok(hex::encode(digest(&SHA256, &bytes)))
}

/// Which program, and which tables it works with.
pub(super) fn version(gateway: &Gateway, program_sha256: &str) -> Value {
    let tables = TABLES.map(|(name, text)| {
        json!({ "name": name, "sha256": hex::encode(digest(&SHA256, text.as_bytes())) })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "program_sha256": program_sha256,
        "build": if cfg!(debug_assertions) { "debug" } else { "release" },
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "time_zone": Zoned::now().time_zone().iana_name(),
        "database": { "engine": gateway.app().store.engine(), "tables": gateway::MIGRATIONS.version() },
        "rules": tables,
    })
}

fn table(file: &Path) -> anyhow::Result<Table> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    text.parse()
        .ok()
        .context("the configuration file is no TOML")
}

/// The configuration without remarks and without what proves who somebody is. Where secrets are is told, not what they are.
pub(super) fn configuration(file: &Path) -> anyhow::Result<String> {
    let shown = without_secrets(&serde_json::to_value(table(file)?)?);
    let mut shown: Table = serde_json::from_value(shown)?;
    if let Some(toml::Value::String(address)) = shown.get_mut("database") {
        *address = without_password(address);
    }
    Ok(toml::to_string_pretty(&shown)?)
}

/// A database's address may hold a password, as its user's or as a parameter.
fn without_password(address: &str) -> String {
    let Ok(mut url) = address.parse::<url::Url>() else {
        return address.to_owned();
    };
    if url.scheme() == "sqlite" || url.cannot_be_a_base() {
        return address.to_owned();
    }
    if url.password().is_some() {
        let _ = url.set_password(Some("not-shown"));
    }
    if url.query_pairs().any(|(name, _)| name.contains("pass")) {
        url.set_query(None);
    }
    url.to_string()
}

/// Every secret that the configuration names, and what opens the database, for a last look that none is shown.
pub(super) fn secrets(file: &Path) -> anyhow::Result<Vec<Zeroizing<String>>> {
    let config = table(file)?;
    let mut found = secrets_of(&config)?;
    let address = config.get("database").and_then(toml::Value::as_str);
    let password = address
        .and_then(|address| address.parse::<url::Url>().ok())
        .and_then(|url| url.password().map(str::to_owned));
    found.extend(password.map(Zeroizing::new));
    Ok(found)
}

/// The share of supported minutes in which a process was ready.
pub(super) async fn availability(
    config: &Config,
    gateway: &Gateway,
    days: (Date, Date),
    hours: &Hours,
    holidays: &Holidays,
) -> anyhow::Result<Value> {
    let planned = PlannedWork::read(config.availability.planned_work.as_deref())?;
    let app = gateway.app();
    let told = report(
        &app.store,
        days,
        hours,
        holidays,
        &planned,
        Timestamp::now(),
    )
    .await?;
    Ok(serde_json::to_value(told)?)
}

/// The audit of that time as JSON lines, its checkpoints included, written as it is read; and what verifying says: of the
/// database's chain, and of these lines by themselves.
pub(super) async fn audit(
    config: &Config,
    time: (Timestamp, Timestamp),
    folder: &mut Folder,
) -> anyhow::Result<Value> {
    let mut export = gateway::export_audit(config, &account(), time, Format::Jsonl).await?;
    let mut file = folder.file(AUDIT)?;
    while let Some(piece) = export.next().await? {
        file.write(&piece)?;
    }
    file.finish();
    let open = || File::open(folder.draft(AUDIT)).map(BufReader::new);
    let exported = export::verify_lines(open, Some(&gateway::audit_keys(config)?))?;
    let whole = gateway::verify_audit(config).await?;
    Ok(json!({ "database": whole, AUDIT: exported }))
}
