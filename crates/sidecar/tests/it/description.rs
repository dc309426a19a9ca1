//! The sidecar's description of itself (OpenAPI 3.1), served and committed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::send;
use crate::database::Database;
use crate::world::World;

/// Where the committed one is.
const FILE: &str = "../../docs/reference/sidecar.openapi.json";

/// `cargo xtask generate` writes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_committed_description_is_what_the_sidecar_serves() {
    let world = World::start(Database::sqlite()).await;
    let document = world.caller.get("/openapi.json").await.expect(200).json;
    assert_eq!(document["openapi"], "3.1.0");
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::env::var_os("LANYARD_WRITE_REFERENCE").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        committed == text,
        "{FILE} is not what the sidecar serves: run `cargo xtask generate`"
    );
}

/// Every address and verb of the description.
async fn described(world: &World) -> Vec<(Method, String, Value)> {
    let document = world.caller.get("/openapi.json").await.expect(200).json;
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            let verb = verb.to_uppercase().parse().unwrap();
            all.push((verb, path.clone(), operation.clone()));
        }
    }
    assert!(all.len() > 20);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_not_utf_8_is_answered_with_a_problem_like_any_other() {
    let world = World::start(Database::sqlite()).await;
    let mut tried = 0;
    for (verb, path, _) in described(&world).await {
        if let Some((before, behind)) = path.split_once("{employee}") {
            let path = format!("{before}%FF{behind}");
            let request = world.caller.request(verb, &path).json(&json!({}));
            let answer = send(request).await.expect(400);
            assert_eq!(answer.code(), "field-invalid", "{path}");
            assert!(answer.json["detail"].as_str().unwrap().contains("employee"));
            tried += 1;
        }
    }
    assert_eq!(tried, 4);
}

/// Whoever writes a client from the description knows what a refusal looks like, whichever it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_says_that_it_may_be_refused_and_none_asks_for_a_key_that_it_does_not_need() {
    let world = World::start(Database::sqlite()).await;
    for (verb, path, operation) in described(&world).await {
        let refused = &operation["responses"]["default"]["content"];
        let schema = &refused["application/problem+json"]["schema"]["$ref"];
        assert_eq!(schema, "#/components/schemas/Problem", "{verb} {path}");
        let is_open = operation["security"] == json!([{}]);
        let asks = operation["responses"]["401"].is_object();
        assert_eq!(
            asks,
            !is_open || path == "/notify/callback",
            "{verb} {path}"
        );
        let other = world.caller.request(Method::PATCH, &path).body("{}");
        let answer = send(other).await.expect(405);
        assert_eq!(answer.code(), "method-not-allowed", "{path}");
    }
}

/// All but what GOV.UK Notify posts, which sends no such header: the second time, a callback changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_post_takes_an_idempotency_key_says_so_and_refuses_an_empty_one() {
    let world = World::start(Database::sqlite()).await;
    let mut posts = described(&world).await;
    posts.retain(|(verb, path, _)| *verb == Method::POST && path != "/notify/callback");
    assert!(posts.len() > 10);
    for (verb, path, operation) in posts {
        let parameters = operation["parameters"].as_array();
        let mut parameters = parameters.into_iter().flatten();
        let key = parameters.find(|one| one["name"] == "Idempotency-Key");
        let key = key.unwrap_or_else(|| panic!("{path} does not say that it takes a key"));
        assert_eq!(key["in"], "header", "{path}");
        assert_eq!(key["schema"]["minLength"], 1, "{path}");
        let request = world.caller.request(verb, &path).json(&json!({}));
        let answer = send(request.header("Idempotency-Key", "")).await;
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        assert_eq!(answer.code(), "idempotency-key-invalid", "{path}");
    }
}
