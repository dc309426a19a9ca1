//! Steps 5 and 7 by the API: what comes first, what is issued, what is written down.

use jiff::SignedDuration;
use serde_json::{Value, json};
use wallet::CredentialStatus;

use crate::database::{Database, on_both_engines};
use crate::world::{SESSION, World, anna, programme};

on_both_engines!(
    dw_49_each_step_is_asked_for_in_its_order,
    dw_62_the_serial_number_is_kept_and_the_state_is_added,
    dw_26_what_is_not_what_was_confirmed_is_not_issued,
    dw_20_a_second_copy_asks_about_the_first_and_replaces_it,
    dw_19_a_sidecar_that_is_told_so_leaves_the_older_credential_in_force,
    dw_59_a_wallet_that_says_no_leaves_nothing_added,
    a_record_that_cannot_become_a_credential_is_told_with_its_claim,
    a_record_of_one_employee_is_not_anothers,
    dw_62_dw_77_dw_78_a_credential_is_revoked_by_its_serial_number_and_the_employee_is_told,
    what_waits_is_listed_without_values,
    dw_19_dw_20_everything_of_a_lost_wallet_is_revoked_and_can_be_added_again_without_a_question,
);

async fn dw_49_each_step_is_asked_for_in_its_order(database: Database) {
    let world = World::start(database).await;
    let record = programme("p-1");
    let refused = world.start_issuing(&record).await;
    assert_eq!(refused.expect(409).code(), "verify-identity");
    world.verify(SESSION, &anna()).await.expect(200);
    let refused = world.start_issuing(&record).await;
    assert_eq!(refused.expect(409).code(), "confirm");
    world.confirm(&record).await;
    world.start_issuing(&record).await.expect(201);
    assert_eq!(world.state("p-1").await["state"], "in-progress");
}

async fn dw_62_the_serial_number_is_kept_and_the_state_is_added(database: Database) {
    let world = World::start(database).await;
    let before = world.state("p-1").await;
    assert_eq!(before["state"], "not-added");
    assert_eq!(before["way_in"], "first");
    let answer = world.issued(&programme("p-1")).await;
    assert_eq!(answer["kind"], "issuing");
    assert_eq!(answer["record"], "p-1");
    assert_eq!(answer["return_to"], "/done");
    assert_eq!(answer["state"]["state"], "added");
    let state = world.state("p-1").await;
    assert_eq!(state["state"], "added");
    assert_eq!(state["way_in"], "again");
    assert_eq!(state["serial_number"], answer["serial_number"]);
    let of_person = world.caller.get("/v1/people/e-anna/states").await;
    assert_eq!(of_person.expect(200).json["states"], json!([state]));
    let ended = json!({
        "employee": "e-anna",
        "records": [{ "id": "p-2", "last_day": "2020-01-01" }, { "id": "p-3", "complete": false }],
    });
    let states = world.caller.post("/v1/states", &ended).await.expect(200);
    assert_eq!(states.json["states"][0]["state"], "ended");
    assert_eq!(states.json["states"][0]["on"], "2020-01-01");
    assert_eq!(states.json["states"][1]["state"], "cannot-add-yet");
}

async fn dw_26_what_is_not_what_was_confirmed_is_not_issued(database: Database) {
    let world = World::start(database).await;
    world.verify(SESSION, &anna()).await.expect(200);
    let record = programme("p-1");
    world.confirm(&record).await;
    let mut other = record.clone();
    other["claims"]["TPR-Name"] = json!("Neurology");
    let refused = world.start_issuing(&other).await;
    assert_eq!(refused.expect(409).code(), "confirm-again");
    // What the host tells to have changed counts, even if it then asks for what was confirmed.
    let change = json!({
        "change": "changed", "record": "p-1", "credential_type": "TrainingProgramme",
        "claims": other["claims"],
    });
    world.caller.post("/v1/changes", &change).await.expect(200);
    let refused = world.start_issuing(&record).await;
    assert_eq!(refused.expect(409).code(), "confirm-again");
    world.confirm(&other).await;
    world.start_issuing(&other).await.expect(201);
    world.later(SignedDuration::from_mins(61));
    let refused = world.start_issuing(&other).await;
    assert_eq!(refused.expect(409).code(), "confirm");
}

async fn dw_20_a_second_copy_asks_about_the_first_and_replaces_it(database: Database) {
    let world = World::start(database).await;
    let record = programme("p-1");
    let first = world.issued(&record).await;
    let second = add_again(&world, &record).await;
    assert_ne!(first["serial_number"], second["serial_number"]);
    world.work().await;
    let events = world.caller.get("/v1/events").await.expect(200).json;
    let revoked = &events["events"][2]["event"];
    assert_eq!(revoked["type"], "credential.revoked");
    assert_eq!(revoked["data"]["serial_number"], first["serial_number"]);
    assert_eq!(revoked["data"]["cause"], "replaced");
    assert_eq!(world.state("p-1").await["state"], "added");
}

async fn dw_19_a_sidecar_that_is_told_so_leaves_the_older_credential_in_force(database: Database) {
    let world = World::start_with(database, |config| config.supersede = false).await;
    let record = programme("p-1");
    world.issued(&record).await;
    world.later(SignedDuration::from_secs(2));
    add_again(&world, &record).await;
    let waits = world.caller.get("/v1/backlog").await.expect(200).json;
    assert_eq!(waits["revocations"], json!([]));
    world.work().await;
    assert_eq!(world.statuses().await, [CredentialStatus::Valid; 2]);
    assert_eq!(world.state("p-1").await["state"], "added");
}

