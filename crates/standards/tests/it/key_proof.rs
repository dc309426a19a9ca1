//! The jwt key proof: each rule of VCI-14 refuses on its own.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use standards::claims::ClaimError;
use standards::jose::jws::{self, ParseError, ProtectedHeader, VerifyError};
use standards::jose::{Algorithm, HmacKey, SoftwareKey};
use standards::openid4vci::proof::{
    self, Expected, KeyProof, NameKeyBy, NamedKey, ProofClaims, ProofError, VerifiedProof,
};
use standards::vc::holder::HolderKeyError;

use crate::world::{ES256, MAX_AGE, SKEW, at, did_jwk, examples, key, later, now, public, wait};

const ISSUER: &str = "https://gateway.example/issuers/trust";

fn expected<'a>() -> Expected<'a> {
    Expected {
        credential_issuer: ISSUER,
        algorithms: ES256,
        client_id: None,
        nonce_required: true,
        now: now(),
        max_age: MAX_AGE,
        skew: SKEW,
    }
}

fn check(text: &str) -> Result<VerifiedProof, ProofError> {
    KeyProof::parse(text)?.check(&expected())
}

fn claims() -> Value {
    json!({"aud": ISSUER, "iat": now().as_second(), "nonce": "c-nonce"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn signed(key: &SoftwareKey, claims: &Value) -> String {
    jws::sign_now(
        key,
        ProtectedHeader::typ(proof::TYP).jwk(&public(key)),
        claims,
    )
    .unwrap()
}

#[test]
fn the_specifications_example_is_well_formed_and_carries_its_key() {
    let text = examples("openid4vci_examples.json")["key_proof"]
        .as_str()
        .unwrap()
        .to_owned();
    let proof = KeyProof::parse(&text).unwrap();
    let issuer = "https://credential-issuer.example.com";
    let expected = Expected {
        credential_issuer: issuer,
        now: at(1_701_960_444),
        ..expected()
    };
    let verified = proof.check(&expected).unwrap();
    assert_eq!(verified.nonce.as_deref(), Some("LarRGSbmUPYtRYO6BQ4yn8"));
    assert_eq!(
        verified.holder.to_value()["x"],
        "nUWAoAv3XZith8E7i19OdaxOLYFOwM-Z2EuM02TirT4"
    );
}

#[test]
fn a_wallets_proof_names_its_key_by_jwk_or_by_did() {
    let holder = key();
    let (_, kid) = did_jwk(&holder);
    let claims = ProofClaims {
        credential_issuer: ISSUER.into(),
        issued_at: now(),
        nonce: Some("c-nonce".into()),
        client_id: None,
    };
    let by_jwk = check(&wait(proof::sign(&holder, &NameKeyBy::Jwk, &claims)).unwrap()).unwrap();
    assert!(by_jwk.holder.same_key(&public(&holder)) && by_jwk.holder.kid().is_none());
    assert!(matches!(by_jwk.named, NamedKey::Jwk(_)));
    let by_did =
        check(&wait(proof::sign(&holder, &NameKeyBy::Kid(kid.clone()), &claims)).unwrap()).unwrap();
    assert!(by_did.holder.same_key(&public(&holder)));
    assert_eq!(by_did.named, NamedKey::Kid(kid));
    assert_eq!(
        (by_did.nonce.as_deref(), by_did.issued_at),
        (Some("c-nonce"), now())
    );
}

/// SEC-14.
#[test]
fn vci_14_another_typ_is_refused() {
    let key = key();
    for typ in ["JWT", "kb+jwt", "openid4vci-proof"] {
        let text = jws::sign_now(
            &key,
            ProtectedHeader::typ(typ).jwk(&public(&key)),
            &claims(),
        )
        .unwrap();
        assert_eq!(check(&text), Err(VerifyError::WrongType.into()), "{typ}");
    }
    let untyped = jws::sign_now(
        &key,
        ProtectedHeader::untyped().jwk(&public(&key)),
        &claims(),
    )
    .unwrap();
    assert_eq!(check(&untyped), Err(VerifyError::WrongType.into()));
}

/// SEC-15.
#[test]
fn vci_14_a_mac_and_an_algorithm_not_listed_are_refused() {
    let (mac, holder) = (HmacKey::generate().unwrap(), key());
    let header = ProtectedHeader::typ(proof::TYP).jwk(&public(&holder));
    let text = jws::sign_hmac(&mac, Algorithm::HS256, header, &claims()).unwrap();
    let generous = Expected {
        algorithms: &[Algorithm::HS256, Algorithm::ES256],
        ..expected()
    };
    let refused = KeyProof::parse(&text).unwrap().check(&generous);
    assert_eq!(
        refused,
        Err(VerifyError::AlgorithmNotAllowed(Algorithm::HS256).into())
    );
    let eddsa = SoftwareKey::generate(Algorithm::EdDSA).unwrap();
    let refused = check(&signed(&eddsa, &claims()));
    assert_eq!(
        refused,
        Err(VerifyError::AlgorithmNotAllowed(Algorithm::EdDSA).into())
    );
}

#[test]
fn vci_14_the_key_is_named_in_exactly_one_way() {
    let key = key();
    let (_, kid) = did_jwk(&key);
    let both = ProtectedHeader::typ(proof::TYP).jwk(&public(&key)).kid(kid);
    assert_eq!(
        check(&jws::sign_now(&key, both, &claims()).unwrap()),
        Err(ProofError::ExactlyOneKey)
    );
    let none = ProtectedHeader::typ(proof::TYP).without_kid();
    assert_eq!(
        check(&jws::sign_now(&key, none, &claims()).unwrap()),
        Err(ProofError::ExactlyOneKey)
    );
}

#[test]
fn vci_14_a_private_key_in_the_header_is_refused() {
    let key = key();
    let mut jwk = public(&key).bare_key().to_value();
    jwk["d"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let header = ProtectedHeader::typ(proof::TYP)
        .without_kid()
        .member("jwk", jwk);
    let refused = check(&jws::sign_now(&key, header, &claims()).unwrap());
    assert!(
        matches!(refused, Err(ProofError::Jwt(ParseError::Key(_)))),
        "{refused:?}"
    );
}

#[test]
fn vci_14_a_key_that_others_hold_cannot_be_claimed() {
    let (mine, theirs) = (key(), key());
    let header = ProtectedHeader::typ(proof::TYP).jwk(&public(&theirs));
    let text = jws::sign_now(&mine, header, &claims()).unwrap();
    assert_eq!(check(&text), Err(VerifyError::Signature.into()));
    let header = ProtectedHeader::typ(proof::TYP).kid(did_jwk(&theirs).1);
    assert_eq!(
        check(&jws::sign_now(&mine, header, &claims()).unwrap()),
        Err(VerifyError::Signature.into())
    );
}

#[test]
fn a_kid_that_needs_the_network_or_names_no_key_is_refused() {
    let key = key();
    let named = |kid: &str| {
        let header = ProtectedHeader::typ(proof::TYP).kid(kid);
        check(&jws::sign_now(&key, header, &claims()).unwrap()).unwrap_err()
    };
    assert_eq!(
        named("did:web:evil.example#key-1"),
        HolderKeyError::Unsupported.into()
    );
    assert_eq!(named("did:jwk:e30#0"), HolderKeyError::Did.into());
    assert_eq!(
        named(&format!("{}#1", did_jwk(&key).0)),
        HolderKeyError::Did.into()
    );
    assert_eq!(named("0"), HolderKeyError::Did.into());
}

#[test]
fn vci_14_audience_time_and_nonce_are_checked() {
    let key = key();
    let refused = |name: &str, value: Value| check(&signed(&key, &with(name, value))).unwrap_err();
    assert_eq!(
        refused("aud", json!("https://other.example")),
        ProofError::Audience
    );
    assert_eq!(
        refused("aud", json!([ISSUER, "https://other.example"])),
        ProofError::Audience
    );
    assert_eq!(
        refused("aud", Value::Null),
        ClaimError::Missing("aud").into()
    );
    assert_eq!(
        refused("iat", Value::Null),
        ClaimError::Missing("iat").into()
    );
    assert_eq!(
        refused("iat", json!("now")),
        ClaimError::Malformed("iat").into()
    );
    assert_eq!(
        refused("iat", json!(now().as_second() - 301)),
        ProofError::TooOld
    );
    assert_eq!(
        refused("iat", json!(later(61).as_second())),
        ProofError::FromTheFuture
    );
    // [RFC 7519 4.1.4, 4.1.5] Its own times hold, beside its age.
    for ended in [now(), later(-60)] {
        assert_eq!(
            refused("exp", json!(ended.as_second())),
            ProofError::Expired
        );
    }
    assert_eq!(
        refused("nbf", json!(later(61).as_second())),
        ProofError::FromTheFuture
    );
    for (name, at) in [("exp", later(1)), ("nbf", later(60))] {
        let good = check(&signed(&key, &with(name, json!(at.as_second()))));
        assert!(good.is_ok(), "{name}: {good:?}");
    }
    assert_eq!(
        refused("exp", json!("never")),
        ClaimError::Malformed("exp").into()
    );
    assert_eq!(refused("nonce", Value::Null), ProofError::NonceMissing);
    assert_eq!(refused("nonce", json!("")), ProofError::NonceMissing);
    assert_eq!(
        refused("nonce", json!(7)),
        ClaimError::Malformed("nonce").into()
    );
}

#[test]
fn vci_14_iss_is_the_client_and_absent_for_an_anonymous_one() {
    let key = key();
    let text = signed(&key, &with("iss", json!("wallet-1")));
    let check = |client_id| {
        KeyProof::parse(&text).unwrap().check(&Expected {
            client_id,
            ..expected()
        })
    };
    assert!(check(Some("wallet-1")).is_ok());
    assert_eq!(check(Some("wallet-2")), Err(ProofError::Issuer));
    assert_eq!(check(None), Err(ProofError::Issuer));
}
