#![allow(clippy::unwrap_used)]

use standards::jose::Algorithm;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::*;
use crate::keys::{Place, State};

#[path = "../../../store/tests/it/database.rs"]
#[allow(dead_code, unused_imports, unused_macros)]
mod database;

use database::Database;

fn key(kid: &str) -> KeyRow {
    KeyRow {
        kid: kid.to_owned(),
        place: Place::parse("anytown.credentials").unwrap(),
        algorithm: Algorithm::ES256,
        state: State::Compromised,
        name: kid.to_owned(),
        adopted: true,
        created_at: Timestamp::UNIX_EPOCH,
        activated_at: None,
        retired_at: None,
        ended_at: None,
    }
}

/// A hundred credentials that `old` signed, then more of `new` than are looked at, a thousand on a list. Every tenth is revoked.
async fn issued(database: &Database) -> Store {
    let store = crate::open_store(&database.address()).await.unwrap();
    let insert = format!(
        "INSERT INTO credentials (serial_number, organisation, client_id, credential_type, format, interaction, list, \
         list_index, issued_at, revoked_at, kid) \
         WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {}) \
         SELECT 'serial-' || n, 'anytown', 'plain', 'Identity', 'jwt_vc_json', 'none', n / 1000 + 1, n % 1000, n, \
         CASE WHEN n % 10 = 0 THEN 1 END, CASE WHEN n < 100 THEN 'old' ELSE 'new' END FROM numbers",
        99 + LOOKED_AT + 1_000
    );
    store.write([Statement::new(insert)]).await.unwrap();
    store
}

/// Every question about what a key signed, with values in the places of its parameters.
fn questions(key: &KeyRow) -> Vec<String> {
    let questions = [
        all_by_type(key),
        newest_by_type(key),
        in_force(key),
        list_after(key),
        lines(key),
    ];
    let values = ["'anytown'", "'old'", "0", "1", "'job'"];
    let with_values = questions.into_iter().map(|sql| {
        let places = values.iter().enumerate();
        places.fold(sql, |sql, (place, value)| {
            sql.replace(&format!("${}", place + 1), value)
        })
    });
    with_values.collect()
}

const INDEX: &str = "credentials_by_key";

#[tokio::test]
async fn what_a_key_signed_is_found_by_an_index_on_sqlite() {
    let database = Database::sqlite();
    let store = issued(&database).await;
    let file = database.address();
    let file = rusqlite::Connection::open(file.trim_start_matches("sqlite:")).unwrap();
    for question in questions(&key("old")) {
        let plan: Vec<String> = file
            .prepare(&format!("EXPLAIN QUERY PLAN {question}"))
            .unwrap()
            .query_map([], |row| row.get("detail"))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        // Both parts: that of the key, and that of what names none.
        let by_index = plan.iter().filter(|step| step.contains(INDEX));
        assert_eq!(by_index.count(), 2, "{question}: {plan:?}");
        let reads_all = plan.iter().any(|step| step.contains("SCAN credentials"));
        assert!(!reads_all, "{question}: {plan:?}");
    }
    store.close().await;
}

#[tokio::test]
async fn what_a_key_signed_is_found_by_an_index_on_postgresql() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let store = issued(&database).await;
    let (client, connection) = tokio_postgres::connect(&database.address(), NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute("ANALYZE credentials").await.unwrap();
    for question in questions(&key("old")) {
        let plan = client.simple_query(&format!("EXPLAIN {question}")).await;
        let steps = plan
            .unwrap()
            .into_iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            });
        let plan: Vec<String> = steps.collect();
        let by_index = plan.iter().filter(|step| step.contains(INDEX));
        assert_eq!(by_index.count(), 2, "{question}: {plan:#?}");
        let reads_all = plan
            .iter()
            .any(|step| step.contains("Seq Scan on credentials"));
        assert!(!reads_all, "{question}: {plan:#?}");
    }
    drop(client);
    let _ = connection.await;
    store.close().await;
}

