//! SQLite: on a thread of its own, since the driver blocks.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params_from_iter};

use super::record::quoted;
use super::shape::{self, Course, Shape};
use super::{CopyError, Held, History, Lots, Others, Record, Records, Sum, Table};
use crate::sqlite::{connect, connect_alone, create_private, explain, owned};
use crate::statement::numbered_for_sqlite;
use crate::{Migrations, Statement, StoreError, Value, migrate};

pub(super) fn dump(path: &Path, others: Others, mut lots: Lots) -> Result<(), CopyError> {
    if !path.is_file() {
        return Err(CopyError::Missing(path.display().to_string()));
    }
    let mut connection = match others {
        Others::Allowed => connect(path).map_err(fault)?,
        Others::Refused => alone(path)?,
    };
    connection
        .pragma_update(None, "query_only", "ON")
        .map_err(fault)?;
    // One moment: a transaction sees what was committed before its first read, and nothing of what comes later.
    let moment = connection.transaction().map_err(fault)?;
    let shape = look(&moment)?;
    if shape.histories.is_empty() {
        return Err(CopyError::NoTables(path.display().to_string()));
    }
    lots.add(Record::Histories(histories(&moment, &shape)?));
    for table in &shape.tables {
        lots.add(Record::Table(table.clone()));
        let sum = each_row(&moment, table, |row| {
            if lots.add(Record::Row(row)) {
                lots.hand_over_blocking()?;
            }
            Ok(())
        })?;
        lots.add(Record::EndOfTable(sum));
    }
    lots.add(Record::End);
    lots.hand_over_blocking()
}

pub(super) fn load(
    path: &Path,
    parties: &[Migrations],
    records: Records,
    then: Option<&[Statement]>,
) -> Result<Vec<Held>, CopyError> {
    let is_new = !path.exists();
    let loaded = load_into(path, parties, records, then);
    if loaded.is_err() && is_new {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let mut file = path.as_os_str().to_owned();
            file.push(ending);
            let _ = std::fs::remove_file(PathBuf::from(file));
        }
    }
    loaded
}

fn load_into(
    path: &Path,
    parties: &[Migrations],
    mut records: Records,
    then: Option<&[Statement]>,
) -> Result<Vec<Held>, CopyError> {
    create_private(path).map_err(|error| {
        StoreError::Unavailable(format!("{} cannot be opened: {error}", path.display()))
    })?;
    let mut connection = alone(path)?;
    // Rows arrive as they were: nothing is to be done about them once more. References are looked at when all are there.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
        .map_err(fault)?;
    connection
        .pragma_update(None, "foreign_keys", "OFF")
        .map_err(fault)?;
    let whole = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(fault)?;
    let mut lot = records
        .blocking_recv()
        .ok_or(CopyError::Incomplete)??
        .into_iter();
    let histories = shape::histories(lot.next())?;
    let target = prepare(&whole, &histories, parties)?;
    let (mut course, mut insert) = (Course::default(), String::new());
    'lots: loop {
        for record in lot {
            match record {
                Record::Table(table) => {
                    course.begin(target.same(&table)?)?;
                    let places: Vec<String> = (1..=table.columns.len())
                        .map(|number| format!("?{number}"))
                        .collect();
                    insert = format!(
                        "INSERT INTO {} ({}) VALUES ({})",
                        quoted(&table.name),
                        table.column_list(),
                        places.join(", ")
                    );
                }
                Record::Row(row) => {
                    course.row(&row)?;
                    let mut prepared = whole.prepare_cached(&insert).map_err(fault)?;
                    prepared
                        .execute(params_from_iter(row.iter().map(Bound)))
                        .map_err(fault)?;
                }
                Record::EndOfTable(sum) => course.end(sum)?,
                Record::End => break 'lots,
                Record::Histories(_) => return Err(CopyError::Unreadable),
            }
        }
        lot = records
            .blocking_recv()
            .ok_or(CopyError::Incomplete)??
            .into_iter();
    }
    shape::arrived(&course.announced, &hold(&whole, &target)?)?;
    let orphan: Result<String, _> =
        whole.query_row("PRAGMA foreign_key_check", [], |row| row.get(0));
    match orphan {
        Err(rusqlite::Error::QueryReturnedNoRows) => {}
        Ok(table) => return Err(CopyError::Differs(table)),
        Err(error) => return Err(fault(error)),
    }
    if let Some(then) = then {
        for (party, _) in shape::known(&histories, parties)? {
            migrate::sqlite_to(&whole, &party, party.version())?;
        }
        follow(&whole, then)?;
    }
    whole.commit().map_err(fault)?;
    connection.close().map_err(|(_, error)| fault(error))?;
    Ok(course.announced)
}

