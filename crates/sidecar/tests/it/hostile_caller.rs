//! What somebody tries who is not the external system, or who sends what cannot be meant.

use reqwest::Method;
use serde_json::json;

use crate::caller::send;
use crate::database::Database;
use crate::world::{SESSION, World, anna, programme};

/// Every address that does something.
const ADDRESSES: [(&str, &str); 23] = [
    ("POST", "/v1/verifications"),
    ("POST", "/v1/callbacks"),
    ("POST", "/v1/sessions/standing"),
    ("POST", "/v1/sessions/end"),
    ("GET", "/v1/reviews"),
    ("POST", "/v1/reviews/decide"),
    ("POST", "/v1/confirmations"),
    ("POST", "/v1/old-copies"),
    ("POST", "/v1/issuings"),
    ("POST", "/v1/states"),
    ("GET", "/v1/people/e-anna/states"),
    ("GET", "/v1/people/e-anna"),
    ("DELETE", "/v1/people/e-anna"),
    ("POST", "/v1/people/e-anna/revocations"),
    ("POST", "/v1/changes"),
    ("POST", "/v1/revocations"),
    ("GET", "/v1/events"),
    ("POST", "/v1/events/redeliver"),
    ("GET", "/v1/backlog"),
    ("POST", "/v1/mail-holds"),
    ("POST", "/v1/mail-holds/release"),
    ("GET", "/v1/may-still-hold"),
    ("POST", "/v1/may-still-hold/told"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_33_nothing_is_done_or_told_without_a_key() {
    let world = World::start(Database::sqlite()).await;
    let stranger = world.caller.with_key("lyk_of_somebody_else");
    for (method, path) in ADDRESSES {
        let method: Method = method.parse().unwrap();
        let request = stranger.request(method.clone(), path).json(&json!({}));
        let answer = send(request).await.expect(401);
        assert_eq!(answer.code(), "unauthorized");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        // The address is there: whoever holds the key hears something else.
        let request = world.caller.request(method, path).json(&json!({}));
        assert_ne!(send(request).await.status, 401, "{path}");
    }
    let nothing = stranger.get("/v1/nothing").await;
    assert_eq!(nothing.code(), "unauthorized");
    for open in ["/healthz", "/readyz"] {
        stranger.get(open).await.expect(204);
    }
    stranger.get("/openapi.json").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_35_what_cannot_be_meant_is_refused_by_name() {
    let world = World::start(Database::sqlite()).await;
    let caller = &world.caller;
    let with = |member: &str, value: &str| {
        let mut employee = anna();
        employee[member] = json!(value);
        json!({ "session": SESSION, "employee": employee })
    };
    for (body, wanted) in [
        (json!({ "session": "", "employee": anna() }), "session"),
        (with("id", " "), "employee.id"),
        (with("surname", "Taylor\u{0}"), "employee.surname"),
        (
            with("first_names", &"A".repeat(501)),
            "employee.first_names",
        ),
        (
            with("email", "anna@anytown.example\r\nBcc: x"),
            "employee.email",
        ),
    ] {
        let refused = caller.post("/v1/verifications", &body).await.expect(400);
        assert_eq!(refused.code(), "field-invalid");
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("`{wanted}`")), "{detail}");
    }
    let mut given = programme("p-1");
    given["claims"]["UniqueIdentifier"] = json!("of-somebody-else");
    let told = json!({ "employee": "e-anna", "record": given });
    let refused = caller.post("/v1/confirmations", &told).await;
    assert_eq!(refused.expect(400).code(), "field-invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_40_what_cannot_be_read_is_not_quoted() {
    let world = World::start(Database::sqlite()).await;
    let raw = |media_type: &'static str, body: &'static str| {
        let request = world
            .caller
            .request(Method::POST, "/v1/verifications")
            .header("content-type", media_type)
            .body(body);
        send(request)
    };
    let refused = raw(
        "application/json",
        r#"{"session": "s", "employee": "Taylor"}"#,
    )
    .await;
    assert_eq!(refused.code(), "body-unreadable");
    assert!(!refused.json.to_string().contains("Taylor"));
    let refused = raw(
        "application/json",
        r#"{"session": "s", "surname": "Taylor"}"#,
    )
    .await;
    let said = refused.json.to_string();
    assert!(
        said.contains("unknown field `surname`") && !said.contains("Taylor"),
        "{said}"
    );
    assert_eq!(
        raw("text/plain", "{}").await.expect(415).code(),
        "unsupported-media-type"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_34_a_body_without_end_is_refused() {
    let world = World::start(Database::sqlite()).await;
    let asked = json!({ "session": "s".repeat(2 << 20), "employee": anna() });
    let refused = world.caller.post("/v1/verifications", &asked).await;
    assert_eq!(refused.expect(413).code(), "body-too-large");
    let line = format!("{{\"record\":\"{}\"}}", "r".repeat(1 << 20));
    let refused = world.caller.feed("application/x-ndjson", line).await;
    assert_eq!(refused.expect(413).code(), "body-too-large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_of_the_api_stays_out_of_caches_and_is_told_as_what_it_is() {
    let world = World::start(Database::sqlite()).await;
    for path in ["/v1/backlog", "/v1/nothing", "/healthz", "/openapi.json"] {
        let answer = world.caller.get(path).await;
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
    }
    assert_eq!(world.caller.get("/v1/nothing").await.code(), "not-found");
    let answer = world.caller.get("/v1/issuings").await;
    assert_eq!(answer.expect(405).code(), "method-not-allowed");
}
