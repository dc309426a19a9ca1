//! Which keys speak for a DID.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use standards::did::document::{DocumentError, verification_method_id};
use standards::did::{Did, DidError, Document, Relationship};
use standards::jose::jwk::JwkError;
use standards::jose::{Algorithm, Jwk, Signer, SoftwareKey};
use standards::json::JsonError;

const ASSERTION: Relationship = Relationship::AssertionMethod;
const AUTHENTICATION: Relationship = Relationship::Authentication;

fn did() -> Did {
    Did::parse("did:web:example.org:trust").unwrap()
}

fn key() -> Jwk {
    SoftwareKey::generate(Algorithm::ES256)
        .unwrap()
        .public_jwk()
        .clone()
}

fn document() -> (Jwk, Value) {
    let key = key();
    let document = Document::build(
        &did(),
        &[(&key, Relationship::ALL)],
        &["https://example.org/issuers/trust".to_owned()],
    );
    (key, document)
}

fn find(document: &Value, kid: &str, relationship: Relationship) -> Result<Jwk, DocumentError> {
    Document::from_value(document, &did())?
        .find(kid, relationship)
        .cloned()
}

#[test]
fn a_document_of_our_own_is_read_back() {
    let (key, value) = document();
    let text = value.to_string();
    let document = Document::parse(text.as_bytes(), &did()).unwrap();
    let kid = verification_method_id(&did(), &key);
    for relationship in Relationship::ALL {
        assert_eq!(document.find(&kid, *relationship).unwrap(), &key);
        let fragment = format!("#{}", key.kid().unwrap());
        assert_eq!(document.find(&fragment, *relationship).unwrap(), &key);
    }
    assert_eq!(document.id(), &did());
    assert_eq!(
        document.also_known_as(),
        ["https://example.org/issuers/trust"]
    );
}

#[test]
fn sec_14_a_key_of_our_own_is_listed_for_its_own_purpose_and_no_other() {
    let (issuing, asking) = (key(), key());
    let value = Document::build(
        &did(),
        &[(&issuing, &[ASSERTION]), (&asking, &[AUTHENTICATION])],
        &[],
    );
    for (key, its, other) in [
        (&issuing, ASSERTION, AUTHENTICATION),
        (&asking, AUTHENTICATION, ASSERTION),
    ] {
        let kid = verification_method_id(&did(), key);
        assert_eq!(find(&value, &kid, its).as_ref(), Ok(key));
        assert_eq!(
            find(&value, &kid, other),
            Err(DocumentError::NotForThis(other))
        );
    }
    let nothing = Document::build(&did(), &[], &[]);
    assert_eq!(nothing["assertionMethod"], json!([]));
}

#[test]
fn sec_16_the_document_of_another_did_is_refused() {
    let (_, mut value) = document();
    value["id"] = json!("did:web:attacker.org:trust");
    assert_eq!(
        Document::from_value(&value, &did()).unwrap_err(),
        DocumentError::AnotherDid
    );
    value["id"] = json!(null);
    assert_eq!(
        Document::from_value(&value, &did()).unwrap_err(),
        DocumentError::Member("id")
    );
    let twice = format!("{{\"id\":\"{0}\",\"id\":\"{0}\"}}", did());
    let refused = Document::parse(twice.as_bytes(), &did()).unwrap_err();
    assert_eq!(
        refused,
        DocumentError::Json(JsonError::DuplicateMember("id".to_owned()))
    );
}

#[test]
fn sec_16_a_key_id_of_another_did_is_refused_even_if_the_document_lists_it() {
    let (key, mut value) = document();
    let foreign = "did:web:victim.org#key-1";
    value["verificationMethod"].as_array_mut().unwrap().push(json!({
        "id": foreign, "type": "JsonWebKey2020", "controller": did().as_str(), "publicKeyJwk": key.to_value()}));
    value["assertionMethod"]
        .as_array_mut()
        .unwrap()
        .push(json!(foreign));
    assert_eq!(
        find(&value, foreign, ASSERTION),
        Err(DocumentError::AnotherController)
    );
}

#[test]
fn sec_16_a_key_controlled_by_another_is_refused() {
    let (key, mut value) = document();
    let kid = verification_method_id(&did(), &key);
    assert!(find(&value, &kid, ASSERTION).is_ok());
    value["verificationMethod"][0]["controller"] = json!("did:web:attacker.org");
    assert_eq!(
        find(&value, &kid, ASSERTION),
        Err(DocumentError::AnotherController)
    );
}

