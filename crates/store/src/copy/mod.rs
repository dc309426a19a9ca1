//! A database read whole and written whole: from one engine to the other, into a backup, out of one.
//!
//! Tables and columns are found, not listed, so that a migration of tomorrow is copied, too. What is read is one moment
//! of the source: one transaction that sees nothing of what comes later. What is written is one transaction of the
//! target, its tables made and its rows read back and summed up within it: a copy that fails leaves nothing.

mod postgres;
mod record;
mod shape;
mod sqlite;

use tokio::sync::mpsc;

pub use self::record::{History, Record, Sum, Table};
use crate::{DatabaseUrl, Migrations, Statement, StoreError};

/// Rows, and bytes, that are handed over at once.
const ROWS: usize = 256;
const BYTES: usize = 256 * 1024;
/// Such lots that may wait for the other side: what bounds the memory of a copy.
const LOTS: usize = 4;

/// Records in order, or why there are no more. It is cut off, and refused, if it ends before [`Record::End`].
pub type Records = mpsc::Receiver<Result<Vec<Record>, CopyError>>;

/// Whether somebody else may be at work on the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They may: what they write after the first moment is not in it.
    Allowed,
    /// They may not: whatever they wrote later would be left behind.
    Refused,
}

/// What one table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The table.
    pub table: String,
    /// Its rows.
    pub sum: Sum,
}

/// Why a database was not copied. Nothing of the copy was kept.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum CopyError {
    #[error("another program is connected to {0}: stop every process that uses it, then try again")]
    InUse(String),
    #[error("the database that is to be read, {0}, does not exist")]
    Missing(String),
    #[error("there are no tables of ours in {0}")]
    NoTables(String),
    #[error("the table {0} of the target has rows: a copy is made into an empty database")]
    NotEmpty(String),
    #[error(
        "`{history}` is at {theirs} here and at {ours} there: bring both to the same version first"
    )]
    OtherSchema {
        history: String,
        theirs: i64,
        ours: i64,
    },
    #[error(
        "`{history}` is at {theirs}, and this program knows {ours}: take the version that wrote it, or a newer one"
    )]
    NewerSchema {
        history: String,
        theirs: i64,
        ours: i64,
    },
    #[error("the table {0} is in one database only, or has other columns there")]
    OtherTable(String),
    #[error("the column {column} of {table} is of a kind that is not copied")]
    Kind { table: String, column: String },
    #[error("the table {0} did not arrive as it was read: count or sum differ")]
    Differs(String),
    #[error("it ends too early: it is not whole")]
    Incomplete,
    #[error("it is not in the form of a copy")]
    Unreadable,
    #[error("it cannot be read: {0}")]
    Read(std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CopyError {
    /// The error in a word that does not change.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse(_) => "database-in-use",
            Self::Missing(_) => "database-missing",
            Self::NoTables(_) => "database-has-no-tables",
            Self::NotEmpty(_) => "database-not-empty",
            Self::OtherSchema { .. } => "schema-differs",
            Self::NewerSchema { .. } => "schema-newer",
            Self::OtherTable(_) => "table-differs",
            Self::Kind { .. } => "column-kind-unknown",
            Self::Differs(_) => "copy-differs",
            Self::Incomplete => "copy-incomplete",
            Self::Unreadable | Self::Read(_) => "copy-unreadable",
            Self::Store(_) => "database-unavailable",
        }
    }

    fn reading(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Incomplete,
            _ => Self::Read(error),
        }
    }
}

/// Copies a database, of any of these parties, into an empty one: without tables, or with those that the migrations of
/// the same numbers make. Tells what is in each table now, on either side.
pub async fn copy(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    parties: &[Migrations],
) -> Result<Vec<Held>, CopyError> {
    load(to, parties, dump(from, Others::Refused)).await
}

/// What is in each table, in this moment.
pub async fn held(database: &DatabaseUrl) -> Result<Vec<Held>, CopyError> {
    let mut records = dump(database, Others::Allowed);
    let (mut held, mut table) = (Vec::new(), String::new());
    while let Some(lot) = records.recv().await {
        for record in lot? {
            match record {
                Record::Table(begun) => table = begun.name,
                Record::EndOfTable(sum) => held.push(Held {
                    table: std::mem::take(&mut table),
                    sum,
                }),
                Record::End => return Ok(held),
                Record::Histories(_) | Record::Row(_) => {}
            }
        }
    }
    Err(CopyError::Incomplete)
}

