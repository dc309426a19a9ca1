//! Tokens, encrypted messages and keys.

use aws_lc_rs::hmac;
use serde_json::{Map, Value};
use standards::jose::jwe::{self, ContentEncryption, Options};
use standards::jose::jws::{self, Typ};
use standards::jose::{Algorithm, HmacKey, Jwk, JwkSet, Signer};
use standards::oauth::Form;
use standards::openid4vp::{AuthorizationResponse, ResponseBody, ResponseMode, VpToken};

use crate::scene::{KEYS, base64url, fields, names, object};

/// SEC-15. Fields: how it is signed, a header, a payload. Whatever the header says, a token is believed only when the
/// key it is checked with made its signature, by the algorithm of that key.
pub(super) fn jws(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        believed_by_nobody(text);
    }
    let Some([how, header, payload]) = fields(data) else {
        return;
    };
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let keys = &*KEYS;
    let hmac_with = |secret: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes())
            .as_ref()
            .to_vec()
    };
    let public = keys.rs256.public_jwk().to_value();
    let (maker, signature) = match how {
        "ES256" => (
            Some(Algorithm::ES256),
            keys.es256.sign_now(input.as_bytes()).ok(),
        ),
        "EdDSA" => (
            Some(Algorithm::EdDSA),
            keys.eddsa.sign_now(input.as_bytes()).ok(),
        ),
        "RS256" => (
            Some(Algorithm::RS256),
            keys.rs256.sign_now(input.as_bytes()).ok(),
        ),
        "foreign" => (None, keys.foreign.sign_now(input.as_bytes()).ok()),
        // The public key as the secret of an HMAC, in the two spellings in which it lies about.
        "public-jwk" => (None, Some(hmac_with(public.to_string().as_bytes()))),
        "public-n" => (
            None,
            Some(hmac_with(public["n"].as_str().unwrap_or("").as_bytes())),
        ),
        "" => (None, Some(Vec::new())),
        other => (None, Some(other.as_bytes().to_vec())),
    };
    let token = format!("{input}.{}", base64url(signature.unwrap_or_default()));
    let Some(maker) = maker else {
        believed_by_nobody(&token);
        return;
    };
    let Ok(parsed) = jws::parse(&token) else {
        return;
    };
    let any = Typ::AbsentOr(&["JWT"]);
    for key in [&keys.es256, &keys.eddsa, &keys.rs256] {
        let Ok(verified) = parsed.verify(key.public_jwk(), &every_algorithm(), any) else {
            continue;
        };
        assert_eq!(
            key.algorithm(),
            maker,
            "believed with another key than its maker's"
        );
        assert_eq!(
            verified.header().alg(),
            maker,
            "believed by another algorithm"
        );
        assert_eq!(
            Some(verified.claims()),
            object(payload).as_ref(),
            "believed with other claims than were signed"
        );
        assert!(verified.header().member("crit").is_none());
        let typ = verified
            .header()
            .typ()
            .unwrap_or("jwt")
            .to_ascii_lowercase();
        assert!(
            typ == "jwt" || typ == "application/jwt",
            "believed with another type"
        );
    }
    assert!(
        parsed
            .verify_hmac(&keys.shared, &every_algorithm(), any)
            .is_err()
    );
}

fn every_algorithm() -> Vec<Algorithm> {
    [Algorithm::ASYMMETRIC, Algorithm::SYMMETRIC].concat()
}

/// None of the keys, by no algorithm and as no type, believes a token that none of them made.
fn believed_by_nobody(text: &str) {
    let Ok(parsed) = jws::parse(text) else {
        return;
    };
    let typ = parsed.header().typ().unwrap_or_default().to_owned();
    let types = [typ.as_str()];
    let keys = &*KEYS;
    for key in [&keys.es256, &keys.eddsa, &keys.rs256] {
        let believed = parsed.verify(key.public_jwk(), &every_algorithm(), Typ::AbsentOr(&types));
        assert!(believed.is_err(), "a forged token is believed");
    }
    let believed = parsed.verify_hmac(&keys.shared, &every_algorithm(), Typ::AbsentOr(&types));
    assert!(believed.is_err(), "a forged token is believed");
}

