//! The registry in the database.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Act, Change, Entry, Key, Kind, Plan, Registered, RegistryError, Secrets};
use super::{onboarding, secrets};
use crate::audit::{self, By};
use crate::revision::{self, Subject};
use crate::seal::Seal;
use store::{Row, Statement, Store, StoreError};

/// Everything that is declared.
pub(crate) async fn read(store: &Store, seal: &Seal) -> Result<Registered, RegistryError> {
    let select = "SELECT kind, name, organisation, body, sealed, version FROM registry";
    let mut entries = BTreeMap::new();
    for row in store.read(Statement::new(select)).await? {
        // A newer program's kind is none of ours.
        let Some(kind) = Kind::parse(row.text("kind")?) else {
            continue;
        };
        let key = (kind, row.text("name")?.to_owned());
        let entry = entry(&key, &row, seal)?;
        entries.insert(key, (entry, row.integer("version")?));
    }
    Ok(Registered { entries })
}

fn entry(key: &Key, row: &Row, seal: &Seal) -> Result<Entry, RegistryError> {
    let unreadable = |reason| RegistryError::Unreadable(key.0, key.1.clone(), reason);
    let secrets = match row.optional_blob("sealed")? {
        None => Secrets::default(),
        Some(sealed) => {
            let opened = seal.open(&place(key), sealed);
            let opened = opened.map_err(|_| {
                unreadable("its secrets do not open with the storage secrets in use")
            })?;
            Secrets::from_json(&opened).map_err(|_| unreadable("its secrets are damaged"))?
        }
    };
    Ok(Entry {
        organisation: row.optional_text("organisation")?.map(str::to_owned),
        body: serde_json::from_str(row.text("body")?).map_err(|_| unreadable("it is no JSON"))?,
        secrets,
    })
}

/// Where secrets are sealed for: those of one relying party open for no other.
fn place(key: &Key) -> String {
    format!("registry/{}/{}", key.0.name(), key.1)
}

/// The statements of a plan, to be written in one batch: all of it or nothing, and nothing where somebody else changed
/// one of these meanwhile.
pub(crate) fn carry_out(
    plan: &Plan,
    seal: &Seal,
    by: By<'_>,
    now: Timestamp,
) -> Result<Vec<Statement>, RegistryError> {
    let mut batch = vec![revision::raise(Subject::Registry)];
    for change in &plan.changes {
        batch.push(kept(change, by, now));
        batch.push(entry_of(change, by, now).into());
        if change.ends_secrets() {
            batch.push(secrets::end_all(&change.key.1, now));
            batch.push(onboarding::forget(&change.key.1));
        }
        batch.push(match (change.act, &change.to) {
            (Act::Add, Some(to)) => insert(change, to, seal, now)?,
            (Act::Change, Some(to)) => update(change, to, seal, now)?,
            _ => delete(change),
        });
    }
    Ok(batch)
}

/// The history's line. It comes first: it reads what is replaced where something is removed.
fn kept(change: &Change, by: By<'_>, now: Timestamp) -> Statement {
    let body = change.to.as_ref().map_or(Value::Null, |to| to.body.clone());
    Statement::new(
        "INSERT INTO registry_history (kind, name, version, act, body, changed_at, actor, organisation) \
         SELECT $1, $2, COALESCE(MAX(version), 0) + 1, $3, $4, $5, $6, CAST($7 AS TEXT) \
         FROM registry_history WHERE kind = $8 AND name = $9",
    )
    .bind(change.key.0.name())
    .bind(change.key.1.as_str())
    .bind(change.act.name())
    .bind(body.to_string())
    .bind(now)
    .bind(by.actor.to_string())
    .bind(change.organisation.clone())
    .bind(change.key.0.name())
    .bind(change.key.1.as_str())
}

