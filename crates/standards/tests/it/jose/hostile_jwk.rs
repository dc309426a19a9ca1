//! Keys that must not be accepted.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use standards::base64url;
use standards::jose::jwk::{Jwk, JwkError};
use standards::jose::jwk_set::{JwkSet, JwkSetError};
use standards::jose::{Algorithm, Signer, SoftwareKey};

fn sound(alg: Algorithm) -> Value {
    SoftwareKey::generate(alg).unwrap().public_jwk().to_value()
}

fn changed(key: &Value, name: &str, value: Value) -> Result<Jwk, JwkError> {
    let mut key = key.clone();
    key[name] = value;
    Jwk::parse(&key)
}

#[test]
fn sec_10_secret_members_are_refused_whatever_the_key() {
    for alg in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        let key = sound(alg);
        assert!(Jwk::parse(&key).is_ok());
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(
                changed(&key, name, json!("AA")),
                Err(JwkError::Secret(name))
            );
            assert_eq!(
                changed(&key, name, Value::Null),
                Err(JwkError::Secret(name))
            );
        }
    }
    assert_eq!(
        Jwk::parse(&json!({"kty": "oct", "k": "AAAA"})),
        Err(JwkError::Secret("k"))
    );
}

#[test]
fn sec_15_a_point_off_its_curve_is_refused() {
    for (alg, length) in [(Algorithm::ES256, 32), (Algorithm::ES384, 48)] {
        let key = sound(alg);
        let mut y = base64url::decode(key["y"].as_str().unwrap()).unwrap();
        *y.last_mut().unwrap() ^= 1;
        assert_eq!(
            changed(&key, "y", json!(base64url::encode(&y))),
            Err(JwkError::Point)
        );
        let zero = base64url::encode(vec![0; length]);
        let both = json!({"kty": "EC", "crv": key["crv"], "x": zero, "y": zero});
        assert_eq!(Jwk::parse(&both), Err(JwkError::Point));
    }
    let mut key = sound(Algorithm::ES384);
    key["crv"] = json!("P-256");
    assert_eq!(Jwk::parse(&key), Err(JwkError::Member("x")));
}

#[test]
fn a_coordinate_of_another_length_or_encoding_is_refused() {
    let key = sound(Algorithm::ES256);
    let x = base64url::decode(key["x"].as_str().unwrap()).unwrap();
    for other in [[&[0][..], &x].concat(), x[1..].to_vec(), Vec::new()] {
        assert_eq!(
            changed(&key, "x", json!(base64url::encode(other))),
            Err(JwkError::Member("x"))
        );
    }
    let padded = format!("{}=", key["x"].as_str().unwrap());
    for other in [json!(padded), json!(7), Value::Null] {
        assert_eq!(changed(&key, "x", other), Err(JwkError::Member("x")));
    }
}

#[test]
fn kinds_of_key_that_are_not_known_are_refused() {
    let key = sound(Algorithm::ES256);
    for crv in [
        json!("P-521"),
        json!("secp256k1"),
        json!("p-256"),
        Value::Null,
        json!(256),
    ] {
        assert_eq!(changed(&key, "crv", crv), Err(JwkError::Unsupported));
    }
    assert_eq!(
        changed(&key, "kty", json!("OKP")),
        Err(JwkError::Unsupported)
    );
    assert_eq!(
        changed(&key, "kty", json!("ec")),
        Err(JwkError::Unsupported)
    );
    assert_eq!(
        changed(&sound(Algorithm::EdDSA), "crv", json!("X25519")),
        Err(JwkError::Unsupported)
    );
    assert_eq!(changed(&key, "kty", json!(1)), Err(JwkError::Member("kty")));
    for other in [json!([]), json!("key"), Value::Null] {
        assert_eq!(Jwk::parse(&other), Err(JwkError::NotAnObject));
    }
    for name in ["kid", "alg", "use", "key_ops"] {
        assert_eq!(changed(&key, name, json!(1)), Err(JwkError::Member(name)));
    }
}

#[test]
fn sec_15_an_ed25519_key_of_low_order_or_beyond_the_prime_is_refused() {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
            .collect()
    };
    let points = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];
    for point in points {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(hex(point))});
        assert_eq!(Jwk::parse(&key), Err(JwkError::Point), "{point}");
    }
    let short = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode([9; 31])});
    assert_eq!(Jwk::parse(&short), Err(JwkError::Member("x")));
}

