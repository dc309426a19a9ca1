//! What an attacker tries with signed tokens. Each test first shows that the honest token passes.
#![allow(clippy::unwrap_used)]

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use standards::base64url;
use standards::jose::jwk::JwkError;
use standards::jose::jws::{self, ParseError, ProtectedHeader, Typ, VerifyError};
use standards::jose::{Algorithm, HmacKey, Jwk, Signer, SoftwareKey};
use standards::json::JsonError;

const EVERYTHING: &[Algorithm] = &[
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
];
const TYP: Typ<'_> = Typ::Is("vp+jwt");

fn key() -> SoftwareKey {
    SoftwareKey::generate(Algorithm::ES256).unwrap()
}

fn token(key: &SoftwareKey) -> String {
    jws::sign_now(
        key,
        ProtectedHeader::typ("vp+jwt"),
        &json!({"sub": "employee"}),
    )
    .unwrap()
}

/// Any header and payload, rightly signed.
fn signed(key: &SoftwareKey, header: &str, payload: &str) -> String {
    let input = format!(
        "{}.{}",
        base64url::encode(header),
        base64url::encode(payload)
    );
    let signature = key.sign_now(input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

fn refused(token: &str, key: &Jwk) -> VerifyError {
    jws::parse(token)
        .unwrap()
        .verify(key, EVERYTHING, TYP)
        .unwrap_err()
}

#[test]
fn the_honest_token_passes() {
    let key = key();
    assert!(
        jws::parse(&token(&key))
            .unwrap()
            .verify(key.public_jwk(), EVERYTHING, TYP)
            .is_ok()
    );
    let by_hand = signed(
        &key,
        r#"{"alg":"ES256","typ":"vp+jwt"}"#,
        r#"{"sub":"employee"}"#,
    );
    assert!(
        jws::parse(&by_hand)
            .unwrap()
            .verify(key.public_jwk(), EVERYTHING, TYP)
            .is_ok()
    );
}

#[test]
fn sec_15_the_algorithm_none_does_not_exist() {
    let key = key();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": alg, "typ": "vp+jwt"}).to_string();
        let unsigned = format!(
            "{}.{}.",
            base64url::encode(&header),
            base64url::encode("{}")
        );
        assert_eq!(
            jws::parse(&unsigned).unwrap_err(),
            ParseError::UnsupportedAlgorithm
        );
        assert_eq!(
            jws::parse(&signed(&key, &header, "{}")).unwrap_err(),
            ParseError::UnsupportedAlgorithm
        );
    }
    let honest = token(&key);
    let without_signature = &honest[..=honest.rfind('.').unwrap()];
    assert_eq!(
        refused(without_signature, key.public_jwk()),
        VerifyError::Signature
    );
}

#[test]
fn sec_15_a_public_key_is_never_taken_as_a_shared_key() {
    let key = key();
    let public = key.public_jwk().to_value();
    let [x, y] = ["x", "y"].map(|name| base64url::decode(public[name].as_str().unwrap()).unwrap());
    let point = [&[4][..], &x, &y].concat();
    for secret in [point, x, public.to_string().into_bytes()] {
        let input = format!(
            "{}.{}",
            base64url::encode(r#"{"alg":"HS256","typ":"vp+jwt"}"#),
            base64url::encode("{}")
        );
        let code = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &secret),
            input.as_bytes(),
        );
        let forged = format!("{input}.{}", base64url::encode(code));
        assert_eq!(
            refused(&forged, key.public_jwk()),
            VerifyError::AlgorithmNotForKey(Algorithm::HS256)
        );
        // The forgery itself is sound: with the secret as a shared key it would pass.
        let shared = HmacKey::from_bytes(&secret).unwrap();
        assert!(
            jws::parse(&forged)
                .unwrap()
                .verify_hmac(&shared, EVERYTHING, TYP)
                .is_ok()
        );
    }
}

