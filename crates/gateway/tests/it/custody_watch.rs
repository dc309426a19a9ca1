//! Holds, interactions and figures over the admin API.

use gateway::admin::Role;
use jiff::SignedDuration;
use serde_json::json;
use store::Statement;

use crate::custody::{credential_of, credentials, interaction_of};
use crate::database::{Database, on_both_engines};
use crate::world::Admin;

on_both_engines!(
    a_hold_is_placed_and_lifted_and_both_are_entries_of_the_audit,
    sec_33_whoever_is_confined_lifts_no_hold_of_the_whole_gateways,
    a_hold_on_an_organisation_that_is_gone_is_lifted_by_whoever_sees_the_whole_gateway,
    an_event_is_held_with_its_credentials_organisation_when_the_interaction_is_forgotten,
    an_interaction_is_found_by_what_is_in_hand_and_tells_why_in_three_voices,
    figures_count_what_one_may_see,
);

async fn a_hold_is_placed_and_lifted_and_both_are_entries_of_the_audit(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let reference = interaction_of(&admin, "anytown").await;
    let of_organisation =
        json!({ "organisation": "anytown", "reason": "inquiry 17", "ticket": "INC-5" });
    let of_interaction = json!({ "interaction": reference, "reason": "inquiry 18" });
    for body in [&of_organisation, &of_interaction] {
        admin.post(&ann, "/admin/v1/holds", body).await.expect(204);
        let why = admin.why("hold-placed").await;
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(why, (text("reason"), text("ticket")));
    }
    let listed = admin.get(&ann, "/admin/v1/holds").await.expect(200).json;
    let subjects: Vec<_> = listed["holds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["subject"])
        .collect();
    assert_eq!(subjects.len(), 2);
    assert!(
        subjects.contains(&&json!(reference)),
        "people are told the reference"
    );
    assert_eq!(
        listed["holds"][0]["placed_by"],
        format!("operator:{}", ann.id).as_str()
    );
    for body in [&of_organisation, &of_interaction] {
        admin
            .post(&ann, "/admin/v1/holds/lift", body)
            .await
            .expect(204);
        admin
            .post(&ann, "/admin/v1/holds/lift", body)
            .await
            .expect(404);
    }
    assert_eq!(admin.entries("hold-placed").await, 2);
    assert_eq!(admin.entries("hold-lifted").await, 2);
    let both = json!({ "organisation": "anytown", "interaction": reference, "reason": "x" });
    admin.post(&ann, "/admin/v1/holds", &both).await.expect(400);
    let plan = admin
        .get(&ann, "/admin/v1/retention/plan")
        .await
        .expect(200)
        .json;
    assert_eq!(plan["rules"][0]["rule"], "personal-values");
}

async fn sec_33_whoever_is_confined_lifts_no_hold_of_the_whole_gateways(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let own = admin
        .operator("own", Role::Administrator, Some("anytown"))
        .await;
    let body = json!({ "organisation": "anytown", "reason": "inquiry 17" });
    admin.post(&ann, "/admin/v1/holds", &body).await.expect(204);
    for path in ["/admin/v1/holds", "/admin/v1/holds/lift"] {
        admin
            .post(&own, path, &body)
            .await
            .expect(409)
            .refused("hold-elsewhere");
    }
    assert_eq!(admin.entries("hold-lifted").await, 0);
    // Nor do they place one on another's, or see one.
    let reference = interaction_of(&admin, "elsewhere").await;
    let of_interaction = json!({ "interaction": reference, "reason": "inquiry 17" });
    let foreign = json!({ "organisation": "elsewhere", "reason": "inquiry 17" });
    for body in [&of_interaction, &foreign] {
        let reply = admin.post(&own, "/admin/v1/holds", body).await;
        reply.expect(404).refused("not-found");
    }
    let reply = admin.post(&ann, "/admin/v1/holds", &foreign).await;
    reply.expect(204);
    let listed = admin.get(&own, "/admin/v1/holds").await.expect(200);
    assert!(!listed.text.contains("elsewhere"), "{}", listed.text);
    admin
        .post(&ann, "/admin/v1/holds/lift", &body)
        .await
        .expect(204);
    // Their own they place and lift.
    admin.post(&own, "/admin/v1/holds", &body).await.expect(204);
    admin
        .post(&own, "/admin/v1/holds/lift", &body)
        .await
        .expect(204);
    admin
        .get(&own, "/admin/v1/retention/plan")
        .await
        .expect(404);
}

async fn a_hold_on_an_organisation_that_is_gone_is_lifted_by_whoever_sees_the_whole_gateway(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let own = admin
        .operator("own", Role::Administrator, Some("anytown"))
        .await;
    let hold = "INSERT INTO legal_holds (kind, subject, reason, placed_at) VALUES ('organisation', 'gone', 'inquiry 17', 1)";
    let app = admin.world.gateway.app();
    app.store.write([Statement::new(hold)]).await.unwrap();
    let body = json!({ "organisation": "gone", "reason": "inquiry 17 is over" });
    let lift = "/admin/v1/holds/lift";
    admin.post(&own, lift, &body).await.expect(404);
    admin.post(&ann, "/admin/v1/holds", &body).await.expect(404);
    admin.post(&ann, lift, &body).await.expect(204);
    admin.post(&ann, lift, &body).await.expect(404);
    assert_eq!(admin.entries("hold-lifted").await, 1);
    assert_eq!(admin.entries("hold-placed").await, 0);
}

async fn an_event_is_held_with_its_credentials_organisation_when_the_interaction_is_forgotten(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let up = admin.operator("up", Role::Operator, None).await;
    let app = admin.world.gateway.app();
    let stream = "INSERT INTO event_streams (client_id, active, last_sequence, failures, due_at, leased_until) \
                  VALUES ('v2', 1, 0, 0, 0, 0) ON CONFLICT (client_id) DO UPDATE SET active = 1";
    app.store.write([Statement::new(stream)]).await.unwrap();
    for organisation in ["anytown", "elsewhere"] {
        let serial = credential_of(&admin, organisation).await;
        let path = format!("/admin/v1/credentials/{serial}/revoke");
        let body = json!({ "reason": "data-error" });
        admin.post(&up, &path, &body).await.expect(200);
    }
    let told = "SELECT client_id FROM events WHERE reference IS NULL";
    let told = async || app.store.read(Statement::new(told)).await.unwrap().len();
    assert_eq!(told().await, 2);
    let hold = json!({ "organisation": "anytown", "reason": "inquiry 17" });
    admin.post(&ann, "/admin/v1/holds", &hold).await.expect(204);
    admin.world.later(SignedDuration::from_hours(24 * 100));
    let lengths = admin.world.config.kept_for();
    let due = async || {
        let plan = gateway::retention::plan(&app.store, app.now(), lengths);
        let plan = plan.await.unwrap();
        let one = plan.iter().find(|one| one.rule == "events").unwrap();
        (one.rows, one.held)
    };
    assert_eq!(due().await, (1, 1));
    admin.world.gateway.tidy_once().await.unwrap();
    assert_eq!(told().await, 1);
    let lift = Statement::new("DELETE FROM legal_holds");
    app.store.write([lift]).await.unwrap();
    assert_eq!(due().await, (1, 0));
}

async fn an_interaction_is_found_by_what_is_in_hand_and_tells_why_in_three_voices(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let desk = admin.operator("sue", Role::Desk, Some("anytown")).await;
    let stranger = admin.operator("other", Role::Desk, Some("elsewhere")).await;
    let party = admin.world.party("plain");
    let pushed = admin
        .world
        .push(&party, |form| {
            form.set("scope", "openid TrainingProgramme");
            form.set("state", "a state of its own");
        })
        .await;
    let request_uri = pushed.json["request_uri"].as_str().unwrap().to_owned();
    admin.world.later(SignedDuration::from_mins(11));
    let find = "/admin/v1/interactions/find";
    let found = admin
        .post(&desk, find, &json!({ "interaction": request_uri }))
        .await
        .expect(200);
    let one = &found.json["interactions"][0];
    assert_eq!(one["cause"]["code"], "not-opened");
    for voice in ["person", "desk", "developer"] {
        assert!(!one["cause"][voice].as_str().unwrap().is_empty(), "{voice}");
    }
    let reference = one["reference"].as_str().unwrap().to_lowercase();
    let by_reference = admin
        .get(&desk, &format!("/admin/v1/interactions/{reference}"))
        .await;
    assert_eq!(by_reference.expect(200).json, found.json);
    for body in [
        json!({ "state": "a state of its own" }),
        json!({ "state": "a state of its own", "client_id": "plain" }),
    ] {
        let of_state = admin.post(&desk, find, &body).await.expect(200);
        assert_eq!(of_state.json, found.json);
        admin.post(&stranger, find, &body).await.expect(404);
    }
    for body in [
        json!({ "interaction": "a\u{1}b" }),
        json!({ "state": "another" }),
    ] {
        admin.post(&desk, find, &body).await.expect(404);
    }
    let failures = "/admin/v1/interactions/failures";
    let counted = admin.get(&desk, failures).await.expect(200).json;
    assert_eq!(counted["failures"][0]["cause"], "not-opened");
    assert_eq!(counted["failures"][0]["count"], 1);
    let none = admin.get(&stranger, failures).await.expect(200).json;
    assert_eq!(none["failures"], json!([]));
    admin
        .get(&desk, "/admin/v1/interactions/failures?hours=0")
        .await
        .expect(400);
}

async fn figures_count_what_one_may_see(database: Database) {
    let admin = Admin::start(database).await;
    let all = admin.operator("all", Role::Viewer, None).await;
    let own = admin.operator("own", Role::Viewer, Some("anytown")).await;
    credentials(&admin, "anytown", "none", 3).await;
    credential_of(&admin, "elsewhere").await;
    interaction_of(&admin, "anytown").await;
    interaction_of(&admin, "elsewhere").await;
    let sum = |figures: &serde_json::Value, name: &str| -> i64 {
        let rows = figures[name].as_array().unwrap();
        rows.iter().map(|row| row["begun"].as_i64().unwrap()).sum()
    };
    let path = "/admin/v1/figures";
    let figures = admin.get(&all, path).await.expect(200).json;
    assert_eq!((sum(&figures, "by_hour"), sum(&figures, "by_day")), (2, 2));
    assert_eq!(figures["by_hour"].as_array().unwrap().len(), 24);
    assert_eq!(figures["credentials"].as_array().unwrap().len(), 2);
    assert_eq!(figures["queues"]["open_interactions"], 2);
    let theirs = admin.get(&own, path).await.expect(200).json;
    assert_eq!(sum(&theirs, "by_hour"), 1);
    assert_eq!(theirs["credentials"].as_array().unwrap().len(), 1);
    assert_eq!(theirs["credentials"][0]["in_force"], 3);
    assert_eq!(theirs["queues"]["open_interactions"], 1);
    let ages = theirs["ages"].as_array().unwrap();
    assert!(
        ages.iter()
            .all(|age| !age["name"].as_str().unwrap().contains("elsewhere"))
    );
    // Counted once a minute, however many look.
    interaction_of(&admin, "anytown").await;
    assert_eq!(sum(&admin.get(&own, path).await.json, "by_hour"), 1);
    admin.world.later(SignedDuration::from_secs(61));
    assert_eq!(sum(&admin.get(&own, path).await.json, "by_hour"), 2);
}
