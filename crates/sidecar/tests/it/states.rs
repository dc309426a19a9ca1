//! The nine states of the standard's list, as a portal in another language hears them. (DW-21)

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::database::{Database, on_both_engines};
use crate::world::{SESSION, World, anna, programme};

on_both_engines!(
    a_portal_hears_each_of_the_nine_states_and_how_the_credential_can_be_added_from_there,
);

async fn a_portal_hears_each_of_the_nine_states_and_how_the_credential_can_be_added_from_there(
    database: Database,
) {
    let world = World::start(database).await;
    let on_file = json!({
        "employee": "e-anna",
        "records": [
            { "id": "p-1", "complete": false },
            { "id": "p-1", "last_day": "2020-01-01" },
            { "id": "p-1", "last_day": "2999-12-31" },
        ],
    });
    let told = world.caller.post("/v1/states", &on_file).await.expect(200);
    let told = told.json["states"].as_array().unwrap().clone();
    is(&told[0], "cannot-add-yet", "none");
    is(&told[1], "ended", "none");
    assert_eq!(told[1]["on"], "2020-01-01");
    is(&told[2], "not-added", "first");
    assert_eq!(told[2]["valid_until"], "2999-12-31");

    let mut record = programme("p-1");
    record["expires_at"] = json!("2027-12-31T23:59:59Z");
    world.verify(SESSION, &anna()).await.expect(200);
    world.confirm(&record).await;
    let started = world.start_issuing(&record).await.expect(201);
    let in_progress = world.state("p-1").await;
    is(&in_progress, "in-progress", "first");
    assert!(in_progress["since"].is_string(), "{in_progress}");

    let query = world
        .visit(started.json["url"].as_str().unwrap(), true)
        .await;
    let back = world.come_back(SESSION, "e-anna", &query).await;
    back.expect(200);
    let added = world.state("p-1").await;
    is(&added, "added", "again");
    assert!(added["at"].is_string(), "{added}");

    world.confirm(&programme("p-2")).await;
    world.add(&programme("p-2")).await;
    let gone = json!({ "change": "ended", "record": "p-2" });
    world.caller.post("/v1/changes", &gone).await.expect(200);
    is(&world.state("p-2").await, "changed", "again");
    world.work().await;
    is(&world.state("p-2").await, "cancelled", "again");

    // The wallet has it, and the answer that would say so does not come.
    let record = programme("p-3");
    world.confirm(&record).await;
    let started = world.start_issuing(&record).await.expect(201);
    let query = world
        .visit(started.json["url"].as_str().unwrap(), true)
        .await;
    world.stop_gateway();
    let back = world.come_back(SESSION, "e-anna", &query).await;
    is(&back.expect(200).json["state"], "checking", "none");
    is(&world.state("p-3").await, "checking", "none");

    world.later(SignedDuration::from_hours(24 * 366 * 2));
    let expired = world.state("p-1").await;
    is(&expired, "expired", "none");
    assert_eq!(expired["on"], "2027-12-31");
}

fn is(told: &Value, state: &str, way_in: &str) {
    assert_eq!(
        (&told["state"], &told["way_in"]),
        (&json!(state), &json!(way_in)),
        "{told}"
    );
}