#[test]
fn sec_15_a_shared_key_verifies_no_public_key_algorithm() {
    let shared = HmacKey::from_bytes(&[1; 64]).unwrap();
    let refused = jws::parse(&token(&key()))
        .unwrap()
        .verify_hmac(&shared, EVERYTHING, TYP)
        .unwrap_err();
    assert_eq!(refused, VerifyError::AlgorithmNotForKey(Algorithm::ES256));
}

#[test]
fn sec_15_a_key_that_comes_with_the_token_is_not_used() {
    let (honest, attacker) = (key(), key());
    let header = ProtectedHeader::typ("vp+jwt").jwk(attacker.public_jwk());
    let forged = jws::sign_now(&attacker, header, &json!({})).unwrap();
    assert_eq!(
        refused(&forged, honest.public_jwk()),
        VerifyError::Signature
    );
    let parsed = jws::parse(&forged).unwrap();
    let embedded = parsed.header().jwk().unwrap();
    assert!(
        parsed.verify(embedded, EVERYTHING, TYP).is_ok(),
        "only who asks for it uses it"
    );
}

#[test]
fn a_private_key_in_the_header_is_refused() {
    let key = key();
    let mut jwk = key.public_jwk().to_value();
    jwk["d"] = json!("AAAA");
    let header = json!({"alg": "ES256", "typ": "vp+jwt", "jwk": jwk}).to_string();
    assert_eq!(
        jws::parse(&signed(&key, &header, "{}")).unwrap_err(),
        ParseError::Key(JwkError::Secret("d"))
    );
}

#[test]
fn sec_14_a_token_of_another_type_is_refused() {
    let key = key();
    let check = |header: Value, typ: Typ<'_>| {
        let token = signed(&key, &header.to_string(), "{}");
        jws::parse(&token)
            .unwrap()
            .verify(key.public_jwk(), EVERYTHING, typ)
            .map(|_| ())
    };
    let kb = || json!({"alg": "ES256", "typ": "kb+jwt"});
    let absent = || json!({"alg": "ES256"});
    assert_eq!(check(kb(), Typ::Is("kb+jwt")), Ok(()));
    assert_eq!(check(kb(), TYP), Err(VerifyError::WrongType));
    assert_eq!(
        check(kb(), Typ::OneOf(&["vp+jwt", "at+jwt"])),
        Err(VerifyError::WrongType)
    );
    assert_eq!(
        check(kb(), Typ::AbsentOr(&["JWT"])),
        Err(VerifyError::WrongType)
    );
    assert_eq!(
        check(absent(), Typ::Is("kb+jwt")),
        Err(VerifyError::WrongType)
    );
    assert_eq!(
        check(absent(), Typ::OneOf(&["kb+jwt"])),
        Err(VerifyError::WrongType)
    );
    assert_eq!(check(absent(), Typ::AbsentOr(&["JWT"])), Ok(()));
    for spelling in ["KB+JWT", "application/kb+jwt", "Application/Kb+Jwt"] {
        assert_eq!(
            check(json!({"alg": "ES256", "typ": spelling}), Typ::Is("kb+jwt")),
            Ok(()),
            "{spelling}"
        );
    }
    for spelling in [
        "text/kb+jwt",
        "application/application/kb+jwt",
        "kb+jwt ",
        "",
    ] {
        let refused = check(json!({"alg": "ES256", "typ": spelling}), Typ::Is("kb+jwt"));
        assert_eq!(refused, Err(VerifyError::WrongType), "{spelling:?}");
    }
}

#[test]
fn sec_21_a_member_that_appears_twice_is_refused_in_header_and_claims() {
    let key = key();
    let twice = |name: &str| JsonError::DuplicateMember(name.to_owned());
    let header = signed(
        &key,
        r#"{"alg":"ES256","typ":"vp+jwt","alg":"ES256"}"#,
        "{}",
    );
    assert_eq!(
        jws::parse(&header).unwrap_err(),
        ParseError::Header(twice("alg"))
    );
    let claims = signed(
        &key,
        r#"{"alg":"ES256","typ":"vp+jwt"}"#,
        r#"{"iss":"a","iss":"b"}"#,
    );
    assert_eq!(
        jws::parse(&claims).unwrap_err(),
        ParseError::Claims(twice("iss"))
    );
}

