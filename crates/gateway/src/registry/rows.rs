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
    let (registered, faults) = read_each(store, seal).await?;
    match faults.into_iter().next() {
        Some((key, reason)) => Err(reason.of(&key)),
        None => Ok(registered),
    }
}

/// Why one row does not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unread(&'static str);

impl Unread {
    /// The error that it is.
    pub(crate) fn of(self, key: &Key) -> RegistryError {
        RegistryError::Unreadable(key.0, key.1.clone(), self.0)
    }
}

/// Everything that is declared and can be read; and what cannot.
pub(crate) async fn read_each(
    store: &Store,
    seal: &Seal,
) -> Result<(Registered, Vec<(Key, Unread)>), StoreError> {
    let revisions = revision::find(store).await?;
    let revision = revisions.get(&Subject::Registry).copied().unwrap_or(0);
    let select = "SELECT kind, name, organisation, body, sealed, version FROM registry";
    let (mut entries, mut faults) = (BTreeMap::new(), Vec::new());
    for row in store.read(Statement::new(select)).await? {
        // A newer program's kind is none of ours.
        let Some(kind) = Kind::parse(row.text("kind")?) else {
            continue;
        };
        let key = (kind, row.text("name")?.to_owned());
        match entry(&key, &row, seal)?.and_then(|entry| super::of_its_form(&key, entry)) {
            Ok(entry) => drop(entries.insert(key, (entry, row.integer("version")?))),
            Err(fault) => faults.push((key, Unread(fault))),
        }
    }
    Ok((Registered { entries, revision }, faults))
}

/// `Err` within: why the row is none.
fn entry(key: &Key, row: &Row, seal: &Seal) -> Result<Result<Entry, &'static str>, StoreError> {
    let secrets = match row.optional_blob("sealed")? {
        None => Secrets::default(),
        Some(sealed) => {
            let Ok(opened) = seal.open(&place(key), sealed) else {
                return Ok(Err(
                    "its secrets do not open with the storage secrets in use",
                ));
            };
            let Ok(secrets) = Secrets::from_json(&opened) else {
                return Ok(Err("its secrets are damaged"));
            };
            secrets
        }
    };
    let organisation = row.optional_text("organisation")?.map(str::to_owned);
    let body = serde_json::from_str(row.text("body")?);
    Ok(body.map_err(|_| "it is no JSON").map(|body| Entry {
        organisation,
        body,
        secrets,
    }))
}

/// Where secrets are sealed for: those of one relying party open for no other.
fn place(key: &Key) -> String {
    format!("registry/{}/{}", key.0.name(), key.1)
}

/// The statements of a plan, to be written in one batch: all of it or nothing, and nothing where somebody else changed
/// anything of the registry since the plan was made. It was checked with everything else that was there, and holds with that:
/// of an organisation that goes and a relying party of it that comes each would, and a registry with both would stop a start.
pub(crate) fn carry_out(
    plan: &Plan,
    seal: &Seal,
    by: By<'_>,
    now: Timestamp,
) -> Result<Vec<Statement>, RegistryError> {
    let mut batch = Vec::new();
    // What a process is issuing in this very moment is not to be seen yet: it is waited for, and then counts. Whoever comes
    // later finds nothing declared ([`crate::organisation::declared`]).
    let ends_issuing =
        |change: &Change| change.act == Act::Remove && change.key.0.of_credentials().is_some();
    if plan.changes.iter().any(ends_issuing) {
        batch.push(Statement::lock("credentials"));
    }
    batch.push(revision::raise_from(Subject::Registry, plan.revision));
    // The number's row is held by now, and whoever makes a secret holds it as well: of the two, one sees the other's.
    batch.extend(plan.unless_live.iter().map(|client_id| {
        let sql = "UPDATE revisions SET revision = revision WHERE name = $1 \
                   AND NOT EXISTS (SELECT 1 FROM client_secrets WHERE client_id = $2)";
        let unless = Statement::new(sql).bind(Subject::Registry.name());
        unless.bind(client_id.as_str()).must_change(1)
    }));
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
            _ => delete(change, now),
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

/// What has credentials in force stays, also where the first of them was issued after the plan was made.
fn delete(change: &Change, now: Timestamp) -> Statement {
    let (kind, name) = &change.key;
    let delete = "DELETE FROM registry WHERE kind = $1 AND name = $2 AND version = $3";
    let Some(column) = kind.of_credentials() else {
        let delete = Statement::new(delete).bind(kind.name()).bind(name.as_str());
        return delete.bind(change.version).must_change(1);
    };
    let delete = format!(
        "{delete} AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.{column} = $4 AND {})",
        in_force("$5")
    );
    Statement::new(delete)
        .bind(kind.name())
        .bind(name.as_str())
        .bind(change.version)
        .bind(name.as_str())
        .bind(now)
        .must_change(1)
}

/// The condition that a credential still counts: in force, and its time is not over.
fn in_force(now: &'static str) -> String {
    format!("revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {now})")
}

/// How many credentials of one organisation, or of one type, still count.
pub(crate) async fn count_in_force(
    store: &Store,
    column: &'static str,
    value: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let select = format!(
        "SELECT COUNT(*) AS count FROM credentials WHERE {column} = $1 AND {}",
        in_force("$2")
    );
    let row = store
        .read_one(Statement::new(select).bind(value).bind(now))
        .await?;
    row.map_or(Ok(0), |row| row.integer("count"))
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

/// Everything that was ever declared, by kind and name.
pub(crate) async fn find_names(store: &Store) -> Result<Vec<Key>, StoreError> {
    let select = "SELECT DISTINCT kind, name FROM registry_history ORDER BY kind, name";
    let mut names = Vec::new();
    for row in store.read(Statement::new(select)).await? {
        if let Some(kind) = Kind::parse(row.text("kind")?) {
            names.push((kind, row.text("name")?.to_owned()));
        }
    }
    Ok(names)
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
