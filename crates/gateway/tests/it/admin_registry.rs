//! The registry through the admin API: organisations, relying parties, their secrets and checklists, credential types, whole
//! declarations; and what one person, or one tenant's operator, must not do of it.

use gateway::admin::Role;
use serde_json::{Value, json};

use crate::database::{Database, on_both_engines};
use crate::world::{Admin, Caller, REDIRECT_URI, Reply};

on_both_engines!(
    an_organisation_and_its_system_are_run_through_the_api_and_every_process_follows,
    the_same_asked_again_changes_nothing,
    sec_06_a_client_secret_is_shown_once_and_changes_without_an_outage,
    a_credential_type_has_versions_and_a_schema,
    dw_89_a_checklist_is_settled_with_dated_evidence_and_handed_out,
    a_declaration_is_planned_first_and_carried_out_whole_or_not_at_all,
);

/// An administrator who declared Newtown and its one system.
pub(crate) struct Scene {
    pub(crate) admin: Admin,
    pub(crate) ann: Caller,
}

impl Scene {
    pub(crate) async fn start(database: Database) -> Self {
        let admin = Admin::start(database).await;
        let ann = admin.operator("ann", Role::Administrator, None).await;
        Self { admin, ann }
    }

    pub(crate) async fn with_newtown(database: Database) -> Self {
        let scene = Self::start(database).await;
        scene.newtown("newtown").await;
        scene
    }

    /// Declares an organisation with one system.
    pub(crate) async fn newtown(&self, id: &str) {
        let declared = json!({ "id": id, "name": "Newtown NHS Trust", "issues": ["FireSafety"] });
        let asked = json!({ "declared": declared, "ticket": "INC-1" });
        self.post("/organisations", &asked).await.expect(201);
        let asked = party(id, &format!("{id}-staff"));
        self.post("/relying-parties", &asked).await.expect(201);
    }

