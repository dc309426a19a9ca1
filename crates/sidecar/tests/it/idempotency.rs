//! The same POST twice has one effect.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::Statement;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::database::{Database, on_both_engines};
use crate::world::{SESSION, World, anna, programme};

on_both_engines!(
    the_same_key_and_body_give_the_first_answer_and_do_nothing_more,
    the_same_key_with_another_body_is_refused,
    two_at_once_with_one_key_have_one_effect,
    what_failed_here_is_tried_again_and_what_was_refused_is_told_again,
    a_feed_of_any_size_may_bear_a_key,
    a_feed_that_takes_longer_than_a_minute_keeps_its_key,
    the_key_of_a_process_that_died_is_free_after_a_minute,
);

async fn the_same_key_and_body_give_the_first_answer_and_do_nothing_more(database: Database) {
    let world = World::start(database).await;
    let asked = json!({ "session": SESSION, "employee": anna() });
    let caller = &world.caller;
    let first = caller
        .post_with_key("/v1/verifications", "k-1", &asked)
        .await;
    let first = first.expect(201);
    assert!(first.headers.get("idempotent-replayed").is_none());
    let second = caller
        .post_with_key("/v1/verifications", "k-1", &asked)
        .await;
    let second = second.expect(201);
    assert_eq!(first.json, second.json);
    assert_eq!(second.headers["idempotent-replayed"], "true");
    assert_eq!(second.headers["content-type"], "application/json");
    // The key is one for this address; and for a day.
    let elsewhere = json!({ "session": SESSION });
    let other = caller
        .post_with_key("/v1/sessions/end", "k-1", &elsewhere)
        .await;
    other.expect(204);
    world.later(SignedDuration::from_hours(25));
    let third = caller
        .post_with_key("/v1/verifications", "k-1", &asked)
        .await;
    assert_ne!(third.expect(201).json, first.json);
}

async fn the_same_key_with_another_body_is_refused(database: Database) {
    let world = World::start(database).await;
    let told = json!({ "employee": "e-anna", "record": programme("p-1") });
    let caller = &world.caller;
    let first = caller
        .post_with_key("/v1/confirmations", "k-1", &told)
        .await;
    first.expect(201);
    let other = json!({ "employee": "e-anna", "record": programme("p-2") });
    let refused = caller
        .post_with_key("/v1/confirmations", "k-1", &other)
        .await;
    assert_eq!(refused.expect(422).code(), "idempotency-key-reused");
    let long = "k".repeat(256);
    for key in ["", long.as_str()] {
        let refused = caller.post_with_key("/v1/confirmations", key, &told).await;
        assert_eq!(refused.expect(400).code(), "idempotency-key-invalid");
    }
}

async fn two_at_once_with_one_key_have_one_effect(database: Database) {
    let world = World::start(database).await;
    world.verify(SESSION, &anna()).await.expect(200);
    world.confirm(&programme("p-1")).await;
    let asked = json!({ "session": SESSION, "employee": "e-anna", "record": programme("p-1") });
    let ask = || world.caller.post_with_key("/v1/issuings", "k-1", &asked);
    let answers = tokio::join!(ask(), ask(), ask(), ask());
    let answers = [answers.0, answers.1, answers.2, answers.3];
    for answer in answers {
        if answer.status != 201 {
            assert_eq!(answer.expect(409).code(), "idempotency-key-in-use");
        }
    }
    assert_eq!(world.desk().credentials("e-anna").await.unwrap().len(), 1);
}

async fn what_failed_here_is_tried_again_and_what_was_refused_is_told_again(database: Database) {
    let world = World::start(database).await;
    let asked = json!({ "session": SESSION, "employee": "e-anna", "record": programme("p-1") });
    let caller = &world.caller;
    let refused = caller.post_with_key("/v1/issuings", "k-1", &asked).await;
    assert_eq!(refused.expect(409).code(), "verify-identity");
    let again = caller.post_with_key("/v1/issuings", "k-1", &asked).await;
    let again = again.expect(409);
    assert_eq!(again.code(), "verify-identity");
    assert_eq!(again.headers["idempotent-replayed"], "true");

    world.stop_gateway();
    let asked = json!({ "session": SESSION, "employee": anna() });
    for _ in 0..2 {
        let failed = caller
            .post_with_key("/v1/verifications", "k-2", &asked)
            .await;
        let failed = failed.expect(503);
        assert_eq!(failed.code(), "gateway-unavailable");
        assert!(failed.headers.get("idempotent-replayed").is_none());
    }
}