#[test]
fn another_spelling_of_the_same_bytes_is_refused() {
    let honest = token(&key());
    let parts: Vec<&str> = honest.split('.').collect();
    for place in 0..3 {
        for change in ["=", "==", " ", "\n", "\t", "%3D", "\0"] {
            for spelled in [
                format!("{}{change}", parts[place]),
                format!("{change}{}", parts[place]),
            ] {
                let mut parts = parts.clone();
                parts[place] = &spelled;
                assert_eq!(
                    jws::parse(&parts.join(".")).unwrap_err(),
                    ParseError::Form,
                    "{spelled:?}"
                );
            }
        }
    }
}

#[test]
fn another_number_of_parts_is_refused() {
    let honest = token(&key());
    let input = &honest[..honest.rfind('.').unwrap()];
    for text in [
        "",
        ".",
        "..",
        "...",
        input,
        &format!("{honest}."),
        &format!("{honest}.AA"),
        &format!(".{honest}"),
    ] {
        assert!(jws::parse(text).is_err(), "{text:?}");
    }
    let json_form = json!({"payload": "e30", "protected": "e30", "signature": ""}).to_string();
    assert_eq!(jws::parse(&json_form).unwrap_err(), ParseError::Form);
}

#[test]
fn sec_15_an_ecdsa_signature_in_another_form_is_refused() {
    let key = key();
    let honest = token(&key);
    let (input, signature) = honest.rsplit_once('.').unwrap();
    let fixed = base64url::decode(signature).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &key.to_pkcs8_der().unwrap(),
    )
    .unwrap();
    let der = pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
    let order_hex = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&order_hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let padded = [&[0][..], &fixed[..32], &[0], &fixed[32..]].concat();
    let forms = [
        der.as_ref().to_vec(),
        fixed[..63].to_vec(),
        [&fixed[..], &[0]].concat(),
        padded,
        fixed[32..].to_vec(),
        vec![0; 64],
        [&fixed[..32], &[0; 32][..]].concat(),
        [&order[..], &order].concat(),
        Vec::new(),
    ];
    for form in forms {
        let token = format!("{input}.{}", base64url::encode(&form));
        assert_eq!(
            refused(&token, key.public_jwk()),
            VerifyError::Signature,
            "{} bytes",
            form.len()
        );
    }
}

#[test]
fn a_critical_parameter_is_never_understood() {
    let key = key();
    for crit in [
        json!(["b64"]),
        json!(["exp"]),
        json!([]),
        json!("alg"),
        Value::Null,
    ] {
        let header =
            json!({"alg": "ES256", "typ": "vp+jwt", "crit": crit, "b64": false}).to_string();
        assert_eq!(
            jws::parse(&signed(&key, &header, "{}")).unwrap_err(),
            ParseError::Critical
        );
    }
}

