//! What every slice relies on when it writes: the same tests on both engines.

use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::task::Poll;

use jiff::Timestamp;
use store::{DatabaseUrl, Migrations, Statement, Store, StoreError};

use crate::database::{Database, on_both_engines};

on_both_engines! {
    a_batch_is_kept_whole_or_not_at_all,
    a_condition_that_does_not_hold_undoes_the_batch,
    of_two_hundred_who_use_a_code_in_two_processes_one_wins,
    batches_that_fail_beside_others_do_not_take_them_along,
    what_was_written_is_there_after_the_database_is_opened_again,
    values_come_back_as_they_went,
    a_batch_of_hundreds_runs_in_the_order_it_is_written,
    placeholders_are_numbered_not_counted,
    an_outcome_counts_what_changed,
    a_refusal_names_its_cause_and_no_value,
    a_row_that_refers_to_nothing_is_refused,
    a_write_whose_caller_goes_away_is_decided_whole,
    a_closed_store_finishes_what_it_took_and_takes_nothing_more,
    processes_that_start_at_once_migrate_once,
    each_party_of_a_database_has_a_history_of_its_own,
    a_reader_sees_only_what_is_committed,
}

pub(crate) async fn with_codes(database: &Database) -> Store {
    let store = database.open().await;
    let blob = if store.engine() == "sqlite" {
        "CREATE TABLE test_codes (id TEXT NOT NULL PRIMARY KEY, uses INTEGER NOT NULL CHECK (uses >= 0),
            version INTEGER, note TEXT, sealed BLOB) STRICT"
    } else {
        "CREATE TABLE test_codes (id TEXT NOT NULL PRIMARY KEY, uses BIGINT NOT NULL CHECK (uses >= 0),
            version BIGINT, note TEXT, sealed BYTEA)"
    };
    store.write([Statement::new(blob)]).await.unwrap();
    store
}

pub(crate) fn insert(id: impl Into<String>) -> Statement {
    Statement::new("INSERT INTO test_codes (id, uses) VALUES ($1, $2)")
        .bind(id.into())
        .bind(0)
}

/// The single use of a code, as the gateway writes it.
pub(crate) fn consume(id: &str) -> Statement {
    Statement::new("UPDATE test_codes SET uses = uses + 1 WHERE id = $1 AND uses = 0").bind(id)
}

pub(crate) async fn ids(store: &Store) -> HashSet<String> {
    let rows = store
        .read(Statement::new("SELECT id FROM test_codes"))
        .await;
    let rows = rows.unwrap();
    rows.iter()
        .map(|row| row.text("id").unwrap().to_owned())
        .collect()
}

async fn a_batch_is_kept_whole_or_not_at_all(database: Database) {
    let store = with_codes(&database).await;
    store.write([insert("a"), insert("b")]).await.unwrap();
    let refused = store.write([insert("c"), insert("a"), insert("d")]).await;
    assert!(matches!(
        refused,
        Err(StoreError::Duplicate { statement: 1 })
    ));
    assert_eq!(ids(&store).await, ["a", "b"].map(str::to_owned).into());
    assert!(store.write([]).await.unwrap().is_empty());
}

async fn a_condition_that_does_not_hold_undoes_the_batch(database: Database) {
    let store = with_codes(&database).await;
    store.write([insert("a")]).await.unwrap();
    let consume_once = || [insert("receipt"), consume("a").must_change(1)];
    let outcomes = store.write(consume_once()).await.unwrap();
    assert_eq!(outcomes[1].changed, 1);
    let again = [insert("second receipt"), consume("a").must_change(1)];
    let refused = store.write(again).await;
    assert!(matches!(refused, Err(StoreError::Unmet { statement: 1 })));
    let alone = store.write([consume("a").must_change(1)]).await;
    assert!(matches!(alone, Err(StoreError::Unmet { statement: 0 })));
    assert_eq!(
        ids(&store).await,
        ["a", "receipt"].map(str::to_owned).into()
    );
    // More than it must is as wrong as less, and undone as well.
    let wide = Statement::new("UPDATE test_codes SET uses = 9").must_change(1);
    let refused = store.write([wide]).await;
    assert!(matches!(refused, Err(StoreError::Unmet { statement: 0 })));
    let nines = Statement::new("SELECT id FROM test_codes WHERE uses = 9");
    assert!(store.read_one(nines).await.unwrap().is_none());
}

