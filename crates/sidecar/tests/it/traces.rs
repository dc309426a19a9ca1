//! Traces: one call of the API, and all that was asked for its sake, of the sidecar's database and of the gateway, are one
//! trace; and it is the host's own, where the host has one.

use reqwest::Method;
use serde_json::json;
use traces::{TRACEPARENT, TracesConfig};

use crate::collector::{Collector, Span};
use crate::database::{Database, on_both_engines};
use crate::world::{SESSION, World, anna};

on_both_engines!(a_call_of_the_host_is_a_span_of_its_trace_through_sidecar_gateway_and_databases);

async fn a_call_of_the_host_is_a_span_of_its_trace_through_sidecar_gateway_and_databases(
    database: Database,
) {
    let engine = if database.address().starts_with("sqlite") {
        "sqlite"
    } else {
        "postgresql"
    };
    let collector = Collector::up().await;
    let traces = TracesConfig {
        otlp_endpoint: Some(collector.url.clone()),
        ..TracesConfig::default()
    };
    let world = World::start_traced(database, traces).await;
    let asked = json!({ "session": SESSION, "employee": anna() });
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let with = |path| {
        let request = world.caller.request(Method::POST, path);
        request.header(TRACEPARENT, parent)
    };
    let started = with("/v1/verifications").json(&asked).send().await.unwrap();
    assert_eq!(started.status(), 201);
    let started: serde_json::Value = started.json().await.unwrap();
    let query = world.visit(started["url"].as_str().unwrap(), true).await;
    // With a key the work is done on a task of its own, and so is the exchange of the code.
    let back = json!({ "session": SESSION, "employee": "e-anna", "query": query });
    let taken = with("/v1/callbacks").header("idempotency-key", "one");
    let taken = taken.json(&back).send().await.unwrap();
    assert_eq!(taken.status(), 200);

    for (route, name, asked) in [
        (
            "POST /v1/verifications",
            "push a request",
            "POST /v2.0/oidc/par",
        ),
        (
            "POST /v1/callbacks",
            "exchange a code",
            "POST /v2.0/oidc/token",
        ),
    ] {
        let begun = collector.find(|span| span.name == route).await;
        assert_eq!(begun.parent_span_id, "00f067aa0ba902b7");
        assert_eq!(begun.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((begun.kind, begun.service.as_str()), (2, "lanyard-sidecar"));
        let out = |span: &Span| span.name == name && span.parent_span_id == begun.span_id;
        let out = collector.find(out).await;
        let inside = |span: &Span| span.parent_span_id == out.span_id;
        let inside = collector.find(inside).await;
        let told = (inside.name.as_str(), inside.service.as_str());
        assert_eq!(told, (asked, "lanyard-gateway"));
        for (parent, engine) in [(&begun.span_id, engine), (&inside.span_id, "sqlite")] {
            let query = |span: &Span| {
                span.attribute("db.system.name") == Some(engine) && span.parent_span_id == *parent
            };
            assert_eq!(collector.find(query).await.trace_id, begun.trace_id);
        }
    }
    // What is refused says why, in the API's own word.
    let refused = with("/v1/verifications").json(&json!({ "session": SESSION }));
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let said: serde_json::Value = refused.json().await.unwrap();
    let code = said["code"].as_str().unwrap();
    let refused = |span: &Span| span.attribute("error.type") == Some(code);
    assert_eq!(collector.find(refused).await.name, "POST /v1/verifications");
}
