//! Step 6 by the API.

use serde_json::json;

use crate::caller::Caller;
use crate::database::{Database, on_both_engines};
use crate::world::{SESSION, World, anna};

on_both_engines!(
    dw_28_an_identity_is_verified_once_in_a_session_and_said_to_the_host,
    dw_30_what_is_verified_counts_in_its_session_for_its_employee_and_nowhere_else,
    dw_44_a_mismatch_is_told_without_a_value_and_ends_after_three,
    dw_41_a_callback_counts_once_in_the_session_that_began,
    a_person_who_is_called_otherwise_now_is_verified_anew,
);

async fn standing(caller: &Caller, session: &str, employee: &str) -> serde_json::Value {
    let asked = json!({ "session": session, "employee": employee });
    let answer = caller.post("/v1/sessions/standing", &asked).await;
    answer.expect(200).json
}

async fn dw_28_an_identity_is_verified_once_in_a_session_and_said_to_the_host(database: Database) {
    let world = World::start(database).await;
    let answer = world.verify(SESSION, &anna()).await.expect(200);
    let expected = json!({
        "kind": "verification", "outcome": "verified", "why": [], "return_to": "/list", "tries_left": 3,
    });
    assert_eq!(answer.json, expected);
    let known = standing(&world.caller, SESSION, "e-anna").await;
    assert_eq!(known["last"]["outcome"], "verified");
    assert!(known["verified_at"].is_string(), "{known}");

    let over = json!({ "session": SESSION });
    let ended = world.caller.post("/v1/sessions/end", &over).await;
    ended.expect(204);
    let known = standing(&world.caller, SESSION, "e-anna").await;
    assert!(known["verified_at"].is_null(), "{known}");
}

async fn dw_30_what_is_verified_counts_in_its_session_for_its_employee_and_nowhere_else(
    database: Database,
) {
    let world = World::start(database).await;
    world.verify(SESSION, &anna()).await.expect(200);
    for (session, employee) in [("another-session", "e-anna"), (SESSION, "e-ben")] {
        let known = standing(&world.caller, session, employee).await;
        assert!(known["verified_at"].is_null(), "{session} {employee}");
    }
}

async fn dw_44_a_mismatch_is_told_without_a_value_and_ends_after_three(database: Database) {
    let world = World::start(database).await;
    let mut ben = anna();
    ben["id"] = json!("e-ben");
    ben["surname"] = json!("Osei");
    for left in [2, 1, 0] {
        let answer = world.verify(SESSION, &ben).await.expect(200);
        assert_eq!(answer.json["outcome"], "mismatch");
        assert_eq!(answer.json["tries_left"], left);
        let said = answer.json.to_string();
        assert!(!said.contains("Taylor") && !said.contains("1990"), "{said}");
    }
    let asked = json!({ "session": SESSION, "employee": ben });
    let refused = world.caller.post("/v1/verifications", &asked).await;
    assert_eq!(refused.expect(409).code(), "no-more-tries");
}

async fn dw_41_a_callback_counts_once_in_the_session_that_began(database: Database) {
    let world = World::start(database).await;
    let asked = json!({ "session": SESSION, "employee": anna() });
    let started = world.caller.post("/v1/verifications", &asked).await;
    let url = started.expect(201).json["url"].as_str().unwrap().to_owned();
    let query = world.visit(&url, true).await;
    for (session, employee, query) in [
        ("another-session", "e-anna", query.as_str()),
        (SESSION, "e-ben", query.as_str()),
        (SESSION, "e-anna", "code=guessed&state=guessed"),
        (SESSION, "e-anna", ""),
    ] {
        let refused = world.come_back(session, employee, query).await;
        assert_eq!(refused.expect(409).code(), "callback-not-ours");
    }
    world.come_back(SESSION, "e-anna", &query).await.expect(200);
    let again = world.come_back(SESSION, "e-anna", &query).await;
    assert_eq!(again.expect(409).code(), "callback-not-ours");
}

async fn a_person_who_is_called_otherwise_now_is_verified_anew(database: Database) {
    let world = World::start(database).await;
    world.verify(SESSION, &anna()).await.expect(200);
    let mut married = anna();
    married["surname"] = json!("Taylor-Okafor");
    let asked = json!({ "session": "another-session", "employee": married });
    let started = world.caller.post("/v1/verifications", &asked).await;
    started.expect(201);
    let known = standing(&world.caller, SESSION, "e-anna").await;
    assert!(known["verified_at"].is_null(), "{known}");
}