/// SEC-01.
async fn of_two_hundred_who_use_a_code_in_two_processes_one_wins(database: Database) {
    let first = with_codes(&database).await;
    let second = database.open().await;
    for conditional in [true, false] {
        let code = if conditional { "in a batch" } else { "alone" };
        first.write([insert(code)]).await.unwrap();
        let tries: Vec<_> = (0..200)
            .map(|number| {
                let store = if number % 2 == 0 { &first } else { &second }.clone();
                tokio::spawn(async move {
                    if conditional {
                        let receipt = insert(format!("receipt {number}"));
                        let batch = [consume(code).must_change(1), receipt];
                        match store.write(batch).await {
                            Ok(_) => 1,
                            Err(StoreError::Unmet { statement: 0 }) => 0,
                            Err(other) => panic!("{other}"),
                        }
                    } else {
                        store.write([consume(code)]).await.unwrap()[0].changed
                    }
                })
            })
            .collect();
        let mut winners = 0;
        for attempt in tries {
            winners += attempt.await.unwrap();
        }
        assert_eq!(winners, 1, "{code}");
    }
    let receipts = ids(&first).await;
    let receipts = receipts.iter().filter(|id| id.starts_with("receipt"));
    assert_eq!(receipts.count(), 1);
}

async fn batches_that_fail_beside_others_do_not_take_them_along(database: Database) {
    let store = with_codes(&database).await;
    store.write([insert("taken")]).await.unwrap();
    let tries: Vec<_> = (0..120)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let mine = insert(format!("{number}"));
                match number % 3 {
                    0 => (number, store.write([mine]).await.is_ok()),
                    1 => (number, store.write([mine, insert("taken")]).await.is_ok()),
                    _ => (
                        number,
                        store
                            .write([mine, consume("absent").must_change(1)])
                            .await
                            .is_ok(),
                    ),
                }
            })
        })
        .collect();
    for attempt in tries {
        let (number, kept) = attempt.await.unwrap();
        assert_eq!(kept, number % 3 == 0, "{number}");
    }
    let expected: HashSet<String> = (0..120)
        .step_by(3)
        .map(|number| number.to_string())
        .chain(["taken".to_owned()])
        .collect();
    assert_eq!(ids(&store).await, expected);
}

async fn what_was_written_is_there_after_the_database_is_opened_again(database: Database) {
    let store = with_codes(&database).await;
    store.write([insert("kept")]).await.unwrap();
    drop(store);
    let store = database.open().await;
    assert!(ids(&store).await.contains("kept"));
    store.close().await;
    let store = database.open().await;
    assert!(ids(&store).await.contains("kept"));
}

