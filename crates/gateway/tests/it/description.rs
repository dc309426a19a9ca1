//! The gateway's description of itself (OpenAPI 3.1), served and committed.

use std::collections::BTreeSet;

use axum::http::HeaderName;
use gateway::keys::KeyPurpose;
use serde_json::{Value, json};

use crate::database::Database;
use crate::key_stage::desk;
use crate::raw_wallet::Waiting;
use crate::receiver::{Received, Receiver, Reply};
use crate::webhook::{ask, told};
use crate::world::{Answer, World, client, programme};

/// Where the committed one is.
const FILE: &str = "../../docs/reference/openapi.json";

async fn served(world: &World) -> Value {
    let answer = client().get(world.url("/openapi.json")).send().await;
    Answer::read(answer.unwrap()).await.json
}

/// `cargo xtask generate` writes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_committed_description_is_what_the_gateway_serves() {
    let world = World::start().await;
    let mut document = served(&world).await;
    assert_eq!(document["servers"][0]["url"], world.base.as_str());
    document["servers"][0]["url"] = "https://credentials.example.org".into();
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

/// What happens that a relying party is told of, each kind once.
async fn tell_everything(world: &World) {
    let serial = world.issue("anna", "TrainingProgramme", programme()).await;
    world.revoke(&world.party("v2"), &serial, |_| ()).await;
    let waiting = Waiting::to_issue(world, "v2").await;
    world.scan("anna", &waiting.link(), false).await;
    let app = world.gateway.app();
    let key = app.keys.id_token(KeyPurpose::IdTokenRs256).unwrap();
    let key = key.public_jwk().kid().unwrap().to_owned();
    desk(world).await.compromised(&key).await.unwrap();
    world.gateway.deliver_once().await.unwrap();
}

/// Holds an event against the two schemas that are put together for its kind.
fn is_as_described(one: &Received, document: &Value) {
    let kind = one.event["type"].as_str().unwrap();
    let operation = &document["webhooks"][kind]["post"];
    assert!(operation.is_object(), "{kind} is told and not described");
    let headers = operation["parameters"].as_array().unwrap();
    let headers = headers
        .iter()
        .map(|header| header["name"].as_str().unwrap());
    let headers: BTreeSet<&str> = headers.collect();
    let came = one.headers.keys().map(HeaderName::as_str);
    let came: BTreeSet<&str> = came.filter(|name| name.starts_with("webhook-")).collect();
    assert_eq!(headers, came, "{kind}");

    let body = &operation["requestBody"]["content"]["application/json"]["schema"]["allOf"];
    assert_eq!(body[0]["$ref"], "#/components/schemas/Event");
    let narrowed = &body[1]["properties"];
    assert_eq!(narrowed["type"]["enum"], json!([kind]));
    let schemas = &document["components"]["schemas"];
    for (part, schema, besides) in [
        (&one.event, &schemas["Event"], &Value::Null),
        (&one.event["data"], &schemas["EventData"], &narrowed["data"]),
    ] {
        for member in part.as_object().unwrap().keys() {
            assert!(schema["properties"][member].is_object(), "{kind}: {member}");
        }
        let required = [schema, besides].map(|schema| schema["required"].as_array().cloned());
        for member in required.into_iter().flatten().flatten() {
            assert!(
                part.get(member.as_str().unwrap()).is_some(),
                "{kind}: {member}"
            );
        }
    }
}

/// Every answer of the range that is described as received ends it, its first and its last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_to_relying_parties_is_what_the_description_has_and_nothing_else() {
    let receiver = Receiver::up().await;
    let world = told(Database::sqlite(), &[("v2", &receiver)]).await;
    for status in [200, 299] {
        receiver.will(Reply::Status(status));
    }
    tell_everything(&world).await;
    let document = served(&world).await;
    let received = receiver.received();
    for one in &received {
        is_as_described(one, &document);
    }
    let told: BTreeSet<&str> = received
        .iter()
        .map(|one| one.event["type"].as_str().unwrap())
        .collect();
    let webhooks = document["webhooks"].as_object().unwrap();
    let described: BTreeSet<&str> = webhooks.keys().map(String::as_str).collect();
    assert_eq!(told, described);
    for item in webhooks.values() {
        let answers = item["post"]["responses"].as_object().unwrap();
        assert_eq!(answers.keys().collect::<Vec<_>>(), ["2XX", "default"]);
    }
    let listed = ask(&world, &world.party("v2"), "/events", 0).await.json;
    let listed = listed["events"].as_array().unwrap();
    assert_eq!(listed.len(), received.len(), "each was told once");
    assert!(listed.iter().all(|one| one["delivery"] == "delivered"));
}
