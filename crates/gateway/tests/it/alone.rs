//! What one person may do alone about credentials and keys: who notices, who hears of it, and where a second person is asked.

use std::sync::atomic::Ordering;

use gateway::admin::Role;
use gateway::audit::{Act, Actor, Entry};
use gateway::operator::NewOperator;
use gateway::revoke::bulk::{self, Order};
use gateway::revoke::serials::Serials;
use gateway::status::Reason;
use jiff::SignedDuration;
use serde_json::json;
use store::Statement;

use crate::custody::{credential_of, credentials, interaction_of, key_of};
use crate::database::{Database, on_both_engines};
use crate::key_stage::desk;
use crate::receiver::Receiver;
use crate::webhook::{ask, told};
use crate::world::{Admin, Caller, Reply};

on_both_engines!(
    sec_13_a_key_takes_no_more_credentials_with_it_than_the_second_person_saw,
    sec_13_who_revokes_many_one_by_one_is_noticed_and_then_needs_a_second_person,
    sec_13_who_says_twice_that_a_key_is_compromised_leaves_one_job,
    sec_13_a_plan_of_a_compromise_stands_for_the_documents_that_it_named,
    a_compromised_key_is_told_to_those_who_believed_it,
    who_looks_at_a_credential_or_an_interaction_is_an_entry_of_the_audit,
    a_job_of_the_command_line_says_that_the_command_is_run_again,
);

async fn sec_13_a_key_takes_no_more_credentials_with_it_than_the_second_person_saw(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let kim = admin.operator("kim", Role::KeyCustodian, None).await;
    let lee = admin.operator("lee", Role::KeyCustodian, None).await;
    let key = key_of(&admin, "anytown");
    let serials = credentials(&admin, "anytown", &key, 2).await;
    let rotate = json!({ "place": "anytown.credentials", "at_once": true });
    let rotated = admin.post(&kim, "/admin/v1/keys/rotate", &rotate).await;
    rotated.expect(200);
    let detail = json!({ "key": key, "force": true });
    let proposal = admin.propose(&kim, "key-remove", detail).await;
    let path = format!("/admin/v1/proposals/{proposal}");
    let shown = admin.get(&lee, &path).await.expect(200).json;
    assert_eq!(shown["detail"]["in_force"], 2);

    credentials(&admin, "anytown", &key, 1).await;
    let refused = admin.decide(&lee, &proposal, "approve").await;
    refused.expect(409).refused("changed-meanwhile");
    let path = format!("/admin/v1/keys/{key}");
    let now = admin.get(&kim, &path).await.expect(200).json;
    assert_eq!(now["state"], "verify-only");

    // Fewer is what they agreed to, and less.
    let revoke = "UPDATE credentials SET revoked_at = $1 WHERE serial_number = $2";
    let app = admin.world.gateway.app();
    for serial in &serials {
        let revoke = Statement::new(revoke).bind(app.now()).bind(serial);
        app.store.write([revoke.must_change(1)]).await.unwrap();
    }
    admin.decide(&lee, &proposal, "approve").await.expect(200);
    let now = admin.get(&kim, &path).await.expect(200).json;
    assert_eq!(now["state"], "removed");
}

async fn revoke(admin: &Admin, by: &Caller) -> Reply {
    let serial = credential_of(admin, "anytown").await;
    let path = format!("/admin/v1/credentials/{serial}/revoke");
    admin
        .post(by, &path, &json!({ "reason": "lost-device" }))
        .await
}

/// As if that operator had revoked so many more.
async fn had_revoked(admin: &Admin, by: &Caller, number: usize) {
    let app = admin.world.gateway.app();
    let entry = |at: usize| {
        let credential = ("credential", format!("earlier-{at}"));
        let object = (credential.0, credential.1.as_str());
        let actor = Actor::Operator(&by.id);
        Statement::from(Entry::new(actor, Act::CredentialRevoked, object, app.now()))
    };
    app.store.write((0..number).map(entry)).await.unwrap();
}

