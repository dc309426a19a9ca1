//! Spans in the form in which a collector takes them: OTLP 1.x as JSON. [OTLP, JSON Protobuf encoding]
//!
//! Numbers of 64 bits are texts, identifiers are in hexadecimal, kinds and states are numbers.

use serde_json::{Value, json};

use super::{Attribute, Ended};

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// One request to the collector.
pub(super) fn body(spans: &[Ended], instance: &str) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            text("service.name", "lanyard-gateway"),
            text("service.version", version),
            text("service.instance.id", instance),
        ] },
        "scopeSpans": [{
            "scope": { "name": "lanyard", "version": version },
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }] })
}

fn span(span: &Ended) -> Value {
    let method = span.attributes.iter().find_map(|one| match one {
        Attribute::Method(name) => Some(*name),
        _ => None,
    });
    // [semantic conventions, HTTP: name] The method and the route; of what the gateway asks, what it is for.
    let name = match (&span.route, method) {
        (Some(route), Some(method)) => format!("{method} {route}"),
        _ => span.name.to_owned(),
    };
    let mut attributes: Vec<Value> = span.attributes.iter().map(attribute).collect();
    attributes.extend(span.route.as_deref().map(|route| text("http.route", route)));
    let began = span.began.as_nanosecond();
    let ended = began + i128::try_from(span.took.as_nanos()).unwrap_or(0);
    let mut value = json!({
        "traceId": hex::encode(span.trace),
        "spanId": hex::encode(span.id),
        "name": name,
        "kind": span.kind as u8,
        "startTimeUnixNano": began.to_string(),
        "endTimeUnixNano": ended.to_string(),
        "attributes": attributes,
    });
    if let Some(parent) = span.parent {
        value["parentSpanId"] = hex::encode(parent).into();
    }
    if span.failed {
        value["status"] = json!({ "code": ERROR });
    }
    value
}

fn attribute(attribute: &Attribute) -> Value {
    match attribute {
        Attribute::Method(name) => text("http.request.method", name),
        Attribute::Status(status) => {
            json!({ "key": "http.response.status_code", "value": { "intValue": status.to_string() } })
        }
        Attribute::Error(code) => text("error.type", code),
        Attribute::Asker(asker) => text("lanyard.asks", asker),
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}
