//! What an attacker, or an issuer that is one, tries with disclosures [SD-02, SEC-21].
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use standards::base64url;
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{SoftwareKey, Typ};
use standards::sd_jwt::{Disclosure, DisclosureError, ProcessingError, SdJwt, SdJwtError};

use crate::world::{ES256, key, public};

struct Issuer(SoftwareKey);

impl Issuer {
    fn new() -> Self {
        Self(key())
    }

    fn sign(&self, payload: &Value, disclosures: &[&Disclosure]) -> String {
        let jwt = jws::sign_now(&self.0, ProtectedHeader::typ("example+sd-jwt"), payload).unwrap();
        let parts = disclosures
            .iter()
            .fold(String::new(), |text, one| text + one.as_str() + "~");
        format!("{jwt}~{parts}")
    }

    fn claims(&self, payload: &Value, disclosures: &[&Disclosure]) -> Result<Value, SdJwtError> {
        let text = self.sign(payload, disclosures);
        let verified =
            SdJwt::parse(&text)?.verify(&public(&self.0), ES256, Typ::Is("example+sd-jwt"))?;
        Ok(Value::Object(verified.claims().clone()))
    }

    fn refusal(&self, payload: &Value, disclosures: &[&Disclosure]) -> ProcessingError {
        match self.claims(payload, disclosures) {
            Err(SdJwtError::Processing(error)) => error,
            other => panic!("not refused for its digests: {other:?}"),
        }
    }
}

fn member(name: &str, value: Value) -> Disclosure {
    Disclosure::member([4; 16], name, value)
}

#[test]
fn disclosures_within_disclosures_and_in_arrays_come_to_their_places() {
    let issuer = Issuer::new();
    let street = member("street", json!("Market Street 42"));
    let address = member(
        "address",
        json!({"country": "GB", "_sd": [street.digest()]}),
    );
    let second = Disclosure::element([5; 16], json!({"kind": "second"}));
    let payload = json!({
        "_sd": [address.digest(), "a decoy"],
        "list": [{"...": "another decoy"}, "first", {"...": second.digest()}],
    });
    let full = issuer
        .claims(&payload, &[&street, &second, &address])
        .unwrap();
    assert_eq!(
        full,
        json!({"address": {"country": "GB", "street": "Market Street 42"}, "list": ["first", {"kind": "second"}]})
    );
    assert_eq!(
        issuer.claims(&payload, &[]).unwrap(),
        json!({"list": ["first"]})
    );
    // A child without its parent hangs in the air.
    assert_eq!(
        issuer.refusal(&payload, &[&street]),
        ProcessingError::Unreferenced
    );
}

/// SD-02.
#[test]
fn a_disclosure_that_the_issuer_did_not_sign_is_refused() {
    let (issuer, role) = (Issuer::new(), member("role", json!("consultant")));
    assert_eq!(
        issuer.refusal(&json!({"_sd": []}), &[&role]),
        ProcessingError::Unreferenced
    );
    assert_eq!(
        issuer.refusal(&json!({}), &[&role]),
        ProcessingError::Unreferenced
    );
}

/// SEC-21, SD-02.
#[test]
fn a_digest_or_disclosure_that_occurs_twice_is_refused() {
    let (issuer, name) = (Issuer::new(), member("name", json!("Ada")));
    let digest = name.digest();
    let twice = json!({"_sd": [digest, digest]});
    assert_eq!(
        issuer.refusal(&twice, &[&name]),
        ProcessingError::DuplicateDigest
    );
    let elsewhere = json!({"_sd": [digest], "inner": {"_sd": [digest]}});
    assert_eq!(
        issuer.refusal(&elsewhere, &[&name]),
        ProcessingError::DuplicateDigest
    );
    let undisclosed_twice = json!({"_sd": ["x"], "list": [{"...": "x"}]});
    assert_eq!(
        issuer.refusal(&undisclosed_twice, &[]),
        ProcessingError::DuplicateDigest
    );
    assert_eq!(
        issuer.refusal(&json!({"_sd": [digest]}), &[&name, &name]),
        ProcessingError::DuplicateDisclosure
    );
}

/// SEC-21, SD-02.
#[test]
fn a_disclosure_cannot_take_the_place_of_a_claim() {
    let issuer = Issuer::new();
    for name in ["iss", "exp", "cnf"] {
        let forged = member(name, json!("other"));
        let payload = json!({"_sd": [forged.digest()], name: "original"});
        assert_eq!(
            issuer.refusal(&payload, &[&forged]),
            ProcessingError::Overrides
        );
    }
    let (one, two) = (
        member("name", json!(1)),
        Disclosure::member([8; 16], "name", json!(2)),
    );
    let payload = json!({"_sd": [one.digest(), two.digest()]});
    assert_eq!(
        issuer.refusal(&payload, &[&one, &two]),
        ProcessingError::Overrides
    );
}

