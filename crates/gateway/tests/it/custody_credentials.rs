//! Credentials over the admin API: one by its serial number, and many at a pace that two persons agreed on.

use std::time::Duration;

use gateway::admin::Role;
use jiff::SignedDuration;
use serde_json::json;
use store::Statement;
use uuid::Uuid;

use crate::custody::{credential_of, credentials, uploaded};
use crate::database::{Database, on_both_engines};
use crate::world::{Admin, Caller, client};

on_both_engines!(
    a_credential_is_suspended_reinstated_and_revoked_and_its_history_says_so,
    sec_27_a_foreign_credential_and_a_wrong_type_are_like_an_unknown_one,
    sec_13_many_are_revoked_when_two_persons_agree_at_the_pace_that_holds_now,
    sec_13_what_was_stopped_or_paused_revokes_nothing,
    an_upload_that_nobody_proposes_goes_after_its_time,
    an_upload_whose_caller_hangs_up_is_written_down_whole,
);

async fn a_credential_is_suspended_reinstated_and_revoked_and_its_history_says_so(
    database: Database,
) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Operator, Some("anytown")).await;
    let desk = admin.operator("sue", Role::Desk, None).await;
    let serial = credential_of(&admin, "anytown").await;
    let path = format!("/admin/v1/credentials/{serial}");
    let found = admin.get(&desk, &path).await.expect(200).json;
    assert_eq!(found["state"], "in-force");
    for (act, reason, state) in [
        ("suspend", "under-review", "suspended"),
        ("reinstate", "other", "in-force"),
        ("suspend", "lost-device", "suspended"),
        ("revoke", "left-employment", "revoked"),
    ] {
        admin.world.later(SignedDuration::from_secs(match state {
            "in-force" => 20,
            "revoked" => 40,
            _ => 10,
        }));
        let body = json!({ "reason": reason, "ticket": "INC-3", "note": "from the list" });
        let before = list_of(&admin).await;
        let reply = admin
            .post(&ann, &format!("{path}/{act}"), &body)
            .await
            .expect(200);
        assert_eq!(reply.json["state"], state, "{act}");
        assert_ne!(list_of(&admin).await, before, "{act} counts at once");
    }
    for act in ["suspend", "reinstate"] {
        let refused = admin
            .post(
                &ann,
                &format!("{path}/{act}"),
                &json!({ "reason": "other" }),
            )
            .await;
        refused.expect(409).refused("credential-revoked");
    }
    let free = admin
        .post(
            &ann,
            &format!("{path}/revoke"),
            &json!({ "reason": "because" }),
        )
        .await;
    free.expect(400);
    // Once more changes nothing and is no entry.
    let again = json!({ "reason": "data-error" });
    admin
        .post(&ann, &format!("{path}/revoke"), &again)
        .await
        .expect(200);
    assert_eq!(admin.entries("credential-revoked").await, 1);
    assert_eq!(admin.entries("credential-suspended").await, 2);
    let why = admin.why("credential-revoked").await;
    assert_eq!(why, ("from the list".to_owned(), "INC-3".to_owned()));
    let found = admin.get(&desk, &path).await.expect(200).json;
    let history: Vec<(&str, &str)> = found["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["what"].as_str().unwrap(),
                one["reason"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert!(
        history.contains(&("suspended", "under-review")),
        "{history:?}"
    );
    assert!(history.contains(&("reinstated", "other")), "{history:?}");
    assert_eq!(history.last(), Some(&("revoked", "left-employment")));
    let refused = admin.post(&desk, &format!("{path}/revoke"), &again).await;
    refused.expect(403);
}

/// The status list with all of them, as a wallet reads it.
async fn list_of(admin: &Admin) -> String {
    let uri = admin.world.url("/issuers/anytown/status/1");
    let list = client().get(uri).send().await.unwrap();
    list.text().await.unwrap()
}

async fn sec_27_a_foreign_credential_and_a_wrong_type_are_like_an_unknown_one(database: Database) {
    let admin = Admin::start(database).await;
    let ann = admin.operator("ann", Role::Operator, Some("anytown")).await;
    let (own, foreign) = (
        credential_of(&admin, "anytown").await,
        credential_of(&admin, "elsewhere").await,
    );
    let unknown = "00000000-0000-4000-8000-000000000000";
    let of_type = json!({ "reason": "data-error", "credential_type": "Identity" });
    let plain = json!({ "reason": "data-error" });
    let path = |serial: &str| format!("/admin/v1/credentials/{serial}/revoke");
    let nothing = admin.post(&ann, &path(unknown), &plain).await.expect(404);
    for (serial, body) in [
        (own.as_str(), &of_type),
        (foreign.as_str(), &plain),
        ("no-number", &plain),
        ("%00", &plain),
    ] {
        let reply = admin.post(&ann, &path(serial), body).await.expect(404);
        assert_eq!(reply.text, nothing.text, "{serial}");
    }
    let counted = uploaded(&admin, &ann, "anytown", &[own, foreign, unknown.to_owned()]).await;
    let look = format!("/admin/v1/bulk-revocations/{counted}");
    let counted = admin.get(&ann, &look).await.expect(200).json;
    let expected = json!({ "in_force": 1, "expired": 0, "already_revoked": 0, "unknown": 2 });
    assert_eq!(counted["dry_run"], expected);
    let body = json!({ "organisation": "elsewhere", "reason": "other", "ticket": "x", "serial_numbers": unknown });
    admin
        .post(&ann, "/admin/v1/bulk-revocations", &body)
        .await
        .expect(404);
    assert_eq!(admin.entries("bulk-revocation-counted").await, 1);
}

struct Scene {
    admin: Admin,
    ann: Caller,
    bob: Caller,
    job: String,
    serials: Vec<String>,
}

impl Scene {
    /// Nine credentials to be revoked, two a second.
    async fn start(database: Database) -> Self {
        let admin = Admin::start(database).await;
        let ann = admin.operator("ann", Role::Operator, None).await;
        let serials = credentials(&admin, "anytown", "none", 9).await;
        Self {
            job: uploaded(&admin, &ann, "anytown", &serials).await,
            bob: admin.operator("bob", Role::Operator, None).await,
            ann,
            serials,
            admin,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/admin/v1/bulk-revocations/{}{rest}", self.job)
    }

    async fn begin(&self) {
        let detail = json!({ "job": self.job });
        let proposal = self
            .admin
            .propose(&self.ann, "bulk-revocation", detail)
            .await;
        let own = self.admin.decide(&self.ann, &proposal, "approve").await;
        own.expect(409).refused("second-person-needed");
        self.admin
            .decide(&self.bob, &proposal, "approve")
            .await
            .expect(200);
    }

    async fn act(&self, act: &str) {
        let reply = self
            .admin
            .post(&self.ann, &self.path(act), &json!({ "ticket": "INC-4" }))
            .await;
        reply.expect(200);
    }

    /// One second of work, and how many are revoked then.
    async fn second(&self, number: i64) -> i64 {
        self.admin.world.later(SignedDuration::from_secs(number));
        self.admin.world.gateway.revoke_once().await.unwrap();
        let now = self
            .admin
            .get(&self.bob, &self.path(""))
            .await
            .expect(200)
            .json;
        now["progress"]["revoked"].as_i64().unwrap()
    }
}

async fn sec_13_many_are_revoked_when_two_persons_agree_at_the_pace_that_holds_now(
    database: Database,
) {
    let scene = Scene::start(database).await;
    assert_eq!(scene.second(1).await, 0, "counted is not begun");
    scene.begin().await;
    let gateway = &scene.admin.world.gateway;
    scene.admin.world.later(SignedDuration::from_secs(2));
    let began = scene.admin.world.now().as_second();
    for _ in 0..2 {
        gateway.revoke_once().await.unwrap();
    }
    let is_one_second = scene.admin.world.now().as_second() == began;
    scene.act("/pause").await;
    let why = scene.admin.why("bulk-revocation-changed").await;
    assert_eq!(why, (String::new(), "INC-4".to_owned()));
    let first = scene.second(3).await;
    assert!(
        !is_one_second || first == 2,
        "two processes keep to one pace"
    );
    assert!(first <= 4);
    scene.act("/resume").await;
    for pace in [0, 1001] {
        let body = json!({ "pace": pace });
        let path = scene.path("/pace");
        let reply = scene.admin.post(&scene.ann, &path, &body).await;
        reply.expect(400).refused("field-invalid");
    }
    let pace = json!({ "pace": 1 });
    scene
        .admin
        .post(&scene.ann, &scene.path("/pace"), &pace)
        .await
        .expect(200);
    assert_eq!(scene.second(4).await, first + 1);
    let pace = json!({ "pace": 100 });
    scene
        .admin
        .post(&scene.ann, &scene.path("/pace"), &pace)
        .await
        .expect(200);
    assert_eq!(scene.second(5).await, 9);
    scene.second(6).await;
    let now = scene
        .admin
        .get(&scene.bob, &scene.path(""))
        .await
        .expect(200)
        .json;
    assert_eq!(now["job"]["stage"], "finished");
    let late = scene
        .admin
        .post(&scene.ann, &scene.path("/pause"), &json!({}))
        .await;
    late.expect(409).refused("job-state");
    assert_eq!(scene.admin.entries("credential-revoked").await, 9);
    assert_eq!(scene.admin.entries("bulk-revocation-begun").await, 1);
    assert_eq!(scene.admin.entries("bulk-revocation-changed").await, 4);
    let found = format!("/admin/v1/credentials/{}", scene.serials[8]);
    let found = scene.admin.get(&scene.bob, &found).await.expect(200).json;
    assert_eq!(found["state"], "revoked");
    let detail = json!({ "act": "bulk-revocation", "detail": { "job": scene.job } });
    let again = scene
        .admin
        .post(&scene.ann, "/admin/v1/proposals", &detail)
        .await;
    again.expect(409).refused("job-state");
}

async fn sec_13_what_was_stopped_or_paused_revokes_nothing(database: Database) {
    let scene = Scene::start(database).await;
    let detail = json!({ "job": scene.job });
    let proposal = scene
        .admin
        .propose(&scene.ann, "bulk-revocation", detail)
        .await;
    scene.act("/stop").await;
    let late = scene.admin.decide(&scene.bob, &proposal, "approve").await;
    late.expect(409).refused("changed-meanwhile");
    assert_eq!(scene.second(1).await, 0);
    let listed = scene
        .admin
        .get(&scene.bob, "/admin/v1/bulk-revocations")
        .await
        .expect(200);
    assert_eq!(listed.json["jobs"][0]["stage"], "stopped");
}

/// What retention would remove by a rule, as the dry run has it.
async fn due(scene: &Admin, rule: &str) -> (i64, i64) {
    let app = scene.world.gateway.app();
    let lengths = scene.world.config.kept_for();
    let plan = gateway::retention::plan(&app.store, app.now(), lengths)
        .await
        .unwrap();
    let one = plan.iter().find(|one| one.rule == rule).unwrap();
    assert!(one.sentence.contains("7 days"), "{}", one.sentence);
    (one.rows, one.held)
}

async fn an_upload_that_nobody_proposes_goes_after_its_time(database: Database) {
    let admin = Admin::start(database).await;
    let up = admin.operator("up", Role::Operator, None).await;
    let serials = credentials(&admin, "anytown", "none", 2).await;
    let forgotten = uploaded(&admin, &up, "anytown", &serials).await;
    let held = credentials(&admin, "elsewhere", "none", 1).await;
    uploaded(&admin, &up, "elsewhere", &held).await;
    let hold = "INSERT INTO legal_holds (kind, subject, reason, placed_at) VALUES ('organisation', 'elsewhere', 'inquiry', 1)";
    let app = admin.world.gateway.app();
    app.store.write([Statement::new(hold)]).await.unwrap();

    admin.world.later(SignedDuration::from_hours(24 * 7 - 1));
    assert_eq!(due(&admin, "upload-lines").await, (0, 0));
    let again = admin.operator("again", Role::Operator, None).await;
    let proposed = uploaded(&admin, &again, "anytown", &serials[..1]).await;
    admin.world.later(SignedDuration::from_hours(24 * 7 + 1));
    assert_eq!(due(&admin, "upload-lines").await, (2, 1));
    assert_eq!(due(&admin, "uploads").await, (1, 1));
    admin.world.gateway.tidy_once().await.unwrap();
    let path = format!("/admin/v1/bulk-revocations/{forgotten}");
    admin.get(&again, &path).await.expect(404);
    assert_eq!(due(&admin, "upload-lines").await, (0, 1));

    // One that waits for its second person stays, and goes when that time is over.
    admin.world.later(SignedDuration::from_hours(24 * 14 - 2));
    let last = admin.operator("last", Role::Operator, None).await;
    let detail = json!({ "job": proposed });
    admin.propose(&last, "bulk-revocation", detail).await;
    admin.world.later(SignedDuration::from_hours(24 * 14 + 2));
    assert_eq!(due(&admin, "upload-lines").await, (0, 1));
    admin.world.later(SignedDuration::from_hours(24 * 40));
    assert_eq!(due(&admin, "upload-lines").await, (1, 1));
}

async fn an_upload_whose_caller_hangs_up_is_written_down_whole(database: Database) {
    let admin = Admin::start(database).await;
    let up = admin.operator("up", Role::Operator, None).await;
    let serials: Vec<String> = (0..5_000).map(|_| Uuid::new_v4().to_string()).collect();
    let app = admin.world.gateway.app();
    let count = async |sql: &'static str| {
        let row = app.store.read_one(Statement::new(sql)).await.unwrap();
        row.unwrap().integer("count").unwrap()
    };
    let lines = async || count("SELECT COUNT(*) AS count FROM revocation_job_lines").await;
    let begun = async {
        while lines().await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        job = uploaded(&admin, &up, "anytown", &serials) => panic!("{job} was there before its caller hung up"),
        () = begun => {}
    }
    let jobs = "SELECT COUNT(*) AS count FROM revocation_jobs WHERE stage = 'counted'";
    let whole = async {
        while count(jobs).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), whole).await;
    assert!(waited.is_ok(), "{} lines, and no job", lines().await);
    assert_eq!(lines().await, 5_000);
    assert_eq!(admin.entries("bulk-revocation-counted").await, 1);
}
