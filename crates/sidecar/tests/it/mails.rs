//! Telling employees: holds, and who may not know.

use serde_json::json;

use crate::database::{Database, on_both_engines};
use crate::world::{World, programme};

on_both_engines!(
    a_held_mail_waits_and_the_revocation_does_not,
    whoever_cannot_be_written_to_is_listed_until_somebody_told_them,
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
