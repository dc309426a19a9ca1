//! PostgreSQL: rows are read as they come over the wire and written by `COPY`, in one transaction either way.

use std::time::Duration;

use deadpool_postgres::{Client, Transaction};
use futures_util::TryStreamExt;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{IsolationLevel, binary_copy::BinaryCopyInWriter};

use super::record::quoted;
use super::shape::{self, Course, Shape};
use super::{CopyError, Held, History, Lots, Others, Record, Records, Sum, Table};
use crate::postgres::{connection, explain, owned, pool, run};
use crate::url::PostgresOptions;
use crate::{Migrations, Statement, StoreError, Value, migrate};

/// What the server lists us under.
const NAME: &str = "lanyard copy";

pub(super) async fn dump(
    options: &PostgresOptions,
    place: &str,
    others: Others,
    mut lots: Lots,
) -> Result<(), CopyError> {
    let mut client = open(options).await?;
    if others == Others::Refused {
        alone(&client, place).await?;
    }
    // One moment: all reads of the transaction see what was committed before its first.
    let moment = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(fault)?;
    let shape = look(&moment).await?;
    if shape.histories.is_empty() {
        return Err(CopyError::NoTables(place.to_owned()));
    }
    lots.add(Record::Histories(histories(&moment, &shape).await?));
    for table in &shape.tables {
        lots.add(Record::Table(table.clone()));
        let sum = rows(&moment, table, Some(&mut lots)).await?;
        lots.add(Record::EndOfTable(sum));
    }
    lots.add(Record::End);
    lots.hand_over().await
}

pub(super) async fn load(
    options: &PostgresOptions,
    place: &str,
    parties: &[Migrations],
    mut records: Records,
    then: Option<&[Statement]>,
) -> Result<Vec<Held>, CopyError> {
    let mut client = open(options).await?;
    alone(&client, place).await?;
    // Dropped without a commit, it leaves nothing: not even the tables.
    let whole = client.transaction().await.map_err(fault)?;
    migrate::lock_postgres(&whole).await?;
    let first = records.recv().await.ok_or(CopyError::Incomplete)??;
    let mut lot = first.into_iter();
    let histories = shape::histories(lot.next())?;
    let target = prepare(&whole, &histories, parties).await?;
    let mut course = Course::default();
    let mut into: Option<(Table, Vec<Type>, std::pin::Pin<Box<BinaryCopyInWriter>>)> = None;
    'lots: loop {
        for record in lot {
            match record {
                Record::Table(table) => {
                    course.begin(target.same(&table)?)?;
                    let types = types(&whole, &table).await?;
                    let sql = format!(
                        "COPY {} ({}) FROM STDIN (FORMAT binary)",
                        quoted(&table.name),
                        table.column_list()
                    );
                    let sink = whole.copy_in(&sql).await.map_err(fault)?;
                    let writer = Box::pin(BinaryCopyInWriter::new(sink, &types));
                    into = Some((table, types, writer));
                }
                Record::Row(row) => {
                    course.row(&row)?;
                    let (table, types, writer) = into.as_mut().ok_or(CopyError::Unreadable)?;
                    let mut values: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(row.len());
                    for (index, value) in row.iter().enumerate() {
                        values.push(bound(value, &types[index]).ok_or_else(|| {
                            CopyError::Kind {
                                table: table.name.clone(),
                                column: table.columns[index].clone(),
                            }
                        })?);
                    }
                    writer.as_mut().write(&values).await.map_err(fault)?;
                }
                Record::EndOfTable(sum) => {
                    let (_, _, mut writer) = into.take().ok_or(CopyError::Unreadable)?;
                    writer.as_mut().finish().await.map_err(fault)?;
                    course.end(sum)?;
                }
                Record::End => break 'lots,
                Record::Histories(_) => return Err(CopyError::Unreadable),
            }
        }
        let next = records.recv().await.ok_or(CopyError::Incomplete)??;
        lot = next.into_iter();
    }
    shape::arrived(&course.announced, &hold(&whole, &target).await?)?;
    finish(&whole, &target).await?;
    if let Some(then) = then {
        for (party, _) in shape::known(&histories, parties)? {
            migrate::postgres_to(&whole, &party, party.version()).await?;
        }
        follow(&whole, then).await?;
    }
    whole.commit().await.map_err(fault)?;
    Ok(course.announced)
}

