//! The admin listener: who comes in, and that it is nowhere else.

use gateway::admin::Role;
use gateway::config::AdminConfig;
use gateway::operator::NewOperator;
use jiff::SignedDuration;
use serde_json::json;

use crate::database::Database;
use crate::world::{Admin, Caller, World, client};

/// Where the committed description is.
const FILE: &str = "../../docs/reference/admin.openapi.json";

/// `cargo xtask generate` writes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_committed_admin_description_is_what_the_gateway_serves() {
    let admin = Admin::start(Database::sqlite()).await;
    let document = admin
        .send(None, "GET", "/openapi.json", None)
        .await
        .expect(200)
        .json;
    assert_eq!(document["openapi"], "3.1.0");
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::env::var_os("LANYARD_WRITE_REFERENCE").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        committed == text,
        "{FILE} is not what the gateway serves: run `cargo xtask generate`"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_13_the_admin_api_is_not_on_the_public_address() {
    let admin = Admin::start(Database::sqlite()).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    admin.get(&ann, "/admin/v1/whoami").await.expect(200);
    let document = admin.send(None, "GET", "/openapi.json", None).await.json;
    for path in document["paths"].as_object().unwrap().keys() {
        let request = client().get(admin.world.url(path)).bearer_auth(&ann.token);
        assert_eq!(request.send().await.unwrap().status(), 404, "{path}");
    }
    // Nor the public one on the admin listener.
    for path in [
        "/par",
        "/authorize",
        "/jwks",
        "/.well-known/openid-configuration",
    ] {
        admin.send(None, "GET", path, None).await.expect(401);
        admin.get(&ann, path).await.expect(404).refused("not-found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_13_the_admin_api_listens_in_the_open_with_tls_only() {
    let world = World::start().await;
    let compose = |listen: &str| {
        let mut config = world.config.clone();
        config.admin = Some(AdminConfig {
            listen: listen.parse().unwrap(),
            console: true,
            public_url: None,
        });
        config
    };
    let surroundings = || gateway::Surroundings {
        sandbox: true,
        ..gateway::Surroundings::production()
    };
    for listen in ["0.0.0.0:8410", "192.0.2.1:8410", "[::]:8410"] {
        let refused = gateway::Gateway::compose(&compose(listen), surroundings()).await;
        let sentence = refused.err().unwrap().to_string();
        assert!(
            sentence.contains("admin.listen") && sentence.contains("TLS"),
            "{sentence}"
        );
    }
    let mut short = world.config.clone();
    short.audit_retention_days = 29;
    let refused = gateway::Gateway::compose(&short, surroundings()).await;
    let sentence = refused.err().unwrap().to_string();
    assert!(sentence.contains("audit_retention_days"), "{sentence}");
    let mut same = compose("127.0.0.1:8400");
    same.listen = "127.0.0.1:8400".parse().unwrap();
    assert!(
        gateway::Gateway::compose(&same, surroundings())
            .await
            .is_err()
    );
    assert!(
        gateway::Gateway::compose(&compose("127.0.0.1:8410"), surroundings())
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_wrong_tokens_are_counted_and_the_right_one_still_passes() {
    let admin = Admin::start(Database::sqlite()).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let mut refused = None;
    for at in 0..200 {
        let reply = admin
            .send(
                Some(&format!("lyo_wrong{at}")),
                "GET",
                "/admin/v1/whoami",
                None,
            )
            .await;
        if reply.status == 429 {
            refused = Some(reply.refused("too-many-failures"));
            break;
        }
        reply.expect(401).refused("unauthorized");
    }
    let refused = refused.expect("an end to the guessing");
    assert!(refused.retry_after.unwrap().parse::<u64>().unwrap() >= 1);
    admin.get(&ann, "/admin/v1/whoami").await.expect(200);
    // The public listener counts its own.
    let health = client().get(admin.world.url("/jwks")).send().await.unwrap();
    assert_eq!(health.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_at_its_time_or_when_it_is_revoked() {
    let admin = Admin::start(Database::sqlite()).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let made = admin
        .post(&ann, "/admin/v1/tokens", &json!({ "days": 2 }))
        .await
        .expect(201);
    let second = Caller {
        token: made.json["token"].as_str().unwrap().to_owned(),
        ..ann.clone()
    };
    assert_eq!(second.token.len(), 47);
    admin.get(&second, "/admin/v1/whoami").await.expect(200);
    let tokens = admin.get(&ann, "/admin/v1/tokens").await.expect(200);
    assert_eq!(tokens.json["tokens"].as_array().unwrap().len(), 2);
    assert!(
        tokens.json["tokens"][0]["last_used_at"].is_string(),
        "{}",
        tokens.text
    );
    assert!(!tokens.text.contains(&second.token[4..]));
    let made = admin.post(&ann, "/admin/v1/tokens", &json!({})).await;
    let third = made.expect(201).json;
    let path = format!("/admin/v1/tokens/{}/revoke", third["id"].as_str().unwrap());
    let token = third["token"].as_str().unwrap().to_owned();
    let third = Caller {
        token,
        ..ann.clone()
    };
    admin.get(&third, "/admin/v1/whoami").await.expect(200);
    admin
        .post(&second, &path, &json!({ "reason": "found in a log" }))
        .await
        .expect(204);
    admin.post(&second, &path, &json!({})).await.expect(404);
    admin.get(&third, "/admin/v1/whoami").await.expect(401);
    admin.world.later(SignedDuration::from_hours(47));
    admin.get(&second, "/admin/v1/whoami").await.expect(200);
    admin.world.later(SignedDuration::from_hours(48));
    admin.get(&second, "/admin/v1/whoami").await.expect(401);
    for days in [0, 401] {
        admin
            .post(&second, "/admin/v1/tokens", &json!({ "days": days }))
            .await
            .expect(401);
    }
    assert_eq!(admin.entries("operator-token-made").await, 2);
    assert_eq!(admin.entries("operator-token-revoked").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_use_of_the_account_for_emergencies_raises_an_alarm() {
    let admin = Admin::start(Database::sqlite()).await;
    let glass = NewOperator {
        name: "break-glass",
        role: Role::Administrator,
        organisation: None,
        person: None,
        break_glass: true,
    };
    let glass = admin.new_operator(glass).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    admin.get(&ann, "/admin/v1/operators").await.expect(200);
    assert_eq!(admin.world.gateway.break_glass_uses(), 0);
    admin.get(&glass, "/admin/v1/operators").await.expect(200);
    admin.get(&glass, "/admin/v1/nothing").await.expect(404);
    assert_eq!(admin.world.gateway.break_glass_uses(), 2);
    assert_eq!(admin.entries("break-glass-used").await, 2);
    // However it is written, the alarm says what was looked at.
    let (first, others) = ann.id.split_at(1);
    let escaped = format!("/admin/v1/operators/%{:02x}{others}", first.as_bytes()[0]);
    let seen = admin.get(&glass, &escaped).await.expect(200).json;
    assert_eq!(seen["id"], ann.id.as_str());
    let told = admin.told("break-glass-used", "path").await;
    assert_eq!(told, format!("/admin/v1/operators/{}", ann.id));
    for (path, told) in [
        (
            "/admin/v1/operators/a%20b~%zz",
            "/admin/v1/operators/a~20b~7E~25zz",
        ),
        (
            &format!("/admin/v1/{}", "x".repeat(300)),
            &format!("/admin/v1/{}", "x".repeat(190)),
        ),
    ] {
        admin.get(&glass, path).await;
        assert_eq!(admin.told("break-glass-used", "path").await, told);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_understood_is_a_problem_that_quotes_nothing() {
    let admin = Admin::start(Database::sqlite()).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let long = json!({ "reason": "x".repeat(501) });
    admin
        .post(
            &ann,
            &format!("/admin/v1/operators/{}/remove", ann.id),
            &long,
        )
        .await
        .refused("field-invalid");
    for body in [json!({ "hunter2": 1 }), json!([]), json!("hunter2")] {
        let reply = admin
            .post(&ann, "/admin/v1/tokens", &body)
            .await
            .refused("body-unreadable");
        assert!(!reply.text.contains("hunter2"), "{}", reply.text);
    }
    let list = json!({ "act": "operator-add", "detail": ["x", "viewer"] });
    admin
        .post(&ann, "/admin/v1/proposals", &list)
        .await
        .refused("field-invalid");
    let large = json!({ "reason": "x".repeat(70_000) });
    admin
        .post(&ann, "/admin/v1/proposals", &large)
        .await
        .expect(413)
        .refused("body-too-large");
    admin
        .send(Some(&ann.token), "DELETE", "/admin/v1/whoami", None)
        .await
        .expect(405)
        .refused("method-not-allowed");
    admin
        .send(Some(&ann.token), "POST", "/admin/v1/tokens", None)
        .await
        .expect(415)
        .refused("unsupported-media-type");
    admin
        .get(&ann, "/admin/v1/operators/%ff")
        .await
        .expect(400)
        .refused("field-invalid");
    admin
        .get(&ann, "/admin/v1/audit?limit=0")
        .await
        .refused("field-invalid");
    admin
        .get(&ann, "/admin/v1/audit?hunter2=1")
        .await
        .refused("field-invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zero_byte_is_a_fault_of_whoever_sends_it() {
    let admin = Admin::start(Database::sqlite()).await;
    let ann = admin.operator("ann", Role::Administrator, None).await;
    let zero = "a\u{0}b";
    let session = json!({ "name": "ann", "organisation": zero, "password": "x", "code": "1" });
    let refused = admin.send(None, "POST", "/admin/v1/sessions", Some(&session));
    refused.await.expect(400).refused("field-invalid");
    let detail = json!({ "operator": zero, "role": "viewer" });
    let proposed = json!({ "act": "operator-role-change", "detail": detail });
    let party = json!({ "organisation": zero, "declared": {} });
    for (path, body) in [("proposals", proposed), ("relying-parties", party)] {
        let refused = admin.post(&ann, &format!("/admin/v1/{path}"), &body).await;
        refused.expect(400).refused("field-invalid");
    }
    for path in [
        "operators",
        "proposals",
        "organisations",
        "relying-parties",
        "bulk-revocations",
    ] {
        let refused = admin.get(&ann, &format!("/admin/v1/{path}/a%00b")).await;
        refused.expect(404).refused("not-found");
    }
    for path in ["proposals?state=%00", "audit?act=a%00"] {
        let refused = admin.get(&ann, &format!("/admin/v1/{path}")).await;
        refused.expect(400).refused("field-invalid");
    }
    let stranger = admin
        .send(None, "GET", "/admin/v1/operators/%00", None)
        .await;
    stranger.expect(401);
}
