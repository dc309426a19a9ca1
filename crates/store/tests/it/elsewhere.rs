//! What is another system's stays as that system left it.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use store::{DatabaseUrl, Statement, StoreError, read_elsewhere};

use crate::database::{Database, on_both_engines};

on_both_engines!(what_would_write_into_another_systems_database_is_refused);

/// Every file of the folder, with what it says.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        (name, std::fs::read(file.path()).unwrap())
    });
    files.collect()
}

#[cfg(unix)]
fn permit(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn make(path: &Path, mode: &str) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = {mode}; CREATE TABLE people (name TEXT); \
             INSERT INTO people VALUES ('Anna'), ('Ben'); \
             CREATE VIEW staff AS SELECT name FROM people ORDER BY name"
        ))
        .unwrap();
    connection
}

async fn names(url: &DatabaseUrl) -> Result<Vec<String>, StoreError> {
    let rows = read_elsewhere(url, Statement::new("SELECT * FROM staff")).await?;
    Ok(rows
        .iter()
        .map(|row| row.text("name").unwrap().to_owned())
        .collect())
}

#[cfg(unix)]
#[tokio::test]
async fn another_systems_file_is_read_where_nothing_may_be_written_and_nothing_appears_beside_it() {
    for mode in ["DELETE", "WAL"] {
        let database = Database::sqlite();
        let DatabaseUrl::Sqlite(path) = database.url() else {
            panic!()
        };
        let folder = path.parent().unwrap();
        make(path, mode).close().unwrap();
        permit(path, 0o444);
        permit(folder, 0o555);
        let before = files(folder);
        assert_eq!(before.len(), 1, "{mode}");
        assert_eq!(names(database.url()).await.unwrap(), ["Anna", "Ben"]);
        assert!(files(folder) == before, "{mode}: something was written");
        // Whoever clears up may.
        permit(folder, 0o755);
    }
}

#[tokio::test]
async fn what_another_system_has_written_and_not_folded_in_yet_is_read_too() {
    let database = Database::sqlite();
    let DatabaseUrl::Sqlite(path) = database.url() else {
        panic!()
    };
    let theirs = make(path, "WAL");
    theirs
        .execute("INSERT INTO people VALUES ('Cara')", [])
        .unwrap();
    let before = files(path.parent().unwrap());
    let read = names(database.url()).await.unwrap();
    assert_eq!(read, ["Anna", "Ben", "Cara"]);
    let after = files(path.parent().unwrap());
    for file in ["test.db", "test.db-wal"] {
        assert!(before[file] == after[file], "{file} was written");
    }
    // And they are not kept from writing.
    theirs
        .execute("INSERT INTO people VALUES ('Dan')", [])
        .unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made() {
    let database = Database::sqlite();
    let DatabaseUrl::Sqlite(path) = database.url() else {
        panic!()
    };
    let refused = names(database.url()).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(!path.exists());
}

async fn what_would_write_into_another_systems_database_is_refused(database: Database) {
    let store = database.open().await;
    store
        .write([Statement::new("CREATE TABLE people (name TEXT)")])
        .await
        .unwrap();
    let mut writes = vec![
        "DELETE FROM people",
        "WITH x AS (SELECT 1) INSERT INTO people VALUES ('Eve')",
    ];
    if store.engine() == "postgresql" {
        writes.push(
            "WITH x AS (INSERT INTO people VALUES ('Eve') RETURNING name) SELECT name FROM x",
        );
        let function = "CREATE FUNCTION writes() RETURNS TEXT LANGUAGE sql AS \
                        $f$INSERT INTO people VALUES ('Eve') RETURNING name$f$";
        let view = "CREATE VIEW staff AS SELECT writes() AS name";
        let both = [function, view].map(Statement::new);
        store.write(both).await.unwrap();
        writes.push("SELECT * FROM staff");
    }
    for sql in writes {
        let refused = read_elsewhere(database.url(), Statement::new(sql)).await;
        assert!(refused.is_err(), "{sql}");
    }
    let rows = store.read(Statement::new("SELECT name FROM people")).await;
    assert_eq!(rows.unwrap().len(), 0);
    store.close().await;
}