async fn open(options: &PostgresOptions) -> Result<Client, CopyError> {
    let pool = pool(options, NAME, 1)?;
    Ok(connection(&pool).await?)
}

async fn follow(whole: &Transaction<'_>, then: &[Statement]) -> Result<(), CopyError> {
    for (index, statement) in then.iter().enumerate() {
        let done = run(whole.client(), statement).await;
        let outcome = done.map_err(|error| explain(&error, index))??;
        if !statement.is_met_by(outcome.changed) {
            return Err(StoreError::Unmet { statement: index }.into());
        }
    }
    Ok(())
}

/// Makes the tables, or sees that those that are there will do.
async fn prepare(
    whole: &Transaction<'_>,
    histories: &[History],
    parties: &[Migrations],
) -> Result<Shape, CopyError> {
    let known = shape::known(histories, parties)?;
    let found = look(whole).await?;
    if !found.histories.is_empty() || !found.tables.is_empty() {
        shape::are_alike(histories, &self::histories(whole, &found).await?)?;
        shape::is_empty(&hold(whole, &found).await?, &super::sqlite::fresh(&known)?)?;
    }
    for (party, version) in &known {
        migrate::postgres_to(whole, party, *version).await?;
    }
    let shape = look(whole).await?;
    // Children first. Rows arrive as they were: nothing is to be done about them once more.
    for table in shape.tables.iter().rev() {
        let name = quoted(&table.name);
        let sql = format!("ALTER TABLE {name} DISABLE TRIGGER USER; DELETE FROM {name}");
        whole.batch_execute(&sql).await.map_err(fault)?;
    }
    Ok(shape)
}

/// Triggers act again, and numbers that the database gives out go on after the highest.
async fn finish(whole: &Transaction<'_>, target: &Shape) -> Result<(), CopyError> {
    for table in &target.tables {
        let name = quoted(&table.name);
        let sql = format!("ALTER TABLE {name} ENABLE TRIGGER USER");
        whole.batch_execute(&sql).await.map_err(fault)?;
        for column in &table.columns {
            let found = whole
                .query_typed(
                    "SELECT pg_get_serial_sequence($1, $2)",
                    &[(&name, Type::TEXT), (column, Type::TEXT)],
                )
                .await
                .map_err(fault)?;
            let sequence: Option<String> = found[0].try_get(0).map_err(fault)?;
            if let Some(sequence) = sequence {
                let sql = format!(
                    "SELECT setval('{}', coalesce(max({column}), 0) + 1, false) FROM {name}",
                    sequence.replace('\'', "''"),
                    column = quoted(column),
                );
                whole.batch_execute(&sql).await.map_err(fault)?;
            }
        }
    }
    Ok(())
}

