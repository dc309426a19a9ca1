//! What is held of a person, and its end.

use reqwest::Method;
use serde_json::json;
use store::Statement;

use crate::caller::send;
use crate::database::{Database, on_both_engines};
use crate::world::{World, programme};

on_both_engines!(
    sec_40_a_person_reads_what_is_held_of_them_and_nothing_of_a_stranger,
    sec_40_an_erased_person_leaves_serial_numbers_and_no_name,
    sec_40_names_are_kept_for_no_longer_than_they_are_compared,
);

/// Every text of every row of these tables.
async fn rows(world: &World, tables: &[(&str, &str)]) -> String {
    let mut all = String::new();
    for (table, columns) in tables {
        let select = format!("SELECT {columns} FROM {table}");
        for row in world.store.read(Statement::new(select)).await.unwrap() {
            for column in columns.split(", ") {
                all += row.optional_text(column).unwrap().unwrap_or_default();
                all.push('\n');
            }
        }
    }
    all
}

async fn held(world: &World) -> String {
    rows(
        world,
        &[
            ("sidecar_people", "employee, first_names, surname, email"),
            ("sidecar_records", "employee"),
            ("sidecar_events", "employee"),
            ("connector_people", "employee, first_name, email"),
            ("connector_credentials", "employee"),
            ("connector_mails", "recipient, body"),
            ("connector_identities", "employee, unique_identifier"),
            ("connector_confirmations", "employee, snapshot"),
        ],
    )
    .await
}

async fn sec_40_a_person_reads_what_is_held_of_them_and_nothing_of_a_stranger(database: Database) {
    let world = World::start(database).await;
    let issued = world.issued(&programme("p-1")).await;
    let export = world.caller.get("/v1/people/e-anna").await.expect(200).json;
    assert_eq!(export["told"]["surname"], "Taylor");
    assert_eq!(
        export["kept"]["credentials"][0]["serial_number"],
        issued["serial_number"]
    );
    assert_eq!(export["kept"]["person"]["email"], "anna@anytown.example");
    assert_eq!(export["records"][0]["record"], "p-1");
    assert_eq!(export["records"].as_array().unwrap().len(), 1);
    let events = world.caller.get("/v1/events").await.json;
    assert_eq!(export["events"][0], events["events"][0]["event"]);
    assert_eq!(export["events"][0]["type"], "credential.issued");
    let stranger = world.caller.get("/v1/people/e-ben").await;
    assert_eq!(stranger.expect(404).code(), "no-such-person");
}

async fn sec_40_an_erased_person_leaves_serial_numbers_and_no_name(database: Database) {
    let world = World::start(database).await;
    let issued = world.issued(&programme("p-1")).await;
    let erase = |how: &str| {
        let path = format!("/v1/people/e-anna{how}");
        send(world.caller.request(Method::DELETE, &path))
    };
    assert_eq!(erase("").await.expect(409).code(), "credentials-in-force");
    assert_eq!(
        erase("?revoke=maybe").await.expect(400).code(),
        "field-invalid"
    );
    erase("?revoke=true").await.expect(202);
    let waits = world.caller.get("/v1/backlog").await.expect(200).json;
    assert_eq!(waits["erasures"][0]["employee"], "e-anna");
    assert_eq!(waits["erasures"][0]["waits_for"], "revocation-waiting");
    world.work().await;
    // The mail is out by now, and the erasure is tried again.
    world.later(jiff::SignedDuration::from_mins(2));
    world.work().await;
    world.sidecar.tidy().await.unwrap();
    let waits = world.caller.get("/v1/backlog").await.expect(200).json;
    assert_eq!(waits["erasures"], json!([]));
    let left = held(&world).await;
    for word in ["e-anna", "Anna", "Taylor", "anytown.example"] {
        assert!(!left.contains(word), "{word} in\n{left}");
    }
    assert_eq!(world.catcher.messages().len(), 1);
    let events = world.caller.get("/v1/events").await.json;
    let revoked = &events["events"][1]["event"];
    assert_eq!(revoked["data"]["serial_number"], issued["serial_number"]);
    for nobody in ["/v1/people/e-anna", "/v1/people/erased"] {
        let gone = world.caller.get(nobody).await;
        assert_eq!(gone.expect(404).code(), "no-such-person");
    }
}

async fn sec_40_names_are_kept_for_no_longer_than_they_are_compared(database: Database) {
    let world = World::start(database).await;
    world.issued(&programme("p-1")).await;
    let told = [("sidecar_people", "surname")];
    assert!(rows(&world, &told).await.contains("Taylor"));
    world.later(jiff::SignedDuration::from_hours(13));
    world.sidecar.tidy().await.unwrap();
    assert_eq!(rows(&world, &told).await, "");
    let export = world.caller.get("/v1/people/e-anna").await.expect(200);
    assert_eq!(export.json["told"], json!(null));
}