#[test]
fn header_parameters_of_another_form_are_refused() {
    let key = key();
    let parse = |header: Value| jws::parse(&signed(&key, &header.to_string(), "{}")).unwrap_err();
    assert_eq!(
        parse(json!({"typ": "vp+jwt"})),
        ParseError::Parameter("alg")
    );
    assert_eq!(
        parse(json!({"alg": ["ES256"]})),
        ParseError::Parameter("alg")
    );
    assert_eq!(
        parse(json!({"alg": "ES256", "typ": 1})),
        ParseError::Parameter("typ")
    );
    assert_eq!(
        parse(json!({"alg": "ES256", "kid": {}})),
        ParseError::Parameter("kid")
    );
    assert_eq!(
        parse(json!({"alg": "ES256", "jwk": "x"})),
        ParseError::Key(JwkError::NotAnObject)
    );
    for x5c in [
        json!([]),
        json!("AAAA"),
        json!([1]),
        json!(["A_-A"]),
        json!(vec!["AAAA"; 11]),
    ] {
        assert_eq!(
            parse(json!({"alg": "ES256", "x5c": x5c})),
            ParseError::Parameter("x5c")
        );
    }
    let header = json!({"alg": "ES256", "x5c": ["AAAA", "AQ=="]}).to_string();
    let parsed = jws::parse(&signed(&key, &header, "{}")).unwrap();
    assert_eq!(parsed.header().x5c().unwrap(), [vec![0, 0, 0], vec![1]]);
    for header in ["[]", "null", "\"ES256\"", "{", ""] {
        assert!(
            matches!(
                jws::parse(&signed(&key, header, "{}")),
                Err(ParseError::Header(_))
            ),
            "{header}"
        );
    }
    for claims in ["[]", "null", "foo", "", "{} {}"] {
        let token = signed(&key, r#"{"alg":"ES256"}"#, claims);
        assert!(
            matches!(jws::parse(&token), Err(ParseError::Claims(_))),
            "{claims}"
        );
    }
}

#[test]
fn sec_15_an_algorithm_outside_the_list_or_the_key_is_refused_before_the_signature_is_looked_at() {
    let key = key();
    let parsed = jws::parse(&token(&key)).unwrap();
    let verify = |key: &Jwk, allowed: &[Algorithm]| parsed.verify(key, allowed, TYP).map(|_| ());
    let es256 = Algorithm::ES256;
    assert_eq!(
        verify(key.public_jwk(), &[]),
        Err(VerifyError::AlgorithmNotAllowed(es256))
    );
    assert_eq!(
        verify(key.public_jwk(), &[Algorithm::RS256]),
        Err(VerifyError::AlgorithmNotAllowed(es256))
    );
    for other in [Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256] {
        let other = SoftwareKey::generate(other).unwrap();
        assert_eq!(
            verify(other.public_jwk(), EVERYTHING),
            Err(VerifyError::AlgorithmNotForKey(es256))
        );
    }
    let bare = key.public_jwk().bare_key();
    assert_eq!(verify(&bare, EVERYTHING), Ok(()));
    for forbidden in [
        bare.clone().with_alg("ECDH-ES"),
        bare.clone().with_alg("PS256"),
        bare.clone().with_use("enc"),
    ] {
        assert_eq!(
            verify(&forbidden, EVERYTHING),
            Err(VerifyError::KeyNotForThis)
        );
    }
    let mut value = bare.to_value();
    value["key_ops"] = json!(["sign"]);
    assert_eq!(
        verify(&Jwk::parse(&value).unwrap(), EVERYTHING),
        Err(VerifyError::KeyNotForThis)
    );
}

#[test]
fn a_long_or_deep_token_is_refused() {
    let key = key();
    let long = json!({"a": "x".repeat(60_000)}).to_string();
    let long = signed(&key, r#"{"alg":"ES256"}"#, &long);
    assert_eq!(
        jws::parse(&long).unwrap_err(),
        ParseError::TooLong {
            limit: jws::MAX_LENGTH
        }
    );
    assert!(jws::parse_within(&long, 100_000).is_ok());
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let deep = signed(&key, r#"{"alg":"ES256"}"#, &deep);
    assert_eq!(
        jws::parse(&deep).unwrap_err(),
        ParseError::Claims(JsonError::TooDeep)
    );
}

#[test]
fn claims_cannot_be_printed() {
    let key = key();
    let parsed = jws::parse(
        &jws::sign_now(
            &key,
            ProtectedHeader::typ("vp+jwt"),
            &json!({"surname": "Secret"}),
        )
        .unwrap(),
    );
    let parsed = parsed.unwrap();
    let verified = parsed.verify(key.public_jwk(), EVERYTHING, TYP).unwrap();
    for shown in [format!("{parsed:?}"), format!("{verified:?}")] {
        assert!(
            shown.contains("vp+jwt") && !shown.contains("Secret") && !shown.contains("surname"),
            "{shown}"
        );
    }
}
