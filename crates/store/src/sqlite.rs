//! SQLite: one thread writes, every task reads.
//!
//! A durable commit costs one wait for the disk, whatever it contains. So the writer takes every batch that is
//! waiting, runs them in one transaction, and lets them share that wait. If one of them fails, all are undone and each
//! is run again in a savepoint of its own. Nobody is answered before the commit: if it fails, it fails for every batch.
//!
//! Reads run on the task that asks: a look-up by key takes microseconds, less than handing it to another thread.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use crate::statement::numbered_for_sqlite;
use crate::{Migrations, Outcome, Row, Statement, StoreError, Value, migrate};

/// How long another process may hold the write lock before a batch is given up.
pub(super) const BUSY: Duration = Duration::from_secs(10);
/// Batches that may wait for the writer; a caller beyond that waits to be let in.
const QUEUE: usize = 1024;
/// Batches in one commit: enough to share the disk's wait, few enough that the first is not kept waiting for long.
const GROUP: usize = 256;
/// Pages in the log that are folded into the database file at once (16 MiB). A page that many commits change is written
/// there once; SQLite's own thousand would be reached several times in a busy second, with two waits for the disk each.
const CHECKPOINT: i32 = 4_000;
/// Connections kept for reading; more are opened when more tasks read at once, and closed again.
const IDLE_READERS: usize = 8;

/// Statements that a connection keeps ready; every party has fewer.
const STATEMENTS: usize = 256;

#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    /// `None` once closed.
    writer: Mutex<Option<Writer>>,
    idle: Mutex<Vec<Session>>,
}

#[derive(Debug)]
struct Writer {
    queue: mpsc::Sender<Job>,
    thread: thread::JoinHandle<()>,
}

struct Job {
    batch: Vec<Statement>,
    answer: oneshot::Sender<Result<Vec<Outcome>, StoreError>>,
}

impl Sqlite {
    pub(super) async fn open(path: &Path, parties: &[Migrations]) -> Result<Self, StoreError> {
        let (file, parties) = (path.to_owned(), parties.to_vec());
        let connection = tokio::task::spawn_blocking(move || open_writer(&file, &parties))
            .await
            .map_err(|_| StoreError::Closed)??;
        let (queue, jobs) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_all(&mut Session::new(connection), jobs))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(Some(Writer { queue, thread })),
            idle: Mutex::default(),
        })
    }

    pub(super) async fn write(&self, batch: Vec<Statement>) -> Result<Vec<Outcome>, StoreError> {
        let queue = lock(&self.writer)
            .as_ref()
            .map(|writer| writer.queue.clone());
        let (answer, answered) = oneshot::channel();
        queue
            .ok_or(StoreError::Closed)?
            .send(Job { batch, answer })
            .await
            .map_err(|_| StoreError::Closed)?;
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::Uncertain("the writer stopped".to_owned())))
    }

    pub(super) fn read(&self, statement: &Statement) -> Result<Vec<Row>, StoreError> {
        if lock(&self.writer).is_none() {
            return Err(StoreError::Closed);
        }
        let idle = lock(&self.idle).pop();
        let mut session = match idle {
            Some(session) => session,
            None => open_reader(&self.path).map_err(|error| explain(&error, 0))?,
        };
        let outcome = session.run(statement, 0, Access::Read)?;
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_READERS {
            idle.push(session);
        }
        Ok(outcome.rows)
    }

    pub(super) async fn close(&self) {
        let writer = lock(&self.writer).take();
        lock(&self.idle).clear();
        if let Some(Writer { queue, thread }) = writer {
            // The thread ends when the last sender is gone and the queue is empty; SQLite then folds the log
            // into the database file, since this was the last connection.
            drop(queue);
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// A poisoned lock here guards only a list: what it holds is as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_writer(path: &Path, parties: &[Migrations]) -> Result<Connection, StoreError> {
    create_private(path).map_err(|error| {
        StoreError::Unavailable(format!("{} cannot be opened: {error}", path.display()))
    })?;
    let mut connection = connect(path).map_err(|error| explain(&error, 0))?;
    // Off while tables are rebuilt (SQLite alters a table by replacing it), on ever after.
    pragma(&connection, "foreign_keys", "OFF")?;
    migrate::sqlite(&mut connection, parties)?;
    pragma(&connection, "foreign_keys", "ON")?;
    pragma(&connection, "journal_size_limit", 64 * 1024 * 1024)?;
    pragma(&connection, "wal_autocheckpoint", CHECKPOINT)?;
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Session, rusqlite::Error> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", "ON")?;
    Ok(Session::new(connection))
}

/// A connection that keeps everybody else out while it lives; busy when somebody is in already, even one who does nothing.
pub(crate) fn connect_alone(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::ZERO)?;
    // Before the first look at the file, or the locks would be the ordinary ones.
    connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    set_up(&connection, Duration::ZERO)?;
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
    Ok(connection)
}

pub(crate) fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    set_up(&connection, BUSY)?;
    Ok(connection)
}

