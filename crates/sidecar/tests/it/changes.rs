//! Records change: one, or a feed of them.

use serde_json::json;

use crate::database::{Database, on_both_engines};
use crate::world::{SESSION, World, anna, programme};

on_both_engines!(
    dw_72_a_record_that_changes_ends_or_goes_is_revoked,
    dw_72_a_feed_revokes_what_changes_ends_or_goes_in_json_lines_and_in_csv,
    dw_73_a_feed_of_what_is_known_already_revokes_nothing,
    a_csv_feed_revokes_what_it_names_and_tells_of_lines_that_it_could_not_read,
    an_empty_claim_is_none_however_it_is_told,
    dw_80_a_change_on_the_way_revokes_what_arrives,
    a_record_that_stands_twice_in_a_feed_says_what_it_says_last,
    a_feed_whose_database_fails_in_the_middle_is_answered,
);

fn csv_of(record: &serde_json::Value) -> (String, String) {
    let claims = record["claims"].as_object().unwrap();
    let names: Vec<&str> = claims.keys().map(String::as_str).collect();
    let values: Vec<&str> = claims
        .values()
        .map(|value| value.as_str().unwrap())
        .collect();
    (names.join(","), values.join(","))
}

async fn dw_72_a_record_that_changes_ends_or_goes_is_revoked(database: Database) {
    let world = World::start(database).await;
    for (record, change, cause) in [
        ("p-1", "changed", "corrected"),
        ("p-2", "ended", "ended-early"),
        ("p-3", "deleted", "added-in-error"),
    ] {
        world.issued(&programme(record)).await;
        let mut told = json!({ "change": change, "record": record });
        if change == "changed" {
            told["credential_type"] = json!("TrainingProgramme");
            told["claims"] = programme(record)["claims"].clone();
            told["claims"]["TPR-Name"] = json!("Neurology");
        }
        let answer = world.caller.post("/v1/changes", &told).await.expect(200);
        assert_eq!(answer.json["read"], 1);
        assert_eq!(answer.json["revocations"], 1, "{change}");
        assert_eq!(world.state(record).await["state"], "changed");
        world.work().await;
        assert_eq!(world.state(record).await["state"], "cancelled");
        let events = world.caller.get("/v1/events").await.json;
        let last = events["events"].as_array().unwrap().last().unwrap();
        assert_eq!(last["event"]["data"]["cause"], cause);
    }
}

async fn dw_72_a_feed_revokes_what_changes_ends_or_goes_in_json_lines_and_in_csv(
    database: Database,
) {
    let world = World::start(database).await;
    world.verify(SESSION, &anna()).await.expect(200);
    for record in ["j-1", "j-2", "j-3", "c-1", "c-2", "c-3", "untouched"] {
        world.confirm(&programme(record)).await;
        world.add(&programme(record)).await;
    }
    let mut other = programme("j-1");
    other["claims"]["TPR-Name"] = json!("Neurology");
    let changed = json!({
        "change": "changed", "record": "j-1", "credential_type": "TrainingProgramme",
        "claims": other["claims"],
    });
    let ended = json!({ "change": "ended", "record": "j-2" });
    let deleted = json!({ "change": "deleted", "record": "j-3" });
    let lines = format!("{changed}\n{ended}\n{deleted}\n");

    let (names, values) = csv_of(&other);
    let empty = ",".repeat(names.matches(',').count());
    let rows = format!(
        "record,change,credential_type,{names}\n\
         c-1,changed,TrainingProgramme,{values}\n\
         c-2,ended,,{empty}\n\
         c-3,deleted,,{empty}\n"
    );
    for (media_type, feed) in [("application/x-ndjson", lines), ("text/csv", rows)] {
        let answer = world.caller.feed(media_type, feed).await.expect(200).json;
        assert_eq!(answer["read"], 3, "{answer}");
        assert_eq!(answer["revocations"], 3, "{answer}");
        assert_eq!(answer["refused_lines"], 0, "{answer}");
    }
    world.work().await;
    for record in ["j-1", "j-2", "j-3", "c-1", "c-2", "c-3"] {
        assert_eq!(world.state(record).await["state"], "cancelled", "{record}");
    }
    assert_eq!(world.state("untouched").await["state"], "added");
    let events = world.caller.get("/v1/events").await.json;
    let mut causes: Vec<&str> = (events["events"].as_array().unwrap().iter())
        .filter_map(|event| event["event"]["data"]["cause"].as_str())
        .collect();
    // What one feed wants, it wants at one moment.
    causes.sort_unstable();
    let each = ["added-in-error", "corrected", "ended-early"];
    assert_eq!(causes, each.map(|cause| [cause; 2]).concat());
}

