//! A SQLite database that has no room left.

use store::{Statement, StoreError};

use crate::batches::{ids, insert, with_codes};
use crate::database::Database;

/// As long as it may not grow: the pragma holds for the connection that writes.
fn no_larger() -> Statement {
    Statement::new("PRAGMA max_page_count = 1")
}

fn large(id: &str) -> Statement {
    Statement::new("INSERT INTO test_codes (id, uses, sealed) VALUES ($1, 0, $2)")
        .bind(id)
        .bind(vec![7_u8; 100_000])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_finds_no_room_hears_it_once_and_nothing_of_theirs_is_kept() {
    let database = Database::sqlite();
    let store = with_codes(&database).await;
    store.write([insert("a")]).await.unwrap();
    store.write([no_larger()]).await.unwrap();
    let tries = (0..8).map(|number| store.write([large(&format!("large-{number}"))]));
    for refused in futures_util::future::join_all(tries).await {
        let Err(error @ StoreError::Unavailable(_)) = refused else {
            panic!("{refused:?}");
        };
        let said = error.to_string();
        assert!(said.contains("database or disk is full"), "{said}");
        assert_eq!(said.matches("not available").count(), 1, "{said}");
    }
    assert_eq!(ids(&store).await, ["a".to_owned()].into());
}