/// Fields: parameters of the header, the plaintext. Nothing is decrypted that was not encrypted to the key, and what
/// was comes out as it went in. The plaintext is then read as a wallet's answer.
pub(super) fn jwe(data: &[u8]) {
    let keys = &*KEYS;
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = jwe::peek_kid(text);
        assert!(jwe::decrypt(text, &keys.decryption, ContentEncryption::ALL).is_err());
    }
    let Some([header, plaintext]) = fields(data) else {
        return;
    };
    let Some(members) = object(header) else {
        return;
    };
    let forbidden = members.contains_key("crit") || members.contains_key("zip");
    let options = Options {
        members,
        ..Options::default()
    };
    let recipient = keys.decryption.public_jwk("one");
    let Ok(message) = jwe::encrypt(
        plaintext.as_bytes(),
        &recipient,
        ContentEncryption::A128GCM,
        &options,
    ) else {
        return;
    };
    if let Ok(opened) = jwe::decrypt(&message, &keys.decryption, ContentEncryption::ALL) {
        assert_eq!(opened, plaintext.as_bytes());
        assert!(!forbidden, "an extension was passed over");
    }
    let body = ResponseBody::Encrypted(message);
    let Ok(answer) = body.open(ResponseMode::DirectPostJwt, Some(&keys.decryption)) else {
        return;
    };
    assert_eq!(
        AuthorizationResponse::parse_payload(plaintext.as_bytes()),
        Ok(answer)
    );
}

/// SEC-21. A wallet's answer, as a form or as JSON: what is accepted comes back when it is written again.
pub(super) fn wallet_answer(data: &[u8]) {
    if let Ok(form) = Form::parse(data)
        && let Ok(body) = ResponseBody::parse(&form)
    {
        let _ = body.kid();
        assert!(
            !matches!(
                body.clone().open(ResponseMode::DirectPostJwt, None),
                Ok(AuthorizationResponse::Presented { .. })
            ),
            "presentations in the clear were taken for encrypted ones"
        );
        if let Ok(answer) = body.open(ResponseMode::DirectPost, None) {
            comes_back(&answer);
        }
    }
    if let Ok(answer) = AuthorizationResponse::parse_payload(data) {
        comes_back(&answer);
    }
}

fn comes_back(answer: &AuthorizationResponse) {
    let form = Form::parse(answer.to_form().as_bytes()).expect("an answer is a form");
    let again = ResponseBody::parse(&form).expect("an answer can be read again");
    let again = again
        .open(ResponseMode::DirectPost, None)
        .expect("an answer can be read again");
    let filled = |text: Option<&str>| text.unwrap_or_default().to_owned();
    assert_eq!(filled(answer.state()), filled(again.state()));
    match (answer, &again) {
        (
            AuthorizationResponse::Presented { vp_token, .. },
            AuthorizationResponse::Presented { vp_token: read, .. },
        ) => {
            assert_eq!(vp_token, read);
            assert_eq!(VpToken::parse(&vp_token.to_value()).as_ref(), Ok(vp_token));
        }
        (AuthorizationResponse::Refused(sent), AuthorizationResponse::Refused(read)) => {
            assert_eq!(sent.error.as_str(), read.error.as_str());
        }
        _ => panic!("an answer turned into its opposite"),
    }
}

/// A key or a set of keys: read, written and read again it is the same, and it never holds a secret.
pub(super) fn jwk(data: &[u8]) {
    let Ok(value) = standards::json::parse(data) else {
        return;
    };
    if let Ok(key) = Jwk::parse(&value) {
        same_key(&key);
    }
    if let Ok(set) = JwkSet::parse(&value) {
        assert_eq!(JwkSet::parse(&set.to_value()), Ok(set.clone()));
        assert!(set.keys().len() <= 100);
        for key in set.keys() {
            same_key(key);
            if let Some(found) = key.kid().and_then(|kid| set.find(kid)) {
                assert_eq!(found, key, "a key was found under another's id");
            }
        }
    }
}

fn same_key(key: &Jwk) {
    let written = key.to_value();
    let again = Jwk::parse(&written).expect("a key can be read again");
    assert_eq!(&again, key);
    assert_eq!(again.thumbprint(), key.thumbprint());
    assert!(key.bare_key().same_key(key));
    let members = written.as_object().map(Map::len).unwrap_or_default();
    assert!(members > 0);
    let secrets = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    assert!(!names(
        &Value::Object(written.as_object().cloned().unwrap_or_default()),
        &secrets
    ));
    let did = standards::did::jwk::encode(&key.bare_key());
    assert!(standards::did::jwk::decode(&did).is_ok_and(|read| read.same_key(key)));
    // A key that was read can be asked; what it says about bytes that it never signed is no.
    let hmac = HmacKey::from_bytes(key.thumbprint().as_bytes());
    assert!(hmac.is_ok());
}
