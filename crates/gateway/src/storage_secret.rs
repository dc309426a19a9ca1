//! A change of the storage secret: everything that is sealed in the database is sealed anew, so that the old secret can go.
//!
//! Beside gateways that run, in small steps, each of them whole: broken off, it is begun again and finds less to do. A value
//! that a gateway writes meanwhile is left as the gateway wrote it. Before anything else the keys that were derived from the
//! oldest secret are written down, sealed: with them, and without that secret, a person is the same subject to a relying
//! party as before.

use jiff::Timestamp;
use store::{Row, Statement, Store, StoreError};
use zeroize::Zeroizing;

use crate::ComposeError;
use crate::audit::{Act, Actor, Entry};
use crate::config::{Config, ConfigError, Secret};
use crate::seal::{KEPT, KeptKey, Seal};
use crate::tables::{self, Opening};

/// Rows that are read, and written, at once.
const PAGE: i64 = 200;

/// Where sealed values are: a table with a column of them, and the columns of its primary key. The place of a value, for
/// which it is sealed, is made of both.
#[derive(Debug, Clone, Copy)]
pub struct Sealed {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// Its primary key.
    pub key: &'static [&'static str],
}

/// Every place where there are sealed values. A column of bytes that is not among them stands in the test below, which finds
/// what nobody has listed.
pub const SEALED: [Sealed; 5] = [
    Sealed {
        table: "interactions",
        column: "sealed",
        key: &["id"],
    },
    Sealed {
        table: "registry",
        column: "sealed",
        key: &["kind", "name"],
    },
    Sealed {
        table: "operator_sign_ins",
        column: "totp_secret",
        key: &["operator"],
    },
    Sealed {
        table: "operator_set_ups",
        column: "totp_secret",
        key: &["operator"],
    },
    Sealed {
        table: "kept_keys",
        column: "sealed",
        key: &["name"],
    },
];

/// Seals with the secret in use, and opens with every one that the configuration names.
pub(crate) fn seal(config: &Config) -> Result<Seal, ConfigError> {
    let current = config.storage_secret.read()?;
    let earlier = config
        .earlier_storage_secrets
        .iter()
        .map(Secret::read)
        .collect::<Result<Vec<_>, _>>()?;
    Seal::new(&current, earlier.iter().map(|secret| secret.as_str()))
        .map_err(|error| ConfigError::value("storage_secret", error.to_string()))
}

/// What came of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewed {
    /// The table.
    pub table: &'static str,
    /// Values that were looked at.
    pub found: u64,
    /// Those that were sealed with an earlier secret, and are sealed with the one in use now.
    pub renewed: u64,
    /// Those that none of the secrets opens: they were lost before.
    pub lost: u64,
}

/// What came of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Each table, with all that was sealed anew in it and what the last walk found.
    pub tables: Vec<Renewed>,
    /// Whether the last walk found nothing that an earlier secret had sealed. If not, somebody seals with one all the while.
    pub settled: bool,
}

/// Walks through all tables, until one finds nothing to do. A process that still seals with an earlier secret writes before the
/// place where a walk is, too, so that one walk says nothing of what is there at its end.
const MOST_WALKS: usize = 10;

/// Seals anew what an earlier secret sealed, in the database that the configuration names. Refused where it is not known which
/// secret was the first, unless `last_is_first` says that it is the last in the list.
pub async fn rotate_storage_secret(
    config: &Config,
    last_is_first: bool,
    account: &str,
    now: Timestamp,
) -> Result<Rotated, ComposeError> {
    let store = tables::open_store(&config.database_address()?).await?;
    let seal = seal(config)?;
    let done = rotate(&store, &seal, last_is_first, account, now).await;
    store.close().await;
    done
}