async fn dw_73_a_feed_of_what_is_known_already_revokes_nothing(database: Database) {
    let world = World::start(database).await;
    world.issued(&programme("p-1")).await;
    let mut feed = String::new();
    for nth in 0..1200 {
        let line = json!({
            "change": "changed", "record": format!("p-{nth}"), "credential_type": "TrainingProgramme",
            "claims": programme("p-1")["claims"],
        });
        feed += &line.to_string();
        feed.push('\n');
    }
    for _ in 0..2 {
        let answer = world
            .caller
            .feed("application/x-ndjson", feed.clone())
            .await;
        let answer = answer.expect(200).json;
        assert_eq!(answer["read"], 1200);
        assert_eq!(answer["revocations"], 0);
    }
    assert_eq!(world.state("p-1").await["state"], "added");
}

async fn a_csv_feed_revokes_what_it_names_and_tells_of_lines_that_it_could_not_read(
    database: Database,
) {
    let world = World::start(database).await;
    world.issued(&programme("p-1")).await;
    world.issued(&programme("p-2")).await;
    let (names, values) = csv_of(&programme("p-1"));
    let empty = ",".repeat(names.matches(',').count());
    let feed = format!(
        "record,change,cause,credential_type,{names}\n\
         p-1,changed,,TrainingProgramme,{values}\n\
         p-2,deleted,wrong-cause,,{empty}\n\
         p-2,deleted,corrected,,{empty}\n\
         p-3,changed\n"
    );
    let answer = world.caller.feed("text/csv", feed).await.expect(200).json;
    assert_eq!(answer["read"], 2, "{answer}");
    assert_eq!(answer["revocations"], 1);
    assert_eq!(answer["refused_lines"], 2);
    let refused = &answer["refused"];
    assert_eq!(refused[0]["line"], 3);
    assert_eq!(refused[0]["code"], "field-invalid");
    assert_eq!(refused[1]["line"], 5);
    assert_eq!(world.state("p-1").await["state"], "added");
    assert_eq!(world.state("p-2").await["state"], "changed");
}

async fn an_empty_claim_is_none_however_it_is_told(database: Database) {
    let world = World::start(database).await;
    let mut record = programme("p-1");
    record["claims"]["TPR-Specialty"] = json!("");
    world.issued(&record).await;
    let (names, values) = csv_of(&record);
    let csv =
        format!("change,record,credential_type,{names}\nchanged,p-1,TrainingProgramme,{values}\n");
    let line = json!({
        "change": "changed", "record": "p-1", "credential_type": "TrainingProgramme", "claims": record["claims"],
    });
    for (media_type, feed) in [
        ("text/csv", csv),
        ("application/x-ndjson", line.to_string()),
    ] {
        let answer = world.caller.feed(media_type, feed).await.expect(200);
        assert_eq!(
            (&answer.json["read"], &answer.json["revocations"]),
            (&json!(1), &json!(0)),
            "{media_type}"
        );
    }
}

async fn dw_80_a_change_on_the_way_revokes_what_arrives(database: Database) {
    let world = World::start(database).await;
    let record = programme("p-1");
    world.verify(SESSION, &anna()).await;
    world.confirm(&record).await;
    let started = world.start_issuing(&record).await.expect(201);
    let gone = json!({ "change": "deleted", "record": "p-1" });
    world.caller.post("/v1/changes", &gone).await.expect(200);
    let query = world
        .visit(started.json["url"].as_str().unwrap(), true)
        .await;
    let answer = world.come_back(SESSION, "e-anna", &query).await.expect(200);
    assert_eq!(answer.json["state"]["state"], "changed");
    world.work().await;
    assert_eq!(world.state("p-1").await["state"], "cancelled");
}

async fn a_record_that_stands_twice_in_a_feed_says_what_it_says_last(database: Database) {
    let world = World::start(database).await;
    world.issued(&programme("p-1")).await;
    let same = json!({
        "change": "changed", "record": "p-1", "credential_type": "TrainingProgramme",
        "claims": programme("p-1")["claims"],
    });
    let gone = json!({ "change": "deleted", "record": "p-1" });
    let answer = world
        .caller
        .feed("application/x-ndjson", format!("{gone}\n{same}\n"))
        .await;
    assert_eq!(answer.expect(200).json["revocations"], 0);
    let answer = world
        .caller
        .feed("application/x-ndjson", format!("{same}\n{gone}\n"))
        .await;
    assert_eq!(answer.expect(200).json["revocations"], 1);
}

async fn a_feed_whose_database_fails_in_the_middle_is_answered(database: Database) {
    let world = World::start(database).await;
    let away = store::Statement::new("ALTER TABLE sidecar_records RENAME TO sidecar_elsewhere");
    world.store.write([away]).await.unwrap();
    let line = "{\"change\":\"deleted\",\"record\":\"p-1\"}\n";
    let feed = world
        .caller
        .feed("application/x-ndjson", line.repeat(20_000));
    let answer = tokio::time::timeout(std::time::Duration::from_secs(30), feed).await;
    assert_eq!(answer.unwrap().expect(500).code(), "internal");
}