fn set_up(connection: &Connection, patience: Duration) -> Result<(), rusqlite::Error> {
    // Only SQL of this program runs: nothing that a file brings along (a view, a trigger) may call functions.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    switch_to_wal(connection, patience)?;
    // FULL: the log is on disk before a commit is answered, so a code that was given out survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// SQLite does not wait its busy time when two processes change a new file's mode at once; so we do.
fn switch_to_wal(connection: &Connection, patience: Duration) -> Result<(), rusqlite::Error> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && waited < patience =>
            {
                thread::sleep(PAUSE);
                waited += PAUSE;
            }
            other => return other,
        }
    }
}

fn pragma(
    connection: &Connection,
    name: &str,
    value: impl rusqlite::ToSql,
) -> Result<(), StoreError> {
    connection
        .pragma_update(None, name, value)
        .map_err(|error| explain(&error, 0))
}

/// The file holds personal values, sealed or not: nobody else on the machine may read it. SQLite gives its log and
/// index files the mode of the database file.
pub(crate) fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn write_all(session: &mut Session, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = jobs.try_recv()
        {
            group.push(next);
        }
        write_group(session, group);
    }
}

/// What became of each batch of a group.
type Decided = Vec<Result<Vec<Outcome>, StoreError>>;

fn write_group(session: &mut Session, group: Vec<Job>) {
    let decided = write_together(session, &group).unwrap_or_else(|| write_each(session, &group));
    for (job, result) in group.into_iter().zip(decided) {
        let _ = job.answer.send(result);
    }
}

/// Runs the group as if no batch could fail: few do, and the savepoint by which one alone is undone costs a copy of
/// every page that it changes. `None` when one did fail after all: then nothing was kept, and each needs its savepoint.
fn write_together(session: &mut Session, group: &[Job]) -> Option<Decided> {
    if let Err(error) = session.execute("BEGIN IMMEDIATE") {
        return Some(group.iter().map(|_| Err(explain(&error, 0))).collect());
    }
    let outcomes: Result<Vec<_>, _> = group
        .iter()
        .map(|job| session.run_all(&job.batch))
        .collect();
    let Ok(outcomes) = outcomes else {
        // Where SQLite has undone the transaction itself, this finds nothing to undo.
        let _ = session.execute("ROLLBACK");
        return None;
    };
    Some(match commit(session) {
        Ok(()) => outcomes.into_iter().map(Ok).collect(),
        Err(cause) => group
            .iter()
            .map(|_| Err(StoreError::Uncertain(cause.clone())))
            .collect(),
    })
}

fn write_each(session: &mut Session, group: &[Job]) -> Decided {
    if let Err(error) = session.execute("BEGIN IMMEDIATE") {
        return group.iter().map(|_| Err(explain(&error, 0))).collect();
    }
    let mut decided = Decided::with_capacity(group.len());
    let mut lost = None;
    for job in group {
        let result = match &lost {
            None => session.write_batch(&job.batch),
            Some(cause) => Err(StoreError::Unavailable(String::clone(cause))),
        };
        // A full disk or a read error makes SQLite undo the whole transaction, not the one batch.
        if lost.is_none() && session.connection.is_autocommit() {
            lost = Some(match &result {
                Err(StoreError::Unavailable(cause)) => cause.clone(),
                Err(error) => error.to_string(),
                Ok(_) => "the transaction was undone".to_owned(),
            });
        }
        decided.push(result);
    }
    let (fault, cause): (fn(String) -> StoreError, String) = match lost {
        Some(cause) => (StoreError::Unavailable, cause),
        None => match commit(session) {
            Ok(()) => return decided,
            Err(cause) => (StoreError::Uncertain, cause),
        },
    };
    decided
        .into_iter()
        .map(|result| result.and_then(|_| Err(fault(cause.clone()))))
        .collect()
}

/// Nobody knows whether a commit that failed was kept; the cause in words.
fn commit(session: &Session) -> Result<(), String> {
    session.execute("COMMIT").map_err(|error| {
        let _ = session.execute("ROLLBACK");
        error.to_string()
    })
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A connection with what it knows of the statements it has seen.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    known: HashMap<Box<str>, Known>,
}

#[derive(Debug)]
struct Known {
    /// Its text with SQLite's placeholders.
    sql: Box<str>,
    /// The columns of its rows, once it has been prepared.
    columns: Option<Arc<[String]>>,
}

