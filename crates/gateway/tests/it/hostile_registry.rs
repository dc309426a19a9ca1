//! Whoever would do alone what takes two, or reach another tenant's systems through the registry.

use gateway::admin::Role;
use serde_json::{Value, json};

use crate::admin_registry::{Scene, party};
use crate::database::{Database, on_both_engines};
use crate::world::{Caller, Reply};

on_both_engines!(
    sec_13_what_a_live_relying_party_proves_itself_by_takes_two_persons,
    sec_13_whom_a_live_organisation_trusts_takes_two_persons,
    sec_13_the_redirect_address_of_a_live_relying_party_takes_two_persons,
    sec_13_who_is_taken_out_and_put_back_is_still_live,
    sec_33_a_tenants_operator_runs_its_own_systems_and_gives_itself_nothing,
    sec_33_a_client_id_that_was_anothers_tells_nothing_of_that_time,
);

const OTHER: &str = "https://elsewhere.example/callback";

const PARTY: &str = "/relying-parties/newtown-staff";

/// Newtown and its one system, and Bob beside Ann: two persons.
struct Two {
    scene: Scene,
    bob: Caller,
}

impl Two {
    async fn start(database: Database) -> Self {
        let scene = Scene::with_newtown(database).await;
        let bob = scene.admin.operator("bob", Role::Operator, None).await;
        Self { scene, bob }
    }

    /// Bob asks for it alone.
    async fn alone(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.scene.send(&self.bob, method, path, body).await
    }

    /// Before anybody relies on it one person does this; then the relying party has its first secret, and each of those is
    /// refused and names the act by which two persons do it.
    async fn alone_until_live(
        &self,
        act: &str,
        free: (&str, &str, Value),
        then: &[(&str, &str, Value)],
    ) {
        let (method, path, body) = free;
        self.alone(method, path, &body).await.expect(200);
        let secrets = format!("{PARTY}/secrets");
        self.scene.post(&secrets, &json!({})).await.expect(201);
        for (method, path, body) in then {
            let refused = self.alone(method, path, body).await;
            let refused = refused.expect(409).refused("two-persons-needed");
            assert!(refused.text.contains(act), "{body}: {}", refused.text);
        }
    }

    /// Bob proposes it, cannot approve it, and Ann does. Gives the proposal as she saw it.
    async fn together(&self, act: &str, detail: Value) -> Reply {
        let (admin, ann) = (&self.scene.admin, &self.scene.ann);
        let id = admin.propose(&self.bob, act, detail).await;
        let shown = self
            .scene
            .get(&format!("/proposals/{id}"))
            .await
            .expect(200);
        let own = admin.decide(&self.bob, &id, "approve").await;
        own.expect(409).refused("second-person-needed");
        admin.decide(ann, &id, "approve").await.expect(200);
        shown
    }
}

fn change(members: &Value) -> Value {
    json!({ "change": members })
}