async fn rough_numbers(database: Database) {
    let store = issued(&database).await;
    let now = Timestamp::UNIX_EPOCH;
    let (signed, is_more) = find_newest_signed(&store, &key("old"), now).await.unwrap();
    let of_type = |issued, in_force| Signed {
        credential_type: "Identity".to_owned(),
        issued,
        in_force,
    };
    assert_eq!((signed, is_more), (vec![of_type(100, 90)], false));
    let all = LOOKED_AT + 1_000;
    let new = key("new");
    let (signed, is_more) = find_newest_signed(&store, &new, now).await.unwrap();
    assert_eq!((signed[0].issued, is_more), (LOOKED_AT + 1, true));
    let signed = find_signed(&store, &new, now).await.unwrap();
    assert_eq!(signed, [of_type(all, all - all / 10)]);
    let in_force = async |kid| count_in_force(&store, &key(kid), now).await.unwrap();
    let (number, or_more) = (90, false);
    assert_eq!(in_force("old").await, Rough { number, or_more });
    // Of eleven thousand every tenth is revoked.
    let number = all - all / 10;
    assert_eq!(in_force("new").await, Rough { number, or_more });
    store
        .write([Statement::new("UPDATE credentials SET revoked_at = NULL")])
        .await
        .unwrap();
    let (number, or_more) = (LOOKED_AT, true);
    assert_eq!(in_force("new").await, Rough { number, or_more });
    // The first key, and what names none, are counted together and up to one bound.
    store
        .write([Statement::new(
            "UPDATE credentials SET kid = NULL WHERE kid = 'new'",
        )])
        .await
        .unwrap();
    let (signed, is_more) = find_newest_signed(&store, &key("old"), now).await.unwrap();
    assert_eq!((signed[0].issued, is_more), (LOOKED_AT + 1, true));
    assert_eq!(in_force("old").await, Rough { number, or_more });
    store.close().await;
}

#[tokio::test]
async fn what_many_millions_would_take_is_counted_up_to_a_bound_on_sqlite() {
    rough_numbers(Database::sqlite()).await;
}

#[tokio::test]
async fn what_many_millions_would_take_is_counted_up_to_a_bound_on_postgresql() {
    if let Some(database) = Database::postgres().await {
        rough_numbers(database).await;
    }
}

/// Somebody was interrupted after a few lines; said again, the rest comes, and each once.
async fn lines_once(database: Database) {
    let store = issued(&database).await;
    let (old, now) = (key("old"), Timestamp::UNIX_EPOCH);
    let first = "INSERT INTO revocation_job_lines (job, organisation, serial_number) VALUES ('job', 'anytown', 'serial-1')";
    store.write([Statement::new(first)]).await.unwrap();
    for _ in 0..2 {
        assert_eq!(write_lines(&store, &old, "job", now).await.unwrap(), 90);
    }
    let new = key("new");
    let all = LOOKED_AT + 1_000;
    let lines = write_lines(&store, &new, "another", now).await.unwrap();
    assert_eq!(lines, all - all / 10);
    // What names no key was signed by the first.
    store
        .write([Statement::new(
            "UPDATE credentials SET kid = NULL WHERE kid = 'old'",
        )])
        .await
        .unwrap();
    assert_eq!(write_lines(&store, &old, "third", now).await.unwrap(), 90);
    let (mut after, mut numbers) = (0, Vec::new());
    while let Some((list, some)) = find_serial_numbers(&store, &new, after, now).await.unwrap() {
        assert!(some.len() <= 1_000 && list > after);
        after = list;
        numbers.extend(some);
    }
    let found = numbers.len();
    numbers.sort();
    numbers.dedup();
    // The first key is asked for what names none as well, in the same list.
    assert_eq!((found, numbers.len()), (found, found));
    store.close().await;
}

#[tokio::test]
async fn lines_of_what_a_key_signed_are_written_list_by_list_and_each_once_on_sqlite() {
    lines_once(Database::sqlite()).await;
}

#[tokio::test]
async fn lines_of_what_a_key_signed_are_written_list_by_list_and_each_once_on_postgresql() {
    if let Some(database) = Database::postgres().await {
        lines_once(database).await;
    }
}
