//! What ends with an organisation: under the same id somebody else may come.

use aws_lc_rs::digest::{SHA256, digest};
use gateway::admin::Role;
use gateway::audit::Actor;
use gateway::operator::NewOperator;
use gateway::registry::Declaration;
use serde_json::{Value, json};
use store::Statement;

use crate::admin_registry::Scene;
use crate::database::{Database, on_both_engines};
use crate::registry::declaration;
use crate::world::Caller;

on_both_engines!(
    sec_33_with_an_organisation_end_its_operators_and_what_is_proposed_there,
    sec_33_nobody_becomes_an_operator_of_an_organisation_that_was_removed_meanwhile,
);

const NEWTOWN: &str = "[[organisations]]\nid = \"newtown\"\nname = \"Newtown\"\nissues = []\n";

async fn declare(scene: &Scene) {
    let gateway = &scene.admin.world.gateway;
    let plan = gateway.plan(&declaration(NEWTOWN), false).await.unwrap();
    gateway.apply(&plan, Actor::Command("ina")).await.unwrap();
}

fn addition(name: &str, organisation: Option<&str>) -> Value {
    let sha256 = hex::encode(digest(&SHA256, name.as_bytes()));
    json!({ "name": name, "role": "viewer", "person": "self", "organisation": organisation, "token_sha256": sha256 })
}

async fn rows(scene: &Scene, table: &'static str) -> i64 {
    let count = format!("SELECT COUNT(*) AS count FROM {table}");
    let store = &scene.admin.world.gateway.app().store;
    let row = store.read_one(Statement::new(count)).await.unwrap();
    row.unwrap().integer("count").unwrap()
}

async fn sec_33_with_an_organisation_end_its_operators_and_what_is_proposed_there(
    database: Database,
) {
    let scene = Scene::start(database).await;
    let admin = &scene.admin;
    let role = Role::Administrator;
    let bob = admin.operator("bob", role, None).await;
    let other = admin.operator("tom", role, Some("anytown")).await;
    let is_in_force = async |by: &Caller| {
        let answer = admin.get(by, "/admin/v1/whoami").await.status;
        answer == 200
    };
    for at in 0..2 {
        declare(&scene).await;
        let (tom, robot) = (format!("tom{at}"), format!("robot{at}"));
        let tom = admin.operator(&tom, role, Some("newtown")).await;
        let robot = admin
            .new_operator(NewOperator {
                name: &robot,
                role,
                organisation: Some("newtown"),
                person: Some(&tom.id),
                break_glass: false,
            })
            .await;
        let password = json!({ "password": "correct horse battery staple" });
        let begun = admin.post(&tom, "/admin/v1/sign-in", &password).await;
        begun.expect(201);
        let theirs = addition(&format!("one{at}"), None);
        let theirs = admin.propose(&tom, "operator-add", theirs).await;
        let ours = addition(&format!("two{at}"), Some("newtown"));
        let ours = admin.propose(&scene.ann, "operator-add", ours).await;
        assert!(is_in_force(&tom).await && is_in_force(&robot).await);

        if at == 0 {
            let why = json!({ "ticket": "INC-9" });
            let removed = scene.post("/organisations/newtown/remove", &why).await;
            removed.expect(204);
            assert_eq!(admin.why("operator-removed").await.1, "INC-9");
        } else {
            // As `lanyard apply` has it.
            let gateway = &admin.world.gateway;
            let plan = gateway.plan(&Declaration::default(), true).await.unwrap();
            gateway.apply(&plan, Actor::Command("ina")).await.unwrap();
        }
        declare(&scene).await;
        assert!(!is_in_force(&tom).await && !is_in_force(&robot).await);
        assert!(is_in_force(&other).await && is_in_force(&scene.ann).await);
        assert_eq!(rows(&scene, "operator_set_ups").await, 0);
        for proposal in [theirs, ours] {
            let refused = admin.decide(&bob, &proposal, "approve").await;
            refused.expect(409).refused("proposal-decided");
        }
        assert_eq!(admin.entries("operator-removed").await, 2 * (at + 1));
        assert_eq!(admin.entries("proposal-declined").await, 2 * (at + 1));
        // Nobody is left there.
        let removed = scene
            .post("/organisations/newtown/remove", &json!({}))
            .await;
        removed.expect(204);
    }
}

async fn sec_33_nobody_becomes_an_operator_of_an_organisation_that_was_removed_meanwhile(
    database: Database,
) {
    let scene = Scene::start(database).await;
    let admin = &scene.admin;
    let bob = admin.operator("bob", Role::Administrator, None).await;
    declare(&scene).await;
    let elsewhere = admin.world.second_process().await;
    let plan = elsewhere.plan(&Declaration::default(), true).await.unwrap();
    elsewhere.apply(&plan, Actor::Command("ina")).await.unwrap();
    // This process has not heard of it.
    let tom = addition("tom", Some("newtown"));
    let proposal = admin.propose(&scene.ann, "operator-add", tom).await;
    let refused = admin.decide(&bob, &proposal, "approve").await;
    refused.expect(409).refused("changed-meanwhile");
    admin.world.gateway.follow_once().await.unwrap();
    let refused = admin.decide(&bob, &proposal, "approve").await;
    refused.expect(409).refused("changed-meanwhile");
}