async fn sec_13_the_redirect_address_of_a_live_relying_party_takes_two_persons(database: Database) {
    let two = Two::start(database).await;
    let (scene, bob) = (&two.scene, &two.bob);
    let act = "relying-party-redirect-change";
    let there = async || {
        let seen = scene
            .get("/relying-parties/newtown-staff")
            .await
            .expect(200)
            .json;
        seen["redirect_uris"].as_array().unwrap().clone()
    };
    let first = "https://first.example/callback";
    let free = ("PATCH", PARTY, change(&json!({ "redirect_uris": [first] })));
    let more = change(&json!({ "redirect_uris": [first, OTHER], "name": "Another" }));
    two.alone_until_live(act, free, &[("PATCH", PARTY, more)])
        .await;
    // Nor as a part of something larger.
    let text = format!(
        "[[organisations]]\nid = \"newtown\"\nname = \"Newtown\"\nissues = [\"FireSafety\"]\n\
         [[organisations.relying_parties]]\nname = \"Newtown staff services\"\nclient_id = \"newtown-staff\"\n\
         dialect = \"plain\"\nredirect_uris = [\"{OTHER}\"]\n"
    );
    let plan = scene
        .post("/registry/plan", &json!({ "toml": text }))
        .await
        .expect(200)
        .json;
    assert_eq!(
        plan["changes"][1]["two_persons"],
        "relying-party-redirect-change"
    );
    let apply = json!({ "toml": text, "plan": plan["plan"] });
    scene
        .post("/registry/apply", &apply)
        .await
        .expect(409)
        .refused("two-persons-needed");
    assert_eq!(
        scene.get("/organisations/newtown").await.json["name"],
        "Newtown NHS Trust"
    );
    assert_eq!(there().await, [first]);

    let detail = json!({ "relying_party": "newtown-staff", "redirect_uris": [OTHER] });
    let shown = two.together(act, detail).await.json;
    assert_eq!(
        (&shown["detail"]["from"], &shown["organisation"]),
        (&json!([first]), &json!("newtown"))
    );
    assert_eq!(there().await, [OTHER]);
    scene.admin.world.gateway.follow_once().await.unwrap();
    let app = scene.admin.world.gateway.app();
    let party = app.organisations.relying_party("newtown-staff").unwrap();
    assert!(party.redirect_uri(OTHER).is_some() && party.redirect_uri(first).is_none());

    // What was proposed of a version is not done to another.
    let detail = json!({ "relying_party": "newtown-staff", "redirect_uris": [first] });
    let id = scene.admin.propose(bob, act, detail).await;
    scene
        .patch(bob, json!({ "name": "Newtown services" }))
        .await
        .expect(200);
    scene
        .admin
        .decide(&scene.ann, &id, "approve")
        .await
        .expect(409)
        .refused("changed-meanwhile");
    assert_eq!(there().await, [OTHER]);
    let same = json!({ "act": "relying-party-redirect-change",
        "detail": { "relying_party": "newtown-staff", "redirect_uris": [OTHER] } });
    scene
        .post("/proposals", &same)
        .await
        .expect(400)
        .refused("field-invalid");
}

async fn sec_13_who_is_taken_out_and_put_back_is_still_live(database: Database) {
    let two = Two::start(database).await;
    let scene = &two.scene;
    // It proves itself with a key of its own, so that nothing of it ends with its entry.
    let keys = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }] });
    let keyed = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": keys });
    scene.patch(&scene.ann, keyed.clone()).await.expect(200);
    scene
        .patch(&scene.ann, json!({ "redirect_uris": [OTHER] }))
        .await
        .refused("two-persons-needed");
    // Another way to prove itself for a moment does not make it new, and neither does a moment without any entry.
    let secret = json!({ "token_endpoint_auth_method": null, "jwks": null });
    let detail = json!({ "relying_party": "newtown-staff", "change": secret });
    two.together("relying-party-change", detail).await;
    scene
        .patch(&scene.ann, json!({ "redirect_uris": [OTHER] }))
        .await
        .refused("two-persons-needed");
    scene
        .post("/relying-parties/newtown-staff/remove", &json!({}))
        .await
        .expect(204);
    let mut back = party("newtown", "newtown-staff");
    let same = back.clone();
    back["declared"]["redirect_uris"] = json!([OTHER]);
    scene
        .post("/relying-parties", &back)
        .await
        .expect(409)
        .refused("two-persons-needed");
    scene
        .get("/relying-parties/newtown-staff")
        .await
        .expect(404);
    scene.post("/relying-parties", &same).await.expect(201);
}

