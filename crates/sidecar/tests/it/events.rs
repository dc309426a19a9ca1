//! The host is told what no browser brings it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use connector::SecretSource;
use serde_json::{Value, json};
use sidecar::WebhookConfig;
use standards::webhook::SigningSecrets;

use crate::database::{Database, on_both_engines};
use crate::world::{World, programme};

on_both_engines!(
    each_credential_is_told_of_in_order_signed_and_once,
    a_receiver_that_was_down_gets_everything_in_order_when_it_is_back,
    events_are_numbered_without_gaps_and_can_be_listed_without_a_receiver,
);

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Something that takes events, or refuses them.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<(bool, Vec<Value>)>>);

impl Receiver {
    async fn listen(&self) -> WebhookConfig {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = self.clone();
        let take =
            move |headers: HeaderMap, body: Bytes| async move { receiver.take(&headers, &body) };
        let router = Router::new().route("/events", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        WebhookConfig {
            url: format!("http://127.0.0.1:{port}/events").parse().unwrap(),
            secrets: vec![SecretSource::held(SECRET)],
        }
    }

    fn take(&self, headers: &HeaderMap, body: &Bytes) -> StatusCode {
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        let body = std::str::from_utf8(body).unwrap();
        let timestamp: i64 = text("webhook-timestamp").parse().unwrap();
        let secrets = SigningSecrets::read([SECRET]).unwrap();
        let expected = secrets.signatures(&text("webhook-id"), timestamp, body);
        assert_eq!(text("webhook-signature"), expected);
        let event: Value = serde_json::from_str(body).unwrap();
        assert_eq!(event["id"], text("webhook-id"));
        let mut held = self.0.lock().unwrap();
        if !held.0 {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        held.1.push(event);
        StatusCode::NO_CONTENT
    }

    fn is_up(&self, up: bool) {
        self.0.lock().unwrap().0 = up;
    }

    /// So many events, in the order in which they came.
    async fn events(&self, count: usize) -> Vec<Value> {
        for _ in 0..200 {
            let seen = self.0.lock().unwrap().1.clone();
            if seen.len() >= count {
                // And none too many.
                tokio::time::sleep(Duration::from_millis(700)).await;
                return self.0.lock().unwrap().1.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {count} events came: {:?}", self.0.lock().unwrap().1);
    }
}

fn working(world: &World) -> tokio::task::JoinHandle<()> {
    let sidecar = world.sidecar.clone();
    tokio::spawn(async move { Box::pin(sidecar.keep_working()).await })
}

fn kinds(events: &[Value]) -> Vec<(i64, &str)> {
    let told = events.iter();
    told.map(|event| {
        let sequence = event["sequence"].as_i64().unwrap();
        (sequence, event["type"].as_str().unwrap())
    })
    .collect()
}

async fn each_credential_is_told_of_in_order_signed_and_once(database: Database) {
    let receiver = Receiver::default();
    receiver.is_up(true);
    let webhook = receiver.listen().await;
    let world = World::start_with(database, |config| config.webhook = Some(webhook)).await;
    let working = working(&world);
    let issued = world.issued(&programme("p-1")).await;
    let gone = json!({ "change": "deleted", "record": "p-1" });
    world.caller.post("/v1/changes", &gone).await.expect(200);
    let events = receiver.events(2).await;
    working.abort();
    let expected = [(1, "credential.issued"), (2, "credential.revoked")];
    assert_eq!(kinds(&events), expected);
    let data = json!({
        "employee": "e-anna", "record": "p-1", "credential_type": "TrainingProgramme",
        "serial_number": issued["serial_number"], "cause": "added-in-error",
    });
    assert_eq!(events[1]["data"], data);
}

async fn a_receiver_that_was_down_gets_everything_in_order_when_it_is_back(database: Database) {
    let receiver = Receiver::default();
    let webhook = receiver.listen().await;
    let world = World::start_with(database, |config| config.webhook = Some(webhook)).await;
    let working = working(&world);
    world.issued(&programme("p-1")).await;
    world.issued(&programme("p-2")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let listed = world.caller.get("/v1/events").await.json;
    assert_eq!(listed["events"][0]["delivery"], "due");
    assert!(listed["events"][0]["attempts"].as_i64().unwrap() > 0);
    assert_eq!(listed["events"][1]["attempts"], 0);
    receiver.is_up(true);
    let asked = json!({ "after": 0 });
    let again = world.caller.post("/v1/events/redeliver", &asked).await;
    again.expect(200);
    let events = receiver.events(2).await;
    working.abort();
    let expected = [(1, "credential.issued"), (2, "credential.issued")];
    assert_eq!(kinds(&events), expected);
}

async fn events_are_numbered_without_gaps_and_can_be_listed_without_a_receiver(database: Database) {
    let world = World::start(database).await;
    for record in ["p-1", "p-2", "p-3"] {
        world.issued(&programme(record)).await;
        let gone = json!({ "change": "ended", "record": record });
        world.caller.post("/v1/changes", &gone).await.expect(200);
    }
    world.work().await;
    let listed = world.caller.get("/v1/events").await.expect(200).json;
    assert_eq!(listed["last_sequence"], 6);
    let told = listed["events"].as_array().unwrap().iter();
    let sequences: Vec<_> = told
        .map(|listed| listed["event"]["sequence"].as_i64().unwrap())
        .collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6]);
    let after = world.caller.get("/v1/events?after=5").await.json;
    assert_eq!(after["events"].as_array().unwrap().len(), 1);
    for wrong in ["?after=-1", "?after=x", "?before=1"] {
        let refused = world.caller.get(&format!("/v1/events{wrong}")).await;
        assert_eq!(refused.expect(400).code(), "field-invalid");
    }
}
