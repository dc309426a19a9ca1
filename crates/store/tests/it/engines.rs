//! What only one of the engines can meet.

use store::{DatabaseUrl, Statement, Store, StoreError};

use crate::batches::{consume, ids, insert, with_codes};
use crate::database::Database;

#[cfg(unix)]
#[tokio::test]
async fn a_new_database_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::sqlite();
    let _store = with_codes(&database).await;
    let DatabaseUrl::Sqlite(path) = database.url() else {
        panic!()
    };
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged() {
    let database = Database::sqlite();
    let DatabaseUrl::Sqlite(path) = database.url() else {
        panic!()
    };
    std::fs::write(
        path,
        "not a database, and longer than a header would be".repeat(9),
    )
    .unwrap();
    let refused = Store::open(database.url(), &[]).await;
    assert!(
        matches!(refused, Err(StoreError::Corrupt(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_not_noticed_by_callers() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let store = with_codes(&database).await;
    for round in 0..20 {
        let warm = (0..8).map(|_| store.read(Statement::new("SELECT id FROM test_codes")));
        futures_util::future::join_all(warm).await;
        let others = Statement::new(
            "SELECT pg_terminate_backend(pid) AS gone FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        store.read(others).await.unwrap();
        let id = format!("{round}");
        store
            .write([insert(id.clone()), consume(&id).must_change(1)])
            .await
            .unwrap();
        store
            .read(Statement::new("SELECT id FROM test_codes"))
            .await
            .unwrap();
    }
    assert_eq!(ids(&store).await.len(), 20);
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_asked_for() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let DatabaseUrl::Postgres(_) = database.url() else {
        panic!()
    };
    let server = std::env::var(crate::database::VARIABLE).unwrap();
    let url = format!("{server}?sslmode=verify-full").parse().unwrap();
    let refused = Store::open(&url, &[]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(refused.to_string().contains("TLS"), "{refused}");
}