    pub(crate) async fn send(&self, by: &Caller, method: &str, path: &str, body: &Value) -> Reply {
        let path = format!("/admin/v1{path}");
        let body = (method != "GET").then_some(body);
        self.admin.send(Some(&by.token), method, &path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(&self.ann, "GET", path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(&self.ann, "POST", path, body).await
    }

    /// Another redirect address, or whatever else, of Newtown's system.
    pub(crate) async fn patch(&self, by: &Caller, change: Value) -> Reply {
        let body = json!({ "change": change });
        self.send(by, "PATCH", "/relying-parties/newtown-staff", &body)
            .await
    }

    async fn secret(&self, body: Value) -> (String, String) {
        let path = "/relying-parties/newtown-staff/secrets";
        let made = self.post(path, &body).await.expect(201).json;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    fn knows(&self, secret: &str) -> bool {
        let app = self.admin.world.gateway.app();
        let party = app.organisations.relying_party("newtown-staff").unwrap();
        party.knows(secret, app.now()).is_some()
    }
}

pub(crate) fn party(organisation: &str, client_id: &str) -> Value {
    let declared = json!({
        "client_id": client_id, "name": "Newtown staff services", "dialect": "plain", "redirect_uris": [REDIRECT_URI],
    });
    json!({ "organisation": organisation, "declared": declared })
}

fn manual_handling(label: &str) -> Value {
    json!({
        "name": "ManualHandling", "label": label, "formats": ["jwt_vc_json", "dc+sd-jwt"], "valid_for_days": 365,
        "attributes": [
            { "name": "MH-Level", "label": "Level", "kind": "number", "mandatory": true, "source": "assumed" },
            { "name": "MH-Place", "label": "Place", "kind": "text", "one_of": ["ward", "theatre"], "source": "label" },
            { "name": "UniqueIdentifier", "label": "Staff passport unique identifier", "kind": "uuid", "mandatory": true, "source": "wire" },
        ],
    })
}

async fn an_organisation_and_its_system_are_run_through_the_api_and_every_process_follows(
    database: Database,
) {
    let scene = Scene::start(database).await;
    let elsewhere = scene.admin.world.second_process().await;
    scene.newtown("newtown").await;
    elsewhere.follow_once().await.unwrap();
    let known = elsewhere.app();
    assert!(
        known
            .organisations
            .find("newtown")
            .unwrap()
            .may_issue("FireSafety")
    );
    assert!(known.organisations.relying_party("newtown-staff").is_some());

    let base = &scene.admin.world.base;
    let seen = scene.get("/organisations/newtown").await.expect(200).json;
    assert_eq!(seen["declared_in"], "registry");
    assert_eq!(
        seen["issuer"]["credential_issuer"],
        format!("{base}/issuers/newtown")
    );
    assert_eq!(seen["relying_parties"], json!(["newtown-staff"]));
    let trusted = json!({ "credential_type": "Identity", "issuer": format!("{base}/issuers/anytown"), "trusted": true });
    let seen = scene
        .post("/organisations/newtown/trust", &trusted)
        .await
        .expect(200)
        .json;
    assert_eq!(seen["trust"][0]["credential_type"], "Identity");
    let app = scene.admin.world.gateway.app();
    let newtown = app.organisations.find("newtown").unwrap();
    assert!(newtown.trusts("Identity", &format!("{base}/issuers/anytown")));

    let renamed =
        json!({ "change": { "name": "Newtown Hospitals" }, "version": 1, "reason": "they merged" });
    let stale = scene
        .send(&scene.ann, "PATCH", "/organisations/newtown", &renamed)
        .await;
    stale.expect(409).refused("changed-meanwhile");
    let renamed =
        json!({ "change": { "name": "Newtown Hospitals" }, "version": 2, "reason": "they merged" });
    let seen = scene
        .send(&scene.ann, "PATCH", "/organisations/newtown", &renamed)
        .await;
    assert_eq!(seen.expect(200).json["version"], 3);
    let versions = scene
        .get("/organisations/newtown/versions")
        .await
        .expect(200)
        .json;
    assert_eq!(
        versions["versions"][0]["lines"],
        json!(["name: Newtown NHS Trust → Newtown Hospitals"])
    );
    assert_eq!(
        versions["versions"][0]["actor"],
        format!("operator:{}", scene.ann.id)
    );

    // What is still needed stays; what stands in the configuration file is changed there.
    let why = json!({ "reason": "they left", "ticket": "INC-2" });
    scene
        .post("/organisations/newtown/remove", &why)
        .await
        .refused("still-in-use");
    scene
        .post("/organisations/anytown/remove", &why)
        .await
        .refused("in-configuration-file");
    let change = json!({ "change": { "name": "Another" } });
    let file = scene
        .send(&scene.ann, "PATCH", "/relying-parties/v2", &change)
        .await;
    file.expect(409).refused("in-configuration-file");
    scene
        .post("/relying-parties/newtown-staff/remove", &why)
        .await
        .expect(204);
    scene
        .post("/relying-parties/newtown-staff/remove", &why)
        .await
        .expect(404);
    scene
        .post("/organisations/newtown/remove", &why)
        .await
        .expect(204);
    scene.get("/organisations/newtown").await.expect(404);
    // Two added, two changed, two removed, each with its entry.
    assert_eq!(scene.admin.entries("registry-changed").await, 6);
    elsewhere.follow_once().await.unwrap();
    assert!(elsewhere.app().organisations.find("newtown").is_none());
}

async fn the_same_asked_again_changes_nothing(database: Database) {
    let scene = Scene::with_newtown(database).await;
    scene.newtown("newtown").await;
    let unchanged = scene
        .patch(&scene.ann, json!({ "name": "Newtown staff services" }))
        .await;
    assert_eq!(unchanged.expect(200).json["version"], 1);
    assert_eq!(scene.admin.entries("registry-changed").await, 2);
    // Otherwise declared is somebody else's name, whoever has it.
    let mut other = party("newtown", "newtown-staff");
    other["declared"]["name"] = json!("Another");
    scene
        .post("/relying-parties", &other)
        .await
        .expect(409)
        .refused("name-taken");
    let taken = party("newtown", "v2");
    scene
        .post("/relying-parties", &taken)
        .await
        .expect(409)
        .refused("name-taken");
    let unknown = scene
        .patch(&scene.ann, json!({ "redirect_urls": [] }))
        .await
        .expect(400);
    assert!(
        unknown.text.contains("unknown field `redirect_urls`"),
        "{}",
        unknown.text
    );
    // What does not hold together is refused with its place.
    let bad = scene
        .patch(
            &scene.ann,
            json!({ "redirect_uris": ["http://staff.newtown.example/*"] }),
        )
        .await;
    assert!(
        bad.expect(400)
            .refused("declaration-invalid")
            .text
            .contains("redirect_uris")
    );
}

async fn sec_06_a_client_secret_is_shown_once_and_changes_without_an_outage(database: Database) {
    let scene = Scene::with_newtown(database).await;
    let path = "/relying-parties/newtown-staff/secrets";
    let (first, text) = scene.secret(json!({})).await;
    assert!(scene.knows(&text));
    let listed = scene.get(path).await.expect(200);
    assert!(!listed.text.contains(&text), "a secret is shown once");
    assert_eq!(listed.json["secrets"][0]["age_days"], 0);
    scene
        .post(&format!("{path}/{first}/end"), &json!({}))
        .await
        .expect(409)
        .refused("last-secret");
    let (second, new) = scene
        .secret(json!({ "rotate": true, "overlap_days": 2, "ticket": "INC-3" }))
        .await;
    assert!(scene.knows(&text) && scene.knows(&new));
    scene
        .admin
        .world
        .later(jiff::SignedDuration::from_hours(49));
    assert!(!scene.knows(&text) && scene.knows(&new));
    let listed = scene.get(path).await.expect(200).json;
    let live = |id: &str| {
        let mut all = listed["secrets"].as_array().unwrap().iter();
        let one = all.find(|one| one["id"] == id).unwrap();
        assert_eq!(one["age_days"], 2);
        one["live"].as_bool().unwrap()
    };
    assert_eq!((live(&first), live(&second)), (false, true));
    // One that has ended stays so; one that nobody made is not there.
    scene
        .post(&format!("{path}/{first}/end"), &json!({}))
        .await
        .expect(204);
    scene
        .post(&format!("{path}/0000/end"), &json!({}))
        .await
        .expect(404);
    let (_, third) = scene.secret(json!({})).await;
    scene
        .post(
            &format!("{path}/{second}/end"),
            &json!({ "reason": "it was in a mail" }),
        )
        .await
        .expect(204);
    assert!(!scene.knows(&new) && scene.knows(&third));
    assert_eq!(scene.admin.entries("client-secret-made").await, 3);
    assert_eq!(scene.admin.entries("client-secret-ended").await, 1);
    scene
        .post(path, &json!({ "overlap_days": 3 }))
        .await
        .expect(400)
        .refused("field-invalid");
}

async fn a_credential_type_has_versions_and_a_schema(database: Database) {
    let scene = Scene::start(database).await;
    let path = "/credential-types/ManualHandling";
    let upload = async |label: &str, version: i64| {
        let body = json!({ "declared": manual_handling(label), "version": version });
        scene.send(&scene.ann, "PUT", path, &body).await
    };
    assert_eq!(
        upload("Manual handling", 0).await.expect(200).json["version"],
        1
    );
    upload("Moving and handling", 0)
        .await
        .expect(409)
        .refused("changed-meanwhile");
    let seen = upload("Moving and handling", 1).await.expect(200).json;
    assert_eq!(
        upload("Moving and handling", 2).await.expect(200).json["version"],
        2
    );
    let provenance: Vec<_> = seen["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["provenance"])
        .collect();
    assert_eq!(provenance, ["assumed", "sourced", "sourced"]);
    let schema = &seen["schema"];
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["$id"], seen["schema_address"]);
    let versions = scene
        .get(&format!("{path}/versions"))
        .await
        .expect(200)
        .json;
    assert_eq!(
        versions["versions"][0]["lines"],
        json!(["label: Manual handling → Moving and handling"])
    );
    assert_eq!(
        versions["versions"][1]["declared"]["label"],
        "Manual handling"
    );
    // One in the box is shown, too; a registered one takes its place and gives it back.
    let boxed = scene
        .get("/credential-types/FireSafety")
        .await
        .expect(200)
        .json;
    assert_eq!(boxed["declared_in"], "configuration");
    assert_eq!(boxed["issued_by"], json!(["anytown", "elsewhere"]));
    scene
        .post("/credential-types/FireSafety/remove", &json!({}))
        .await
        .expect(409)
        .refused("in-configuration-file");
    scene
        .post(&format!("{path}/remove"), &json!({}))
        .await
        .expect(204);
    scene.get(path).await.expect(404);
    let body = json!({ "declared": manual_handling("x") });
    let other = scene
        .send(&scene.ann, "PUT", "/credential-types/Another", &body)
        .await;
    other.expect(400).refused("field-invalid");
}

async fn dw_89_a_checklist_is_settled_with_dated_evidence_and_handed_out(database: Database) {
    let scene = Scene::with_newtown(database).await;
    let path = "/relying-parties/newtown-staff/onboarding";
    let empty = scene.get(path).await.expect(200).json;
    assert_eq!(
        (&empty["settled"], empty["items"].as_array().unwrap().len()),
        (&json!(0), 11)
    );
    let item = format!("{path}/penetration-test");
    let shown = json!({ "evidence": "=report PT-117, \"closed\"", "settled_on": "2026-11-20" });
    for _ in 0..2 {
        let list = scene
            .send(&scene.ann, "PUT", &item, &shown)
            .await
            .expect(200)
            .json;
        assert_eq!(list["settled"], 1);
    }
    assert_eq!(scene.admin.entries("onboarding-noted").await, 1);
    let sheet = scene.get(&format!("{path}/export")).await.expect(200).text;
    let line = sheet
        .lines()
        .find(|line| line.contains("penetration-test"))
        .unwrap();
    assert!(
        line.contains("\"2026-11-20\",\"'=report PT-117, \"\"closed\"\"\""),
        "{line}"
    );
    let late = json!({ "evidence": "to come", "settled_on": "2999-01-01" });
    scene
        .send(&scene.ann, "PUT", &item, &late)
        .await
        .expect(400)
        .refused("field-invalid");
    let nothing = format!("{path}/nothing");
    scene
        .send(&scene.ann, "PUT", &nothing, &shown)
        .await
        .expect(404);
    // Whoever comes after under the same client id settles it anew.
    scene
        .post("/relying-parties/newtown-staff/remove", &json!({}))
        .await
        .expect(204);
    scene
        .post("/relying-parties", &party("newtown", "newtown-staff"))
        .await
        .expect(201);
    assert_eq!(scene.get(path).await.expect(200).json["settled"], 0);
}

async fn a_declaration_is_planned_first_and_carried_out_whole_or_not_at_all(database: Database) {
    let scene = Scene::start(database).await;
    let mut organisation =
        json!({ "id": "newtown", "name": "Newtown NHS Trust", "issues": ["ManualHandling"] });
    organisation["relying_parties"] = json!([party("", "newtown-staff")["declared"]]);
    let whole = json!({ "credential_types": [manual_handling("Manual handling")], "organisations": [organisation] });
    let asked = json!({ "declaration": whole });
    let plan = scene.post("/registry/plan", &asked).await.expect(200).json;
    let said: Vec<_> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(said, ["ManualHandling", "newtown", "newtown-staff"]);
    assert!(
        plan["text"]
            .as_str()
            .unwrap()
            .starts_with("+ credential-type ManualHandling\n")
    );
    scene.get("/organisations/newtown").await.expect(404);
    let apply =
        |declaration: &Value, plan: &Value| json!({ "declaration": declaration, "plan": plan });
    scene
        .post("/registry/apply", &apply(&whole, &json!("another")))
        .await
        .expect(409)
        .refused("changed-meanwhile");
    for _ in 0..2 {
        scene
            .post("/registry/apply", &apply(&whole, &plan["plan"]))
            .await
            .expect(204);
    }
    assert_eq!(scene.admin.entries("registry-changed").await, 3);
    assert!(
        scene
            .admin
            .world
            .gateway
            .app()
            .organisations
            .find("newtown")
            .is_some()
    );

    // The same as TOML; unknown keys, places on this machine and a thing of the file are refused, and with them the rest.
    let toml = |more: &str| {
        let text = format!(
            "[[organisations]]\nid = \"newtown\"\nname = \"Newtown Hospitals\"\nissues = [\"ManualHandling\"]\n{more}"
        );
        json!({ "toml": text })
    };
    let plan = scene
        .post("/registry/plan", &toml(""))
        .await
        .expect(200)
        .json;
    assert_eq!(
        plan["changes"][0]["lines"],
        json!(["name: Newtown NHS Trust → Newtown Hospitals"])
    );
    let key = "[[organisations.relying_parties]]\nname = \"x\"\nclient_id = \"newtown-x\"\ndialect = \"plain\"\n\
               redirect_uris = [\"https://x.example/cb\"]\nsigning_key = { file = \"/etc/passwd\" }\n";
    let file = "[[organisations]]\nid = \"anytown\"\nname = \"Mine\"\nissues = []\n";
    for (more, words) in [
        ("naem = \"x\"\n", "unknown field"),
        (key, "say the secret itself"),
        (file, "it stands in the configuration file, too"),
    ] {
        let refused = scene.post("/registry/plan", &toml(more)).await.expect(400);
        assert!(refused.text.contains(words), "{}", refused.text);
    }
    let prune = json!({ "declaration": {}, "prune": true });
    let plan = scene.post("/registry/plan", &prune).await.expect(200).json;
    assert_eq!(plan["changes"][0]["act"], "remove");
}
