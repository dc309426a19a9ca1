//! Traces: one request to the portal, and all that was asked for its sake, of the portal's database and of the gateway, are
//! one trace.

use std::time::Duration;

use traces::{TRACEPARENT, TracesConfig};

use crate::collector::{Collector, Span};
use crate::database::{Database, on_both_engines};
use crate::world::World;

on_both_engines!(what_is_asked_for_a_page_is_one_trace_through_portal_gateway_and_databases);

async fn what_is_asked_for_a_page_is_one_trace_through_portal_gateway_and_databases(
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
    let world = World::start_traced(database, &traces).await;
    let anna = world.anna().await;
    let page = anna.open("/identity").await;
    let page = anna.send(&page, "/identity/start", &[]).await;
    let next = world.scan_and_return(&anna, &page, "anna", true).await;
    assert_eq!(next.status, 200, "{}", next.html);

    // On the way out a request is pushed; on the way back the code is exchanged, on a task of its own.
    for (route, name, asked) in [
        (
            "POST /identity/start",
            "push a request",
            "POST /v2.0/oidc/par",
        ),
        ("GET /callback", "exchange a code", "POST /v2.0/oidc/token"),
    ] {
        let begun = collector.find(|span| span.name == route).await;
        assert_eq!((begun.kind, begun.has_failed()), (2, false), "{begun:?}");
        assert_eq!(begun.service, "lanyard-portal");
        let out = |span: &Span| span.name == name && span.parent_span_id == begun.span_id;
        let out = collector.find(out).await;
        assert_eq!((out.kind, &out.trace_id), (3, &begun.trace_id));
        let inside = |span: &Span| span.parent_span_id == out.span_id;
        let inside = collector.find(inside).await;
        assert_eq!(inside.name, asked);
        assert_eq!(inside.service, "lanyard-gateway");
        assert_eq!(inside.trace_id, begun.trace_id);
        for (service, parent, engine) in [
            ("lanyard-portal", &begun.span_id, engine),
            ("lanyard-gateway", &inside.span_id, "sqlite"),
        ] {
            let query = |span: &Span| {
                span.attribute("db.system.name") == Some(engine) && span.parent_span_id == *parent
            };
            let query = collector.find(query).await;
            assert_eq!(query.service, service);
            assert_eq!((query.kind, &query.trace_id), (3, &begun.trace_id));
            assert!(query.attribute("db.query.summary").is_some(), "{query:?}");
        }
    }
    // Whoever asks the portal can go on with a trace of their own.
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = client.get(format!("{}/login", world.base));
    asked.header(TRACEPARENT, parent).send().await.unwrap();
    let asked = |span: &Span| span.parent_span_id == "00f067aa0ba902b7";
    let asked = collector.find(asked).await;
    assert_eq!(asked.name, "GET /login");
    assert_eq!(asked.attribute("http.route"), Some("/login"));

    // What nobody asked for, twice a second, is no trace.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let spans = collector.spans();
    let is_query = |span: &&Span| span.attribute("db.system.name").is_some();
    let alone = spans
        .iter()
        .filter(is_query)
        .find(|span| span.parent_span_id.is_empty());
    assert!(alone.is_none(), "{alone:?}");
}
