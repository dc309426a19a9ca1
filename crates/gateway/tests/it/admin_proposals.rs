//! The two-person rule, and everybody who would like to be both persons.

use aws_lc_rs::digest::{SHA256, digest};
use gateway::admin::Role;
use gateway::operator::NewOperator;
use jiff::SignedDuration;
use serde_json::json;

use crate::database::{Database, on_both_engines};
use crate::world::{Admin, Caller, Reply};

on_both_engines!(
    sec_13_a_role_changes_when_a_second_administrator_approves,
    sec_13_nobody_is_two_persons,
    sec_13_an_approval_counts_once,
    sec_13_of_two_approvals_at_once_one_is_done,
    sec_13_nobody_approves_after_seven_days,
    sec_33_a_proposal_of_another_organisation_is_not_there,
    sec_13_a_right_is_needed_to_propose_and_to_approve,
    what_changed_meanwhile_is_not_done_by_half,
    what_a_removed_operator_proposed_is_declined,
    sec_13_a_new_operator_takes_two_persons_and_its_token_passes_through_nobodys_hands,
    sec_13_a_programs_token_is_approved_by_whoever_answers_for_it_and_by_nobody_else,
);

fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

struct Scene {
    admin: Admin,
    ann: Caller,
    bob: Caller,
    desk: Caller,
}

impl Scene {
    async fn start(database: Database) -> Self {
        let admin = Admin::start(database).await;
        Self {
            ann: admin.operator("ann", Role::Administrator, None).await,
            bob: admin.operator("bob", Role::Administrator, None).await,
            desk: admin.operator("sue", Role::Desk, None).await,
            admin,
        }
    }

    async fn proposed(&self, role: &str) -> String {
        let detail = json!({ "operator": self.desk.id, "role": role });
        self.admin
            .propose(&self.ann, "operator-role-change", detail)
            .await
    }

    async fn approve(&self, by: &Caller, proposal: &str) -> Reply {
        self.admin.decide(by, proposal, "approve").await
    }

    async fn decline(&self, by: &Caller, proposal: &str) -> Reply {
        self.admin.decide(by, proposal, "decline").await
    }

    async fn role(&self) -> String {
        let reply = self
            .admin
            .get(&self.desk, "/admin/v1/whoami")
            .await
            .expect(200);
        reply.json["role"].as_str().unwrap().to_owned()
    }
}

async fn sec_13_a_role_changes_when_a_second_administrator_approves(database: Database) {
    let scene = Scene::start(database).await;
    let id = scene.proposed("operator").await;
    assert_eq!(scene.role().await, "desk");
    let listed = scene
        .admin
        .get(&scene.bob, "/admin/v1/proposals?state=open")
        .await
        .expect(200);
    assert_eq!(listed.json["proposals"][0]["id"], id.as_str());
    assert_eq!(listed.json["proposals"][0]["detail"]["from"], "desk");
    let reply = scene.approve(&scene.bob, &id).await.expect(200);
    assert_eq!(reply.json["state"], "approved");
    assert_eq!(reply.json["decided_by"], scene.bob.id.as_str());
    assert_eq!(scene.role().await, "operator");
    for act in [
        "proposal-made",
        "proposal-approved",
        "operator-role-changed",
    ] {
        assert_eq!(scene.admin.entries(act).await, 1, "{act}");
    }
    let declined = scene.proposed("viewer").await;
    scene.decline(&scene.ann, &declined).await.expect(200);
    let reply = scene.approve(&scene.bob, &declined).await;
    reply.expect(409).refused("proposal-decided");
    assert_eq!(scene.role().await, "operator");
}

