//! Brings the tables to this version: one folder of numbered files for each party and engine, compiled in.
//!
//! Reading what is applied, applying the rest and recording it happen in **one** transaction that holds a lock from
//! its beginning, so that of several processes that start at once one migrates and the others find it done.
//! `refinery` opens a transaction for each of those steps, hence the two small adapters: they let it run inside ours.

use refinery::error::Kind;
use refinery::{Migration, Runner, Target};
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use refinery_core::traits::sync::{Migrate, Query, Transaction};
use rusqlite::TransactionBehavior;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::elsewhere::read_elsewhere;
use crate::{DatabaseUrl, Statement, StoreError};

/// One party's tables: its migrations for either engine, under the same numbers, and the table that remembers which
/// of them were applied. Several parties may share a database; each has its own history.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    history: &'static str,
    sqlite: fn() -> Runner,
    postgres: fn() -> Runner,
}

impl Migrations {
    /// The runners are those that `refinery::embed_migrations!` makes of a folder. `history` is this program's own
    /// word, never another's: it becomes part of a statement.
    #[must_use]
    pub const fn new(
        history: &'static str,
        sqlite: fn() -> Runner,
        postgres: fn() -> Runner,
    ) -> Self {
        Self {
            history,
            sqlite,
            postgres,
        }
    }

    fn runner(&self, made: fn() -> Runner) -> Runner {
        let mut runner = made();
        runner.set_migration_table_name(self.history);
        runner
    }

    /// The table that remembers what was applied.
    pub(super) fn history(&self) -> &'static str {
        self.history
    }

    /// Number and name of each migration, in order: the same on both engines.
    pub(super) fn numbered(&self) -> Vec<(i64, String)> {
        let runner = (self.sqlite)();
        let migrations = runner.get_migrations().iter();
        let mut numbered: Vec<_> = migrations
            .map(|migration| (i64::from(migration.version()), migration.name().to_owned()))
            .collect();
        numbered.sort_unstable();
        numbered
    }

    /// The number of the newest migration, which is the version of the tables that this program works with.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.numbered().last().map_or(0, |(number, _)| *number)
    }

    /// The version of the party's tables in a database; `None` where there are none of them. Nothing is changed, and where
    /// there is no database none is made; one that could not be made is an error.
    pub async fn find_version(&self, url: &DatabaseUrl) -> Result<Option<i64>, StoreError> {
        let tables = match url {
            DatabaseUrl::Sqlite(path) if !path.exists() => {
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                return match folder {
                    Some(folder) if !folder.is_dir() => {
                        let reason = format!("there is no folder {}", folder.display());
                        Err(StoreError::Unavailable(reason))
                    }
                    _ => Ok(None),
                };
            }
            DatabaseUrl::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1"
            }
            DatabaseUrl::Postgres(_) => {
                "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables \
                 WHERE table_schema = current_schema() AND table_name = $1"
            }
        };
        let history = Statement::new(tables).bind(self.history);
        if read_elsewhere(url, history).await?.is_empty() {
            return Ok(None);
        }
        let newest = format!(
            "SELECT CAST(MAX(version) AS BIGINT) AS version FROM {}",
            self.history
        );
        let rows = read_elsewhere(url, Statement::new(newest)).await?;
        rows.first()
            .map_or(Ok(None), |row| row.optional_integer("version"))
    }

    /// The names of what is in the two folders, SQLite's first: a party's test compares them.
    #[must_use]
    pub fn names(&self) -> [Vec<String>; 2] {
        [self.sqlite, self.postgres].map(|made| {
            made()
                .get_migrations()
                .iter()
                .map(ToString::to_string)
                .collect()
        })
    }
}

/// Any number that is always the same: it names the lock among all advisory locks of the database.
const LOCK: i64 = 0x4c61_6e79_6172_6431;

pub(super) fn sqlite(
    connection: &mut rusqlite::Connection,
    parties: &[Migrations],
) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    for party in parties {
        run_in_sqlite(&party.runner(party.sqlite), &transaction)?;
    }
    transaction
        .commit()
        .map_err(|error| StoreError::Migration(error.to_string()))
}

/// Brings the tables of one party to that version and no further, within the caller's transaction.
pub(super) fn sqlite_to(
    open: &rusqlite::Transaction<'_>,
    party: &Migrations,
    version: i64,
) -> Result<(), StoreError> {
    let runner = party.runner(party.sqlite).set_target(until(version)?);
    run_in_sqlite(&runner, open)
}

/// The same on PostgreSQL. The caller holds the lock.
pub(super) async fn postgres_to(
    open: &deadpool_postgres::Transaction<'_>,
    party: &Migrations,
    version: i64,
) -> Result<(), StoreError> {
    let runner = party.runner(party.postgres).set_target(until(version)?);
    let run = runner.run_async(&mut InPostgres(open)).await;
    run.map(drop).map_err(|error| explain(&error))
}

fn until(version: i64) -> Result<Target, StoreError> {
    let version = i32::try_from(version)
        .map_err(|_| StoreError::Migration(format!("there is no migration {version}")))?;
    Ok(Target::Version(version))
}

fn run_in_sqlite(runner: &Runner, open: &rusqlite::Transaction<'_>) -> Result<(), StoreError> {
    runner
        .run(&mut InSqlite(open))
        .map(drop)
        .map_err(|error| explain(&error))
}

