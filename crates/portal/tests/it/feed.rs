//! People and records from another system: a CSV file or a view of its database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use portal::config::RecordsConfig;
use portal::staff::StaffMember;
use portal::{Accept, FeedError, Taken};
use store::{Statement, Store};

use crate::database::{Database, on_both_engines};
use crate::staff::{PASSWORD, everybody};
use crate::world::World;

on_both_engines!(
    dw_62_a_record_that_changed_or_vanished_is_revoked_by_the_file_that_says_so_and_an_unchanged_one_is_not,
    whoever_vanishes_from_the_file_can_no_longer_log_in_until_they_are_there_again,
    a_view_of_the_hosts_own_database_says_the_same_as_a_file,
    two_that_take_in_the_same_change_at_once_both_succeed_and_it_is_made_once,
);

type Line = BTreeMap<String, String>;

/// What the file says of everybody of the world, a line for each record.
fn lines() -> Vec<Line> {
    let line = |member: &StaffMember| {
        let text = |text: &str| text.to_owned();
        Line::from([
            (text("employee"), member.id.clone()),
            (text("username"), member.username.clone()),
            (text("first_names"), member.first_names.clone()),
            (text("surname"), member.surname.clone()),
            (
                text("date_of_birth"),
                member.date_of_birth.unwrap().to_string(),
            ),
            (text("email"), member.email.clone().unwrap()),
            (
                text("applicable"),
                text(if member.applicable { "yes" } else { "no" }),
            ),
        ])
    };
    let mut lines = Vec::new();
    for member in everybody().employees {
        for record in &member.records {
            let mut line = line(&member);
            line.insert("record".to_owned(), record.id.clone());
            line.insert("credential_type".to_owned(), record.credential_type.clone());
            line.extend(record.claims.clone());
            lines.push(line);
        }
    }
    lines
}

fn columns(lines: &[Line]) -> Vec<String> {
    let all: BTreeSet<String> = lines.iter().flat_map(|line| line.keys().cloned()).collect();
    all.into_iter().collect()
}

fn csv(lines: &[Line]) -> String {
    let columns = columns(lines);
    let mut text = columns.join(",");
    for line in lines {
        let values = columns.iter().map(|column| {
            let value = line.get(column).map_or("", String::as_str);
            format!("\"{}\"", value.replace('"', "\"\""))
        });
        text.push('\n');
        text.push_str(&values.collect::<Vec<_>>().join(","));
    }
    text
}

fn say(lines: &mut [Line], record: &str, column: &str, value: &str) {
    let mut lines = lines.iter_mut();
    let line = lines.find(|line| line["record"] == record).unwrap();
    line.insert(column.to_owned(), value.to_owned());
}

fn file(text: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("lanyard-feed-{}.csv", uuid::Uuid::new_v4()));
    std::fs::write(&file, text).unwrap();
    file
}

async fn take_in(world: &World, text: &str, accept: bool) -> Result<Taken, FeedError> {
    let file = file(text);
    let accept = if accept {
        Accept::Removals
    } else {
        Accept::Nothing
    };
    let taken = world.portal.take_in_file(&file, accept).await;
    std::fs::remove_file(file).unwrap();
    taken
}

