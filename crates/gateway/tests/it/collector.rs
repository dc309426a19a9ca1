//! A collector of traces: a real server on loopback that takes OTLP/HTTP as JSON and refuses what is not of its schema.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use url::Url;

/// `ExportTraceServiceRequest`, as far as our programs may use it: of any other member the collector knows nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    attributes: Vec<KeyValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scope {
    name: String,
    version: String,
}

/// One span as it came, in the protocol's own words.
#[allow(clippy::struct_field_names)]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Span {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    #[serde(default)]
    pub(crate) parent_span_id: String,
    pub(crate) name: String,
    pub(crate) kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<KeyValue>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    pub(crate) links: Vec<Link>,
    /// `service.name` of its resource.
    #[serde(skip)]
    pub(crate) service: String,
}

/// A span of another trace.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Link {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    code: u8,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyValue {
    key: String,
    value: AnyValue,
}

/// In JSON a number of 64 bits is a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
enum AnyValue {
    StringValue(String),
    IntValue(String),
}

fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|one| one.key == key)?;
    match &found.value {
        AnyValue::StringValue(text) | AnyValue::IntValue(text) => Some(text),
    }
}

impl Span {
    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        find(&self.attributes, key)
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.code == 2)
    }

    /// What the protocol asks of a span beyond its members. [OTLP, trace.proto]
    fn check(&self) -> Result<(), String> {
        let is_hex = |text: &str, length| {
            text.len() == length
                && text.bytes().all(|byte| byte.is_ascii_hexdigit())
                && text.bytes().any(|byte| byte != b'0')
        };
        let nanos = |text: &str| {
            text.parse::<u64>()
                .map_err(|_| format!("{text} is no time"))
        };
        let (began, ended) = (
            nanos(&self.start_time_unix_nano)?,
            nanos(&self.end_time_unix_nano)?,
        );
        let has_parent = self.parent_span_id.is_empty() || is_hex(&self.parent_span_id, 16);
        let status = self.attribute("http.response.status_code");
        let is_number = status.is_none_or(|status| status.parse::<u16>().is_ok());
        let is_one = is_hex(&self.trace_id, 32)
            && is_hex(&self.span_id, 16)
            && has_parent
            && self
                .links
                .iter()
                .all(|link| is_hex(&link.trace_id, 32) && is_hex(&link.span_id, 16))
            && began <= ended
            && (1..=5).contains(&self.kind)
            && !self.name.is_empty()
            && is_number;
        is_one.then_some(()).ok_or_else(|| format!("{self:?}"))
    }
}

#[derive(Clone, Default)]
struct Memory {
    bodies: Arc<Mutex<Vec<String>>>,
    spans: Arc<Mutex<Vec<Span>>>,
    faults: Arc<Mutex<Vec<String>>>,
    /// How it answers; 200 where nothing else is said.
    answer: Arc<Mutex<Option<u16>>>,
}

pub(crate) struct Collector {
    pub(crate) url: Url,
    memory: Memory,
    server: tokio::task::JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn up() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let memory = Memory::default();
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(memory.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url: url.parse().unwrap(),
            memory,
            server,
        }
    }

    pub(crate) fn will_answer(&self, status: Option<u16>) {
        *self.memory.answer.lock().unwrap() = status;
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> usize {
        self.memory.bodies.lock().unwrap().len()
    }

    /// Everything that came, each of the form.
    pub(crate) fn spans(&self) -> Vec<Span> {
        assert_eq!(*self.memory.faults.lock().unwrap(), Vec::<String>::new());
        self.memory.spans.lock().unwrap().clone()
    }

    /// The bytes of everything that came.
    pub(crate) fn text(&self) -> String {
        self.spans();
        self.memory.bodies.lock().unwrap().join("\n")
    }

    /// Waits for a span.
    pub(crate) async fn find(&self, wanted: impl Fn(&Span) -> bool) -> Span {
        for _ in 0..200 {
            if let Some(found) = self.spans().into_iter().find(&wanted) {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("no such span among {:#?}", self.spans());
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(memory): State<Memory>, headers: HeaderMap, body: String) -> StatusCode {
    memory.bodies.lock().unwrap().push(body.clone());
    let answer = *memory.answer.lock().unwrap();
    if let Some(status) = answer {
        return StatusCode::from_u16(status).unwrap();
    }
    let mut faults = memory.faults.lock().unwrap();
    if headers["content-type"] != "application/json" {
        faults.push("not application/json".to_owned());
    }
    match serde_json::from_str::<Request>(&body) {
        Err(error) => faults.push(format!("{error}: {body}")),
        Ok(request) => {
            for resource in request.resource_spans {
                let named = find(&resource.resource.attributes, "service.name");
                let service = named.unwrap_or_default().to_owned();
                if service.is_empty() {
                    faults.push("no service.name".to_owned());
                }
                for mut scope in resource.scope_spans {
                    for span in &mut scope.spans {
                        span.service.clone_from(&service);
                    }
                    if scope.scope.name.is_empty() || scope.scope.version.is_empty() {
                        faults.push("a scope without a name".to_owned());
                    }
                    faults.extend(scope.spans.iter().filter_map(|span| span.check().err()));
                    memory.spans.lock().unwrap().extend(scope.spans);
                }
            }
        }
    }
    StatusCode::OK
}
