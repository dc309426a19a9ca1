//! A gateway's database as the first version had it: tables of V1, with what was issued in them.

use std::path::Path;

use refinery::{Migration, Runner};
use store::{Migrations, Row, Statement, Store, Value};

use crate::database::Database;

/// The version whose tables they are.
const OLDEST: i64 = 1;
const HISTORY: &str = "refinery_schema_history";

/// What V1 has of a credential, of a status list and of an ended interaction.
const TABLES: [(&str, &[&str]); 3] = [
    (
        "credentials",
        &[
            "serial_number",
            "organisation",
            "client_id",
            "credential_type",
            "format",
            "interaction",
            "list",
            "list_index",
            "issued_at",
            "expires_at",
            "revoked_at",
            "revocation_reason",
        ],
    ),
    ("status_lists", &["organisation", "list", "revision"]),
    (
        "interactions",
        &[
            "id",
            "version",
            "organisation",
            "client_id",
            "purpose",
            "credential_type",
            "reference",
            "stage",
            "stage_at",
            "outcome",
            "request_digest",
            "released",
            "serial_number",
            "created_at",
            "expires_at",
        ],
    ),
];

fn migrations(engine: &str) -> Runner {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/migrations");
    let mut all: Vec<Migration> = refinery::load_sql_migrations(folder.join(engine)).unwrap();
    all.retain(|one| i64::from(one.version()) <= OLDEST);
    Runner::new(&all)
}

/// Copies what the first version knew into a database that has no tables yet.
pub(crate) async fn make(from: &Database, to: &Database) {
    let first = Migrations::new(HISTORY, || migrations("sqlite"), || migrations("postgres"));
    let target = Store::open(to.url(), &[first]).await.unwrap();
    let source = from.open().await;
    for (table, columns) in TABLES {
        let names = columns.join(", ");
        let rows = source
            .read(Statement::new(format!("SELECT {names} FROM {table}")))
            .await
            .unwrap();
        assert!(!rows.is_empty(), "nothing is in {table}");
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
    source.close().await;
    target.close().await;
}

fn value(row: &Row, column: &str) -> Value {
    if let Ok(number) = row.optional_integer(column) {
        return number.into();
    }
    row.optional_text(column).unwrap().map(str::to_owned).into()
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
