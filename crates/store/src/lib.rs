//! A party's memory: one way to read and write, two engines behind it.
//!
//! Statements are data ([`Statement`]), written once with `$n` in the subset that SQLite and PostgreSQL share.
//! [`Store::write`] takes a batch and keeps all of it or none of it; a condition on how many rows a statement
//! changes ([`Statement::must_change`]) is part of the batch, so that *only once* holds across tasks and across
//! processes without a transaction ever being held open by a caller.
//!
//! ```no_run
//! # use store::{DatabaseUrl, Statement, Store, StoreError};
//! # async fn example(store: &Store, id: &str) -> Result<(), StoreError> {
//! store
//!     .write([
//!         Statement::new("UPDATE codes SET used_at = $1 WHERE id = $2 AND used_at IS NULL")
//!             .bind(1_700_000_000)
//!             .bind(id)
//!             .must_change(1),
//!         Statement::new("INSERT INTO tokens (code_id) VALUES ($1)").bind(id),
//!     ])
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! What a caller may rely on:
//!
//! - When `write` answers `Ok`, the batch is on disk (SQLite: `synchronous=FULL`; PostgreSQL: its commit).
//! - When it answers an error other than [`StoreError::Uncertain`], nothing of the batch was kept.
//! - A batch is decided whole even if the caller stops waiting for it.
//! - `DEFERRABLE` constraints are not used: on SQLite one would fail the batches it shares a commit with.

pub mod copy;
mod elsewhere;
mod migrate;
#[cfg(debug_assertions)]
pub mod point;
mod postgres;
mod row;
mod sqlite;
mod statement;
mod timing;
mod url;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use traces::Span;

pub use self::elsewhere::read_elsewhere;
pub use self::migrate::Migrations;
pub use self::row::{Outcome, Row};
pub use self::statement::{Statement, Value};
pub use self::timing::{Counted, MILLISECONDS, Timing, Timings};
pub use self::url::{DatabaseUrl, InvalidDatabaseUrl};

/// A handle on the database; cheap to clone, shared by every part of a program.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    timings: Timings,
}

#[derive(Debug)]
enum Engine {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Store {
    /// Opens the database and brings the tables of these parties to this version, in this order. Several processes
    /// may do this at once.
    pub async fn open(url: &DatabaseUrl, parties: &[Migrations]) -> Result<Self, StoreError> {
        let engine = match url {
            DatabaseUrl::Sqlite(path) => Engine::Sqlite(sqlite::Sqlite::open(path, parties).await?),
            DatabaseUrl::Postgres(options) => {
                Engine::Postgres(postgres::Postgres::open(options, parties).await?)
            }
        };
        Ok(Self(Arc::new(Inner {
            engine,
            timings: Timings::default(),
        })))
    }

    /// Runs the statements in order and keeps all of them or none; one outcome for each statement.
    pub async fn write(
        &self,
        batch: impl IntoIterator<Item = Statement>,
    ) -> Result<Vec<Outcome>, StoreError> {
        let batch: Vec<Statement> = batch.into_iter().collect();
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        for (index, statement) in batch.iter().enumerate() {
            statement.check(index)?;
        }
        #[cfg(debug_assertions)]
        let step = point::before(point::Batch(&batch));
        let span = traces::queries(self.engine(), batch.iter().map(Statement::sql));
        let began = Instant::now();
        let written = match &self.0.engine {
            Engine::Sqlite(sqlite) => sqlite.write(batch).await,
            Engine::Postgres(postgres) => postgres.write(batch).await,
        };
        self.0.timings.writes.add(began.elapsed());
        told(span, &written);
        let outcomes = self.counted(written)?;
        #[cfg(debug_assertions)]
        step.after();
        Ok(outcomes)
    }

