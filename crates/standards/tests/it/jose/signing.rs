//! What we sign, others and we ourselves can verify.
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};
use standards::base64url;
use standards::jose::jws::{self, ProtectedHeader, Typ, VerifyError};
use standards::jose::{Algorithm, HmacKey, Jwk, SignError, Signer, SoftwareKey};

const SOFTWARE: [Algorithm; 4] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::RS256,
];

fn header_of(token: &str) -> Value {
    serde_json::from_slice(&base64url::decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

/// A key in memory answers at once; more than one look is a failure.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a software key is never pending"),
    }
}

#[test]
fn each_software_key_signs_what_its_public_half_verifies_and_no_other_key_does() {
    for alg in SOFTWARE {
        let key = SoftwareKey::generate(alg).unwrap();
        let other = SoftwareKey::generate(alg).unwrap();
        let claims = json!({"sub": "employee", "n": 7});
        let token = now(jws::sign(&key, ProtectedHeader::typ("vp+jwt"), &claims)).unwrap();
        assert_eq!(
            header_of(&token),
            json!({"alg": alg.as_str(), "typ": "vp+jwt", "kid": key.public_jwk().thumbprint()})
        );
        let parsed = jws::parse(&token).unwrap();
        let published = Jwk::parse(&key.public_jwk().to_value()).unwrap();
        let verified = parsed
            .verify(&published, &[alg], Typ::Is("vp+jwt"))
            .unwrap();
        assert_eq!(Value::Object(verified.into_claims()), claims);
        let refused = parsed
            .verify(other.public_jwk(), &[alg], Typ::Is("vp+jwt"))
            .unwrap_err();
        assert_eq!(refused, VerifyError::Signature);
    }
}

#[test]
fn a_private_key_survives_storage() {
    for alg in SOFTWARE {
        let key = SoftwareKey::generate(alg).unwrap();
        let stored = SoftwareKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
        assert_eq!(stored.algorithm(), alg);
        assert_eq!(stored.public_jwk(), key.public_jwk());
        let token = jws::sign_now(&stored, ProtectedHeader::untyped(), &json!({})).unwrap();
        assert!(
            jws::parse(&token)
                .unwrap()
                .verify(key.public_jwk(), &[alg], Typ::AbsentOr(&[]))
                .is_ok()
        );
    }
    assert!(matches!(
        SoftwareKey::from_pkcs8_der(b"not a key"),
        Err(SignError::PrivateKey)
    ));
    assert!(matches!(
        SoftwareKey::generate(Algorithm::HS256),
        Err(SignError::Algorithm(Algorithm::HS256))
    ));
}

#[test]
fn a_private_key_cannot_be_printed() {
    let key = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let kid = key.public_jwk().kid().unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("SoftwareKey {{ public: Jwk {{ key_type: P256, kid: Some({kid:?}), .. }}, .. }}")
    );
}

#[test]
fn no_key_id_ends_in_the_name_of_an_algorithm() {
    let key = || SoftwareKey::generate(Algorithm::ES256).unwrap();
    for kid in ["2026-RS256", "ES256", "keyHS512", "a-ES512"] {
        assert!(matches!(key().with_kid(kid), Err(SignError::Kid)), "{kid}");
    }
    assert_eq!(
        key().with_kid("RS256-2026").unwrap().public_jwk().kid(),
        Some("RS256-2026")
    );
}

#[test]
fn the_header_names_the_key_in_one_way() {
    let key = SoftwareKey::generate(Algorithm::ES256).unwrap();
    let signed = |header| header_of(&jws::sign_now(&key, header, &json!({})).unwrap());
    let by_did = signed(ProtectedHeader::typ("a").kid("did:web:example.org#1"));
    assert_eq!(by_did["kid"], "did:web:example.org#1");
    let by_jwk = signed(ProtectedHeader::typ("openid4vci-proof+jwt").jwk(key.public_jwk()));
    assert_eq!(by_jwk.get("kid"), None);
    assert_eq!(by_jwk["jwk"], key.public_jwk().bare_key().to_value());
    assert_eq!(by_jwk["jwk"].get("kid"), None);
    let by_nothing = signed(ProtectedHeader::untyped().without_kid());
    assert_eq!(by_nothing, json!({"alg": "ES256"}));
    let with_foreign_alg = signed(
        ProtectedHeader::untyped()
            .without_kid()
            .member("alg", "none"),
    );
    assert_eq!(with_foreign_alg, json!({"alg": "ES256"}));
}

#[test]
fn a_shared_key_authenticates_with_every_algorithm_it_is_long_enough_for() {
    let key = HmacKey::from_bytes(&[9; 48]).unwrap();
    let claims = json!({"Identity.Surname": "O'Neill"});
    for alg in [Algorithm::HS256, Algorithm::HS384] {
        let token = jws::sign_hmac(&key, alg, ProtectedHeader::untyped(), &claims).unwrap();
        assert_eq!(header_of(&token), json!({"alg": alg.as_str()}));
        let parsed = jws::parse(&token).unwrap();
        let verified = parsed
            .verify_hmac(&key, Algorithm::SYMMETRIC, Typ::AbsentOr(&["JWT"]))
            .unwrap();
        assert_eq!(Value::Object(verified.into_claims()), claims);
        let other = HmacKey::from_bytes(&[8; 48]).unwrap();
        let refused = parsed
            .verify_hmac(&other, Algorithm::SYMMETRIC, Typ::AbsentOr(&["JWT"]))
            .unwrap_err();
        assert_eq!(refused, VerifyError::Signature);
    }
    for alg in [Algorithm::HS512, Algorithm::ES256] {
        let refused = jws::sign_hmac(&key, alg, ProtectedHeader::untyped(), &claims);
        assert!(matches!(refused, Err(SignError::Algorithm(found)) if found == alg));
    }
}