async fn sec_33_a_tenants_operator_runs_its_own_systems_and_gives_itself_nothing(
    database: Database,
) {
    let scene = Scene::with_newtown(database).await;
    scene.newtown("oldtown").await;
    let tom = scene
        .admin
        .operator("tom", Role::Administrator, Some("newtown"))
        .await;
    let send =
        async |method: &str, path: &str, body: Value| scene.send(&tom, method, path, &body).await;
    scene
        .patch(&tom, json!({ "name": "Newtown services" }))
        .await
        .expect(200);
    send("POST", "/relying-parties", party("newtown", "newtown-desk"))
        .await
        .expect(201);
    send(
        "PATCH",
        "/organisations/newtown",
        json!({ "change": { "name": "New" } }),
    )
    .await
    .expect(200);
    for change in [
        json!({ "issues": ["Identity"] }),
        json!({ "did": "did:web:newtown.example" }),
    ] {
        let refused = send(
            "PATCH",
            "/organisations/newtown",
            json!({ "change": change }),
        )
        .await;
        refused.expect(400).refused("field-invalid");
    }
    // Nothing of others, by whichever door.
    send("POST", "/relying-parties", party("oldtown", "mine"))
        .await
        .expect(404);
    send(
        "POST",
        "/relying-parties",
        party("newtown", "oldtown-staff"),
    )
    .await
    .expect(409)
    .refused("name-taken");
    let text = |id: &str, party: &str, issues: &str| {
        json!({ "toml": format!(
            "[[organisations]]\nid = \"{id}\"\nname = \"New\"\nissues = [{issues}]\n[[organisations.relying_parties]]\n\
             name = \"x\"\nclient_id = \"{party}\"\ndialect = \"plain\"\nredirect_uris = [\"https://x.example/cb\"]\n"
        ) })
    };
    let fire = "\"FireSafety\"";
    for (organisation, party, issues, status, code) in [
        ("newtown", "newtown-new", fire, 200, ""),
        ("oldtown", "oldtown-staff", fire, 404, "not-found"),
        ("othertown", "other", fire, 404, "not-found"),
        ("newtown", "oldtown-staff", fire, 409, "name-taken"),
        ("newtown", "newtown-new", "", 400, "field-invalid"),
    ] {
        let plan = send("POST", "/registry/plan", text(organisation, party, issues)).await;
        plan.expect(status).refused(code);
    }
    let mut pruned = text("newtown", "newtown-staff", fire);
    pruned["prune"] = json!(true);
    send("POST", "/registry/plan", pruned)
        .await
        .expect(400)
        .refused("field-invalid");
    let types = send("GET", "/credential-types", Value::Null)
        .await
        .expect(200)
        .json;
    let names: Vec<_> = types["credential_types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["FireSafety"]);
    let redirect = json!({ "act": "relying-party-redirect-change",
        "detail": { "relying_party": "oldtown-staff", "redirect_uris": [OTHER] } });
    send("POST", "/proposals", redirect).await.expect(404);
}

async fn sec_33_a_client_id_that_was_anothers_tells_nothing_of_that_time(database: Database) {
    let scene = Scene::with_newtown(database).await;
    scene.newtown("oldtown").await;
    let settled = json!({ "evidence": "report of Newtown", "settled_on": "2026-11-20" });
    let item = "/relying-parties/newtown-staff/onboarding/assurance";
    scene
        .send(&scene.ann, "PUT", item, &settled)
        .await
        .expect(200);
    scene
        .patch(&scene.ann, json!({ "name": "What Newtown called it" }))
        .await
        .expect(200);
    scene
        .post("/relying-parties/newtown-staff/remove", &json!({}))
        .await
        .expect(204);
    scene
        .post("/relying-parties", &party("oldtown", "newtown-staff"))
        .await
        .expect(201);
    let tom = scene
        .admin
        .operator("tom", Role::Administrator, Some("oldtown"))
        .await;
    for path in ["versions", "onboarding", "onboarding/export", "secrets"] {
        let path = format!("/relying-parties/newtown-staff/{path}");
        let seen = scene
            .send(&tom, "GET", &path, &Value::Null)
            .await
            .expect(200);
        assert!(
            !seen.text.contains("What Newtown called it")
                && !seen.text.contains("report of Newtown"),
            "{}",
            seen.text
        );
    }
    let all = scene
        .get("/relying-parties/newtown-staff/versions")
        .await
        .expect(200);
    assert!(all.text.contains("What Newtown called it"));
}

/// Nothing of this may reach the file that is named, in whatever form it is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_37_nobody_who_only_speaks_with_the_api_names_a_file_of_this_machine() {
    let scene = Scene::with_newtown(Database::sqlite()).await;
    let viewer = scene
        .admin
        .operator("vic", Role::Viewer, Some("newtown"))
        .await;
    let file = json!({ "file": concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml") });
    let brands = [
        json!(["x", null, null, file]),
        json!({ "logo": file }),
        json!({ "logo": [file["file"]] }),
    ];
    for brand in brands {
        let organisation =
            json!({ "id": "newtown", "name": "Newtown", "issues": [], "brand": brand });
        let whole = json!({ "declaration": { "organisations": [organisation] } });
        let plan = scene.send(&viewer, "POST", "/registry/plan", &whole).await;
        let change = json!({ "change": { "brand": brand } });
        let patch = scene
            .send(&scene.ann, "PATCH", "/organisations/newtown", &change)
            .await;
        for refused in [plan, patch] {
            let refused = refused.expect(400).refused("declaration-invalid");
            for told in ["PNG", "Cargo.toml", "os error", "32 KiB"] {
                assert!(!refused.text.contains(told), "{brand}: {}", refused.text);
            }
        }
    }
}

async fn sec_13_what_a_live_relying_party_proves_itself_by_takes_two_persons(database: Database) {
    let two = Two::start(database).await;
    let scene = &two.scene;
    let act = "relying-party-change";
    let key = |byte: u8| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode([byte; 32])
    };
    let webhook =
        json!({ "url": "https://mine.example/events", "secrets": [format!("whsec_{}", key(2))] });
    let patch = |members: Value| ("PATCH", PARTY, change(&members));
    let then = [
        patch(json!({ "signing_key": key(3) })),
        patch(json!({ "signing_key": null })),
        patch(json!({ "token_endpoint_auth_method": "client_secret_post" })),
        patch(json!({ "webhook": webhook })),
        patch(json!({ "client_secret_sha256": ["00".repeat(32)] })),
    ];
    let free = patch(json!({ "signing_key": key(1) }));
    two.alone_until_live(act, free, &then).await;
    assert_eq!(scene.admin.entries("client-secret-beside-another").await, 0);
    let named = json!({ "name": "Newtown services" });
    scene.patch(&two.bob, named).await.expect(200);
    // By two: the key stands in the proposal for nobody to read.
    let members = json!({ "signing_key": key(3), "webhook": webhook });
    let detail = json!({ "relying_party": "newtown-staff", "change": members });
    let shown = two.together(act, detail).await.text;
    assert!(
        !shown.contains(&key(3)) && !shown.contains(&key(2)),
        "{shown}"
    );
    assert!(shown.contains("signing_key: another one"), "{shown}");
    let now = scene.get(PARTY).await.expect(200).json;
    let url = &now["declared"]["webhook"]["url"];
    assert_eq!(url, "https://mine.example/events");
    // A second secret is one person's, and not quiet.
    let secrets = format!("{PARTY}/secrets");
    scene.post(&secrets, &json!({})).await.expect(201);
    assert_eq!(scene.admin.entries("client-secret-beside-another").await, 1);
}

async fn sec_13_whom_a_live_organisation_trusts_takes_two_persons(database: Database) {
    let two = Two::start(database).await;
    let trust = |issuer: &str, trusted: bool| json!({ "credential_type": "Identity", "issuer": issuer, "trusted": trusted });
    let path = "/organisations/newtown/trust";
    let (first, mine) = ("did:web:first.example", "did:web:mine.example");
    let act = "organisation-trust-add";
    let list = json!({ "trust": [{ "credential_type": "Identity", "issuers": [first, mine] }] });
    let then = [
        ("POST", path, trust(mine, true)),
        ("PATCH", "/organisations/newtown", change(&list)),
    ];
    let free = ("POST", path, trust(first, true));
    two.alone_until_live(act, free, &then).await;
    let detail =
        json!({ "organisation": "newtown", "credential_type": "Identity", "issuer": mine });
    two.together(act, detail).await;
    let now = two
        .scene
        .get("/organisations/newtown")
        .await
        .expect(200)
        .text;
    assert!(now.contains(mine), "{now}");
    // One person takes somebody out at once.
    let out = trust(mine, false);
    two.alone("POST", path, &out).await.expect(200);
}
