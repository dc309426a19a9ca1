//! Keys over the admin API: the same states, with two persons where a key goes, and a plan before an emergency.

use gateway::admin::Role;
use gateway::keys::acts::{PUBLISHED_AFTER, PUBLISHED_BEFORE};
use gateway::keys::{KeyPurpose, State};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::Statement;

use crate::custody::{credentials, key_of};
use crate::database::{Database, on_both_engines};
use crate::key_stage::{KeyStage, brought, code, desk, kid};
use crate::world::{Admin, Caller, Reply};

on_both_engines!(
    a_custodian_changes_a_key_and_two_custodians_remove_the_old_one,
    sec_13_a_compromised_key_is_planned_first_and_leaves_what_two_persons_revoke,
    sec_33_a_custodian_of_one_organisation_sees_and_changes_its_keys_only,
    a_key_that_signed_checkpoints_is_never_removed,
    a_reported_key_of_the_audit_leaves_its_public_half_in_the_audit,
    what_a_crash_left_of_a_removed_key_is_destroyed,
    keys_that_are_taken_over_or_declared_are_entries_of_the_audit,
);

const PLACE: &str = "anytown.credentials";

struct Scene {
    admin: Admin,
    kim: Caller,
    lee: Caller,
}

impl Scene {
    async fn start(database: Database) -> Self {
        let admin = Admin::start(database).await;
        Self {
            kim: admin.operator("kim", Role::KeyCustodian, None).await,
            lee: admin.operator("lee", Role::KeyCustodian, None).await,
            admin,
        }
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.admin.post(&self.kim, path, &body).await
    }

    async fn follow(&self) {
        self.admin.world.gateway.follow_once().await.unwrap();
    }

    async fn state(&self, key: &str) -> String {
        let path = format!("/admin/v1/keys/{key}");
        let reply = self.admin.get(&self.kim, &path).await.expect(200);
        reply.json["state"].as_str().unwrap().to_owned()
    }
}

fn changed(reply: &Reply, state: &str) -> String {
    let changes = reply.json["changes"].as_array().unwrap();
    let one = changes.iter().find(|one| one["state"] == state);
    one.unwrap()["key"].as_str().unwrap().to_owned()
}

/// DW-88.
async fn a_custodian_changes_a_key_and_two_custodians_remove_the_old_one(database: Database) {
    let scene = Scene::start(database).await;
    let first = key_of(&scene.admin, "anytown");
    let entries = scene.admin.entries("signing-key-changed").await;
    let grounds = json!({ "place": PLACE, "reason": "yearly", "ticket": "INC-1" });
    let made = scene
        .post("/admin/v1/keys", grounds.clone())
        .await
        .expect(200);
    let next = changed(&made, "next");
    let why = scene.admin.why("signing-key-changed").await;
    assert_eq!(why, ("yearly".to_owned(), "INC-1".to_owned()));
    scene
        .post("/admin/v1/keys", grounds)
        .await
        .expect(409)
        .refused("key-next-there");
    let activate = format!("/admin/v1/keys/{next}/activate");
    scene
        .post(&activate, json!({}))
        .await
        .expect(409)
        .refused("key-too-young");
    scene
        .admin
        .world
        .later(PUBLISHED_BEFORE + SignedDuration::from_secs(1));
    let reply = scene.post(&activate, json!({})).await.expect(200);
    assert_eq!(changed(&reply, "verify-only"), first);
    scene.follow().await;
    assert_eq!(key_of(&scene.admin, "anytown"), next);

    let listed = scene
        .admin
        .get(&scene.kim, "/admin/v1/keys")
        .await
        .expect(200);
    let keys = listed.json["keys"].as_array().unwrap();
    let old = keys.iter().find(|key| key["id"] == first.as_str()).unwrap();
    assert_eq!(old["place"], PLACE);
    assert_eq!(old["state"], "verify-only");
    assert_eq!(old["credentials_in_force"], 0);
    assert_eq!(old["published_in"].as_array().unwrap().len(), 2);
    assert!(old["published_until"].is_string());

    let propose = json!({ "act": "key-remove", "detail": { "key": first } });
    let early = scene.post("/admin/v1/proposals", propose.clone()).await;
    early.expect(409).refused("key-still-believed");
    let later = PUBLISHED_BEFORE + PUBLISHED_AFTER + SignedDuration::from_secs(60);
    scene.admin.world.later(later);
    let proposal = scene
        .admin
        .propose(&scene.kim, "key-remove", json!({ "key": first }))
        .await;
    assert_eq!(scene.state(&first).await, "verify-only");
    let own = scene.admin.decide(&scene.kim, &proposal, "approve").await;
    own.expect(409).refused("second-person-needed");
    let file = scene.admin.world.config.keys.join(format!("{PLACE}.pem"));
    assert!(file.exists());
    scene
        .admin
        .decide(&scene.lee, &proposal, "approve")
        .await
        .expect(200);
    assert_eq!(scene.state(&first).await, "removed");
    scene.follow().await;
    assert!(!file.exists(), "a key that is gone is destroyed");
    scene
        .post("/admin/v1/proposals", propose)
        .await
        .expect(409)
        .refused("key-state");
    // Made, activated with the one before retired, removed.
    assert_eq!(
        scene.admin.entries("signing-key-changed").await,
        entries + 4
    );
}

