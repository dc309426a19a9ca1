//! Traces: what an OpenTelemetry collector is told of requests, and to whom a trace is passed on.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use gateway::Gateway;
use gateway::config::RelyingPartyConfig;
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, JwkSet, Signer};
use traces::{Parent, TRACEPARENT, TracesConfig};

use crate::collector::{Collector, Span};
use crate::database::Database;
use crate::keyed::Keyed;
use crate::watching::ask_metrics;
use crate::world::{Browser, Form, World, client};

/// Sends what the gateway has to tell, as it does beside its requests.
pub(crate) fn send(gateway: &Gateway) -> tokio::task::JoinHandle<()> {
    let gateway = gateway.clone();
    tokio::spawn(async move { gateway.send_traces().await })
}

async fn told(collector: &Collector) -> World {
    let url = collector.url.clone();
    World::start_changed(|config| config.traces.otlp_endpoint = Some(url)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_a_span_of_the_callers_trace_in_the_form_of_the_protocol() {
    let collector = Collector::up().await;
    let world = told(&collector).await;
    let sending = send(&world.gateway);
    let form = Form::new(&world.party("plain"));
    let push = client().post(world.url("/par")).form(&form.0);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = push.header(TRACEPARENT, parent).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);

    let span = collector.find(|span| span.name == "POST /par").await;
    assert_eq!(span.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(span.parent_span_id, "00f067aa0ba902b7");
    assert_eq!((span.kind, span.has_failed()), (2, false));
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/par"),
        ("http.response.status_code", "201"),
        ("lanyard.asks", "client"),
    ] {
        assert_eq!(span.attribute(key), Some(value), "{span:?}");
    }
    // What it asked of the database is part of it, by operation and table, and without a value.
    let query = |query: &Span| {
        let summary = query.attribute("db.query.summary").unwrap_or_default();
        query.parent_span_id == span.span_id && summary.contains("INSERT interactions")
    };
    let query = collector.find(query).await;
    assert_eq!((query.kind, query.has_failed()), (3, false));
    assert_eq!(query.trace_id, span.trace_id);
    assert_eq!(query.attribute("db.system.name"), Some("sqlite"));
    assert_eq!(query.attribute("db.operation.name"), Some("INSERT"));
    let table = query.attribute("db.collection.name");
    assert_eq!(table, Some("interactions"));
    assert_eq!(
        Some(query.name.as_str()),
        query.attribute("db.query.summary")
    );
    // Without one a trace begins here; what is refused says why.
    let wrong = client()
        .post(world.url("/par"))
        .form(&[("client_id", "nobody")]);
    assert_eq!(
        wrong.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let refused = |span: &Span| span.attribute("error.type") == Some("invalid_client");
    let span = collector.find(refused).await;
    assert_eq!(span.parent_span_id, "");
    assert_ne!(span.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    let (_, figures) = ask_metrics(&world.gateway, "/metrics").await;
    assert!(
        figures.contains("lanyard_trace_spans_total{result=\"dropped\"} 0"),
        "{figures}"
    );
    sending.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_an_interaction_links_to_the_one_that_began_it() {
    let collector = Collector::up().await;
    let world = told(&collector).await;
    let sending = send(&world.gateway);
    world.issue_identity("anna").await;
    let party = world.party("plain");
    let browser = Browser::new();
    let page = browser.open(&world.pushed(&party, |_| ()).await).await;
    world.scan("anna", &page.link("open-wallet"), true).await;
    let code = browser.open(&page.url).await.code();
    world.token(&party, |form| form.code(&code)).await;
    // The last one that came, and of those that came the one that began it.
    let token = |span: &Span| span.name == "POST /token" && !span.links.is_empty();
    let token = collector.find(token).await;
    let spans = collector.spans();
    let began = spans
        .iter()
        .find(|span| span.span_id == token.links[0].span_id);
    let began = began.unwrap();
    assert_eq!(
        (began.name.as_str(), &began.links),
        ("POST /par", &Vec::new())
    );
    assert_eq!(began.trace_id, token.links[0].trace_id);
    let linked = spans.iter().filter(|span| span.links == token.links);
    let linked: std::collections::BTreeSet<_> = linked.map(|span| span.name.as_str()).collect();
    for name in [
        "GET /authorize",
        "GET /interaction/{id}",
        "GET /r/{link}",
        "POST /r/{link}/response",
        "POST /token",
    ] {
        assert!(linked.contains(name), "{name}: {linked:?}");
    }
    // Of its own trace it is part, and what belongs to no interaction links to none.
    assert!(
        spans
            .iter()
            .all(|span| span.links.iter().all(|link| link.trace_id != span.trace_id))
    );
    assert!(
        spans
            .iter()
            .filter(|span| span.kind == 3)
            .all(|span| span.links.is_empty())
    );
    sending.abort();
}

/// What a site was asked with.
type Asked = Arc<Mutex<Vec<String>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_the_gateway_asks_hears_of_the_trace_that_asks() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let keyed = Keyed::new("keyed", Algorithm::ES256);
    let keys = JwkSet::new([keyed.key.public_jwk().clone()])
        .to_value()
        .to_string();
    let asked = Asked::default();
    let site = |State((asked, keys)): State<(Asked, String)>, headers: HeaderMap| async move {
        let header = headers[TRACEPARENT].to_str().unwrap().to_owned();
        asked.lock().unwrap().push(header);
        keys
    };
    let router = axum::Router::new()
        .fallback(site)
        .with_state((asked.clone(), keys));
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let collector = Collector::up().await;
    let origins = vec![base.parse().unwrap()];
    let world = World::start_with(Database::sqlite(), origins, |config| {
        config.traces.otlp_endpoint = Some(collector.url.clone());
        let entry = RelyingPartyConfig {
            jwks: None,
            jwks_uri: Some(format!("{base}/jwks").parse().unwrap()),
            ..keyed.registered()
        };
        config.organisations[0].relying_parties.push(entry);
    })
    .await;
    let sending = send(&world.gateway);
    let claims = keyed.claims(&world, |_| ());
    let assertion = jws::sign_now(&keyed.key, ProtectedHeader::untyped(), &claims).unwrap();
    let answer = keyed.push(&world, &assertion).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);

    let push = collector.find(|span| span.name == "POST /par").await;
    let fetch = collector.find(|span| span.name == "fetch a document").await;
    assert_eq!(
        (fetch.kind, fetch.attribute("http.response.status_code")),
        (3, Some("200"))
    );
    assert_eq!(
        (&fetch.trace_id, &fetch.parent_span_id),
        (&push.trace_id, &push.span_id)
    );
    let heard = asked.lock().unwrap().clone();
    assert_eq!(
        heard,
        [format!("00-{}-{}-01", fetch.trace_id, fetch.span_id)]
    );
    assert!(Parent::parse(&heard[0]).is_some());
    sending.abort();
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_loses_nothing_for_a_while_and_one_that_refuses_is_not_asked_again()
 {
    let collector = Collector::up().await;
    let world = told(&collector).await;
    collector.will_answer(Some(503));
    let sending = send(&world.gateway);
    let ask = async || {
        client().get(world.url("/jwks")).send().await.unwrap();
    };
    ask().await;
    for _ in 0..100 {
        if collector.requests() > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    collector.will_answer(None);
    collector.find(|span| span.name == "GET /jwks").await;
    collector.will_answer(Some(400));
    ask().await;
    for _ in 0..100 {
        let (_, figures) = ask_metrics(&world.gateway, "/metrics").await;
        if figures.contains("lanyard_trace_spans_total{result=\"dropped\"} 1") {
            sending.abort();
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("what the collector refused is not counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_there_are_no_traces_and_a_wrong_address_stops_the_start() {
    let world = World::start_changed(|config| config.traces = TracesConfig::default()).await;
    let (_, figures) = ask_metrics(&world.gateway, "/metrics").await;
    assert!(!figures.contains("lanyard_trace_spans_total"));
    for wrong in [
        "ftp://collector.example/",
        "http://user:word@collector.example/v1/traces",
    ] {
        let mut config = world.config.clone();
        config.traces.otlp_endpoint = Some(wrong.parse().unwrap());
        let surroundings = gateway::Surroundings {
            sandbox: true,
            ..gateway::Surroundings::production()
        };
        let Err(error) = Gateway::compose(&config, surroundings).await else {
            panic!("a gateway starts with {wrong}");
        };
        let error = error.to_string();
        assert!(
            error.contains("traces.otlp_endpoint") && !error.contains("word"),
            "{error}"
        );
    }
}