pub(super) async fn postgres(
    client: &mut deadpool_postgres::Client,
    parties: &[Migrations],
) -> Result<(), StoreError> {
    let migration = |error: tokio_postgres::Error| StoreError::Migration(error.to_string());
    let transaction = client
        .transaction()
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    lock_postgres(&transaction).await?;
    for party in parties {
        party
            .runner(party.postgres)
            .run_async(&mut InPostgres(&transaction))
            .await
            .map_err(|error| explain(&error))?;
    }
    transaction.commit().await.map_err(migration)
}

/// One process at a time. Released with the transaction: behind pgbouncer a session's lock would outlive its holder.
pub(super) async fn lock_postgres(
    transaction: &deadpool_postgres::Transaction<'_>,
) -> Result<(), StoreError> {
    transaction
        .batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})"))
        .await
        .map_err(|error| StoreError::Migration(error.to_string()))
}

/// A migration's text is ours and binds nothing, so its error can be shown whole.
fn explain(error: &refinery::Error) -> StoreError {
    if let Kind::MissingVersion(migration) = error.kind() {
        return StoreError::Migration(format!(
            "it has migration {migration}, which this version does not know: a newer version has been here"
        ));
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    StoreError::Migration(text)
}

/// An entry of the history. One that cannot be read fails the start, as one that diverges does.
fn applied(version: i32, name: String, at: &str, checksum: &str) -> Result<Migration, Unreadable> {
    let at = OffsetDateTime::parse(at, &Rfc3339).map_err(|_| Unreadable::History)?;
    let checksum = checksum.parse().map_err(|_| Unreadable::History)?;
    Ok(Migration::applied(version, name, at, checksum))
}

/// Why a step of the migration failed, for either engine.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("the table of applied migrations cannot be read")]
    History,
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
}

struct InSqlite<'a>(&'a rusqlite::Transaction<'a>);

impl Transaction for InSqlite<'_> {
    type Error = Unreadable;

    fn execute<'a, T: Iterator<Item = &'a str>>(
        &mut self,
        queries: T,
    ) -> Result<usize, Unreadable> {
        let mut count = 0;
        for query in queries {
            self.0.execute_batch(query)?;
            count += 1;
        }
        Ok(count)
    }
}

impl Query<Vec<Migration>> for InSqlite<'_> {
    fn query(&mut self, query: &str) -> Result<Vec<Migration>, Unreadable> {
        let mut statement = self.0.prepare(query)?;
        let mut rows = statement.query([])?;
        let mut history = Vec::new();
        while let Some(row) = rows.next()? {
            let (at, checksum): (String, String) = (row.get(2)?, row.get(3)?);
            history.push(applied(row.get(0)?, row.get(1)?, &at, &checksum)?);
        }
        Ok(history)
    }
}

impl Migrate for InSqlite<'_> {}

struct InPostgres<'a>(&'a deadpool_postgres::Transaction<'a>);

impl AsyncTransaction for InPostgres<'_> {
    type Error = Unreadable;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, Unreadable> {
        let mut count = 0;
        for query in queries {
            self.0.batch_execute(query).await?;
            count += 1;
        }
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for InPostgres<'_> {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, Unreadable> {
        self.0
            .query_typed(query, &[])
            .await?
            .iter()
            .map(|row| {
                let (at, checksum): (String, String) = (row.try_get(2)?, row.try_get(3)?);
                applied(row.try_get(0)?, row.try_get(1)?, &at, &checksum)
            })
            .collect()
    }
}

impl AsyncMigrate for InPostgres<'_> {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn runner(files: &[(&str, &str)]) -> Runner {
        let files: Vec<Migration> = files
            .iter()
            .map(|(name, sql)| Migration::unapplied(name, sql).unwrap())
            .collect();
        Runner::new(&files)
    }

    fn migrate(
        connection: &mut rusqlite::Connection,
        files: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        let transaction = connection.transaction().unwrap();
        run_in_sqlite(&runner(files), &transaction)?;
        transaction.commit().unwrap();
        Ok(())
    }

    const ONE: (&str, &str) = ("V1__one", "CREATE TABLE one (a TEXT) STRICT");
    const TWO: (&str, &str) = ("V2__two", "CREATE TABLE two (a TEXT) STRICT");

    #[test]
    fn a_database_made_by_a_newer_version_is_refused() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[ONE, TWO]).unwrap();
        migrate(&mut connection, &[ONE, TWO]).unwrap();
        let refused = migrate(&mut connection, &[ONE]).unwrap_err();
        assert!(refused.to_string().contains("newer version"), "{refused}");
    }

    #[test]
    fn a_migration_that_was_edited_after_it_was_applied_is_refused() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[ONE]).unwrap();
        let edited = ("V1__one", "CREATE TABLE one (b TEXT) STRICT");
        assert!(migrate(&mut connection, &[edited]).is_err());
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let broken = ("V2__two", "CREATE TABLE two (a TEXT) STRICT; CREATE TABLE;");
        let failed = migrate(&mut connection, &[ONE, broken]).unwrap_err();
        assert!(failed.to_string().contains("syntax error"), "{failed}");
        migrate(&mut connection, &[ONE, TWO]).unwrap();
    }
}