#[test]
fn sec_16_a_key_speaks_only_in_the_ways_the_document_lists() {
    let (key, mut value) = document();
    let kid = verification_method_id(&did(), &key);
    value["assertionMethod"] = json!([]);
    assert_eq!(
        find(&value, &kid, ASSERTION),
        Err(DocumentError::NotForThis(ASSERTION))
    );
    assert!(find(&value, &kid, AUTHENTICATION).is_ok());
    // Embedded in one relationship, it is for that one alone.
    let method = value["verificationMethod"][0].clone();
    let embedded = json!({"id": did().as_str(), "assertionMethod": [method]});
    assert!(find(&embedded, &kid, ASSERTION).is_ok());
    assert_eq!(
        find(&embedded, &kid, AUTHENTICATION),
        Err(DocumentError::NotForThis(AUTHENTICATION))
    );
}

#[test]
fn an_unknown_or_ambiguous_key_id_is_refused() {
    let (key, mut value) = document();
    let kid = verification_method_id(&did(), &key);
    assert_eq!(
        find(&value, "#other", ASSERTION),
        Err(DocumentError::UnknownKey)
    );
    assert_eq!(
        find(&value, key.kid().unwrap(), ASSERTION),
        Err(DocumentError::Kid(DidError::UrlSyntax))
    );
    let mut second = value["verificationMethod"][0].clone();
    second["publicKeyJwk"] = self::key().to_value();
    value["verificationMethod"]
        .as_array_mut()
        .unwrap()
        .push(second);
    assert_eq!(
        find(&value, &kid, ASSERTION),
        Err(DocumentError::AmbiguousKey)
    );
}

#[test]
fn relative_references_within_the_document_are_followed() {
    let key = key();
    let value = json!({
        "id": did().as_str(),
        "verificationMethod": [
            {"id": "#k", "type": "JsonWebKey", "controller": did().as_str(), "publicKeyJwk": key.to_value()}],
        "assertionMethod": ["#k"],
    });
    assert!(
        find(&value, &format!("{}#k", did()), ASSERTION)
            .unwrap()
            .same_key(&key)
    );
}

#[test]
fn a_key_of_an_unknown_kind_hurts_only_who_asks_for_it() {
    let (key, mut value) = document();
    let controller = did().to_string();
    let methods = value["verificationMethod"].as_array_mut().unwrap();
    methods.push(json!({"id": "#old", "type": "EcdsaSecp256k1VerificationKey2019", "controller": controller}));
    methods.push(
        json!({"id": "#leak", "type": "JsonWebKey", "controller": controller,
        "publicKeyJwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}}),
    );
    methods.push(
        json!({"id": "#multi", "type": "Multikey", "controller": controller,
        "publicKeyMultibase": "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"}),
    );
    for name in ["#old", "#leak", "#multi"] {
        value["assertionMethod"]
            .as_array_mut()
            .unwrap()
            .push(json!(name));
    }
    assert!(find(&value, &verification_method_id(&did(), &key), ASSERTION).is_ok());
    assert_eq!(
        find(&value, "#old", ASSERTION),
        Err(DocumentError::UnsupportedMethod)
    );
    assert_eq!(
        find(&value, "#leak", ASSERTION),
        Err(DocumentError::Key(JwkError::Secret("d")))
    );
    assert_eq!(
        find(&value, "#multi", ASSERTION).unwrap().to_value()["x"],
        "fyNYMN0976ci7xqiSdag3buk-ZCwgXU4kz9XNkBlNUI"
    );
}

#[test]
fn a_malformed_document_is_refused() {
    let id = did().to_string();
    for value in [
        json!({"id": id, "verificationMethod": {}}),
        json!({"id": id, "verificationMethod": ["#k"]}),
        json!({"id": id, "verificationMethod": [{"id": "#k", "type": "JsonWebKey"}]}),
        json!({"id": id, "verificationMethod": [{"id": "k", "type": "JsonWebKey", "controller": id}]}),
        json!({"id": id, "assertionMethod": "#k"}),
        json!({"id": id, "assertionMethod": [7]}),
        json!({"id": id, "alsoKnownAs": [7]}),
        json!({"id": id, "authentication": vec!["#k"; 101]}),
        json!([]),
    ] {
        assert!(Document::from_value(&value, &did()).is_err(), "{value}");
    }
}