async fn sec_13_who_revokes_many_one_by_one_is_noticed_and_then_needs_a_second_person(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Operator, None).await;
    let bob = admin.operator("bob", Role::Operator, None).await;
    let app = admin.world.gateway.app();
    let alarms = || app.metrics.many_revoked_by_one.load(Ordering::Relaxed);
    had_revoked(&admin, &ann, 19).await;
    revoke(&admin, &ann).await.expect(200);
    assert_eq!(alarms(), 0, "twenty are a day's work");
    // What is revoked already is none more.
    let serial = credential_of(&admin, "anytown").await;
    let path = format!("/admin/v1/credentials/{serial}/revoke");
    let lost = json!({ "reason": "lost-device" });
    admin.post(&bob, &path, &lost).await.expect(200);
    admin.post(&ann, &path, &lost).await.expect(200);
    assert_eq!(alarms(), 0);

    revoke(&admin, &ann).await.expect(200);
    assert_eq!(alarms(), 1, "done, and noticed");
    revoke(&admin, &ann).await.expect(200);
    assert_eq!(alarms(), 1, "noticed once");
    assert_eq!(admin.entries("many-revoked-by-one").await, 1);

    had_revoked(&admin, &ann, 178).await;
    let refused = revoke(&admin, &ann).await.expect(409);
    let refused = refused.refused("two-persons-needed");
    assert!(refused.text.contains("200 credentials"), "{}", refused.text);
    // Nor with another account of the same person; somebody else is somebody else.
    let other = NewOperator {
        name: "ann-of-anytown",
        role: Role::Operator,
        organisation: Some("anytown"),
        person: Some(&ann.id),
        break_glass: false,
    };
    let other = admin.new_operator(other).await;
    let refused = revoke(&admin, &other).await;
    refused.expect(409).refused("two-persons-needed");
    revoke(&admin, &bob).await.expect(200);
    // Suspending is undone; it is not counted.
    let serial = credential_of(&admin, "anytown").await;
    let path = format!("/admin/v1/credentials/{serial}/suspend");
    admin.post(&ann, &path, &lost).await.expect(200);
    admin.world.later(SignedDuration::from_mins(61));
    revoke(&admin, &ann).await.expect(200);
}

async fn sec_13_who_says_twice_that_a_key_is_compromised_leaves_one_job(database: Database) {
    let admin = Admin::start(database).await;
    let kim = admin.operator("kim", Role::KeyCustodian, None).await;
    let ann = admin.operator("ann", Role::Operator, None).await;
    let key = key_of(&admin, "anytown");
    credentials(&admin, "anytown", &key, 3).await;
    let path = format!("/admin/v1/keys/{key}/compromise");
    let say = async || {
        let plan = admin.get(&kim, &path).await.expect(200).json;
        let body = json!({ "plan": plan["plan"], "ticket": "INC-2" });
        let done = admin.post(&kim, &path, &body).await.expect(200).json;
        done["job"].as_str().unwrap().to_owned()
    };
    let job = say().await;
    assert_eq!(say().await, job);
    let jobs = "/admin/v1/bulk-revocations";
    let listed = admin.get(&ann, jobs).await.expect(200).json;
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(admin.entries("bulk-revocation-counted").await, 1);
    let metrics = &admin.world.gateway.app().metrics;
    assert_eq!(metrics.keys_compromised.load(Ordering::Relaxed), 1);
    // After one that was stopped what is left is written down anew.
    let stop = format!("{jobs}/{job}/stop");
    admin.post(&ann, &stop, &json!({})).await.expect(200);
    let another = say().await;
    assert_ne!(another, job);
    let look = format!("{jobs}/{another}");
    let counted = admin.get(&ann, &look).await.expect(200).json;
    assert_eq!(counted["dry_run"]["in_force"], 3);
}