async fn dw_62_a_record_that_changed_or_vanished_is_revoked_by_the_file_that_says_so_and_an_unchanged_one_is_not(
    database: Database,
) {
    let world = World::start_on(database).await;
    let browser = world.anna().await;
    for record in ["anna-fire", "anna-programme"] {
        let page = world.add(&browser, record).await;
        assert_eq!(page.heading(), "Credential added to your wallet");
    }
    // What the portal knows already does nothing, however often it is said.
    let mut lines = lines();
    for _ in 0..2 {
        let taken = take_in(&world, &csv(&lines), false).await.unwrap();
        assert_eq!(taken, Taken::default());
    }
    say(&mut lines, "anna-fire", "FS-Level", "2");
    say(&mut lines, "ben-programme", "label", "Programme of 2026");
    let taken = take_in(&world, &csv(&lines), false).await.unwrap();
    assert_eq!(
        (taken.records_changed, taken.records_removed),
        (2, 0),
        "{taken}"
    );
    world.until(&browser, "anna-fire", "cancelled").await;
    assert_eq!(
        browser
            .open("/credentials")
            .await
            .state_of("anna-programme")
            .as_deref(),
        Some("added")
    );

    // One of six would be gone: more than a tenth.
    let before = lines.clone();
    lines.retain(|line| line["record"] != "anna-programme");
    let refused = take_in(&world, &csv(&lines), false).await.unwrap_err();
    assert_eq!(refused.code(), "feed-too-many-removals");
    assert!(refused.to_string().contains("1 of 6 records"), "{refused}");
    let taken = take_in(&world, &csv(&before), false).await.unwrap();
    assert_eq!(taken, Taken::default(), "nothing was taken in");
    let taken = take_in(&world, &csv(&lines), true).await.unwrap();
    assert_eq!(taken.records_removed, 1);
    world.until(&browser, "anna-programme", "cancelled").await;
    // It is there again, and can be added again.
    let taken = take_in(&world, &csv(&before), false).await.unwrap();
    assert_eq!((taken.records_added, taken.records_changed), (1, 0));
    let page = browser.open("/credentials/anna-programme").await;
    assert!(
        page.text().contains("Add to wallet again"),
        "{}",
        page.text()
    );
}