async fn sec_13_nobody_is_two_persons(database: Database) {
    let scene = Scene::start(database).await;
    let id = scene.proposed("operator").await;
    let reply = scene.approve(&scene.ann, &id).await;
    reply.expect(409).refused("second-person-needed");
    // With another token, and through a program that she answers for.
    let second = scene
        .admin
        .post(&scene.ann, "/admin/v1/tokens", &json!({}))
        .await
        .expect(201);
    let second = Caller {
        token: second.json["token"].as_str().unwrap().to_owned(),
        ..scene.ann.clone()
    };
    scene
        .approve(&second, &id)
        .await
        .refused("second-person-needed");
    let robot = NewOperator {
        name: "anns-robot",
        role: Role::Administrator,
        organisation: None,
        person: Some(&scene.ann.id),
        break_glass: false,
    };
    let robot = scene.admin.new_operator(robot).await;
    scene
        .approve(&robot, &id)
        .await
        .refused("second-person-needed");
    let detail = json!({ "operator": scene.desk.id, "role": "viewer" });
    let robots = scene
        .admin
        .propose(&robot, "operator-role-change", detail)
        .await;
    scene
        .approve(&scene.ann, &robots)
        .await
        .refused("second-person-needed");
    assert_eq!(scene.role().await, "desk");
    assert_eq!(scene.admin.entries("proposal-approved").await, 0);
}

async fn sec_13_an_approval_counts_once(database: Database) {
    let scene = Scene::start(database).await;
    let id = scene.proposed("operator").await;
    scene.approve(&scene.bob, &id).await.expect(200);
    let back = scene.proposed("desk").await;
    scene.approve(&scene.bob, &back).await.expect(200);
    for how in ["approve", "decline"] {
        scene
            .admin
            .decide(&scene.bob, &id, how)
            .await
            .expect(409)
            .refused("proposal-decided");
    }
    assert_eq!(scene.role().await, "desk");
    assert_eq!(scene.admin.entries("operator-role-changed").await, 2);
}

async fn sec_13_of_two_approvals_at_once_one_is_done(database: Database) {
    let scene = Scene::start(database).await;
    let third = scene.admin.operator("cat", Role::Administrator, None).await;
    for role in ["operator", "viewer", "auditor"] {
        let id = scene.proposed(role).await;
        let (one, two, three) = tokio::join!(
            scene.admin.decide(&scene.bob, &id, "approve"),
            scene.admin.decide(&third, &id, "approve"),
            scene.admin.decide(&third, &id, "decline"),
        );
        let done = [&one, &two, &three]
            .iter()
            .filter(|reply| reply.status == 200)
            .count();
        assert_eq!(done, 1, "{} {} {}", one.text, two.text, three.text);
    }
    let changed = scene.admin.entries("operator-role-changed").await;
    assert_eq!(changed, scene.admin.entries("proposal-approved").await);
    assert_eq!(changed + scene.admin.entries("proposal-declined").await, 3);
}

async fn sec_13_nobody_approves_after_seven_days(database: Database) {
    let scene = Scene::start(database).await;
    let id = scene.proposed("operator").await;
    scene
        .admin
        .world
        .later(SignedDuration::from_hours(24 * 7 - 1));
    assert_eq!(
        scene
            .admin
            .get(&scene.bob, &format!("/admin/v1/proposals/{id}"))
            .await
            .json["state"],
        "open"
    );
    scene.admin.world.later(SignedDuration::from_hours(24 * 7));
    for how in ["approve", "decline"] {
        scene
            .admin
            .decide(&scene.bob, &id, how)
            .await
            .expect(409)
            .refused("proposal-expired");
    }
    let listed = scene
        .admin
        .get(&scene.bob, "/admin/v1/proposals?state=expired")
        .await
        .expect(200);
    assert_eq!(listed.json["proposals"].as_array().unwrap().len(), 1);
    assert_eq!(scene.role().await, "desk");
}