impl Session {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            known: HashMap::new(),
        }
    }

    fn execute(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Keeps the batch whole or leaves no trace of it in the transaction.
    fn write_batch(&mut self, batch: &[Statement]) -> Result<Vec<Outcome>, StoreError> {
        self.execute("SAVEPOINT batch")
            .map_err(|error| explain(&error, 0))?;
        let result = self.run_all(batch);
        // When SQLite has undone the transaction there is no savepoint left: the caller looks for that.
        if result.is_err() {
            let _ = self.execute("ROLLBACK TO batch");
        }
        let released = self.execute("RELEASE batch");
        let outcomes = result?;
        released.map_err(|error| explain(&error, batch.len() - 1))?;
        Ok(outcomes)
    }

    /// Stops at the first statement that fails or changes another number of rows than it must.
    fn run_all(&mut self, batch: &[Statement]) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for (index, statement) in batch.iter().enumerate() {
            // This is the one writer.
            if statement.is_lock() {
                outcomes.push(Outcome::default());
                continue;
            }
            let outcome = self.run(statement, index, Access::Write)?;
            if !statement.is_met_by(outcome.changed) {
                return Err(StoreError::Unmet { statement: index });
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    pub(super) fn run(
        &mut self,
        statement: &Statement,
        index: usize,
        access: Access,
    ) -> Result<Outcome, StoreError> {
        let rejected = |reason: String| StoreError::Rejected {
            statement: index,
            reason,
        };
        let known = if let Some(known) = self.known.get_mut(statement.sql()) {
            known
        } else {
            if self.known.len() >= STATEMENTS {
                self.known.clear();
            }
            let sql = numbered_for_sqlite(statement.sql()).into();
            let known = Known { sql, columns: None };
            self.known.entry(statement.sql().into()).or_insert(known)
        };
        let mut prepared = self
            .connection
            .prepare_cached(&known.sql)
            .map_err(|error| explain(&error, index))?;
        let (wanted, bound) = (prepared.parameter_count(), statement.values().len());
        if wanted != bound {
            return Err(rejected(format!("{wanted} placeholders, {bound} values")));
        }
        if access == Access::Read && !prepared.readonly() {
            return Err(rejected("a read that writes".to_owned()));
        }
        for (position, value) in statement.values().iter().enumerate() {
            match value {
                Value::Null => prepared.raw_bind_parameter(position + 1, rusqlite::types::Null),
                Value::Integer(integer) => prepared.raw_bind_parameter(position + 1, integer),
                Value::Text(text) => prepared.raw_bind_parameter(position + 1, text),
                Value::Blob(blob) => prepared.raw_bind_parameter(position + 1, blob),
            }
            .map_err(|error| explain(&error, index))?;
        }
        if prepared.column_count() == 0 {
            // SQLite's count of changed rows keeps its old value over a statement that is no insert, update or delete.
            let before = self.connection.total_changes();
            let changed = prepared
                .raw_execute()
                .map_err(|error| explain(&error, index))?;
            let changed = u64::try_from(changed).unwrap_or(u64::MAX);
            return Ok(Outcome {
                changed: if self.connection.total_changes() == before {
                    0
                } else {
                    changed
                },
                rows: Vec::new(),
            });
        }
        let names = || prepared.column_names().into_iter().map(str::to_owned);
        let columns = known.columns.get_or_insert_with(|| names().collect());
        let columns = Arc::clone(columns);
        let mut found = prepared.raw_query();
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(|error| explain(&error, index))? {
            let values = columns
                .iter()
                .enumerate()
                .map(|(position, name)| {
                    let value = row
                        .get_ref(position)
                        .map_err(|error| explain(&error, index))?;
                    owned(value).ok_or_else(|| StoreError::Column {
                        column: name.clone(),
                        wanted: "null, integer, text or blob",
                    })
                })
                .collect::<Result<_, _>>()?;
            rows.push(Row::new(Arc::clone(&columns), values));
        }
        Ok(Outcome {
            changed: rows.len() as u64,
            rows,
        })
    }
}

/// `None` for a real number (no table of ours holds one) and for text that is not UTF-8.
pub(crate) fn owned(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(integer) => Some(Value::Integer(integer)),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).ok().map(Value::Text),
        ValueRef::Blob(blob) => Some(Value::Blob(blob.to_vec())),
        ValueRef::Real(_) => None,
    }
}

/// SQLite's own texts name tables, columns and files, never a bound value.
pub(crate) fn explain(error: &rusqlite::Error, statement: usize) -> StoreError {
    use rusqlite::ffi::{
        SQLITE_CONSTRAINT_DATATYPE, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID,
        SQLITE_CONSTRAINT_UNIQUE,
    };
    let reason = error.to_string();
    let Some(failure) = error.sqlite_error() else {
        return StoreError::Rejected { statement, reason };
    };
    match failure.code {
        ErrorCode::ConstraintViolation => match failure.extended_code {
            SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID => {
                StoreError::Duplicate { statement }
            }
            SQLITE_CONSTRAINT_DATATYPE => StoreError::Rejected { statement, reason },
            _ => StoreError::Constraint { statement },
        },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(reason),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::OutOfMemory
        | ErrorCode::ReadOnly
        | ErrorCode::SystemIoFailure
        | ErrorCode::DiskFull
        | ErrorCode::CannotOpen
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::SchemaChanged
        | ErrorCode::PermissionDenied
        | ErrorCode::NoLargeFileSupport => StoreError::Unavailable(reason),
        _ => StoreError::Rejected { statement, reason },
    }
}
