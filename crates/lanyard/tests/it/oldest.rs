//! A gateway's database as an earlier version had it: the tables of then, with what was issued, registered and done in them.

use std::path::Path;

use refinery::{Migration, Runner};
use store::{DatabaseUrl, Migrations, Row, Statement, Store, Value};

use crate::database::Database;

/// The first version.
pub(crate) const OLDEST: i64 = 1;
/// The first in which organisations and relying parties are registered and not only configured.
pub(crate) const WITH_REGISTRY: i64 = 10;
const HISTORY: &str = "refinery_schema_history";

/// What a gateway remembers, in the order in which one refers to another. A version that has no such table yet forgets it.
const TABLES: [&str; 13] = [
    "credentials",
    "status_lists",
    "interactions",
    "signing_keys",
    "operators",
    "operator_tokens",
    "registry",
    "registry_history",
    "client_secrets",
    "onboarding",
    "revisions",
    "events",
    AUDIT,
];
const AUDIT: &str = "audit_entries";

fn migrations(engine: &str, version: i64) -> Runner {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/migrations");
    let mut all: Vec<Migration> = refinery::load_sql_migrations(folder.join(engine)).unwrap();
    all.retain(|one| i64::from(one.version()) <= version);
    Runner::new(&all)
}

/// The tables of that version in a database that has none yet.
async fn open(database: &Database, version: i64) -> Store {
    let tables = match version {
        OLDEST => Migrations::new(
            HISTORY,
            || migrations("sqlite", OLDEST),
            || migrations("postgres", OLDEST),
        ),
        WITH_REGISTRY => Migrations::new(
            HISTORY,
            || migrations("sqlite", WITH_REGISTRY),
            || migrations("postgres", WITH_REGISTRY),
        ),
        other => panic!("nobody has asked for version {other} yet"),
    };
    Store::open(database.url(), &[tables]).await.unwrap()
}

/// Copies what that version knew into a database that has no tables yet.
pub(crate) async fn make(version: i64, from: &Database, to: &Database) {
    let target = open(to, version).await;
    let source = from.open().await;
    for table in TABLES {
        let columns = columns(&target, to, table).await;
        if columns.is_empty() {
            continue;
        }
        let names = columns.join(", ");
        let order = if table == AUDIT { "number" } else { "1" };
        let select = format!("SELECT {names} FROM {table} ORDER BY {order}");
        let rows = source.read(Statement::new(select)).await.unwrap();
        let issues = ["credentials", "status_lists", "interactions"].contains(&table);
        assert!(!issues || !rows.is_empty(), "nothing is in {table}");
        let places: Vec<_> = (1..=columns.len())
            .map(|number| format!("${number}"))
            .collect();
        let insert = format!(
            "INSERT INTO {table} ({names}) VALUES ({})",
            places.join(", ")
        );
        let batch = rows.iter().map(|row| {
            let statement = Statement::new(insert.clone());
            columns.iter().fold(statement, |statement, column| {
                statement.bind(value(row, column))
            })
        });
        target.write(batch).await.unwrap();
    }
    if version >= WITH_REGISTRY {
        let head = "SELECT position, digest FROM audit_chain WHERE name = 'head'";
        let head = source.read_one(Statement::new(head)).await.unwrap();
        let head = head.unwrap();
        let goes_on = "UPDATE audit_chain SET position = $1, digest = $2 WHERE name = 'head'";
        let goes_on = Statement::new(goes_on).bind(head.integer("position").unwrap());
        let goes_on = goes_on.bind(head.blob("digest").unwrap()).must_change(1);
        target.write([goes_on]).await.unwrap();
    }
    source.close().await;
    target.close().await;
}

/// What a table has in a database; nothing where there is no such table. The audit's own count is the engine's to give.
async fn columns(store: &Store, database: &Database, table: &str) -> Vec<String> {
    let select = match database.url() {
        DatabaseUrl::Sqlite(_) => "SELECT name FROM pragma_table_info($1)",
        DatabaseUrl::Postgres(_) => {
            "SELECT CAST(column_name AS TEXT) AS name FROM information_schema.columns \
             WHERE table_schema = current_schema() AND CAST(table_name AS TEXT) = $1"
        }
    };
    let rows = store.read(Statement::new(select).bind(table)).await;
    let rows = rows.unwrap();
    let names = rows.iter().map(|row| row.text("name").unwrap().to_owned());
    names.filter(|name| name != "number").collect()
}

fn value(row: &Row, column: &str) -> Value {
    if let Ok(number) = row.optional_integer(column) {
        return number.into();
    }
    if let Ok(text) = row.optional_text(column) {
        return text.map(str::to_owned).into();
    }
    row.optional_blob(column).unwrap().into()
}

/// Which version's tables a database has.
pub(crate) async fn version(database: &Database) -> i64 {
    let select = format!("SELECT CAST(MAX(version) AS BIGINT) AS version FROM {HISTORY}");
    let store = database.open().await;
    let row = store
        .read_one(Statement::new(select))
        .await
        .unwrap()
        .unwrap();
    store.close().await;
    row.integer("version").unwrap()
}