async fn sec_33_a_proposal_of_another_organisation_is_not_there(database: Database) {
    let scene = Scene::start(database).await;
    let admin = &scene.admin;
    let ours = admin
        .operator("ina", Role::Administrator, Some("anytown"))
        .await;
    let other = admin
        .operator("ivo", Role::Administrator, Some("elsewhere"))
        .await;
    let target = admin.operator("una", Role::Viewer, Some("anytown")).await;
    let detail = json!({ "operator": target.id, "role": "desk" });
    let id = admin
        .propose(&ours, "operator-role-change", detail.clone())
        .await;
    let global = scene.proposed("viewer").await;
    for (caller, proposal) in [(&other, &id), (&other, &global), (&ours, &global)] {
        let unknown = admin
            .decide(caller, "pr-0000-0000", "approve")
            .await
            .expect(404);
        for how in ["approve", "decline"] {
            let reply = admin.decide(caller, proposal, how).await.expect(404);
            assert_eq!(reply.text, unknown.text);
        }
    }
    // Nor may anything be proposed about another's operator.
    let body = json!({ "act": "operator-role-change", "detail": detail });
    admin
        .post(&other, "/admin/v1/proposals", &body)
        .await
        .expect(404)
        .refused("not-found");
    // An administrator of the whole gateway is a second person for an organisation.
    admin.decide(&scene.bob, &id, "approve").await.expect(200);
}

async fn sec_13_a_right_is_needed_to_propose_and_to_approve(database: Database) {
    let scene = Scene::start(database).await;
    let id = scene.proposed("administrator").await;
    let body = json!({ "act": "operator-role-change", "detail": { "operator": scene.desk.id, "role": "administrator" } });
    for role in Role::ALL
        .into_iter()
        .filter(|role| *role != Role::Administrator)
    {
        let caller = scene
            .admin
            .operator(&format!("a-{}", role.name()), role, None)
            .await;
        let reply = scene.approve(&caller, &id).await;
        reply.expect(403).refused("forbidden");
        let reply = scene.decline(&caller, &id).await;
        reply.expect(403).refused("forbidden");
        scene
            .admin
            .post(&caller, "/admin/v1/proposals", &body)
            .await
            .expect(403)
            .refused("forbidden");
    }
    // Whoever it is about lost the role meanwhile: an approver's right counts at the moment of approval.
    let detail = json!({ "operator": scene.bob.id, "role": "viewer" });
    let demotion = scene
        .admin
        .propose(&scene.ann, "operator-role-change", detail)
        .await;
    let third = scene.admin.operator("cat", Role::Administrator, None).await;
    scene.approve(&third, &demotion).await.expect(200);
    let reply = scene.approve(&scene.bob, &id).await;
    reply.expect(403).refused("forbidden");
    assert_eq!(scene.role().await, "desk");
}

async fn what_changed_meanwhile_is_not_done_by_half(database: Database) {
    let scene = Scene::start(database).await;
    let first = scene.proposed("operator").await;
    let second = scene.proposed("viewer").await;
    scene.approve(&scene.bob, &first).await.expect(200);
    let reply = scene.approve(&scene.bob, &second).await;
    reply.expect(409).refused("changed-meanwhile");
    assert_eq!(scene.role().await, "operator");
    let reply = scene
        .admin
        .get(&scene.bob, &format!("/admin/v1/proposals/{second}"))
        .await;
    assert_eq!(reply.json["state"], "open");
    assert_eq!(scene.admin.entries("proposal-approved").await, 1);
}

async fn what_a_removed_operator_proposed_is_declined(database: Database) {
    let scene = Scene::start(database).await;
    let id = scene.proposed("operator").await;
    let why = json!({ "reason": "left", "ticket": "INC-9" });
    let path = format!("/admin/v1/operators/{}/remove", scene.ann.id);
    scene.admin.post(&scene.bob, &path, &why).await.expect(204);
    scene.admin.post(&scene.bob, &path, &why).await.expect(404);
    scene
        .admin
        .get(&scene.ann, "/admin/v1/whoami")
        .await
        .expect(401);
    let reply = scene.approve(&scene.bob, &id).await;
    reply.expect(409).refused("proposal-decided");
    assert_eq!(scene.role().await, "desk");
}

