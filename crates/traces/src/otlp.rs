//! Spans in the form in which a collector takes them: OTLP 1.x as JSON. [OTLP, JSON Protobuf encoding]
//!
//! Numbers of 64 bits are texts, identifiers are in hexadecimal, kinds and states are numbers.

use serde_json::{Value, json};

use crate::span::Ended;
use crate::{Attribute, Parent};

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// One request to the collector.
pub(crate) fn body(spans: &[Ended], service: &str, instance: &str) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            text("service.name", service),
            text("service.version", version),
            text("service.instance.id", instance),
        ] },
        "scopeSpans": [{
            "scope": { "name": "lanyard", "version": version },
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }] })
}

/// One of them.
pub(crate) fn span(span: &Ended) -> Value {
    let method = span.attributes.iter().find_map(|one| match one {
        Attribute::Method(name) => Some(*name),
        _ => None,
    });
    let query = span.attributes.iter().find_map(|one| match one {
        Attribute::Query(query) => Some(query.summary.as_str()),
        _ => None,
    });
    // [semantic conventions, HTTP and database: name] The method and the route; of what a database is asked, its summary;
    // of what others are asked, what it is for.
    let name = match (&span.route, method) {
        (Some(route), Some(method)) => format!("{method} {route}"),
        _ => query.unwrap_or(span.name).to_owned(),
    };
    let mut attributes = Vec::new();
    for one in &span.attributes {
        push(&mut attributes, one);
    }
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
    if !span.links.is_empty() {
        let link = |to: &Parent| json!({ "traceId": hex::encode(to.trace), "spanId": hex::encode(to.span) });
        value["links"] = span.links.iter().map(link).collect();
    }
    if span.failed {
        value["status"] = json!({ "code": ERROR });
    }
    value
}

fn push(to: &mut Vec<Value>, attribute: &Attribute) {
    match attribute {
        Attribute::Method(name) => to.push(text("http.request.method", name)),
        Attribute::Status(status) => to.push(number("http.response.status_code", (*status).into())),
        Attribute::Error(code) => to.push(text("error.type", code)),
        Attribute::Asker(asker) => to.push(text("lanyard.asks", asker)),
        Attribute::Query(query) => {
            to.push(text("db.system.name", query.system));
            to.push(text("db.operation.name", &query.operation));
            to.push(text("db.query.summary", &query.summary));
            let table = query.table.as_deref();
            to.extend(table.map(|table| text("db.collection.name", table)));
            // [semantic conventions, database] One statement is no batch.
            if query.size > 1 {
                to.push(number("db.operation.batch.size", query.size as u64));
            }
        }
    }
}

fn number(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}
