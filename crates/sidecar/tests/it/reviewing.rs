//! An identity that somebody has to look at, by the API.

use serde_json::{Value, json};

use crate::database::{Database, on_both_engines};
use crate::world::{SESSION, World, anna, programme};

on_both_engines!(
    dw_44_an_identity_in_doubt_is_told_with_codes_and_no_value_and_issues_nothing,
    dw_28_whoever_was_found_to_be_the_same_shows_the_identity_once_more_and_goes_on,
    dw_42_a_known_as_name_that_is_told_counts_as_a_first_name,
);

/// The host's record of Anna has another surname than her identity.
fn misspelt() -> Value {
    let mut told = anna();
    told["surname"] = json!("Tailor");
    told
}

async fn last(world: &World) -> Value {
    let asked = json!({ "session": SESSION, "employee": "e-anna" });
    let answer = world.caller.post("/v1/sessions/standing", &asked).await;
    answer.expect(200).json["last"].clone()
}

async fn reviews(world: &World) -> Vec<Value> {
    let answer = world.caller.get("/v1/reviews").await.expect(200);
    answer.json["reviews"].as_array().unwrap().clone()
}

async fn dw_44_an_identity_in_doubt_is_told_with_codes_and_no_value_and_issues_nothing(
    database: Database,
) {
    let world = World::start(database).await;
    let answer = world.verify(SESSION, &misspelt()).await.expect(200);
    let why = json!(["surname-differs", "names-similar"]);
    let expected = json!({
        "kind": "verification", "outcome": "review", "why": why, "return_to": "/list", "tries_left": 3,
    });
    assert_eq!(answer.json, expected);
    world.verify(SESSION, &misspelt()).await.expect(200);
    let known = last(&world).await;
    assert_eq!((&known["outcome"], &known["why"]), (&json!("review"), &why));
    let listed = reviews(&world).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["employee"], "e-anna");
    assert_eq!(listed[0]["ends_with"], "8d10");
    let events = world.caller.get("/v1/events").await.expect(200);
    let events = events.json["events"].as_array().unwrap().clone();
    assert_eq!(events.len(), 1, "however often it is shown");
    let event = &events[0]["event"];
    assert_eq!(event["type"], "identity.review");
    let data = json!({ "employee": "e-anna", "review": listed[0]["id"], "why": why });
    assert_eq!(event["data"], data);
    let said = format!("{known}{}{event}", json!(listed));
    for value in ["Taylor", "Tailor", "1990"] {
        assert!(!said.contains(value), "{said}");
    }
    world.confirm(&programme("p-1")).await;
    let refused = world.start_issuing(&programme("p-1")).await;
    assert_eq!(refused.expect(409).code(), "verify-identity");
}

async fn dw_28_whoever_was_found_to_be_the_same_shows_the_identity_once_more_and_goes_on(
    database: Database,
) {
    let world = World::start(database).await;
    world.verify(SESSION, &misspelt()).await.expect(200);
    let id = reviews(&world).await[0]["id"].clone();
    let decide = async |decision: &str, by: &str| {
        let told = json!({ "id": id, "decision": decision, "by": by });
        world.caller.post("/v1/reviews/decide", &told).await
    };
    let own = decide("same", "e-anna").await;
    assert_eq!(own.expect(400).code(), "field-invalid");
    decide("same", "e-hr").await.expect(204);
    let known = last(&world).await;
    assert_eq!(known["decision"], "same");
    world.confirm(&programme("p-1")).await;
    let refused = world.start_issuing(&programme("p-1")).await;
    assert_eq!(refused.expect(409).code(), "verify-identity");
    let answer = world.verify(SESSION, &misspelt()).await.expect(200);
    assert_eq!(answer.json["outcome"], "verified");
    world.start_issuing(&programme("p-1")).await.expect(201);
    // Somebody has looked again.
    decide("not-same", "e-hr").await.expect(204);
    let answer = world.verify(SESSION, &misspelt()).await.expect(200);
    assert_eq!(answer.json["outcome"], "mismatch");
    assert_eq!(answer.json["why"], json!([]));

    // The record is corrected: there is nothing to decide any more.
    world.verify(SESSION, &anna()).await.expect(200);
    assert!(reviews(&world).await.is_empty());
    let gone = decide("same", "e-hr").await;
    assert_eq!(gone.expect(404).code(), "no-such-review");
}

async fn dw_42_a_known_as_name_that_is_told_counts_as_a_first_name(database: Database) {
    let world = World::start(database).await;
    let mut told = anna();
    told["first_names"] = json!("Susannah");
    let answer = world.verify(SESSION, &told).await.expect(200);
    assert_ne!(answer.json["outcome"], "verified");
    told["known_as"] = json!("Anna");
    let answer = world.verify(SESSION, &told).await.expect(200);
    assert_eq!(answer.json["outcome"], "verified");
    let kept = world.caller.get("/v1/people/e-anna").await.expect(200);
    assert_eq!(kept.json["told"]["known_as"], "Anna");
    // What is no longer told counts no longer.
    told["known_as"] = Value::Null;
    let answer = world.verify(SESSION, &told).await.expect(200);
    assert_ne!(answer.json["outcome"], "verified");
}