async fn rotate(
    store: &Store,
    seal: &Seal,
    last_is_first: bool,
    account: &str,
    now: Timestamp,
) -> Result<Rotated, ComposeError> {
    if !last_is_first && !knows_the_first(store, seal).await? {
        let reason = "which of several secrets this gateway began with stands nowhere, and people's subjects hang on it: \
                      start a gateway once with that one alone, or, if it is the last in this list, say --last-is-first";
        return Err(ConfigError::value("earlier_storage_secrets", reason).into());
    }
    keep(store, seal).await?;
    let mut all: Vec<Renewed> = Vec::new();
    let mut settled = false;
    for _ in 0..MOST_WALKS {
        let before = std::mem::take(&mut all);
        for (at, place) in SEALED.iter().enumerate() {
            let mut one = place.renew(store, seal).await?;
            one.renewed += before.get(at).map_or(0, |before| before.renewed);
            all.push(one);
        }
        let renewed = |all: &[Renewed]| all.iter().map(|one| one.renewed).sum::<u64>();
        settled = renewed(&all) == renewed(&before);
        if settled {
            break;
        }
    }
    let renewed: u64 = all.iter().map(|one| one.renewed).sum();
    let told = Entry::new(
        Actor::Command(account),
        Act::StorageSecretChanged,
        ("storage-secret", "current"),
        now,
    );
    let told = told.number("renewed", renewed.try_into().unwrap_or(i64::MAX));
    store.write([told.into()]).await?;
    Ok(Rotated {
        tables: all,
        settled,
    })
}

/// At a start: what is derived from the secret with which a gateway began is written down before there is a second one, so that
/// the order in which a configuration lists several never decides who people are. Where it lists several and none is written
/// down, nobody can tell which was the first: the last is taken, as it was before, and not written down.
async fn keep_at_start(store: &Store, seal: &Seal) -> Result<(), ComposeError> {
    if knows_the_first(store, seal).await? {
        return keep(store, seal).await;
    }
    tracing::warn!(
        "which of several storage secrets this gateway began with stands nowhere; the last of earlier_storage_secrets is taken: \
         if it is not that one, people are other subjects than before. See `lanyard storage-secret rotate --last-is-first`"
    );
    Ok(())
}

async fn knows_the_first(store: &Store, seal: &Seal) -> Result<bool, StoreError> {
    if seal.is_of_one_secret() {
        return Ok(true);
    }
    // Kept, or a database in which nobody is known yet.
    let known = "SELECT COUNT(*) AS kept, (SELECT COUNT(*) FROM (SELECT 1 FROM interactions LIMIT 1) i) \
                 + (SELECT COUNT(*) FROM (SELECT 1 FROM credentials LIMIT 1) c) AS used FROM kept_keys";
    let Some(row) = store.read_one(Statement::new(known)).await? else {
        return Ok(false);
    };
    let is_kept = row.integer("kept")? >= KEPT.len().try_into().unwrap_or(i64::MAX);
    Ok(is_kept || row.integer("used")? == 0)
}

/// Writes down the keys that must stay, unless they are there.
async fn keep(store: &Store, seal: &Seal) -> Result<(), ComposeError> {
    let mut batch = Vec::new();
    for (name, key) in KEPT.iter().zip(seal.kept()) {
        let sealed = seal.seal(&format!("kept_keys/{name}"), key.as_slice());
        let sealed =
            sealed.map_err(|error| ConfigError::value("storage_secret", error.to_string()))?;
        let insert =
            "INSERT INTO kept_keys (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        batch.push(Statement::new(insert).bind(*name).bind(sealed));
    }
    store.write(batch).await?;
    Ok(())
}

/// The same seal, with the keys that the database keeps in the place of those that its oldest secret would give.
pub(crate) async fn with_kept_keys(
    seal: Seal,
    store: &Store,
    opening: Opening,
) -> Result<Seal, ComposeError> {
    if opening == Opening::Bring {
        keep_at_start(store, &seal).await?;
    }
    let rows = store
        .read(Statement::new("SELECT name, sealed FROM kept_keys"))
        .await?;
    let mut kept: [KeptKey; 3] = seal.kept().clone();
    for row in &rows {
        let name = row.text("name")?;
        let Some(at) = KEPT.iter().position(|known| *known == name) else {
            continue;
        };
        let opened = seal.open(&format!("kept_keys/{name}"), row.blob("sealed")?);
        let key = opened.ok().and_then(|key| key.as_slice().try_into().ok());
        let reason = "a key that the database keeps does not open with it: name the secret that was in use before in \
                      earlier_storage_secrets";
        let key: [u8; 32] = key.ok_or_else(|| ConfigError::value("storage_secret", reason))?;
        kept[at] = Zeroizing::new(key);
    }
    Ok(seal.with_kept(kept))
}