async fn sec_13_a_compromised_key_is_planned_first_and_leaves_what_two_persons_revoke(
    database: Database,
) {
    let scene = Scene::start(database).await;
    let leaked = key_of(&scene.admin, "anytown");
    let serials = credentials(&scene.admin, "anytown", &leaked, 3).await;
    let path = format!("/admin/v1/keys/{leaked}/compromise");
    let plan = scene.admin.get(&scene.kim, &path).await.expect(200).json;
    assert_eq!(plan["in_force"], 3);
    assert_eq!(plan["makes_another"], true);
    assert_eq!(plan["documents"].as_array().unwrap().len(), 2);
    assert_eq!(scene.state(&leaked).await, "active");

    let body = json!({ "plan": plan["plan"], "ticket": "INC-2" });
    let unseen = json!({ "plan": "0000000000000000", "ticket": "INC-2" });
    scene
        .post(&path, unseen)
        .await
        .expect(409)
        .refused("changed-meanwhile");
    // Another key waits since: what was planned is not what would be done.
    let made = scene
        .post("/admin/v1/keys", json!({ "place": PLACE }))
        .await
        .expect(200);
    scene
        .post(&path, body)
        .await
        .expect(409)
        .refused("changed-meanwhile");
    let plan = scene.admin.get(&scene.kim, &path).await.expect(200).json;
    assert_eq!(plan["next"], changed(&made, "next").as_str());
    let body = json!({ "plan": plan["plan"], "ticket": "INC-2" });
    let done = scene.post(&path, body).await.expect(200);
    assert_eq!(changed(&done, "compromised"), leaked);
    assert_eq!(changed(&done, "active"), changed(&made, "next"));
    scene.follow().await;
    let app = scene.admin.world.gateway.app();
    assert!(
        app.keys
            .find(KeyPurpose::Credentials, "anytown", &leaked)
            .is_none()
    );
    assert!(
        !scene
            .admin
            .world
            .config
            .keys
            .join(format!("{PLACE}.pem"))
            .exists()
    );

    // What it signed is refused already; to revoke it takes two persons who may revoke.
    let job = done.json["job"].as_str().unwrap().to_owned();
    let ann = scene.admin.operator("ann", Role::Operator, None).await;
    let bob = scene.admin.operator("bob", Role::Administrator, None).await;
    let look = format!("/admin/v1/bulk-revocations/{job}");
    let counted = scene.admin.get(&ann, &look).await.expect(200).json;
    assert_eq!(counted["dry_run"]["in_force"], 3);
    assert_eq!(counted["job"]["reason"], "key-compromise");
    let proposal = scene
        .admin
        .propose(&ann, "bulk-revocation", json!({ "job": job }))
        .await;
    scene
        .admin
        .decide(&bob, &proposal, "approve")
        .await
        .expect(200);
    scene.admin.world.gateway.revoke_once().await.unwrap();
    let found = format!("/admin/v1/credentials/{}", serials[0]);
    let found = scene.admin.get(&ann, &found).await.expect(200).json;
    assert_eq!(found["state"], "revoked");
    assert_eq!(found["history"][1]["reason"], "key-compromise");
}