/// The audit's line.
fn entry_of(change: &Change, by: By<'_>, now: Timestamp) -> audit::Entry {
    let (kind, name) = &change.key;
    by.entry(audit::Act::RegistryChanged, (kind.name(), name), now)
        .organisation(change.organisation.as_deref())
        .with("change", change.act.name())
}

/// The version goes on from what was there under this name before.
const NEWEST: &str = "(SELECT MAX(version) FROM registry_history WHERE kind = $1 AND name = $2)";

fn insert(
    change: &Change,
    to: &Entry,
    seal: &Seal,
    now: Timestamp,
) -> Result<Statement, RegistryError> {
    let insert = format!(
        "INSERT INTO registry (kind, name, organisation, body, sealed, version, changed_at) \
         SELECT $1, $2, $3, $4, $5, {NEWEST}, $6"
    );
    Ok(Statement::new(insert)
        .bind(change.key.0.name())
        .bind(change.key.1.as_str())
        .bind(to.organisation.clone())
        .bind(to.body.to_string())
        .bind(sealed(&change.key, to, seal)?)
        .bind(now))
}

fn update(
    change: &Change,
    to: &Entry,
    seal: &Seal,
    now: Timestamp,
) -> Result<Statement, RegistryError> {
    let update = format!(
        "UPDATE registry SET organisation = $3, body = $4, sealed = $5, version = {NEWEST}, changed_at = $6 \
         WHERE kind = $1 AND name = $2 AND version = $7"
    );
    Ok(Statement::new(update)
        .bind(change.key.0.name())
        .bind(change.key.1.as_str())
        .bind(to.organisation.clone())
        .bind(to.body.to_string())
        .bind(sealed(&change.key, to, seal)?)
        .bind(now)
        .bind(change.version)
        .must_change(1))
}

fn delete(change: &Change) -> Statement {
    Statement::new("DELETE FROM registry WHERE kind = $1 AND name = $2 AND version = $3")
        .bind(change.key.0.name())
        .bind(change.key.1.as_str())
        .bind(change.version)
        .must_change(1)
}

fn sealed(key: &Key, entry: &Entry, seal: &Seal) -> Result<Option<Vec<u8>>, RegistryError> {
    if entry.secrets.is_empty() {
        return Ok(None);
    }
    let unsealable = |reason: &'static str| RegistryError::Unreadable(key.0, key.1.clone(), reason);
    let text = entry.secrets.to_json();
    let text = text.map_err(|_| unsealable("its secrets cannot be written"))?;
    seal.seal(&place(key), &text)
        .map(Some)
        .map_err(|_| unsealable("its secrets cannot be sealed"))
}

/// One version of a declared thing.
pub struct Version {
    /// Its number, from 1.
    pub version: i64,
    /// `add`, `change` or `remove`.
    pub act: String,
    /// What it said, without secrets; `null` where it was removed.
    pub body: Value,
    /// When it came.
    pub changed_at: Timestamp,
    /// Who brought it.
    pub actor: String,
    /// Whose it was; none of a credential type, and of what a version before 0013 of the tables wrote.
    pub organisation: Option<String>,
}

/// Every version that one thing had, the newest first.
pub async fn find_history(
    store: &Store,
    kind: Kind,
    name: &str,
) -> Result<Vec<Version>, StoreError> {
    let select = Statement::new(
        "SELECT version, act, body, changed_at, actor, organisation FROM registry_history \
         WHERE kind = $1 AND name = $2 ORDER BY version DESC",
    );
    let rows = store.read(select.bind(kind.name()).bind(name)).await?;
    rows.iter()
        .map(|row| {
            Ok(Version {
                version: row.integer("version")?,
                act: row.text("act")?.to_owned(),
                body: serde_json::from_str(row.text("body")?).unwrap_or(Value::Null),
                changed_at: row.timestamp("changed_at")?,
                actor: row.text("actor")?.to_owned(),
                organisation: row.optional_text("organisation")?.map(str::to_owned),
            })
        })
        .collect()
}