/// Anna is asked about the copy that she has, and says that it is gone.
async fn add_again(world: &World, record: &Value) -> Value {
    world.confirm(record).await;
    let refused = world.start_issuing(record).await;
    assert_eq!(refused.expect(409).code(), "answer-about-old-copy");
    let told = json!({ "employee": "e-anna", "record": record["id"], "answer": "deleted" });
    world.caller.post("/v1/old-copies", &told).await.expect(204);
    world.add(record).await
}

async fn dw_59_a_wallet_that_says_no_leaves_nothing_added(database: Database) {
    let world = World::start(database).await;
    world.verify(SESSION, &anna()).await.expect(200);
    let record = programme("p-1");
    world.confirm(&record).await;
    let started = world.start_issuing(&record).await.expect(201);
    let url = started.json["url"].as_str().unwrap();
    let query = world.visit(url, false).await;
    let answer = world.come_back(SESSION, "e-anna", &query).await.expect(200);
    assert_eq!(answer.json["state"]["state"], "not-added");
}

async fn a_record_that_cannot_become_a_credential_is_told_with_its_claim(database: Database) {
    let world = World::start(database).await;
    world.verify(SESSION, &anna()).await.expect(200);
    for (at, value, says) in [
        ("/claims/TPR-Name", json!(""), "TPR-Name is missing"),
        (
            "/claims/TPR-ProgrammeStartDate",
            json!("in August"),
            "TPR-ProgrammeStartDate must be",
        ),
        (
            "/expires_at",
            json!("2020-01-01T00:00:00Z"),
            "ExpiresAt must be",
        ),
        ("/credential_type", json!("Cooking"), "no credential type"),
    ] {
        let mut record = programme("p-1");
        record["expires_at"] = json!("2027-12-31T23:59:59Z");
        *record.pointer_mut(at).unwrap() = value;
        world.confirm(&record).await;
        let refused = world.start_issuing(&record).await.expect(422);
        assert_eq!(refused.code(), "request-unusable");
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{detail}");
    }
}

async fn a_record_of_one_employee_is_not_anothers(database: Database) {
    let world = World::start(database).await;
    world.confirm(&programme("p-1")).await;
    let told = json!({ "employee": "e-ben", "record": programme("p-1") });
    let refused = world.caller.post("/v1/confirmations", &told).await;
    assert_eq!(refused.expect(409).code(), "record-of-somebody-else");
}

async fn dw_62_dw_77_dw_78_a_credential_is_revoked_by_its_serial_number_and_the_employee_is_told(
    database: Database,
) {
    let world = World::start(database).await;
    let issued = world.issued(&programme("p-1")).await;
    let nobodys = json!({ "serial_number": uuid::Uuid::new_v4(), "cause": "corrected" });
    let refused = world.caller.post("/v1/revocations", &nobodys).await;
    assert_eq!(refused.expect(404).code(), "no-such-credential");
    let asked = json!({ "serial_number": issued["serial_number"], "cause": "added-in-error" });
    for said in ["wanted", "before"] {
        let answer = world.caller.post("/v1/revocations", &asked).await;
        assert_eq!(answer.expect(202).json["revocation"], said);
    }
    assert_eq!(world.state("p-1").await["state"], "changed");
    world.work().await;
    let state = world.state("p-1").await;
    assert_eq!(state["state"], "cancelled");
    assert!(state["at"].is_string());
    let mails = world.catcher.messages();
    assert_eq!(mails.len(), 1);
}

async fn what_waits_is_listed_without_values(database: Database) {
    let world = World::start(database).await;
    let issued = world.issued(&programme("p-1")).await;
    let asked = json!({ "serial_number": issued["serial_number"], "cause": "corrected" });
    world
        .caller
        .post("/v1/revocations", &asked)
        .await
        .expect(202);
    let waits = world.caller.get("/v1/backlog").await.expect(200).json;
    assert_eq!(
        waits["revocations"][0]["serial_number"],
        issued["serial_number"]
    );
    assert!(!waits.to_string().contains("Taylor"), "{waits}");
}

async fn dw_19_dw_20_everything_of_a_lost_wallet_is_revoked_and_can_be_added_again_without_a_question(
    database: Database,
) {
    let world = World::start(database).await;
    world.issued(&programme("p-1")).await;
    world.issued(&programme("p-2")).await;
    let asked = json!({ "cause": "wallet-lost" });
    let answer = world
        .caller
        .post("/v1/people/e-anna/revocations", &asked)
        .await;
    assert_eq!(answer.expect(202).json["revocations"], 2);
    world.work().await;
    assert_eq!(world.state("p-1").await["state"], "cancelled");
    world.later(SignedDuration::from_secs(2));
    world.confirm(&programme("p-1")).await;
    // The identity was in that wallet, too.
    let refused = world.start_issuing(&programme("p-1")).await;
    assert_eq!(refused.expect(409).code(), "verify-identity");
    world.verify(SESSION, &anna()).await.expect(200);
    let again = world.add(&programme("p-1")).await;
    assert_eq!(again["state"]["state"], "added");
}