/// A process of ours, or whoever else uses its account, may be writing.
async fn alone(client: &Client, place: &str) -> Result<(), CopyError> {
    const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND pid <> pg_backend_pid() AND backend_type = 'client backend' \
        AND (usename = current_user OR application_name LIKE 'lanyard%')";
    // The server takes a moment to see that a process which has just ended is gone.
    for _ in 0..20 {
        let found = client.query_typed(OTHERS, &[]).await.map_err(fault)?;
        if found[0].try_get::<_, i64>(0).map_err(fault)? == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(CopyError::InUse(place.to_owned()))
}

async fn look(transaction: &Transaction<'_>) -> Result<Shape, CopyError> {
    const COLUMNS: &str = "SELECT c.relname::text, a.attname::text FROM pg_class c \
        JOIN pg_attribute a ON a.attrelid = c.oid \
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition \
        AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
        ORDER BY c.relname::text COLLATE \"C\", a.attname::text COLLATE \"C\"";
    const REFERENCES: &str = "SELECT r.relname::text, p.relname::text FROM pg_constraint k \
        JOIN pg_class r ON r.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid \
        WHERE k.contype = 'f' AND r.relnamespace = current_schema()::regnamespace";
    let mut found: Vec<Table> = Vec::new();
    for row in transaction.query_typed(COLUMNS, &[]).await.map_err(fault)? {
        let (name, column): (String, String) = (
            row.try_get(0).map_err(fault)?,
            row.try_get(1).map_err(fault)?,
        );
        match found.last_mut() {
            Some(table) if table.name == name => table.columns.push(column),
            _ => found.push(Table {
                name,
                columns: vec![column],
            }),
        }
    }
    let mut references = Vec::new();
    for row in transaction
        .query_typed(REFERENCES, &[])
        .await
        .map_err(fault)?
    {
        references.push((
            row.try_get(0).map_err(fault)?,
            row.try_get(1).map_err(fault)?,
        ));
    }
    Ok(Shape::new(found, &references))
}

async fn histories(
    transaction: &Transaction<'_>,
    shape: &Shape,
) -> Result<Vec<History>, CopyError> {
    let mut histories = Vec::new();
    for table in &shape.histories {
        let sql = format!(
            "SELECT version::bigint, name::text FROM {} ORDER BY version",
            quoted(&table.name)
        );
        let found = transaction.query_typed(&sql, &[]).await.map_err(fault)?;
        let applied = found
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_, _>>()
            .map_err(fault)?;
        histories.push(History {
            table: table.name.clone(),
            applied,
        });
    }
    Ok(histories)
}

async fn hold(transaction: &Transaction<'_>, shape: &Shape) -> Result<Vec<Held>, CopyError> {
    let mut held = Vec::new();
    for table in &shape.tables {
        held.push(Held {
            table: table.name.clone(),
            sum: rows(transaction, table, None).await?,
        });
    }
    Ok(held)
}

/// Sums up the rows of a table, and hands them over if somebody wants them. The driver reads on when a row is taken.
async fn rows(
    transaction: &Transaction<'_>,
    table: &Table,
    mut lots: Option<&mut Lots>,
) -> Result<Sum, CopyError> {
    let nothing: [(&(dyn ToSql + Sync), Type); 0] = [];
    let stream = transaction
        .query_typed_raw(&table.select(), nothing)
        .await
        .map_err(fault)?;
    let mut stream = std::pin::pin!(stream);
    let mut sum = Sum::default();
    while let Some(row) = stream.try_next().await.map_err(fault)? {
        let values = table.columns.iter().enumerate().map(|(index, column)| {
            owned(&row, index).map_err(|_| CopyError::Kind {
                table: table.name.clone(),
                column: column.clone(),
            })
        });
        let values = values.collect::<Result<Vec<_>, _>>()?;
        sum.add(&values);
        if let Some(lots) = &mut lots
            && lots.add(Record::Row(values))
        {
            lots.hand_over().await?;
        }
    }
    Ok(sum)
}

/// The types of the table's columns, in their order.
async fn types(transaction: &Transaction<'_>, table: &Table) -> Result<Vec<Type>, CopyError> {
    // A statement that gives no row says of what kinds its columns are.
    let prepared = transaction
        .prepare(&format!("{} LIMIT 0", table.select()))
        .await
        .map_err(fault)?;
    Ok(prepared
        .columns()
        .iter()
        .map(|column| column.type_().clone())
        .collect())
}

fn bound<'a>(value: &'a Value, column: &Type) -> Option<&'a (dyn ToSql + Sync)> {
    const NULL: Option<&str> = None;
    const NO_NUMBER: Option<i64> = None;
    const NO_BYTES: Option<&[u8]> = None;
    match (value, column) {
        (Value::Null, &Type::TEXT | &Type::VARCHAR) => Some(&NULL),
        (Value::Null, &Type::INT8) => Some(&NO_NUMBER),
        (Value::Null, &Type::BYTEA) => Some(&NO_BYTES),
        (Value::Integer(integer), &Type::INT8) => Some(integer),
        (Value::Text(text), &Type::TEXT | &Type::VARCHAR) => Some(text),
        (Value::Blob(blob), &Type::BYTEA) => Some(blob),
        _ => None,
    }
}

#[allow(clippy::needless_pass_by_value)] // it stands in `map_err`, which hands it over
fn fault(error: tokio_postgres::Error) -> CopyError {
    CopyError::Store(explain(&error, 0))
}