/// Reads a database as it stands in this moment.
#[must_use]
pub fn dump(database: &DatabaseUrl, others: Others) -> Records {
    let (sender, records) = mpsc::channel(LOTS);
    let lots = Lots::new(sender);
    let database = database.clone();
    tokio::spawn(async move {
        let failed = lots.0.clone();
        let read = match &database {
            DatabaseUrl::Sqlite(path) => {
                let path = path.clone();
                let read =
                    tokio::task::spawn_blocking(move || sqlite::dump(&path, others, lots)).await;
                read.unwrap_or(Err(StoreError::Closed.into()))
            }
            DatabaseUrl::Postgres(options) => {
                postgres::dump(options, &database.to_string(), others, lots).await
            }
        };
        if let Err(error) = read {
            let _ = failed.send(Err(error)).await;
        }
    });
    records
}

/// Writes records into an empty database: without tables, or with those that the migrations of the same numbers make.
/// Older records make older tables, which a program brings to its version when it starts.
pub async fn load(
    database: &DatabaseUrl,
    parties: &[Migrations],
    records: Records,
) -> Result<Vec<Held>, CopyError> {
    load_and(database, parties, records, None).await
}

/// The same; then, in the same transaction, the tables are brought to this program's version and `then` is done in its
/// order: there is never a moment in which the rows are there and what must follow is not. What it tells is what was read.
pub async fn restore(
    database: &DatabaseUrl,
    parties: &[Migrations],
    records: Records,
    then: Vec<Statement>,
) -> Result<Vec<Held>, CopyError> {
    load_and(database, parties, records, Some(then)).await
}

async fn load_and(
    database: &DatabaseUrl,
    parties: &[Migrations],
    records: Records,
    then: Option<Vec<Statement>>,
) -> Result<Vec<Held>, CopyError> {
    match database {
        DatabaseUrl::Sqlite(path) => {
            let (path, parties) = (path.clone(), parties.to_vec());
            let loaded = tokio::task::spawn_blocking(move || {
                sqlite::load(&path, &parties, records, then.as_deref())
            });
            loaded.await.unwrap_or(Err(StoreError::Closed.into()))
        }
        DatabaseUrl::Postgres(options) => {
            let place = database.to_string();
            postgres::load(options, &place, parties, records, then.as_deref()).await
        }
    }
}

/// Gathers records for the other side.
struct Lots(
    mpsc::Sender<Result<Vec<Record>, CopyError>>,
    Vec<Record>,
    usize,
);

impl Lots {
    fn new(sender: mpsc::Sender<Result<Vec<Record>, CopyError>>) -> Self {
        Self(sender, Vec::new(), 0)
    }

    /// Whether it is time to hand over what was gathered.
    fn add(&mut self, record: Record) -> bool {
        if let Record::Row(row) = &record {
            self.2 += row.iter().map(size).sum::<usize>();
        }
        self.1.push(record);
        self.1.len() >= ROWS || self.2 >= BYTES
    }

    fn take(&mut self) -> Vec<Record> {
        self.2 = 0;
        std::mem::take(&mut self.1)
    }

    /// An error if nobody listens any more; then nobody hears it either.
    async fn hand_over(&mut self) -> Result<(), CopyError> {
        let lot = self.take();
        let sent = self.0.send(Ok(lot)).await;
        sent.map_err(|_| CopyError::Incomplete)
    }

    fn hand_over_blocking(&mut self) -> Result<(), CopyError> {
        let lot = self.take();
        let sent = self.0.blocking_send(Ok(lot));
        sent.map_err(|_| CopyError::Incomplete)
    }
}

fn size(value: &crate::Value) -> usize {
    match value {
        crate::Value::Text(text) => text.len(),
        crate::Value::Blob(blob) => blob.len(),
        crate::Value::Null | crate::Value::Integer(_) => 8,
    }
}
