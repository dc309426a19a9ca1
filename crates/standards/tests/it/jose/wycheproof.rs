//! Project Wycheproof's vectors for JWS, JWK and JWE; `tests/vectors/README.md` says where from.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use standards::base64url;
use standards::jose::jwe::{self, ContentEncryption, DecryptionKey};
use standards::jose::jws::{Compact, Typ};
use standards::jose::{Algorithm, HmacKey, Jwk, JwkSet};

const SIGNATURES: &str = include_str!("../../vectors/json_web_signature_test.json");
const KEYS: &str = include_str!("../../vectors/json_web_key_test.json");
const ENCRYPTION: &str = include_str!("../../vectors/json_web_encryption_test.json");

/// Algorithms of valid vectors that this house does not speak: those vectors have to be refused.
const UNSUPPORTED_SIGNATURES: &[&str] = &["RS384", "RS512", "PS384", "PS512", "ES512"];
const UNSUPPORTED_KEY_MANAGEMENT: &[&str] = &[
    "A128KW",
    "A192KW",
    "A256KW",
    "A128GCMKW",
    "A192GCMKW",
    "A256GCMKW",
    "ECDH-ES+A128KW",
    "ECDH-ES+A192KW",
    "ECDH-ES+A256KW",
    "RSA1_5",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "dir",
];
const UNSUPPORTED_ENCRYPTION: &[&str] =
    &["A192GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"];

/// Listed as valid although a `?` stands in the base64url, which RFC 7515, section 2, has no room for.
const VALID_BUT_NOT_BASE64URL: [u64; 2] = [372, 373];
/// Listed as invalid for their padding, but the padding is gone: the same text as vector 357, which is valid.
const INVALID_BUT_THE_SAME_AS_357: [u64; 2] = [367, 370];

struct Vector {
    group: Value,
    id: u64,
    text: String,
    valid: bool,
}

fn vectors(file: &str, name: &str) -> Vec<Vector> {
    let file: Value = serde_json::from_str(file).unwrap();
    let mut vectors = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            vectors.push(Vector {
                group: group.clone(),
                id: test["tcId"].as_u64().unwrap(),
                text: test[name].as_str().unwrap_or_default().to_owned(),
                valid: test["result"] == "valid",
            });
        }
    }
    assert_eq!(
        vectors.len() as u64,
        file["numberOfTests"].as_u64().unwrap()
    );
    vectors
}

fn header(text: &str, name: &str) -> String {
    let part = text.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&base64url::decode(part).unwrap()).unwrap();
    header[name].as_str().unwrap().to_owned()
}

/// Verifies as strictly as the library does for whoever allows everything.
fn verifies_with_public_key(text: &str, key: &Jwk) -> bool {
    let all: Vec<Algorithm> = Algorithm::ASYMMETRIC
        .iter()
        .chain(Algorithm::SYMMETRIC)
        .copied()
        .collect();
    Compact::parse_within(text, 1 << 20)
        .is_ok_and(|token| token.verify(key, &all, Typ::AbsentOr(&["JWT"])).is_ok())
}

/// Shared keys have no JWK form here: whoever holds one says for which algorithm.
fn verifies_with_shared_key(text: &str, key: &Value) -> bool {
    let allowed: Vec<Algorithm> = Algorithm::parse(key["alg"].as_str().unwrap())
        .into_iter()
        .collect();
    let Ok(bytes) = base64url::decode(key["k"].as_str().unwrap()) else {
        return false;
    };
    let Ok(key) = HmacKey::from_bytes(&bytes) else {
        return false;
    };
    Compact::parse_within(text, 1 << 20).is_ok_and(|token| {
        token
            .verify_hmac(&key, &allowed, Typ::AbsentOr(&["JWT"]))
            .is_ok()
    })
}

#[test]
fn sec_15_every_jws_vector_gives_the_listed_result() {
    let vectors = vectors(SIGNATURES, "jws");
    let of_357 = vectors
        .iter()
        .find(|vector| vector.id == 357)
        .unwrap()
        .text
        .clone();
    let (mut accepted, mut unsupported) = (0, 0);
    for vector in &vectors {
        let key = vector
            .group
            .get("public")
            .unwrap_or(&vector.group["private"]);
        let verifies = if key["kty"] == "oct" {
            verifies_with_shared_key(&vector.text, key)
        } else {
            Jwk::parse(key).is_ok_and(|key| verifies_with_public_key(&vector.text, &key))
        };
        let expected = if VALID_BUT_NOT_BASE64URL.contains(&vector.id) {
            assert!(vector.valid && vector.text.contains('?'));
            false
        } else if INVALID_BUT_THE_SAME_AS_357.contains(&vector.id) {
            assert!(!vector.valid && vector.text == of_357);
            true
        } else if vector.valid
            && UNSUPPORTED_SIGNATURES.contains(&header(&vector.text, "alg").as_str())
        {
            unsupported += 1;
            false
        } else {
            vector.valid
        };
        assert_eq!(verifies, expected, "vector {}", vector.id);
        accepted += usize::from(verifies);
    }
    assert_eq!((vectors.len(), accepted, unsupported), (401, 26, 20));
}

#[test]
fn sec_15_every_jwk_vector_gives_the_listed_result() {
    let vectors = vectors(KEYS, "jws");
    let mut accepted = 0;
    for vector in &vectors {
        let set = vector
            .group
            .get("public")
            .unwrap_or(&vector.group["private"]);
        let keys = set["keys"].as_array().unwrap();
        let verifies = if keys.iter().all(|key| key["kty"] == "oct") {
            let kid = header(&vector.text, "kid");
            let named: Vec<_> = keys
                .iter()
                .filter(|key| key["kid"] == kid.as_str())
                .collect();
            matches!(named[..], [key] if verifies_with_shared_key(&vector.text, key))
        } else {
            let token = Compact::parse_within(&vector.text, 1 << 20).unwrap();
            JwkSet::parse(set).is_ok_and(|set| {
                set.find_for(token.header())
                    .is_some_and(|key| verifies_with_public_key(&vector.text, key))
            })
        };
        assert_eq!(verifies, vector.valid, "vector {}", vector.id);
        accepted += usize::from(verifies);
    }
    assert_eq!((vectors.len(), accepted), (26, 5));
}

#[test]
fn sec_15_every_jwe_vector_gives_the_listed_result() {
    let vectors = vectors(ENCRYPTION, "jwe");
    let (mut accepted, mut unsupported) = (0, 0);
    for vector in &vectors {
        let key = &vector.group["private"];
        let key = if key["crv"] == "P-256" {
            DecryptionKey::from_scalar(&base64url::decode(key["d"].as_str().unwrap()).unwrap())
                .unwrap()
        } else {
            // A key of a kind that cannot be held here.
            DecryptionKey::generate().unwrap()
        };
        let decrypted = jwe::decrypt(&vector.text, &key, ContentEncryption::ALL);
        let expected = vector.valid && {
            let (alg, enc) = (header(&vector.text, "alg"), header(&vector.text, "enc"));
            let known = !UNSUPPORTED_KEY_MANAGEMENT.contains(&alg.as_str())
                && !UNSUPPORTED_ENCRYPTION.contains(&enc.as_str());
            unsupported += usize::from(!known);
            known
        };
        assert_eq!(decrypted.is_ok(), expected, "vector {}", vector.id);
        if let Ok(text) = decrypted {
            assert_eq!(text, b"foo");
            accepted += 1;
        }
    }
    assert_eq!((vectors.len(), accepted, unsupported), (139, 2, 63));
}
