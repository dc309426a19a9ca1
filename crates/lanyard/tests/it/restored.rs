//! What a restore does besides bringing rows back: nothing that was ended is in force again without somebody having seen it.

use std::path::Path;
use std::process::Command;

use store::Statement;

use crate::by_hand::{Journey, Step};
use crate::database::{Database, on_both_engines};
use crate::holder::{Format, Holder};
use crate::operated::{LANYARD, Operated};

on_both_engines!(
    sec_26_a_restore_gives_no_place_of_a_list_of_before,
    after_a_restore_no_new_event_has_a_number_that_its_receiver_may_know,
    after_a_restore_no_event_of_a_stream_that_began_since_the_backup_has_a_known_number,
    sec_13_nothing_that_was_ended_is_in_force_again_unnoticed_after_a_restore,
);

fn lanyard(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(LANYARD).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Looks through what is in force, as the operator of a test does, and accepts it.
pub(crate) fn accept(config: &Path) {
    let config = config.to_str().unwrap();
    let (_, said) = lanyard(&["restore", "accept", "--config", config]);
    let word = said
        .lines()
        .find_map(|line| line.strip_prefix("The word of this list: "));
    let word = word.unwrap_or_else(|| panic!("{said}"));
    let (content, said) = lanyard(&["restore", "accept", "--config", config, "--seen", word]);
    assert!(content && said.contains("accepted"), "{said}");
}

/// Takes a backup and restores it beside, into the same kind of database: the gateway is that one from now on.
async fn back_up_and_restore(
    gateway: &mut Operated,
    between: impl AsyncFnOnce(&mut Operated),
) -> String {
    let home = gateway.folder.clone();
    let (passphrase, file) = (home.join("passphrase"), home.join("backup"));
    crate::operated::write_private(&passphrase, "seventeen-letters\n");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (passphrase, file, config) = (text(&passphrase), text(&file), text(&gateway.config_file()));
    let (content, said) = lanyard(&[
        "backup",
        "--config",
        &config,
        "--out",
        &file,
        "--passphrase-file",
        &passphrase,
    ]);
    assert!(content, "{said}");
    between(gateway).await;
    gateway.kill();
    let (folder, target) = (home.join("restored"), another(&gateway.database).await);
    let address = target.address();
    let into = text(&folder);
    let (content, said) = lanyard(&[
        "restore",
        &file,
        "--into",
        &into,
        "--passphrase-file",
        &passphrase,
        "--database",
        &address,
    ]);
    assert!(content, "{said}");
    gateway.folder = folder;
    gateway.database = target;
    said
}

/// A database of the same engine, with nothing in it.
async fn another(database: &Database) -> Database {
    if database.address().starts_with("sqlite:") {
        return Database::sqlite();
    }
    Database::postgres().await.unwrap()
}

async fn issued(gateway: &Operated) -> i64 {
    let mut journey = Journey::to_issue();
    let mut holder = Holder::new(Format::W3c);
    journey.take_from(Step::Push, gateway, &mut holder).await;
    let select = Statement::new("SELECT list FROM credentials WHERE serial_number = $1");
    let rows = gateway
        .rows(select.bind(journey.serial_number.to_string()))
        .await;
    rows[0].integer("list").unwrap()
}

async fn sec_26_a_restore_gives_no_place_of_a_list_of_before(database: Database) {
    let mut gateway = Operated::started(database);
    assert_eq!(issued(&gateway).await, 1);
    let mut after = 0;
    back_up_and_restore(&mut gateway, async |gateway| {
        // What the restored database will know nothing of, on a list that was opened after the backup.
        let next = "UPDATE status_lists SET list = 2";
        let store = gateway.database.open().await;
        store.write([Statement::new(next)]).await.unwrap();
        store.close().await;
        after = issued(gateway).await;
    })
    .await;
    assert_eq!(after, 2);
    accept(&gateway.config_file());
    gateway.start();
    let list = issued(&gateway).await;
    assert!(
        list > 1_000,
        "a place on list {list} may be somebody's already"
    );
    // One that had no list then begins with one of its own time as well.
    let floor = "SELECT MAX(list) AS list FROM status_lists WHERE organisation = ''";
    let floor = gateway.rows(Statement::new(floor)).await;
    assert_eq!(floor[0].integer("list").unwrap(), list);
    gateway.kill();
}

/// The ids and numbers of all events, in their order.
async fn events(gateway: &Operated) -> Vec<(String, i64)> {
    let select = Statement::new("SELECT id, sequence FROM events ORDER BY sequence");
    let rows = gateway.rows(select).await;
    let each = rows.iter().map(|row| {
        let id = row.text("id").unwrap().to_owned();
        (id, row.integer("sequence").unwrap())
    });
    each.collect()
}

async fn after_a_restore_no_new_event_has_a_number_that_its_receiver_may_know(database: Database) {
    let mut gateway = Operated::started(database);
    issued(&gateway).await;
    let before = events(&gateway).await;
    assert_eq!(before.len(), 1);
    let mut since = Vec::new();
    let begun = jiff::Timestamp::now().as_millisecond();
    back_up_and_restore(&mut gateway, async |gateway| {
        for _ in 0..2 {
            issued(gateway).await;
        }
        since = events(gateway).await;
    })
    .await;
    assert_eq!(since.last().unwrap().1, 3);
    accept(&gateway.config_file());
    gateway.start();
    for _ in 0..2 {
        issued(&gateway).await;
    }
    let after = events(&gateway).await;
    // The one of before is the same event still; those that follow have numbers that nobody counts to, without a gap.
    assert_eq!(after[0], before[0]);
    let (first, second) = (after[1].1, after[2].1);
    assert!(first > begun, "{first} may be known");
    assert_eq!(second, first + 1);
    assert_eq!(after.len(), 3);
    gateway.kill();
}

async fn after_a_restore_no_event_of_a_stream_that_began_since_the_backup_has_a_known_number(
    database: Database,
) {
    let mut gateway = Operated::started(database);
    // As it was before this client had a receiver; it has one since.
    let store = gateway.database.open().await;
    let none = Statement::new("DELETE FROM event_streams");
    store.write([none]).await.unwrap();
    store.close().await;
    let begun = jiff::Timestamp::now().as_millisecond();
    back_up_and_restore(&mut gateway, async |gateway| {
        gateway.kill();
        gateway.start();
        issued(gateway).await;
        assert_eq!(events(gateway).await[0].1, 1);
    })
    .await;
    accept(&gateway.config_file());
    gateway.start();
    issued(&gateway).await;
    let after = events(&gateway).await;
    assert_eq!(after.len(), 1);
    assert!(after[0].1 > begun, "{} may be known", after[0].1);
    gateway.kill();
}

async fn sec_13_nothing_that_was_ended_is_in_force_again_unnoticed_after_a_restore(
    database: Database,
) {
    let mut gateway = Operated::started(database);
    let config = gateway.config_file();
    let config = config.to_str().unwrap();
    let operator = |words: &[&str]| {
        let (content, said) = lanyard(&[&["operator", "--config", config], words].concat());
        assert!(content, "{said}");
        said
    };
    for name in ["ann", "ben"] {
        operator(&["add", name, "--role", "administrator"]);
    }
    let store = gateway.database.open().await;
    store
        .write([
            "UPDATE operator_tokens SET kind = 'session' WHERE operator = (SELECT id FROM operators WHERE name = 'ben')",
            "INSERT INTO proposals (id, act, object, detail, proposed_by, person, proposed_at, expires_at, state) \
             SELECT 'pr-1', 'operator-remove', 'operator:op-1', '{}', id, person, added_at, added_at + 600000, 'open' \
             FROM operators WHERE name = 'ann'",
        ].map(Statement::new))
        .await
        .unwrap();
    store.close().await;
    let said = back_up_and_restore(&mut gateway, async |_| {
        operator(&["remove", "ann"]);
    })
    .await;
    // She is back, and whoever restores is told so, with everything else that opens or signs.
    for wanted in [
        "ann, administrator, since ",
        "token     tk-",
        " for credentials: active",
        "(0 days)",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let (config, folder) = (gateway.config_file(), gateway.folder.clone());
    let config = config.to_str().unwrap();
    for more in [&["--check"][..], &[]] {
        let (content, said) = lanyard(&[&["gateway", "--config", config], more].concat());
        assert!(!content && said.contains("restore-not-accepted"), "{said}");
    }
    let accept = |word: &str| lanyard(&["restore", "accept", "--config", config, "--seen", word]);
    let (content, said) = accept("00000000");
    assert!(!content && said.contains("restore-changed"), "{said}");
    self::accept(Path::new(config));
    let (content, said) = accept("00000000");
    assert!(!content && said.contains("nothing-restored"), "{said}");
    gateway.start();

    let one = async |sql: &'static str| {
        let rows = gateway.rows(Statement::new(sql)).await;
        rows[0].integer("n").unwrap()
    };
    let sessions =
        "SELECT COUNT(*) AS n FROM operator_tokens WHERE kind = 'session' AND revoked_at IS NULL";
    assert_eq!(one(sessions).await, 0);
    let tokens =
        "SELECT COUNT(*) AS n FROM operator_tokens WHERE kind = 'token' AND revoked_at IS NULL";
    assert_eq!(one(tokens).await, 1);
    assert_eq!(
        one("SELECT COUNT(*) AS n FROM proposals WHERE state = 'open'").await,
        0
    );
    // The first entry of what follows says from which backup, and where the chain that was goes another way.
    let entry = "SELECT object, detail, number AS n FROM audit_entries WHERE act = 'restored'";
    let entry = gateway.rows(Statement::new(entry)).await;
    let file = std::fs::read(folder.with_file_name("backup")).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &file);
    let digest = hex::encode(digest);
    assert_eq!(entry[0].text("object").unwrap(), format!("backup:{digest}"));
    assert!(entry[0].text("detail").unwrap().contains("taken-at"));
    let before = "SELECT MAX(number) AS n FROM audit_entries WHERE act = 'operator-added'";
    assert_eq!(entry[0].integer("n").unwrap(), one(before).await + 1);
    gateway.kill();
}