async fn a_feed_of_any_size_may_bear_a_key(database: Database) {
    let world = World::start(database).await;
    world.issued(&programme("p-1")).await;
    let mut feed = String::new();
    for nth in 0..3000 {
        let line = json!({ "change": "deleted", "record": format!("p-{nth}") });
        feed += &line.to_string();
        feed.push('\n');
    }
    let send = |feed: String| {
        let request = world.caller.request(reqwest::Method::POST, "/v1/changes");
        let request = request.header("content-type", "application/x-ndjson");
        crate::caller::send(request.header("idempotency-key", "k-1").body(feed))
    };
    let first = send(feed.clone()).await.expect(200);
    assert_eq!(first.json["revocations"], 1);
    let second = send(feed.clone()).await.expect(200);
    assert_eq!(second.json, first.json);
    assert_eq!(second.headers["idempotent-replayed"], "true");
    let refused = send(format!("{feed}\n")).await;
    assert_eq!(refused.expect(422).code(), "idempotency-key-reused");
}

/// Until when the key of whoever is at work is theirs; nothing as long as nobody is.
async fn reserved_until(world: &World) -> Option<Timestamp> {
    let select = "SELECT expires_at FROM sidecar_answers WHERE status IS NULL";
    let row = world.store.read_one(Statement::new(select)).await.unwrap();
    row.map(|row| row.timestamp("expires_at").unwrap())
}

async fn until_reserved_beyond(world: &World, moment: Timestamp) -> Timestamp {
    for _ in 0..200 {
        match reserved_until(world).await {
            Some(until) if until > moment => return until,
            _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
    panic!("the key is not held on to");
}

async fn a_feed_that_takes_longer_than_a_minute_keeps_its_key(database: Database) {
    let world = World::start(database).await;
    world.issued(&programme("p-1")).await;
    let line = "{\"change\":\"deleted\",\"record\":\"p-1\"}\n";
    let mut slow = world.caller.begin("/v1/changes", "k-1").await;
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    slow.write_all(chunk.as_bytes()).await.unwrap();
    let mut until = until_reserved_beyond(&world, Timestamp::MIN).await;
    for _ in 0..2 {
        world.later(SignedDuration::from_secs(50));
        until = until_reserved_beyond(&world, until).await;
        let beside = world.caller.request(reqwest::Method::POST, "/v1/changes");
        let beside = beside.header("content-type", "application/x-ndjson");
        let beside = beside.header("idempotency-key", "k-1").body(line);
        let refused = crate::caller::send(beside).await.expect(409);
        assert_eq!(refused.code(), "idempotency-key-in-use");
    }
    slow.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answered = String::new();
    slow.read_to_string(&mut answered).await.unwrap();
    assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
    assert!(answered.contains("\"revocations\":1"), "{answered}");
    // And what was answered is remembered for its own time.
    world.later(SignedDuration::from_hours(23));
    world.sidecar.tidy().await.unwrap();
    let again = world.caller.request(reqwest::Method::POST, "/v1/changes");
    let again = again.header("content-type", "application/x-ndjson");
    let again = again.header("idempotency-key", "k-1").body(line);
    let again = crate::caller::send(again).await.expect(200);
    assert_eq!(again.headers["idempotent-replayed"], "true");
}

async fn the_key_of_a_process_that_died_is_free_after_a_minute(database: Database) {
    let world = World::start(database).await;
    let slow = world.caller.begin("/v1/changes", "k-1").await;
    until_reserved_beyond(&world, Timestamp::MIN).await;
    // What a process that is killed leaves: its row, as another one's.
    let left = Statement::new("UPDATE sidecar_answers SET owner = 'somebody who died'");
    world.store.write([left]).await.unwrap();
    // The one that is still there hears of it, and does not go on beside its successor.
    let mut slow = slow;
    let mut answered = String::new();
    slow.read_to_string(&mut answered).await.unwrap();
    assert!(answered.contains("idempotency-key-in-use"), "{answered}");
    let nothing = json!({});
    let send = || {
        let caller = &world.caller;
        caller.post_with_key("/v1/changes", "k-1", &nothing)
    };
    assert_eq!(send().await.expect(409).code(), "idempotency-key-in-use");
    world.later(SignedDuration::from_secs(61));
    assert_ne!(send().await.status, 409);
}