async fn values_come_back_as_they_went(database: Database) {
    let store = with_codes(&database).await;
    let at = Timestamp::from_second(1_790_000_000).unwrap();
    for (id, version, note, sealed) in [
        (
            "",
            Some(i64::MIN),
            Some("O’Shaughnessy ✓ 'quoted' \\ $1"),
            Some(vec![0, 1, 255]),
        ),
        ("ü", Some(i64::MAX), Some(""), Some(vec![])),
        ("nulls", None, None, None),
        (
            "long",
            Some(at.as_second()),
            Some("x"),
            Some(vec![7; 100_000]),
        ),
    ] {
        let written = Statement::new(
            "INSERT INTO test_codes (id, uses, version, note, sealed) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(true)
        .bind(version)
        .bind(note)
        .bind(sealed.clone());
        store.write([written]).await.unwrap();
        let found = Statement::new("SELECT * FROM test_codes WHERE id = $1").bind(id);
        let row = store.read_one(found).await.unwrap().unwrap();
        assert_eq!(row.text("id").unwrap(), id);
        assert!(row.boolean("uses").unwrap());
        assert_eq!(row.optional_integer("version").unwrap(), version);
        assert_eq!(row.optional_text("note").unwrap(), note);
        assert_eq!(row.optional_blob("sealed").unwrap(), sealed.as_deref());
    }
    let found = Statement::new("SELECT version AS at FROM test_codes WHERE id = $1").bind("long");
    let row = store.read_one(found).await.unwrap().unwrap();
    assert_eq!(row.timestamp("at").unwrap(), at);
}

async fn a_batch_of_hundreds_runs_in_the_order_it_is_written(database: Database) {
    let store = with_codes(&database).await;
    let mut batch = vec![insert("counter")];
    for step in 0..300 {
        let next = Statement::new("UPDATE test_codes SET uses = $1 WHERE id = $2 AND uses = $3");
        batch.push(
            next.bind(step + 1)
                .bind("counter")
                .bind(step)
                .must_change(1),
        );
    }
    store.write(batch).await.unwrap();
    let row = store
        .read_one(Statement::new("SELECT uses FROM test_codes"))
        .await;
    assert_eq!(row.unwrap().unwrap().integer("uses").unwrap(), 300);
}

async fn placeholders_are_numbered_not_counted(database: Database) {
    let store = with_codes(&database).await;
    let swapped =
        Statement::new("INSERT INTO test_codes (uses, id, note) VALUES ($2, $1, '$2' || $1)");
    store.write([swapped.bind("first").bind(2)]).await.unwrap();
    let row = store
        .read_one(Statement::new("SELECT * FROM test_codes"))
        .await;
    let row = row.unwrap().unwrap();
    assert_eq!(row.text("id").unwrap(), "first");
    assert_eq!(row.integer("uses").unwrap(), 2);
    assert_eq!(row.text("note").unwrap(), "$2first");
}

async fn an_outcome_counts_what_changed(database: Database) {
    let store = with_codes(&database).await;
    let unless_there = || {
        Statement::new("INSERT INTO test_codes (id, uses) VALUES ('a', 0) ON CONFLICT DO NOTHING")
    };
    let outcomes = store
        .write([
            unless_there(),
            unless_there(),
            insert("b"),
            Statement::new("UPDATE test_codes SET uses = uses + 1"),
            Statement::new(
                "UPDATE test_codes SET uses = uses + 1 WHERE id = $1 RETURNING uses, id",
            )
            .bind("b")
            .must_change(1),
            Statement::new("UPDATE test_codes SET uses = 0 WHERE id = 'none' RETURNING uses")
                .must_change(0),
            Statement::new("SELECT id FROM test_codes ORDER BY id"),
            Statement::new("DELETE FROM test_codes"),
        ])
        .await
        .unwrap();
    let changed: Vec<u64> = outcomes.iter().map(|outcome| outcome.changed).collect();
    assert_eq!(changed, [1, 0, 1, 2, 1, 0, 2, 2]);
    assert_eq!(outcomes[4].rows[0].integer("uses").unwrap(), 2);
    assert_eq!(outcomes[6].rows[1].text("id").unwrap(), "b");
}

async fn a_refusal_names_its_cause_and_no_value(database: Database) {
    const SECRET: &str = "hunter2";
    let store = with_codes(&database).await;
    store.write([insert(SECRET)]).await.unwrap();
    let writes = [
        insert(SECRET),
        Statement::new("INSERT INTO test_codes (id, uses) VALUES ($1, -1)").bind(SECRET),
        Statement::new("INSERT INTO test_codes (id, uses) VALUES ($1, $2)")
            .bind("x")
            .bind(SECRET),
        Statement::new("INSERT INTO test_codes (id, uses) VALUES ($1, $2)").bind(SECRET),
        Statement::new("INSERT INTO absent (id) VALUES ($1)").bind(SECRET),
        Statement::new("INSERT INTO test_codes (id, uses) VALUES ($1, 0)").bind("hunter2\0"),
    ];
    for (number, write) in writes.into_iter().enumerate() {
        let alone = store.write([write.clone()]).await.unwrap_err();
        let second = store.write([insert("first"), write]).await.unwrap_err();
        for (error, place) in [(alone, 0), (second, 1)] {
            assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
            let named = match (number, &error) {
                (0, StoreError::Duplicate { statement })
                | (1, StoreError::Constraint { statement })
                | (2.., StoreError::Rejected { statement, .. }) => *statement,
                _ => panic!("{number}: {error:?}"),
            };
            assert_eq!(named, place, "{number}");
        }
    }
    assert_eq!(ids(&store).await.len(), 1);
    let read = store.read(Statement::new("DELETE FROM test_codes")).await;
    assert!(matches!(read, Err(StoreError::Rejected { .. })));
}

async fn a_row_that_refers_to_nothing_is_refused(database: Database) {
    let store = with_codes(&database).await;
    let tokens = "CREATE TABLE test_tokens (code TEXT NOT NULL REFERENCES test_codes (id))";
    store
        .write([Statement::new(tokens), insert("a")])
        .await
        .unwrap();
    let token = |code| Statement::new("INSERT INTO test_tokens (code) VALUES ($1)").bind(code);
    store.write([token("a")]).await.unwrap();
    for refused in [
        store.write([token("a"), token("absent")]).await,
        store
            .write([
                insert("b"),
                Statement::new("DELETE FROM test_codes WHERE id = 'a'"),
            ])
            .await,
    ] {
        assert!(matches!(
            refused,
            Err(StoreError::Constraint { statement: 1 })
        ));
    }
}

async fn a_write_whose_caller_goes_away_is_decided_whole(database: Database) {
    let store = with_codes(&database).await;
    for number in 0..50 {
        let batch = [insert(format!("{number} a")), insert(format!("{number} b"))];
        let mut write = Box::pin(store.write(batch));
        // Given up at another point each time.
        for _ in 0..number {
            let ended = poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_ready()));
            if ended.await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // Every connection is as good as new.
    let after = (0..40).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.write([insert(format!("after {number}"))]).await })
    });
    for written in after.collect::<Vec<_>>() {
        written.await.unwrap().unwrap();
    }
    if store.engine() == "postgresql" {
        // A batch that was given up still runs to its end; after that nothing stays open.
        let open = || {
            Statement::new(
                "SELECT pid FROM pg_stat_activity
                 WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
            )
        };
        let mut looks = 0;
        while !store.read(open()).await.unwrap().is_empty() {
            looks += 1;
            assert!(looks < 100, "a transaction stays open");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    store.close().await;
    let found = ids(&database.open().await).await;
    for number in 0..50 {
        let (a, b) = (format!("{number} a"), format!("{number} b"));
        assert_eq!(found.contains(&a), found.contains(&b), "{number}");
    }
}

async fn a_closed_store_finishes_what_it_took_and_takes_nothing_more(database: Database) {
    let store = with_codes(&database).await;
    let tries: Vec<_> = (0..100)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.write([insert(format!("{number}"))]).await })
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await;
    let mut kept = HashSet::new();
    for (number, attempt) in tries.into_iter().enumerate() {
        match attempt.await.unwrap() {
            Ok(_) => drop(kept.insert(number.to_string())),
            Err(StoreError::Closed) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let late = store.write([insert("late")]).await;
    assert!(matches!(late, Err(StoreError::Closed)));
    let late = store
        .read(Statement::new("SELECT id FROM test_codes"))
        .await;
    assert!(matches!(late, Err(StoreError::Closed)));
    assert_eq!(ids(&database.open().await).await, kept);
}

mod for_sqlite {
    refinery::embed_migrations!("tests/migrations/sqlite");
}

mod for_postgres {
    refinery::embed_migrations!("tests/migrations/postgres");
}

/// A party whose history has this name.
pub(crate) const fn party(history: &'static str) -> Migrations {
    Migrations::new(
        history,
        for_sqlite::migrations::runner,
        for_postgres::migrations::runner,
    )
}

async fn applied(store: &Store, history: &str) -> Vec<i64> {
    let select = format!("SELECT version FROM {history} ORDER BY version");
    let rows = store.read(Statement::new(select)).await.unwrap();
    rows.iter()
        .map(|row| row.integer("version").unwrap())
        .collect()
}

async fn processes_that_start_at_once_migrate_once(database: Database) {
    let url: DatabaseUrl = database.url().clone();
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Store::open(&url, &[party("first_history")]).await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    let store = database.open().await;
    assert_eq!(applied(&store, "first_history").await, [1, 2]);
}

async fn each_party_of_a_database_has_a_history_of_its_own(database: Database) {
    let first = Store::open(database.url(), &[party("first_history")])
        .await
        .unwrap();
    first
        .write([Statement::new("DROP TABLE test_first")])
        .await
        .unwrap();
    let both = [party("first_history"), party("second_history")];
    let store = Store::open(database.url(), &both).await.unwrap();
    // The second party's tables were made although the first one's history says the same numbers.
    assert_eq!(applied(&store, "second_history").await, [1, 2]);
    let made = Statement::new("SELECT id FROM test_first");
    assert!(store.read(made).await.unwrap().is_empty());
}

async fn a_reader_sees_only_what_is_committed(database: Database) {
    let store = with_codes(&database).await;
    let other = database.open().await;
    let writer = tokio::spawn(async move {
        for round in 0..50 {
            let pair = [insert(format!("{round} a")), insert(format!("{round} b"))];
            store.write(pair).await.unwrap();
        }
    });
    while !writer.is_finished() {
        let rows = other
            .read(Statement::new("SELECT count(*) AS n FROM test_codes"))
            .await;
        assert_eq!(rows.unwrap()[0].integer("n").unwrap() % 2, 0);
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    assert_eq!(ids(&other).await.len(), 100);
}
