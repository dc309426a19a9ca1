//! A database is copied whole or not at all, between any two engines.

use store::copy::{self, CopyError, Held, Others, Record};
use store::{Migrations, Statement, Store, Value};

use crate::batches::party;
use crate::database::{Database, on_both_engines};

on_both_engines!(
    a_copy_has_every_row_and_is_found_damaged_when_it_is,
    a_copy_that_breaks_off_leaves_nothing,
    a_database_that_somebody_uses_is_not_copied_and_is_backed_up,
    all_tables_of_a_backup_are_of_one_moment,
    a_target_that_holds_something_is_refused,
    a_copy_of_a_newer_version_is_refused,
    an_older_copy_makes_older_tables,
);

const PARTY: Migrations = party("first_history");

/// As many rows as make several lots.
async fn filled(database: &Database) -> Vec<Held> {
    let store = Store::open(database.url(), &[PARTY]).await.unwrap();
    let rows = (0..700_i64).map(|number| {
        Statement::new("INSERT INTO test_first (id, uses) VALUES ($1, $2)")
            .bind(format!("Zoë {number}"))
            .bind((number % 3 > 0).then_some(number - 350))
    });
    store.write(rows).await.unwrap();
    store.close().await;
    copy::held(database.url()).await.unwrap()
}

/// One for each engine that is there.
async fn empty() -> Vec<Database> {
    let postgres = Database::postgres().await;
    std::iter::once(Database::sqlite())
        .chain(postgres)
        .collect()
}

async fn run(database: &Database, sql: &'static str) {
    let store = database.open().await;
    store.write([Statement::new(sql)]).await.unwrap();
    store.close().await;
}

async fn a_copy_has_every_row_and_is_found_damaged_when_it_is(source: Database) {
    let held = filled(&source).await;
    assert_eq!((held.len(), held[0].sum.rows), (1, 700));
    for target in empty().await {
        let copied = copy::copy(source.url(), target.url(), &[PARTY]).await;
        assert_eq!(copied.unwrap(), held);
        assert_eq!(copy::held(target.url()).await.unwrap(), held);
        // The next start finds its own tables.
        let store = Store::open(target.url(), &[PARTY]).await.unwrap();
        let row = Statement::new("SELECT uses FROM test_first WHERE id = $1").bind("Zoë 1");
        let row = store.read_one(row).await.unwrap().unwrap();
        assert_eq!(row.integer("uses").unwrap(), -349);
        store.close().await;
        for damage in [
            "UPDATE test_first SET uses = 7 WHERE id = 'Zoë 3'",
            "DELETE FROM test_first WHERE id = 'Zoë 699'",
        ] {
            let before = copy::held(target.url()).await.unwrap();
            run(&target, damage).await;
            let after = copy::held(target.url()).await.unwrap();
            assert!(before != after && after != held, "{damage}");
        }
    }
}

/// The records of the database, as often as wanted.
async fn records(database: &Database) -> Vec<Record> {
    let mut flow = copy::dump(database.url(), Others::Allowed);
    let mut records = Vec::new();
    while let Some(lot) = flow.recv().await {
        records.extend(lot.unwrap());
    }
    records
}

