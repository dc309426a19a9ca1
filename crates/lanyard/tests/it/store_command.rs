//! `lanyard store copy`: every table that any party of ours has, to the other engine and back.

use std::process::Command;

use store::{Migrations, Statement, Store, StoreError, Value};

use crate::database::Database;
use crate::operated::LANYARD;

const PARTIES: [Migrations; 4] = [
    connector::desk::MIGRATIONS,
    portal::MIGRATIONS,
    sidecar::MIGRATIONS,
    gateway::MIGRATIONS,
];
/// More than are handed over at once.
const ROWS: i64 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_of_every_party_is_copied_to_the_other_engine_and_back() {
    let (source, back) = (Database::sqlite(), Database::sqlite());
    let tables = fill(&source).await;
    let Some(postgres) = Database::postgres().await else {
        return;
    };
    for (from, to) in [(&source, &postgres), (&postgres, &back)] {
        let (content, said) = store("copy", from, to);
        assert!(content, "{said}");
        for table in &tables {
            assert!(said.contains(&format!("{table} ")), "{table}: {said}");
        }
    }
    let (content, said) = store("compare", &source, &back);
    assert!(content && said.ends_with("the same\n"), "{said}");

    // Numbers that the database gives out go on where they were.
    let store = Store::open(postgres.url(), &PARTIES).await.unwrap();
    let highest = "SELECT max(id) AS id FROM portal_audit";
    let insert = "INSERT INTO portal_audit (at, kind, actor) VALUES (0, 'look', 'nobody')";
    let ids = async || {
        let row = store.read_one(Statement::new(highest)).await.unwrap();
        row.unwrap().integer("id").unwrap()
    };
    let before = ids().await;
    store.write([Statement::new(insert)]).await.unwrap();
    assert_eq!(ids().await, before + 1);
    store.close().await;

    let damage = "UPDATE credentials SET list_index = list_index + 1000 WHERE serial_number = 'é7'";
    let store = Store::open(back.url(), &[]).await.unwrap();
    store
        .write([Statement::new(damage).must_change(1)])
        .await
        .unwrap();
    store.close().await;
    let (content, said) = self::store("compare", &source, &back);
    assert!(
        !content && said.contains("copy-differs: the table credentials"),
        "{said}"
    );
    let (content, said) = self::store("copy", &source, &back);
    assert!(!content && said.contains("database-not-empty"), "{said}");
}

fn store(verb: &str, from: &Database, to: &Database) -> (bool, String) {
    let mut command = Command::new(LANYARD);
    command.args([
        "store",
        verb,
        "--from",
        &from.address(),
        "--to",
        &to.address(),
    ]);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Puts rows into every table that there is, whatever its columns are. In row 7 of every table all text is the same, so
/// that what refers to another table finds its row there.
async fn fill(database: &Database) -> Vec<String> {
    let store = Store::open(database.url(), &PARTIES).await.unwrap();
    let columns = "SELECT m.name AS in_table, c.name AS name, c.type AS kind, c.\"notnull\" AS must
        FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '%history' AND c.hidden = 0
        ORDER BY m.name, c.cid";
    let columns = store.read(Statement::new(columns)).await.unwrap();
    let mut waiting: Vec<Vec<_>> = Vec::new();
    for column in &columns {
        let same = |group: &&mut Vec<&store::Row>| {
            group[0].text("in_table").unwrap() == column.text("in_table").unwrap()
        };
        match waiting.last_mut().filter(same) {
            Some(group) => group.push(column),
            None => waiting.push(vec![column]),
        }
    }
    let mut filled = Vec::new();
    let mut attempts = 0;
    while !waiting.is_empty() {
        let group = waiting.remove(0);
        let name = group[0].text("in_table").unwrap().to_owned();
        match store
            .write((1..=ROWS).map(|number| insert(&name, &group, number)))
            .await
        {
            Ok(_) => filled.push(name),
            // What it refers to is not there yet.
            Err(StoreError::Constraint { .. }) if attempts < 100 => waiting.push(group),
            Err(error) => panic!("{name}: {error}"),
        }
        attempts += 1;
    }
    assert!(filled.len() > 15, "{filled:?}");
    store.close().await;
    filled
}

fn insert(table: &str, columns: &[&store::Row], number: i64) -> Statement {
    let names: Vec<_> = columns
        .iter()
        .map(|row| row.text("name").unwrap())
        .collect();
    let places: Vec<_> = (1..=names.len()).map(|place| format!("${place}")).collect();
    // A table with room for a few rows takes a few.
    let sql = format!(
        "INSERT OR IGNORE INTO {table} ({}) VALUES ({})",
        names.join(", "),
        places.join(", ")
    );
    let values = columns.iter().enumerate().map(|(index, column)| {
        let may_be_null = !column.boolean("must").unwrap();
        if may_be_null && (number + i64::try_from(index).unwrap()) % 3 == 0 {
            return Value::Null;
        }
        match column.text("kind").unwrap() {
            "TEXT" => Value::Text(format!("é{number}")),
            "INTEGER" => Value::Integer(number),
            "BLOB" => Value::Blob(number.to_le_bytes().to_vec()),
            other => panic!("{table} has a column of kind {other}"),
        }
    });
    values.fold(Statement::new(sql), Statement::bind)
}