async fn whoever_vanishes_from_the_file_can_no_longer_log_in_until_they_are_there_again(
    database: Database,
) {
    let world = World::start_on(database).await;
    let all = lines();
    take_in(&world, &csv(&all), false).await.unwrap();
    let browser = world.logged_in("ben").await;
    let mut fewer = all.clone();
    fewer.retain(|line| line["username"] != "ben");
    let taken = take_in(&world, &csv(&fewer), true).await.unwrap();
    assert_eq!((taken.employees_left, taken.records_removed), (1, 1));
    assert_eq!(browser.open("/").await.path(), "/login");
    let page = world.browser().log_in("ben", PASSWORD).await;
    assert!(page.text().contains("Check your username and password"));
    let taken = take_in(&world, &csv(&all), false).await.unwrap();
    assert_eq!((taken.employees_added, taken.records_added), (1, 1));
    assert_eq!(world.browser().log_in("ben", PASSWORD).await.path(), "/");

    // Two swap their user names; a third is new; Anna is called otherwise.
    let mut others = all.clone();
    for line in &mut others {
        match line["username"].as_str() {
            "anna" => line.insert("username".to_owned(), "ben".to_owned()),
            "ben" => line.insert("username".to_owned(), "Anna".to_owned()),
            _ => None,
        };
        if line["employee"] == "e-anna" {
            line.insert("surname".to_owned(), "Smith, \"née\" Taylor".to_owned());
        }
    }
    let mut new = others[0].clone();
    for column in ["record", "credential_type"] {
        new.remove(column);
    }
    new.retain(|column, _| !column.starts_with("TPR-"));
    new.insert("employee".to_owned(), "e-new".to_owned());
    new.insert("username".to_owned(), "new".to_owned());
    new.insert("person.staff_group".to_owned(), "nursing".to_owned());
    others.push(new);
    let taken = take_in(&world, &csv(&others), false).await.unwrap();
    assert_eq!(
        (taken.employees_added, taken.employees_changed),
        (1, 2),
        "{taken}"
    );
    let page = world.browser().log_in("ben", PASSWORD).await;
    assert!(
        page.text().contains("Anna Smith, \"née\" Taylor"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn a_file_is_checked_whole_and_each_fault_named_with_its_line_before_anything_of_it_counts() {
    let world = World::start().await;
    let good = lines();
    let wrong = |change: &dyn Fn(&mut Vec<Line>)| {
        let mut lines = good.clone();
        change(&mut lines);
        csv(&lines)
    };
    let with = |record: &'static str, column: &'static str, value: &'static str| {
        wrong(&|lines| say(lines, record, column, value))
    };
    for (text, says) in [
        (String::new(), "line 1: there is no row of column names"),
        (
            "employee,username,first_names\n".to_owned(),
            "line 1: the column surname is missing",
        ),
        (
            wrong(&|lines| say(lines, "anna-fire", "colour", "red")),
            "line 1: there is no column \"colour\"",
        ),
        (
            with("anna-programme", "employee", "E 1"),
            "line 2: employee: an id consists of",
        ),
        (
            with("anna-programme", "surname", ""),
            "line 2: surname: it is empty",
        ),
        (
            with("anna-fire", "surname", "Secret"),
            "line 3: of this employee something else is said in line 2",
        ),
        (
            with("anna-fire", "date_of_birth", "12/04/1990"),
            "line 3: date_of_birth: a date is written as",
        ),
        (
            with("ben-programme", "email", "nowhere"),
            "line 6: email: it is no address",
        ),
        (
            with("ned-programme", "applicable", "perhaps"),
            "line 7: applicable: it is yes or no",
        ),
        (
            with("anna-fire", "credential_type", "FireSaftey"),
            "line 3: credential_type: there is no such type",
        ),
        (
            with("anna-fire", "TPR-Name", "Cardiology"),
            "line 3: TPR-Name: it is no claim of this type",
        ),
        (
            with("anna-fire", "FS-Level", "two"),
            "line 3: FS-Level: it is a whole number",
        ),
        (
            with("anna-fire", "record", "anna-programme"),
            "line 3: record: the id is taken in line 2",
        ),
        (
            with("anna-fire", "record", ""),
            "line 3: record: it is empty, and",
        ),
        (
            with("ben-programme", "username", "ANNA"),
            "line 6: username: another employee has it in line 2",
        ),
        (
            with("ben-programme", "record", "anna-fire-2"),
            "line 6: record: ",
        ),
    ] {
        if says.ends_with("record: ") {
            // Taken in under one employee, it is not another's.
            take_in(&world, &text, true).await.unwrap();
            let moved = wrong(&|lines| say(lines, "anna-fire", "record", "anna-fire-2"));
            let refused = take_in(&world, &moved, true).await.unwrap_err();
            assert!(
                refused.to_string().contains("as another employee's"),
                "{refused}"
            );
            continue;
        }
        let refused = take_in(&world, &text, true).await.unwrap_err();
        assert_eq!(refused.code(), "feed-layout");
        let told = refused.to_string();
        assert!(told.contains(says), "{told}");
        for personal in ["Secret", "nowhere", "Taylor", "12/04"] {
            assert!(!told.contains(personal), "{told}");
        }
    }
    // All of them, and not the first only.
    let mut lines = good.clone();
    say(&mut lines, "anna-fire", "FS-Level", "two");
    say(&mut lines, "ned-programme", "applicable", "perhaps");
    let told = take_in(&world, &csv(&lines), true)
        .await
        .unwrap_err()
        .to_string();
    assert!(told.contains("line 3") && told.contains("line 7"), "{told}");

    let browser = world.logged_in("anna").await;
    let page = browser.open("/credentials").await;
    assert_eq!(page.state_of("anna-fire").as_deref(), Some("not-added"));
}

#[tokio::test]
async fn a_file_that_is_watched_is_taken_in_at_the_start() {
    let mut all = lines();
    let mut more = all[0].clone();
    more.insert("record".to_owned(), "anna-second-programme".to_owned());
    all.push(more);
    let file = file(&csv(&all));
    let world = World::start_with(Database::sqlite(), |config| {
        config.records = Some(records(|records| records.file = Some(file.clone())));
    })
    .await;
    let browser = world.logged_in("anna").await;
    world
        .until(&browser, "anna-second-programme", "not-added")
        .await;
    std::fs::remove_file(file).unwrap();
}

pub(crate) fn records(change: impl FnOnce(&mut RecordsConfig)) -> RecordsConfig {
    let mut config = RecordsConfig {
        file: None,
        database: None,
        view: None,
        every_minutes: 15,
        removals: 0.1,
        changes: 0.2,
    };
    change(&mut config);
    config
}

async fn a_view_of_the_hosts_own_database_says_the_same_as_a_file(database: Database) {
    let (hosts, database) = (database, Database::sqlite());
    let lines = lines();
    let columns = columns(&lines);
    let store = Store::open(hosts.url(), &[]).await.unwrap();
    let table = columns.iter().map(|column| format!("\"{column}\" TEXT"));
    let table: Vec<String> = table.collect();
    let all = |names: &[String]| -> String {
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    };
    let create = format!("CREATE TABLE hr_people (id INTEGER, {})", table.join(", "));
    let view = format!(
        "CREATE VIEW hr_view AS SELECT {} FROM hr_people ORDER BY id",
        all(&columns)
    );
    store
        .write([create, view].map(Statement::new))
        .await
        .unwrap();
    for (id, line) in (0_i64..).zip(&lines) {
        let places: Vec<String> = (2..=columns.len() + 1).map(|at| format!("${at}")).collect();
        let insert = format!(
            "INSERT INTO hr_people (id, {}) VALUES (CAST($1 AS INTEGER), {})",
            all(&columns),
            places.join(", ")
        );
        let insert = columns
            .iter()
            .fold(Statement::new(insert).bind(id), |insert, column| {
                insert.bind(line.get(column))
            });
        store.write([insert]).await.unwrap();
    }
    let address = hosts.address();
    let world = World::start_with(database, |config| {
        config.records = Some(records(|records| {
            records.database = Some(address);
            records.view = Some("hr_view".to_owned());
        }));
    })
    .await;
    let now = async || world.portal.take_in_now(Accept::Nothing).await;
    assert_eq!(now().await.unwrap(), Some(Taken::default()));
    let change = |sql: &str| Statement::new(sql.to_owned());
    let update = change("UPDATE hr_people SET \"FS-Level\" = '2' WHERE record = 'anna-fire'");
    store.write([update]).await.unwrap();
    let taken = now().await.unwrap().unwrap();
    assert_eq!(
        (taken.records_changed, taken.employees_changed),
        (1, 0),
        "{taken}"
    );

    // A view that is empty, or gone, takes nothing away.
    store
        .write([change("DELETE FROM hr_people")])
        .await
        .unwrap();
    assert_eq!(now().await.unwrap_err().code(), "feed-layout");
    store.write([change("DROP VIEW hr_view")]).await.unwrap();
    let gone = now().await.unwrap_err();
    assert_eq!(gone.code(), "feed-view-unreadable");
    assert_eq!(world.browser().log_in("ben", PASSWORD).await.path(), "/");
    store.close().await;
}

#[tokio::test]
async fn a_name_that_somebody_goes_by_comes_with_the_feed_and_goes_with_it() {
    let world = World::start().await;
    for (name, is_held) in [("Nan", true), ("", false)] {
        let mut lines = lines();
        for line in lines.iter_mut().filter(|line| line["username"] == "anna") {
            line.insert("known_as".to_owned(), name.to_owned());
        }
        take_in(&world, &csv(&lines), true).await.unwrap();
        let page = world.browser().open("/hr/employees/anna").await;
        assert_eq!(page.html.contains("value=\"Nan\""), is_held);
    }
}

async fn two_that_take_in_the_same_change_at_once_both_succeed_and_it_is_made_once(
    database: Database,
) {
    let world = World::start_on(database).await;
    let mut lines = lines();
    take_in(&world, &csv(&lines), false).await.unwrap();
    // Whether they meet is not ours to say, so there are eight rounds.
    for round in 0..8 {
        let label = format!("Programme, round {round}");
        say(&mut lines, "ben-programme", "label", &label);
        let mut more = lines[0].clone();
        more.insert("record".to_owned(), format!("round-{round}"));
        lines.push(more);
        let text = csv(&lines);
        let (one, other) =
            tokio::join!(take_in(&world, &text, false), take_in(&world, &text, false),);
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.records_added + other.records_added, 1, "round {round}");
        let changed = one.records_changed + other.records_changed;
        assert_eq!(changed, 1, "round {round}");
    }
}