async fn sec_13_a_plan_of_a_compromise_stands_for_the_documents_that_it_named(database: Database) {
    let scene = crate::admin_registry::Scene::with_newtown(database).await;
    let admin = &scene.admin;
    let kim = admin.operator("kim", Role::KeyCustodian, None).await;
    admin.world.gateway.follow_once().await.unwrap();
    let key = key_of(admin, "newtown");
    let path = format!("/admin/v1/keys/{key}/compromise");
    let plan = admin.get(&kim, &path).await.expect(200).json;
    // Numbers go on while somebody reads.
    credentials(admin, "newtown", &key, 1).await;
    let again = admin.get(&kim, &path).await.expect(200).json;
    assert_eq!(again["plan"], plan["plan"]);
    let did = json!({ "change": { "did": "did:web:newtown.example" } });
    let path_of = "/organisations/newtown";
    let changed = scene.send(&scene.ann, "PATCH", path_of, &did).await;
    changed.expect(200);
    admin.world.gateway.follow_once().await.unwrap();
    let body = json!({ "plan": plan["plan"], "ticket": "INC-2" });
    let refused = admin.post(&kim, &path, &body).await;
    refused.expect(409).refused("changed-meanwhile");
}

async fn a_compromised_key_is_told_to_those_who_believed_it(database: Database) {
    let (v2, plain, stranger) = (
        Receiver::up().await,
        Receiver::up().await,
        Receiver::up().await,
    );
    let receivers = [("v2", &v2), ("plain", &plain), ("stranger", &stranger)];
    let admin = Admin::of(told(database, &receivers).await).await;
    let kim = admin.operator("kim", Role::KeyCustodian, None).await;
    let say = async |key: &str| {
        let path = format!("/admin/v1/keys/{key}/compromise");
        let plan = admin.get(&kim, &path).await.expect(200).json;
        let body = json!({ "plan": plan["plan"], "ticket": "INC-2" });
        admin.post(&kim, &path, &body).await.expect(200);
    };
    let key = key_of(&admin, "anytown");
    say(&key).await;
    // Once more is no second event.
    say(&key).await;
    admin.world.gateway.deliver_once().await.unwrap();
    let one = [(1, "key.compromised".to_owned())];
    assert_eq!((v2.story(), plain.story()), (one.to_vec(), one.to_vec()));
    assert_eq!(stranger.story(), []);
    let events = [&v2, &plain].map(|receiver| receiver.received()[0].event.clone());
    let expected = json!({ "signing_key": { "id": key, "purpose": "credentials" } });
    assert_eq!(events[0]["data"], expected);
    assert_ne!(events[0]["id"], events[1]["id"], "each client has its own");
    let listed = ask(&admin.world, &admin.world.party("v2"), "/events", 0).await;
    assert_eq!(listed.json["events"][0]["event"], events[0]);
    // A key of the gateway's everybody believed; the machine's command says so, too.
    let app = admin.world.gateway.app();
    let key = app.keys.id_token(gateway::keys::KeyPurpose::IdTokenRs256);
    let key = key.unwrap().public_jwk().kid().unwrap().to_owned();
    let machine = desk(&admin.world).await;
    machine.compromised(&key).await.unwrap();
    admin.world.later(SignedDuration::from_secs(1));
    admin.world.gateway.deliver_once().await.unwrap();
    assert_eq!((v2.story().len(), stranger.story()), (2, one.to_vec()));
    let data = &stranger.received()[0].event["data"]["signing_key"];
    assert_eq!(data["purpose"], "id-token-rs256");
}