    /// The rows of one `SELECT`.
    pub async fn read(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        statement.check(0)?;
        statement.check_reads()?;
        let span = traces::queries(self.engine(), [statement.sql()]);
        let began = Instant::now();
        let read = match &self.0.engine {
            Engine::Sqlite(sqlite) => sqlite.read(&statement),
            Engine::Postgres(postgres) => postgres.read(&statement).await,
        };
        self.0.timings.reads.add(began.elapsed());
        told(span, &read);
        self.counted(read)
    }

    /// How long it took so far, in this process.
    #[must_use]
    pub fn timings(&self) -> &Timings {
        &self.0.timings
    }

    fn counted<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Unavailable(_) | StoreError::Uncertain(_) | StoreError::Corrupt(_)) =
            &done
        {
            self.0.timings.failures.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    /// The first row of one `SELECT`, if it gives any.
    pub async fn read_one(&self, statement: Statement) -> Result<Option<Row>, StoreError> {
        Ok(self.read(statement).await?.into_iter().next())
    }

    /// Lets what was begun finish, then closes the database. Later calls answer [`StoreError::Closed`].
    pub async fn close(&self) {
        match &self.0.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
    }

    /// `sqlite` or `postgresql`: for log lines and `lanyard doctor`, never to choose a statement.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match &self.0.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgresql",
        }
    }
}

/// Ends the span of what was asked: a condition that turned a batch down is no fault of the database.
fn told<T>(span: Option<Box<Span>>, done: &Result<T, StoreError>) {
    let Some(span) = span else { return };
    match done {
        Ok(_) => span.done(None),
        Err(error @ (StoreError::Unmet { .. } | StoreError::Duplicate { .. })) => {
            span.done(Some(error.code()));
        }
        Err(error) => span.failed(error.code()),
    }
}

/// Why the database did not do what was asked. `statement` counts from 0 within the batch.
///
/// No variant carries a bound value, nor a text of the engine that could quote one.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A [`Statement::must_change`] did not hold: somebody else was first. Nothing was kept.
    #[error("statement {statement} of the batch changed another number of rows than it had to")]
    Unmet {
        /// Its place in the batch.
        statement: usize,
    },
    /// A unique or primary key is taken. Nothing was kept.
    #[error("statement {statement} of the batch repeats a value that must be unique")]
    Duplicate {
        /// Its place in the batch.
        statement: usize,
    },
    /// A foreign key, `NOT NULL` or `CHECK` forbids it. Nothing was kept.
    #[error("statement {statement} of the batch breaks a rule of its table")]
    Constraint {
        /// Its place in the batch.
        statement: usize,
    },
    /// The engine does not understand the statement or the kind of a value: a fault of this program.
    #[error("statement {statement} of the batch is refused by the database ({reason})")]
    Rejected {
        /// Its place in the batch.
        statement: usize,
        /// The engine's code, with its text where that cannot quote a value.
        reason: String,
    },
    /// A column is missing or of another kind than the code expects.
    #[error("column `{column}` is not {wanted}")]
    Column {
        /// The name asked for.
        column: String,
        /// The kind asked for.
        wanted: &'static str,
    },
    /// The database cannot be reached, is locked, full or read-only. Nothing was kept; trying again later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The connection or the disk failed while the batch was being committed: it may or may not have been kept.
    #[error("the database failed during a commit, which may or may not have been kept: {0}")]
    Uncertain(String),
    /// The database file is damaged or is not a database.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The tables could not be brought to this version.
    #[error("the database could not be brought to this version: {0}")]
    Migration(String),
    /// [`Store::close`] was called.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// The stable code of its kind, which names nobody.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unmet { .. } => "store-unmet",
            Self::Duplicate { .. } => "store-duplicate",
            Self::Constraint { .. } => "store-constraint",
            Self::Rejected { .. } => "store-rejected",
            Self::Column { .. } => "store-column",
            Self::Unavailable(_) => "store-unavailable",
            Self::Uncertain(_) => "store-uncertain",
            Self::Corrupt(_) => "store-corrupt",
            Self::Migration(_) => "store-migration",
            Self::Closed => "store-closed",
        }
    }
}