async fn sec_13_a_new_operator_takes_two_persons_and_its_token_passes_through_nobodys_hands(
    database: Database,
) {
    let scene = Scene::start(database).await;
    let admin = &scene.admin;
    let token = "lyo_0123456789012345678901234567890123456789abc";
    let new = json!({ "name": "new.one", "role": "auditor", "person": "self", "token_sha256": sha256(token), "days": 30 });
    let id = admin.propose(&scene.ann, "operator-add", new.clone()).await;
    let caller = Caller {
        id: String::new(),
        token: token.to_owned(),
    };
    admin.get(&caller, "/admin/v1/whoami").await.expect(401);
    admin.decide(&scene.bob, &id, "approve").await.expect(200);
    let who = admin.get(&caller, "/admin/v1/whoami").await.expect(200);
    assert_eq!(
        (&who.json["name"], &who.json["role"]),
        (&json!("new.one"), &json!("auditor"))
    );
    let body = |detail| json!({ "act": "operator-add", "detail": detail });
    admin
        .post(&scene.ann, "/admin/v1/proposals", &body(new))
        .await
        .expect(409)
        .refused("name-taken");
    // One of an organisation makes no operator of the whole gateway, nor of another organisation.
    let ours = admin
        .operator("ina", Role::Administrator, Some("anytown"))
        .await;
    let id = admin
        .propose(
            &ours,
            "operator-add",
            json!({ "name": "theirs", "role": "viewer", "person": "self" }),
        )
        .await;
    admin.decide(&scene.bob, &id, "approve").await.expect(200);
    let listed = admin.get(&ours, "/admin/v1/operators").await.expect(200);
    let names: Vec<_> = listed.json["operators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["ina", "theirs"]);
    for organisation in ["elsewhere", "nowhere"] {
        let detail = json!({ "name": "x", "role": "viewer", "person": "self", "organisation": organisation });
        admin
            .post(&ours, "/admin/v1/proposals", &body(detail))
            .await
            .expect(404)
            .refused("not-found");
    }
    for (name, detail) in [
        (
            "name",
            json!({ "name": "Anna Example", "role": "viewer", "person": "self" }),
        ),
        (
            "token_sha256",
            json!({ "name": "y", "role": "viewer", "person": "self", "token_sha256": token }),
        ),
        (
            "days",
            json!({ "name": "y", "role": "viewer", "person": "self", "days": 401 }),
        ),
        (
            "detail",
            json!({ "name": "y", "role": "emperor", "person": "self" }),
        ),
        (
            "detail",
            json!({ "name": "y", "role": "viewer", "person": "self", "admin": true }),
        ),
    ] {
        let reply = admin
            .post(&scene.ann, "/admin/v1/proposals", &body(detail))
            .await
            .refused("field-invalid");
        assert!(
            reply.json["detail"].as_str().unwrap().contains(name),
            "{}",
            reply.text
        );
    }
}

async fn sec_13_a_programs_token_is_approved_by_whoever_answers_for_it_and_by_nobody_else(
    database: Database,
) {
    let scene = Scene::start(database).await;
    let admin = &scene.admin;
    let pia = admin.operator("pia", Role::Operator, None).await;
    let max = admin.operator("max", Role::Operator, None).await;
    let robot = admin
        .new_operator(NewOperator {
            name: "pias-robot",
            role: Role::Operator,
            organisation: None,
            person: Some(&pia.id),
            break_glass: false,
        })
        .await;
    let token = "lyo_0123456789012345678901234567890123456789abc";
    let detail = json!({ "operator": robot.id, "token_sha256": sha256(token) });
    let id = admin
        .propose(&scene.ann, "operator-token-add", detail)
        .await;
    for by in [&max, &scene.bob, &robot] {
        let refused = scene.approve(by, &id).await;
        refused.expect(403).refused("forbidden");
    }
    scene.approve(&pia, &id).await.expect(200);
    let caller = Caller {
        id: String::new(),
        token: token.to_owned(),
    };
    let who = admin.get(&caller, "/admin/v1/whoami").await.expect(200);
    assert_eq!(who.json["id"], robot.id.as_str());
    // What is not for whom it names is nobody's without the right.
    let detail = json!({ "operator": robot.id, "role": "administrator" });
    let id = admin
        .propose(&scene.ann, "operator-role-change", detail)
        .await;
    scene.approve(&pia, &id).await.expect(403);
}