async fn who_looks_at_a_credential_or_an_interaction_is_an_entry_of_the_audit(database: Database) {
    let admin = Admin::start(database).await;
    let sue = admin.operator("sue", Role::Desk, None).await;
    let tom = admin.operator("tom", Role::Desk, Some("elsewhere")).await;
    let serial = credential_of(&admin, "anytown").await;
    let reference = interaction_of(&admin, "anytown").await;
    let views = async || {
        let views = ["credential-viewed", "interaction-viewed"];
        [admin.entries(views[0]).await, admin.entries(views[1]).await]
    };
    let credential = format!("/admin/v1/credentials/{serial}");
    let interaction = format!("/admin/v1/interactions/{reference}");
    // What somebody may not see they have not looked at.
    admin.get(&tom, &credential).await.expect(404);
    admin.get(&tom, &interaction).await.expect(404);
    assert_eq!(views().await, [0, 0]);
    // A page asks more than once.
    for _ in 0..2 {
        admin.get(&sue, &credential).await.expect(200);
        admin.get(&sue, &interaction).await.expect(200);
    }
    let find = "/admin/v1/interactions/find";
    let body = json!({ "interaction": reference });
    admin.post(&sue, find, &body).await.expect(200);
    assert_eq!(views().await, [1, 1]);
    let app = admin.world.gateway.app();
    let entries = "SELECT actor, organisation, object FROM audit_entries WHERE act LIKE '%-viewed' ORDER BY act";
    let entries = app.store.read(Statement::new(entries)).await.unwrap();
    for (entry, object) in entries.iter().zip([
        format!("credential:{serial}"),
        format!("interaction:{reference}"),
    ]) {
        assert_eq!(entry.text("object").unwrap(), object);
        assert_eq!(entry.text("actor").unwrap(), format!("operator:{}", sue.id));
        assert_eq!(entry.text("organisation").unwrap(), "anytown");
    }
    // Somebody else looks, and somebody looks again later.
    let bob = admin.operator("bob", Role::Operator, None).await;
    admin.get(&bob, &credential).await.expect(200);
    admin.world.later(SignedDuration::from_mins(2));
    admin.get(&sue, &interaction).await.expect(200);
    assert_eq!(views().await, [2, 2]);
    // What is done is an entry of its own; what was done before is looked at.
    let revoke = format!("{credential}/revoke");
    let body = json!({ "reason": "lost-device" });
    admin.post(&bob, &revoke, &body).await.expect(200);
    assert_eq!(views().await, [2, 2]);
    admin.post(&bob, &revoke, &body).await.expect(200);
    assert_eq!(views().await, [3, 2]);
    // Whether all is well is asked every few seconds, and shows nobody's data.
    let before = count(&admin).await;
    let vic = admin.operator("vic", Role::Viewer, None).await;
    for path in [
        "/admin/v1/checks",
        "/admin/v1/figures",
        "/admin/v1/interactions/failures",
    ] {
        admin.get(&vic, path).await.expect(200);
    }
    assert_eq!(count(&admin).await, before + 1, "the new viewer alone");
}

async fn count(admin: &Admin) -> i64 {
    let select = Statement::new("SELECT COUNT(*) AS count FROM audit_entries");
    let row = admin.world.gateway.app().store.read_one(select).await;
    row.unwrap().unwrap().integer("count").unwrap()
}

async fn a_job_of_the_command_line_says_that_the_command_is_run_again(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Operator, None).await;
    let serial = credential_of(&admin, "anytown").await;
    let order = Order {
        organisation: "anytown",
        credential_type: None,
        reason: Reason::DataError,
        note: "",
        ticket: "INC-1",
        pace: std::num::NonZeroU32::MIN,
    };
    let app = admin.world.gateway.app();
    let serials = Serials::parse(serial.as_bytes()).unwrap();
    let job = bulk::begin(&app.store, &order, &serials, Vec::new(), app.now()).await;
    let path = format!("/admin/v1/bulk-revocations/{}", job.unwrap());
    let says = async |path: &str, text: &str| {
        let now = admin.get(&ann, path).await.expect(200).json;
        let advice = now["advice"].as_str().unwrap_or_default();
        assert!(advice.contains(text), "{text}: {now}");
    };
    says(&path, "run the command again").await;
    let paused = admin.post(&ann, &format!("{path}/pause"), &json!({})).await;
    paused.expect(200);
    says(&path, "resume it here").await;
    // The gateway works on what was uploaded.
    let uploaded = crate::custody::uploaded(&admin, &ann, "anytown", &[serial]).await;
    let path = format!("/admin/v1/bulk-revocations/{uploaded}");
    let now = admin.get(&ann, &path).await.expect(200).json;
    assert!(now.get("advice").is_none(), "{now}");
}
