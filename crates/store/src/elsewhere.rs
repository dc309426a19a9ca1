//! A look into a database that is another system's: for reading, for one statement, and gone again.
//!
//! Nothing is migrated, no mode is changed and no file is made beside it. SQLite would make two beside a database with a
//! write-ahead log, and the system whose database it is might then not be allowed to write into them.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::sqlite::{Access, BUSY, Session, explain};
use crate::{DatabaseUrl, Row, Statement, StoreError, postgres};

/// The rows of one `SELECT` in a database that is not ours. What would write is refused.
pub async fn read_elsewhere(
    url: &DatabaseUrl,
    statement: Statement,
) -> Result<Vec<Row>, StoreError> {
    statement.check(0)?;
    statement.check_reads()?;
    match url {
        DatabaseUrl::Postgres(options) => postgres::read_once(options, &statement).await,
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            // It may have to wait for whoever writes there.
            let read = tokio::task::spawn_blocking(move || read_file(&path, &statement));
            read.await.unwrap_or(Err(StoreError::Closed))
        }
    }
}

fn read_file(path: &Path, statement: &Statement) -> Result<Vec<Row>, StoreError> {
    let before = State::of(path)?;
    let connection = open(path, before.how()).map_err(|error| explain(&error, 0))?;
    let outcome = Session::new(connection).run(statement, 0, Access::Read);
    if before.how() == How::AsItLies && State::of(path)? != before {
        let changed = "somebody wrote to the database while it was read";
        return Err(StoreError::Unavailable(changed.to_owned()));
    }
    outcome.map(|outcome| outcome.rows)
}

/// How a file may be opened so that nothing is made beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// With the locks that its own system holds to.
    Shared,
    /// Nobody has it open, and to ask for a lock would make files: as bytes that stay as they are, which is looked at
    /// again afterwards.
    AsItLies,
}

/// What tells whether somebody wrote to it.
#[derive(Debug, PartialEq, Eq)]
struct State {
    has_log: bool,
    keeps_log: bool,
    length: u64,
    modified: Option<SystemTime>,
}

impl State {
    fn of(path: &Path) -> Result<Self, StoreError> {
        let unreadable = |error: std::io::Error| {
            StoreError::Unavailable(format!("{} cannot be opened: {error}", path.display()))
        };
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        // The log is there as long as anybody has the database open.
        let has_log = PathBuf::from(log).try_exists().map_err(unreadable)?;
        let mut file = std::fs::File::open(path).map_err(unreadable)?;
        let about = file.metadata().map_err(unreadable)?;
        let mut head = Vec::with_capacity(20);
        let read = file.by_ref().take(20).read_to_end(&mut head);
        read.map_err(unreadable)?;
        Ok(Self {
            has_log,
            // The version that is needed to read it: 2 for a write-ahead log [SQLite file format 1.3.3].
            keeps_log: head.get(19) == Some(&2),
            length: about.len(),
            modified: about.modified().ok(),
        })
    }

    fn how(&self) -> How {
        if self.keeps_log && !self.has_log {
            How::AsItLies
        } else {
            How::Shared
        }
    }
}

fn open(path: &Path, how: How) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let uri = url::Url::from_file_path(&absolute);
    let mut uri = uri.map_err(|()| rusqlite::Error::InvalidPath(absolute))?;
    uri.set_query(Some(match how {
        // The index of the log, too, is read and not written.
        How::Shared => "mode=ro&readonly_shm=1",
        How::AsItLies => "mode=ro&immutable=1",
    }));
    let connection = Connection::open_with_flags(uri.as_str(), flags)?;
    connection.busy_timeout(BUSY)?;
    // Nothing that the file brings along (a view) may call functions that do more than reckon.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.pragma_update(None, "query_only", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}
