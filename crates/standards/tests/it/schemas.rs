//! What we write, held against the JSON schemas of the OpenID Foundation's conformance suite, where these lie
//! beside the repository (`../shared/data`). A reader for the few keywords that they use is enough.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::{Value, json};
use standards::dcql::{self, CredentialQuery, Query};
use standards::openid4vci::{
    CredentialOffer, CredentialRequest, IssuerMetadata, Proofs, Requested,
};

use crate::world::examples;

fn schema(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/openid-schemas")
        .join(name);
    let Ok(text) = std::fs::read(&path) else {
        println!("skipped: the schema {name} is not on this machine");
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}

/// What is wrong with the value, in words; nothing if it fits.
fn faults(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        return faults(root, target, value, place);
    }
    let mut found = Vec::new();
    let mut fault = |what: &str| found.push(format!("{place}: {what}"));
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("unknown type {other}"),
    };
    if schema
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| !is(kind))
    {
        fault("another type");
    }
    if schema
        .get("enum")
        .and_then(Value::as_array)
        .is_some_and(|allowed| !allowed.contains(value))
    {
        fault("none of the values");
    }
    if schema.get("const").is_some_and(|only| only != value) {
        fault("not the value");
    }
    let shorter = |name: &str, length: usize| {
        schema
            .get(name)
            .and_then(Value::as_u64)
            .is_some_and(|min| length < usize::try_from(min).unwrap())
    };
    if value
        .as_str()
        .is_some_and(|text| shorter("minLength", text.len()))
        || value
            .as_array()
            .is_some_and(|list| shorter("minItems", list.len()))
    {
        fault("too short");
    }
    if let Some(members) = value.as_object() {
        for name in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if !members.contains_key(name.as_str().unwrap()) {
                fault(&format!("lacks {name}"));
            }
        }
        let known = schema.get("properties").and_then(Value::as_object);
        for (name, member) in members {
            let place = format!("{place}/{name}");
            match (
                known.and_then(|known| known.get(name)),
                schema.get("additionalProperties"),
            ) {
                (Some(one), _) => found.extend(faults(root, one, member, &place)),
                (None, Some(Value::Bool(false))) => found.push(format!("{place}: unknown")),
                (None, Some(more @ Value::Object(_))) => {
                    found.extend(faults(root, more, member, &place));
                }
                (None, _) => {}
            }
        }
    }
    if let (Some(list), Some(each)) = (value.as_array(), schema.get("items")) {
        let each = list
            .iter()
            .enumerate()
            .flat_map(|(at, one)| faults(root, each, one, &format!("{place}/{at}")));
        found.extend(each);
    }
    let fits = |one: &Value| faults(root, one, value, place).is_empty();
    for one in schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        found.extend(faults(root, one, value, place));
    }
    for name in ["anyOf", "oneOf"] {
        if let Some(alternatives) = schema.get(name).and_then(Value::as_array)
            && !alternatives.iter().any(fits)
        {
            found.push(format!("{place}: fits none of {name}"));
        }
    }
    if let Some(condition) = schema.get("if") {
        let branch = schema.get(if fits(condition) { "then" } else { "else" });
        found.extend(
            branch
                .into_iter()
                .flat_map(|branch| faults(root, branch, value, place)),
        );
    }
    found
}

fn check(name: &str, good: &Value, bad: &Value) {
    let Some(schema) = schema(name) else { return };
    assert_eq!(
        faults(&schema, &schema, good, ""),
        Vec::<String>::new(),
        "{name}: {good}"
    );
    // The reader itself is seen to refuse.
    assert_ne!(
        faults(&schema, &schema, bad, ""),
        Vec::<String>::new(),
        "{name}: {bad}"
    );
}

#[test]
fn our_offers_fit_the_conformance_suites_schema() {
    let issuer = "https://gateway.example/issuers/trust";
    let offer =
        CredentialOffer::pre_authorized(issuer, "Identity", "a code".to_owned().into()).to_value();
    check(
        "oid4vci/credential_offer-1_0.json",
        &offer,
        &json!({"credential_issuer": issuer}),
    );
}

#[test]
fn our_issuer_metadata_fits_the_conformance_suites_schema() {
    for example in ["metadata_jwt_vc_json", "metadata_sd_jwt_vc"] {
        let mut document = examples("openid4vci_examples.json")[example].clone();
        document["credential_issuer"] = json!("https://gateway.example");
        document["credential_endpoint"] = json!("https://gateway.example/credential");
        document["nonce_endpoint"] = json!("https://gateway.example/nonce");
        let metadata =
            IssuerMetadata::parse(document.to_string().as_bytes(), "https://gateway.example")
                .unwrap();
        let bad = json!({"credential_issuer": "https://gateway.example"});
        check(
            "oid4vci/credential_issuer_metadata-1_0.json",
            &metadata.to_value(),
            &bad,
        );
    }
}

#[test]
fn our_credential_requests_fit_the_conformance_suites_schema() {
    let request = CredentialRequest {
        requested: Requested::ConfigurationId("Identity".into()),
        proofs: Some(Proofs::Jwt(vec!["eyJ.eyJ.sig".into()])),
        credential_response_encryption: None,
    };
    let bad = json!({"credential_configuration_id": 7, "proofs": {"jwt": "eyJ"}});
    check(
        "oid4vci/credential_request-1_0.json",
        &request.to_value(),
        &bad,
    );
}

#[test]
fn our_queries_fit_the_conformance_suites_schema() {
    let path = dcql::Path::of_keys(["ID-LegalSurname"]).unwrap();
    let one = CredentialQuery::dc_sd_jwt(
        "identity",
        "https://gateway.example/types/Identity",
        vec![path],
    );
    let query = Query::new(vec![one]).unwrap().to_value();
    check(
        "oid4vp/dcql_request.json",
        &query,
        &json!({"credentials": []}),
    );
}