fn follow(whole: &Transaction<'_>, then: &[Statement]) -> Result<(), CopyError> {
    for (index, statement) in then.iter().enumerate() {
        let mut prepared = whole
            .prepare(&numbered_for_sqlite(statement.sql()))
            .map_err(|error| explain(&error, index))?;
        let changed = prepared
            .execute(params_from_iter(statement.values().iter().map(Bound)))
            .map_err(|error| explain(&error, index))?;
        if !statement.is_met_by(changed as u64) {
            return Err(StoreError::Unmet { statement: index }.into());
        }
    }
    Ok(())
}

/// Makes the tables, or sees that those that are there will do.
fn prepare(
    whole: &Transaction<'_>,
    histories: &[History],
    parties: &[Migrations],
) -> Result<Shape, CopyError> {
    let known = shape::known(histories, parties)?;
    let found = look(whole)?;
    if !found.histories.is_empty() || !found.tables.is_empty() {
        shape::are_alike(histories, &self::histories(whole, &found)?)?;
        shape::is_empty(&hold(whole, &found)?, &fresh(&known)?)?;
    }
    for (party, version) in &known {
        migrate::sqlite_to(whole, party, *version)?;
    }
    let shape = look(whole)?;
    for table in &shape.tables {
        whole
            .execute(&format!("DELETE FROM {}", quoted(&table.name)), [])
            .map_err(fault)?;
    }
    Ok(shape)
}

/// What is in the tables when nobody but the migrations has written.
pub(super) fn fresh(known: &[(Migrations, i64)]) -> Result<Vec<Held>, CopyError> {
    let mut connection = Connection::open_in_memory().map_err(fault)?;
    let whole = connection.transaction().map_err(fault)?;
    for (party, version) in known {
        migrate::sqlite_to(&whole, party, *version)?;
    }
    hold(&whole, &look(&whole)?)
}

fn alone(path: &Path) -> Result<Connection, CopyError> {
    connect_alone(path).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            CopyError::InUse(path.display().to_string())
        }
        _ => fault(error),
    })
}

fn look(connection: &Connection) -> Result<Shape, CopyError> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let (mut found, mut references) = (Vec::new(), Vec::new());
    for name in texts(connection, tables, "")? {
        // 0: a column that holds something of its own, and is not computed.
        let columns = "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY name";
        let parents = "SELECT \"table\" FROM pragma_foreign_key_list(?1)";
        for parent in texts(connection, parents, &name)? {
            references.push((name.clone(), parent));
        }
        let columns = texts(connection, columns, &name)?;
        found.push(Table { name, columns });
    }
    Ok(Shape::new(found, &references))
}

fn texts(connection: &Connection, sql: &str, about: &str) -> Result<Vec<String>, CopyError> {
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    let bound = (statement.parameter_count() == 1).then_some(about);
    let rows = statement
        .query_map(params_from_iter(bound), |row| row.get(0))
        .map_err(fault)?;
    rows.collect::<Result<_, _>>().map_err(fault)
}

fn histories(connection: &Connection, shape: &Shape) -> Result<Vec<History>, CopyError> {
    let read = |table: &Table| {
        let sql = format!(
            "SELECT version, name FROM {} ORDER BY version",
            quoted(&table.name)
        );
        let mut statement = connection.prepare(&sql).map_err(fault)?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(fault)?;
        Ok(History {
            table: table.name.clone(),
            applied: rows.collect::<Result<_, _>>().map_err(fault)?,
        })
    };
    shape.histories.iter().map(read).collect()
}

fn hold(connection: &Connection, shape: &Shape) -> Result<Vec<Held>, CopyError> {
    let sum = |table: &Table| {
        Ok(Held {
            table: table.name.clone(),
            sum: each_row(connection, table, |_| Ok(()))?,
        })
    };
    shape.tables.iter().map(sum).collect()
}

fn each_row(
    connection: &Connection,
    table: &Table,
    mut each: impl FnMut(Vec<Value>) -> Result<(), CopyError>,
) -> Result<Sum, CopyError> {
    let mut statement = connection.prepare(&table.select()).map_err(fault)?;
    let mut rows = statement.query([]).map_err(fault)?;
    let mut sum = Sum::default();
    while let Some(row) = rows.next().map_err(fault)? {
        let values = table.columns.iter().enumerate().map(|(index, column)| {
            owned(row.get_ref(index).map_err(fault)?).ok_or_else(|| CopyError::Kind {
                table: table.name.clone(),
                column: column.clone(),
            })
        });
        let values = values.collect::<Result<Vec<_>, _>>()?;
        sum.add(&values);
        each(values)?;
    }
    Ok(sum)
}

/// A value as the driver binds it.
struct Bound<'a>(&'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self.0 {
            Value::Null => rusqlite::types::Null.to_sql(),
            Value::Integer(integer) => integer.to_sql(),
            Value::Text(text) => text.to_sql(),
            Value::Blob(blob) => blob.to_sql(),
        }
    }
}

/// Statements here are made of names that the engine told; none has a place in a batch.
#[allow(clippy::needless_pass_by_value)] // it stands in `map_err`, which hands it over
fn fault(error: rusqlite::Error) -> CopyError {
    CopyError::Store(explain(&error, 0))
}