impl Sealed {
    fn place(&self, key: &[String]) -> String {
        format!("{}/{}", self.table, key.join("/"))
    }

    fn key_of(&self, row: &Row) -> Result<Vec<String>, StoreError> {
        let columns = self.key.iter();
        columns
            .map(|column| Ok(row.text(column)?.to_owned()))
            .collect()
    }

    fn select(&self, after: &[String]) -> Statement {
        let (columns, column) = (self.key.join(", "), self.column);
        let places: Vec<_> = (1..=self.key.len()).map(|at| format!("${at}")).collect();
        let select = format!(
            "SELECT {columns}, {column} AS sealed FROM {} WHERE {column} IS NOT NULL AND ({columns}) > ({}) ORDER BY {columns} LIMIT {PAGE}",
            self.table,
            places.join(", ")
        );
        let statement = Statement::new(select);
        after.iter().fold(statement, Statement::bind)
    }

    /// Changes nothing where somebody has written another value meanwhile.
    fn update(&self, key: &[String], from: &[u8], to: Vec<u8>) -> Statement {
        let columns = self.key.iter().enumerate();
        let columns: Vec<_> = columns
            .map(|(at, column)| format!("{column} = ${}", at + 3))
            .collect();
        let update = format!(
            "UPDATE {} SET {} = $1 WHERE {} = $2 AND {}",
            self.table,
            self.column,
            self.column,
            columns.join(" AND ")
        );
        let statement = Statement::new(update).bind(to).bind(from);
        key.iter().fold(statement, Statement::bind)
    }

    async fn renew(&self, store: &Store, seal: &Seal) -> Result<Renewed, StoreError> {
        let mut after = vec![String::new(); self.key.len()];
        let mut done = Renewed {
            table: self.table,
            found: 0,
            renewed: 0,
            lost: 0,
        };
        loop {
            let rows = store.read(self.select(&after)).await?;
            let Some(last) = rows.last() else {
                return Ok(done);
            };
            after = self.key_of(last)?;
            let mut batch = Vec::new();
            for row in &rows {
                let (key, sealed) = (self.key_of(row)?, row.blob("sealed")?);
                done.found += 1;
                match seal.renew(&self.place(&key), sealed) {
                    Ok(None) => {}
                    Ok(Some(renewed)) => batch.push(self.update(&key, sealed, renewed)),
                    Err(_) => done.lost += 1,
                }
            }
            let written = store.write(batch).await?;
            done.renewed += written.iter().map(|outcome| outcome.changed).sum::<u64>();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    /// Bytes that are no sealed values: digests, and what everybody may read.
    const NOT_SEALED: [&str; 7] = [
        "audit_entries.digest",
        "audit_chain.digest",
        "audit_checkpoints.digest",
        "operator_tokens.digest",
        "operator_set_ups.digest",
        "operator_recovery_codes.digest",
        "spent_marks.digest",
    ];

    /// SEC-37: a column that is sealed and not listed would be lost with the old secret.
    #[test]
    fn every_column_of_bytes_is_sealed_and_listed_or_known_to_be_no_secret() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
        let mut found = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let mut table = String::new();
            for line in text.lines() {
                let words: Vec<_> = line.split_whitespace().collect();
                match words.as_slice() {
                    ["CREATE", "TABLE", name, ..] => (*name).clone_into(&mut table),
                    ["ALTER", "TABLE", name, "ADD", "COLUMN", column, kind, ..]
                        if kind.starts_with("BLOB") =>
                    {
                        found.push(format!("{name}.{column}"));
                    }
                    [column, kind, ..] if kind.starts_with("BLOB") => {
                        found.push(format!("{table}.{column}"));
                    }
                    _ => {}
                }
            }
        }
        assert!(found.len() >= SEALED.len() + NOT_SEALED.len(), "{found:?}");
        for column in &found {
            let listed = SEALED
                .iter()
                .any(|one| format!("{}.{}", one.table, one.column) == *column);
            let known = NOT_SEALED.contains(&column.as_str());
            assert!(
                listed || known,
                "{column} holds bytes: if they are sealed, list it in SEALED; if not, say so \
                 in NOT_SEALED"
            );
        }
    }
}