#[test]
fn sec_15_an_rsa_key_of_another_size_or_exponent_is_refused() {
    let key = sound(Algorithm::RS256);
    let n = base64url::decode(key["n"].as_str().unwrap()).unwrap();
    let with = |n: &[u8], e: &[u8]| {
        Jwk::parse(&json!({"kty": "RSA", "n": base64url::encode(n), "e": base64url::encode(e)}))
    };
    assert!(with(&n, &[1, 0, 1]).is_ok() && with(&n, &[3]).is_ok());
    // One bit short of 2048.
    let mut short = n.clone();
    short[0] = 0x7f;
    assert_eq!(with(&short, &[1, 0, 1]), Err(JwkError::RsaSize));
    assert_eq!(with(&n[..128], &[1, 0, 1]), Err(JwkError::RsaSize));
    assert_eq!(with(&[0xff; 1025], &[1, 0, 1]), Err(JwkError::RsaSize));
    for e in [
        &[1][..],
        &[2],
        &[1, 0, 0],
        &[2, 0, 0, 0, 1],
        &[1, 0, 0, 0, 0, 1],
    ] {
        assert_eq!(with(&n, e), Err(JwkError::RsaSize), "{e:?}");
    }
    assert_eq!(
        with(&[&[0][..], &n].concat(), &[1, 0, 1]),
        Err(JwkError::Member("n"))
    );
    assert_eq!(with(&n, &[0, 1, 0, 1]), Err(JwkError::Member("e")));
    assert_eq!(with(&n, &[]), Err(JwkError::Member("e")));
}

#[test]
fn a_set_that_shows_a_secret_is_refused_whole_and_an_unknown_key_is_left_out() {
    let sound = sound(Algorithm::ES256);
    let kid = sound["kid"].as_str().unwrap();
    let unknown = json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"});
    let set = JwkSet::parse(&json!({"keys": [unknown, sound]})).unwrap();
    assert_eq!(set.keys().len(), 1);
    assert!(set.find(kid).is_some() && set.find("other").is_none());
    let mut private = sound.clone();
    private["d"] = json!("AAAA");
    let shared = json!({"kty": "oct", "k": "AAAA"});
    for secret in [private, shared] {
        assert_eq!(
            JwkSet::parse(&json!({"keys": [sound, secret]})),
            Err(JwkSetError::Secret)
        );
    }
    assert_eq!(
        JwkSet::parse(&json!({"keys": vec![sound.clone(); 101]})),
        Err(JwkSetError::TooManyKeys)
    );
    for other in [json!([sound]), json!({}), json!({"keys": {}})] {
        assert_eq!(JwkSet::parse(&other), Err(JwkSetError::Malformed));
    }
}

#[test]
fn two_keys_of_one_id_are_no_answer() {
    let [one, two] = [(); 2].map(|()| {
        Jwk::parse(&sound(Algorithm::ES256))
            .unwrap()
            .with_kid("same")
    });
    assert!(JwkSet::new([one.clone()]).find("same").is_some());
    assert!(JwkSet::new([one, two]).find("same").is_none());
}

#[test]
fn a_token_without_kid_finds_the_only_key_that_fits_and_no_other() {
    use standards::jose::jws::{self, ProtectedHeader};
    let keys = [Algorithm::ES256, Algorithm::RS256].map(|alg| SoftwareKey::generate(alg).unwrap());
    let token = jws::sign_now(
        &keys[0],
        ProtectedHeader::untyped().without_kid(),
        &json!({}),
    )
    .unwrap();
    let parsed = jws::parse(&token).unwrap();
    let public = |at: usize| keys[at].public_jwk().clone();
    assert_eq!(
        JwkSet::new([public(0), public(1)]).find_for(parsed.header()),
        Some(&public(0))
    );
    let second = SoftwareKey::generate(Algorithm::ES256)
        .unwrap()
        .public_jwk()
        .clone();
    assert_eq!(
        JwkSet::new([public(0), second.clone()]).find_for(parsed.header()),
        None
    );
    let for_encryption = second.with_alg("ECDH-ES").with_use("enc");
    assert_eq!(
        JwkSet::new([public(0), for_encryption]).find_for(parsed.header()),
        Some(&public(0))
    );
}
