//! Telling employees: holds, and who may not know.

use jiff::SignedDuration;
use mail_catcher::Fault;
use serde_json::json;

use crate::database::{Database, on_both_engines};
use crate::world::{World, programme};

on_both_engines!(
    a_held_mail_waits_and_the_revocation_does_not,
    whoever_cannot_be_written_to_is_listed_until_somebody_told_them,
    a_mail_that_was_given_up_is_sent_again_when_somebody_says_so,
    whoever_was_told_another_way_is_waited_for_no_more,
    nobody_is_written_to_about_what_has_expired,
    whoever_reads_welsh_is_written_to_in_welsh_until_they_are_said_not_to,
);

async fn a_held_mail_waits_and_the_revocation_does_not(database: Database) {
    let world = World::start(database).await;
    let issued = world.issued(&programme("p-1")).await;
    let hold = json!({ "of": { "employee": "e-anna" }, "reason": "phone-first" });
    world.caller.post("/v1/mail-holds", &hold).await.expect(204);
    let gone = json!({ "change": "deleted", "record": "p-1" });
    world.caller.post("/v1/changes", &gone).await.expect(200);
    world.work().await;
    assert_eq!(world.state("p-1").await["state"], "cancelled");
    assert!(world.catcher.messages().is_empty());
    let both = json!({ "employee": "e-anna", "serial_number": issued["serial_number"] });
    for of in [json!({}), both] {
        let asked = json!({ "of": of });
        let refused = world.caller.post("/v1/mail-holds/release", &asked).await;
        assert_eq!(refused.expect(400).code(), "field-invalid");
    }
    let release = json!({ "of": { "employee": "e-anna" } });
    let released = world.caller.post("/v1/mail-holds/release", &release).await;
    released.expect(204);
    world.work().await;
    assert_eq!(world.catcher.messages().len(), 1);
}

async fn whoever_cannot_be_written_to_is_listed_until_somebody_told_them(database: Database) {
    let world = World::start(database).await;
    let mut anna = crate::world::anna();
    anna["email"] = json!(null);
    world.verify(crate::world::SESSION, &anna).await.expect(200);
    world.confirm(&programme("p-1")).await;
    let issued = world.add(&programme("p-1")).await;
    let gone = json!({ "change": "deleted", "record": "p-1" });
    world.caller.post("/v1/changes", &gone).await.expect(200);
    world.work().await;
    let listed = world.caller.get("/v1/may-still-hold").await.expect(200);
    let people = listed.json["people"].as_array().unwrap().clone();
    assert_eq!(people.len(), 1);
    assert_eq!(people[0]["employee"], "e-anna");
    assert_eq!(people[0]["why"], "no-mail");
    let told = json!({ "serial_number": issued["serial_number"] });
    let kept = world.caller.post("/v1/may-still-hold/told", &told).await;
    kept.expect(204);
    let listed = world.caller.get("/v1/may-still-hold").await.expect(200);
    assert_eq!(listed.json["people"], json!([]));
    let nobodys = json!({ "serial_number": uuid::Uuid::new_v4() });
    let refused = world.caller.post("/v1/may-still-hold/told", &nobodys).await;
    assert_eq!(refused.expect(404).code(), "no-such-credential");
}

/// A credential is cancelled, and the mail server refuses the mail about it for good.
async fn given_up(database: Database) -> (World, serde_json::Value) {
    let world = World::start(database).await;
    let issued = world.issued(&programme("p-1")).await;
    world.catcher.misbehave(Some(Fault::RefuseForGood));
    let gone = json!({ "change": "deleted", "record": "p-1" });
    world.caller.post("/v1/changes", &gone).await.expect(200);
    world.work().await;
    world.catcher.misbehave(None);
    assert_eq!(mails(&world).await[0]["given_up"], true);
    let about = json!({ "serial_number": issued["serial_number"] });
    (world, about)
}

async fn mails(world: &World) -> Vec<serde_json::Value> {
    let backlog = world.caller.get("/v1/backlog").await.expect(200);
    backlog.json["mails"].as_array().unwrap().clone()
}

async fn a_mail_that_was_given_up_is_sent_again_when_somebody_says_so(database: Database) {
    let (world, about) = given_up(database).await;
    world
        .caller
        .post("/v1/mails/again", &about)
        .await
        .expect(204);
    world.work().await;
    assert_eq!(world.catcher.messages().len(), 1);
    assert!(mails(&world).await.is_empty());
    // It is not given up any more.
    let refused = world.caller.post("/v1/mails/again", &about).await;
    assert_eq!(refused.expect(404).code(), "no-such-mail");
}

async fn whoever_was_told_another_way_is_waited_for_no_more(database: Database) {
    let (world, about) = given_up(database).await;
    let told = world.caller.post("/v1/may-still-hold/told", &about).await;
    told.expect(204);
    assert!(mails(&world).await.is_empty());
}

async fn nobody_is_written_to_about_what_has_expired(database: Database) {
    let world = World::start(database).await;
    for record in ["p-1", "p-2"] {
        let mut ends = programme(record);
        ends["expires_at"] = json!("2027-12-31T23:59:59Z");
        world.issued(&ends).await;
    }
    world.later(SignedDuration::from_hours(24 * 366 * 2));
    assert_eq!(world.state("p-1").await["state"], "expired");
    let gone = json!({ "change": "deleted", "record": "p-1" });
    let applied = world.caller.post("/v1/changes", &gone).await.expect(200);
    assert_eq!(applied.json["revocations"], 1);
    let lost = json!({ "cause": "wallet-lost" });
    let lost = world.caller.post("/v1/people/e-anna/revocations", &lost);
    lost.await.expect(202);
    world.work().await;
    for record in ["p-1", "p-2"] {
        assert_eq!(world.state(record).await["state"], "cancelled");
    }
    assert!(world.catcher.messages().is_empty());
    let listed = world.caller.get("/v1/may-still-hold").await.expect(200);
    assert_eq!(listed.json["people"], json!([]));
}

async fn whoever_reads_welsh_is_written_to_in_welsh_until_they_are_said_not_to(database: Database) {
    let world = World::start(database).await;
    let mut anna = crate::world::anna();
    for (language, says) in [
        ("cy", "Annwyl Anna"),
        ("", "Annwyl Anna"),
        ("en", "Dear Anna"),
    ] {
        anna["language"] = json!(language);
        if language.is_empty() {
            anna.as_object_mut().unwrap().remove("language");
        }
        let record = programme(&format!("p-{language}"));
        world.verify(crate::world::SESSION, &anna).await.expect(200);
        world.confirm(&record).await;
        world.add(&record).await;
        let gone = json!({ "change": "deleted", "record": record["id"] });
        world.caller.post("/v1/changes", &gone).await.expect(200);
        world.work().await;
        let mails = world.catcher.messages();
        let text = &mails.last().unwrap().text;
        assert!(text.contains(says), "{language}: {text}");
        world.later(jiff::SignedDuration::from_secs(2));
    }
    anna["language"] = json!("French");
    let asked = json!({ "session": "s", "employee": anna, "return_to": "/list" });
    let refused = world.caller.post("/v1/verifications", &asked).await;
    assert_eq!(refused.expect(400).code(), "body-unreadable");
}