async fn load(target: &Database, records: Vec<Record>) -> Result<Vec<Held>, CopyError> {
    let (sender, flow) = tokio::sync::mpsc::channel(1);
    let parties = [PARTY];
    let loading = copy::load(target.url(), &parties, flow);
    let sending = async move {
        for record in records {
            if sender.send(Ok(vec![record])).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(loading, sending).0
}

async fn a_copy_that_breaks_off_leaves_nothing(source: Database) {
    filled(&source).await;
    let whole = records(&source).await;
    for target in empty().await {
        for end in [0, 1, 2, 400, whole.len() - 2, whole.len() - 1] {
            let refused = load(&target, whole[..end].to_vec()).await.unwrap_err();
            assert!(matches!(refused, CopyError::Incomplete), "{end}: {refused}");
        }
        let mut changed = whole.clone();
        changed[2] = Record::Row(vec![Value::Text("another".to_owned()), Value::Null]);
        let refused = load(&target, changed).await.unwrap_err();
        assert_eq!(refused.code(), "copy-differs");
        let mut wrong = whole.clone();
        wrong[2] = Record::Row(vec![Value::Integer(1), Value::Null]);
        load(&target, wrong).await.unwrap_err();
        let nothing = copy::held(target.url()).await.unwrap_err();
        assert!(
            matches!(nothing, CopyError::NoTables(_) | CopyError::Missing(_)),
            "{nothing}"
        );
        assert_eq!(load(&target, whole.clone()).await.unwrap()[0].sum.rows, 700);
    }
}

async fn a_database_that_somebody_uses_is_not_copied_and_is_backed_up(source: Database) {
    let held = filled(&source).await;
    let running = Store::open(source.url(), &[PARTY]).await.unwrap();
    let target = Database::sqlite();
    let refused = copy::copy(source.url(), target.url(), &[PARTY]).await;
    assert_eq!(refused.unwrap_err().code(), "database-in-use");
    // Into one that somebody uses, neither.
    let other = Database::sqlite();
    filled(&other).await;
    let refused = copy::copy(other.url(), source.url(), &[PARTY]).await;
    assert_eq!(refused.unwrap_err().code(), "database-in-use");

    let mut moment = copy::dump(source.url(), Others::Allowed);
    let first = moment.recv().await.unwrap().unwrap();
    running
        .write([Statement::new("DELETE FROM test_first")])
        .await
        .unwrap();
    let mut rows = first;
    while let Some(lot) = moment.recv().await {
        rows.extend(lot.unwrap());
    }
    running.close().await;
    assert_eq!(load(&target, rows).await.unwrap(), held, "of one moment");
    assert_eq!(copy::held(source.url()).await.unwrap()[0].sum.rows, 0);
}

/// The first table has more rows than are read ahead; the second is emptied before it is read.
async fn all_tables_of_a_backup_are_of_one_moment(source: Database) {
    filled(&source).await;
    let store = source.open().await;
    let more = (0..3_000).map(|number| {
        Statement::new("INSERT INTO test_first (id) VALUES ($1)").bind(format!("more {number}"))
    });
    store.write(more).await.unwrap();
    for sql in [
        "CREATE TABLE test_second (id TEXT NOT NULL PRIMARY KEY)",
        "INSERT INTO test_second (id) VALUES ('one')",
    ] {
        store.write([Statement::new(sql)]).await.unwrap();
    }
    let mut moment = copy::dump(source.url(), Others::Allowed);
    let mut rows = moment.recv().await.unwrap().unwrap();
    let emptied = Statement::new("DELETE FROM test_second").must_change(1);
    store.write([emptied]).await.unwrap();
    while let Some(lot) = moment.recv().await {
        rows.extend(lot.unwrap());
    }
    let one = Record::Row(vec![Value::Text("one".to_owned())]);
    assert!(rows.contains(&one));
    store.close().await;
}

async fn a_target_that_holds_something_is_refused(source: Database) {
    let held = filled(&source).await;
    for target in empty().await {
        // Migrated by a program that was started and stopped: empty.
        let store = Store::open(target.url(), &[PARTY]).await.unwrap();
        store.close().await;
        let copied = copy::copy(source.url(), target.url(), &[PARTY]).await;
        assert_eq!(copied.unwrap(), held);
        let again = copy::copy(source.url(), target.url(), &[PARTY]).await;
        assert_eq!(again.unwrap_err().code(), "database-not-empty");
        assert_eq!(copy::held(target.url()).await.unwrap(), held);
    }
}

fn with_history(mut records: Vec<Record>, change: impl Fn(&mut Vec<(i64, String)>)) -> Vec<Record> {
    let Record::Histories(histories) = &mut records[0] else {
        panic!("the first record says of which version it is")
    };
    change(&mut histories[0].applied);
    records
}

async fn a_copy_of_a_newer_version_is_refused(source: Database) {
    filled(&source).await;
    let whole = records(&source).await;
    for target in empty().await {
        let newer = with_history(whole.clone(), |all| all.push((3, "third".to_owned())));
        assert_eq!(
            load(&target, newer).await.unwrap_err().code(),
            "schema-newer"
        );
        let other = with_history(whole.clone(), |all| "another".clone_into(&mut all[1].1));
        assert_eq!(
            load(&target, other).await.unwrap_err().code(),
            "schema-differs"
        );
        let older = with_history(whole.clone(), |all| drop(all.pop()));
        let store = Store::open(target.url(), &[PARTY]).await.unwrap();
        store.close().await;
        assert_eq!(
            load(&target, older).await.unwrap_err().code(),
            "schema-differs"
        );
    }
}

async fn an_older_copy_makes_older_tables(source: Database) {
    let store = Store::open(source.url(), &[PARTY]).await.unwrap();
    store.close().await;
    let mut older = with_history(records(&source).await, |all| drop(all.pop()));
    let Record::Table(table) = &mut older[1] else {
        panic!("the table follows")
    };
    table.columns.retain(|column| column == "id");
    for target in empty().await {
        load(&target, older.clone()).await.unwrap();
        // And the program brings them to its own version.
        let store = Store::open(target.url(), &[PARTY]).await.unwrap();
        let uses = Statement::new("SELECT uses FROM test_first");
        assert!(store.read(uses).await.unwrap().is_empty());
        store.close().await;
    }
}
