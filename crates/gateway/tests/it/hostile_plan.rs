//! What a plan tells whoever may look at the registry and change nothing.

use gateway::admin::Role;
use serde_json::{Value, json};

use crate::database::{Database, on_both_engines};
use crate::world::Admin;

on_both_engines!(sec_33_a_plan_does_not_say_whether_a_secret_in_hand_is_the_registered_one);

/// A declaration of one relying party with these secrets.
fn declared(name: &str, signing_key: &str, digest: &str) -> Value {
    json!({ "declaration": { "organisations": [{
        "id": "newtown", "name": "Newtown NHS Trust", "issues": [],
        "relying_parties": [{
            "name": name, "client_id": "newtown-staff", "dialect": "plain",
            "redirect_uris": ["https://staff.newtown.example/cb"],
            "signing_key": signing_key, "client_secret_sha256": [digest],
        }],
    }] } })
}

async fn sec_33_a_plan_does_not_say_whether_a_secret_in_hand_is_the_registered_one(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let vic = admin.operator("vic", Role::Viewer, None).await;
    let key = |byte: u8| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode([byte; 32])
    };
    let digest = |byte: u8| hex::encode([byte; 32]);
    let registered = declared("Staff", &key(1), &digest(1));
    let path = "/admin/v1/registry/plan";
    let mut apply = registered.clone();
    let plan = admin.post(&ann, path, &registered).await.expect(200).json;
    apply["plan"] = plan["plan"].clone();
    let applied = admin.post(&ann, "/admin/v1/registry/apply", &apply).await;
    applied.expect(204);

    let same = admin.post(&vic, path, &registered).await.expect(200).json;
    for guessed in [
        declared("Staff", &key(2), &digest(1)),
        declared("Staff", &key(1), &digest(2)),
    ] {
        let seen = admin.post(&vic, path, &guessed).await.expect(200).json;
        assert_eq!(seen, same, "a viewer hears of a secret");
        let seen = admin.post(&ann, path, &guessed).await.expect(200).json;
        assert_eq!(seen["changes"].as_array().unwrap().len(), 1, "{seen}");
    }
    // What is no secret is told as ever.
    let renamed = declared("Others", &key(2), &digest(2));
    let seen = admin.post(&vic, path, &renamed).await.expect(200).json;
    assert_eq!(seen["changes"][0]["lines"], json!(["name: Staff → Others"]));
}