async fn sec_33_a_custodian_of_one_organisation_sees_and_changes_its_keys_only(database: Database) {
    let scene = Scene::start(database).await;
    let own = scene
        .admin
        .operator("own", Role::KeyCustodian, Some("anytown"))
        .await;
    let listed = scene
        .admin
        .get(&own, "/admin/v1/keys")
        .await
        .expect(200)
        .json;
    let places: Vec<&str> = listed["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["place"].as_str().unwrap())
        .collect();
    assert_eq!(places, [PLACE, "anytown.requests", "anytown.status"]);
    for place in [
        "elsewhere.credentials",
        "id-token-es256",
        "audit",
        "nowhere.status",
    ] {
        let body = json!({ "place": place });
        scene
            .admin
            .post(&own, "/admin/v1/keys", &body)
            .await
            .expect(404);
        scene
            .admin
            .post(&own, "/admin/v1/keys/rotate", &body)
            .await
            .expect(404);
    }
    for place in ["nowhere.status", "anytown.nothing"] {
        let body = json!({ "place": place });
        scene.post("/admin/v1/keys", body).await.expect(404);
    }
    let body = json!({ "place": "anytown.status", "at_once": true });
    scene
        .admin
        .post(&own, "/admin/v1/keys/rotate", &body)
        .await
        .expect(200);
    let foreign = key_of(&scene.admin, "elsewhere");
    let propose = json!({ "act": "key-remove", "detail": { "key": foreign, "force": true } });
    scene
        .admin
        .post(&own, "/admin/v1/proposals", &propose)
        .await
        .expect(404);
}

async fn a_key_that_signed_checkpoints_is_never_removed(database: Database) {
    let stage = KeyStage::set(database).await;
    let first = kid(&stage.key_of_gateway(KeyPurpose::Audit));
    let app = stage.world.gateway.app();
    gateway::audit::chain::round(&app.store).await.unwrap();
    let key = stage.key_of_gateway(KeyPurpose::Audit);
    gateway::audit::checkpoint::round(&app.store, &app.base, key.as_ref(), app.now())
        .await
        .unwrap();
    stage.desk.rotate("audit", true).await.unwrap();
    stage
        .world
        .later(PUBLISHED_AFTER + SignedDuration::from_secs(60));
    for force in [false, true] {
        assert_eq!(code(stage.desk.remove(&first, force).await), "key-in-force");
    }
    stage.both_follow().await;
    let keys = gateway::audit_keys(&stage.world.config).unwrap();
    assert_eq!(keys.len(), 2);
    let report = gateway::audit::verify::verify(&app.store, &app.base, &keys)
        .await
        .unwrap();
    assert_eq!((report.checkpoints, report.faults.len()), (1, 0));
}

async fn a_reported_key_of_the_audit_leaves_its_public_half_in_the_audit(database: Database) {
    let stage = KeyStage::set(database).await;
    let audit = KeyPurpose::Audit;
    let app = stage.world.gateway.app();
    let checkpoint = async || {
        let key = stage.key_of_gateway(audit);
        let now = stage.world.now();
        gateway::audit::chain::round(&app.store).await.unwrap();
        gateway::audit::checkpoint::round(&app.store, &app.base, key.as_ref(), now)
            .await
            .unwrap();
    };
    let notes = async || {
        gateway::audit::chain::round(&app.store).await.unwrap();
        let keys = gateway::audit_keys(&stage.world.config).unwrap();
        let report = gateway::audit::verify::verify(&app.store, &app.base, &keys).await;
        let report = report.unwrap();
        assert_eq!(report.faults, [], "{report:?}");
        report
            .notes
            .iter()
            .map(|note| note.code)
            .collect::<Vec<_>>()
    };
    checkpoint().await;
    assert!(notes().await.is_empty());
    let leaked = kid(&stage.key_of_gateway(audit));
    stage.desk.compromised(&leaked).await.unwrap();
    stage.both_follow().await;
    assert_ne!(kid(&stage.key_of_gateway(audit)), leaked);
    assert_eq!(notes().await, ["key-compromised-not-held"]);
    stage.world.later(SignedDuration::from_hours(24));
    checkpoint().await;
    assert_eq!(notes().await, ["key-compromised"]);
}

async fn what_a_crash_left_of_a_removed_key_is_destroyed(database: Database) {
    let stage = KeyStage::set(database).await;
    let made = stage.desk.create(PLACE, None).await.unwrap();
    let removed = brought(&made, State::Next);
    let leaked = kid(&stage.key(KeyPurpose::Credentials));
    for (key, compromised) in [(&removed, false), (&leaked, true)] {
        let name = stage.row(key).await.name;
        let file = stage.world.config.keys.join(format!("{name}.pem"));
        let copy = std::fs::read(&file).unwrap();
        let put_back = || {
            std::fs::write(&file, &copy).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&file, mode).unwrap();
        };
        let again = async || {
            if compromised {
                stage.desk.compromised(key).await.unwrap()
            } else {
                stage.desk.remove(key, false).await.unwrap()
            }
        };
        assert_ne!(again().await, []);
        assert!(!file.exists());
        // As if the process had died between the commit and the file.
        put_back();
        assert_eq!(again().await, [], "said again, it changes nothing");
        assert!(!file.exists());
        put_back();
        desk(&stage.world).await.close().await;
        assert!(!file.exists(), "whoever opens the keys finishes it");
        put_back();
        stage.world.gateway.reload_keys().await.unwrap();
        assert!(!file.exists(), "and so does a gateway that reads them");
    }
}

async fn keys_that_are_taken_over_or_declared_are_entries_of_the_audit(database: Database) {
    let admin = Admin::start(database).await;
    let app = admin.world.gateway.app();
    let keys = Statement::new("SELECT COUNT(*) AS count FROM signing_keys");
    let keys = app.store.read_one(keys).await.unwrap().unwrap();
    let keys = keys.integer("count").unwrap();
    assert!(keys >= 10);
    let entries = admin.entries("signing-key-changed").await;
    assert_eq!(i64::try_from(entries).unwrap(), keys);
    // A second process takes nothing over that is there.
    admin.world.second_process().await;
    assert_eq!(admin.entries("signing-key-changed").await, entries);
}