/// SD-02.
#[test]
fn a_disclosure_of_the_wrong_kind_is_refused() {
    let issuer = Issuer::new();
    let (for_object, for_array) = (
        member("name", json!(1)),
        Disclosure::element([6; 16], json!(1)),
    );
    let payload = json!({"_sd": [for_array.digest()]});
    assert_eq!(
        issuer.refusal(&payload, &[&for_array]),
        ProcessingError::Arity
    );
    let payload = json!({"list": [{"...": for_object.digest()}]});
    assert_eq!(
        issuer.refusal(&payload, &[&for_object]),
        ProcessingError::Arity
    );
}

#[test]
fn malformed_digests_are_refused() {
    let issuer = Issuer::new();
    for payload in [
        json!({"_sd": "x"}),
        json!({"_sd": [1]}),
        json!({"_sd": null}),
        json!({"a": {"...": "x"}}),
        json!({"...": "x"}),
        json!({"list": [{"...": "x", "more": 1}]}),
        json!({"list": [{"...": 7}]}),
        json!({"a": [[{"_sd": {}}]]}),
    ] {
        assert_eq!(
            issuer.refusal(&payload, &[]),
            ProcessingError::Digests,
            "{payload}"
        );
    }
}

/// SEC-21, SD-01.
#[test]
fn another_hash_function_is_refused() {
    let issuer = Issuer::new();
    for name in [
        json!("sha-1"),
        json!("md5"),
        json!("SHA-256"),
        json!("sha-512"),
        json!(256),
        json!(null),
    ] {
        assert_eq!(
            issuer.refusal(&json!({ "_sd_alg": name }), &[]),
            ProcessingError::HashFunction,
            "{name}"
        );
    }
}

/// SEC-21.
#[test]
fn disclosures_nested_without_end_are_refused() {
    let issuer = Issuer::new();
    let mut chain = vec![member("n", json!("the end"))];
    for _ in 0..60 {
        let inner = chain[chain.len() - 1].digest();
        chain.push(member("n", json!({ "_sd": [inner] })));
    }
    let payload = json!({"_sd": [chain[chain.len() - 1].digest()]});
    let all: Vec<&Disclosure> = chain.iter().collect();
    assert_eq!(issuer.refusal(&payload, &all), ProcessingError::TooDeep);
}

#[test]
fn texts_that_are_no_disclosures_are_refused() {
    let encoded = |text: &str| base64url::encode(text);
    for (text, error) in [
        ("%%%".to_owned(), DisclosureError::Encoding),
        (encoded("{}"), DisclosureError::Encoding),
        (encoded("[\"s\", \"n\", 1"), DisclosureError::Encoding),
        (
            encoded("[\"s\", {\"a\":1,\"a\":2}]"),
            DisclosureError::Encoding,
        ),
        (encoded("[]"), DisclosureError::Arity),
        (encoded("[\"s\"]"), DisclosureError::Arity),
        (encoded("[\"s\", \"n\", 1, 2]"), DisclosureError::Arity),
        (encoded("[1, \"n\", 1]"), DisclosureError::Type),
        (encoded("[\"s\", 7, 1]"), DisclosureError::Type),
        (
            encoded("[\"s\", \"_sd\", []]"),
            DisclosureError::ReservedName,
        ),
        (
            encoded("[\"s\", \"...\", 1]"),
            DisclosureError::ReservedName,
        ),
    ] {
        assert_eq!(Disclosure::parse(&text).err(), Some(error), "{text}");
    }
}

/// SD-02.
#[test]
fn the_signature_is_checked_before_any_disclosure_is_believed() {
    let (issuer, other) = (Issuer::new(), key());
    let name = member("name", json!("Ada"));
    let text = issuer.sign(&json!({"_sd": [name.digest()]}), &[&name]);
    let refused =
        SdJwt::parse(&text)
            .unwrap()
            .verify(&public(&other), ES256, Typ::Is("example+sd-jwt"));
    assert!(matches!(refused.err(), Some(SdJwtError::Verify(_))));
}

#[test]
fn sd_01_forms_that_are_not_the_standards_are_refused() {
    let issuer = Issuer::new();
    let jwt = issuer.sign(&json!({}), &[]);
    let bare = jwt.trim_end_matches('~');
    assert_eq!(SdJwt::parse(bare).err(), Some(SdJwtError::Form));
    assert_eq!(
        SdJwt::parse(&format!("{jwt}~")).err(),
        Some(SdJwtError::Form)
    );
    assert!(matches!(
        SdJwt::parse(&format!("{jwt}not-a-jwt")).err(),
        Some(SdJwtError::KeyBindingJwt(_))
    ));
    assert!(matches!(SdJwt::parse("~").err(), Some(SdJwtError::Jwt(_))));
    let flood = format!("{jwt}{}", "WyJzIiwxXQ~".repeat(600));
    assert_eq!(SdJwt::parse(&flood).err(), Some(SdJwtError::TooLong));
    assert_eq!(
        SdJwt::parse(&"a".repeat(2_000_000)).err(),
        Some(SdJwtError::TooLong)
    );
}
