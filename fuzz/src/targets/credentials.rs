//! Credentials and presentations, as issuer and holder would have signed them, with hostile content.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};
use standards::jose::jws::Typ;
use standards::jose::{Algorithm, Signer};
use standards::sd_jwt::{KEY_BINDING_TYP, SdJwt, VerifiedSdJwt};
use standards::vc::holder::PresentationExpectation;
use standards::vc::jwt_vc_json::{BASE_TYPE, CONTEXT, ParsedCredential};
use standards::vc::jwt_vp::ParsedPresentation;
use standards::vc::sd_jwt_vc::{self, Credential, NOT_DISCLOSABLE};

use crate::scene::{
    ASYMMETRIC, AUDIENCE, ISSUER, KEYS, MAX_AGE, NONCE, NOW, SKEW, base64url, completed, did_of,
    fields, names, now, object, signed, wait,
};

/// The most disclosures that one input may make.
const MOST: usize = 12;

/// SEC-21, SEC-17. Fields: the issuer's payload, then a disclosure on each line, then, after an empty line, the
/// claims of a key binding. `$0`, `$1` … stand for the digests of the disclosures, `$HASH` for that of them all.
pub(super) fn sd_jwt(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(parsed) = SdJwt::parse(text) {
        let _ = sd_jwt_vc::unverified_issuer(&parsed);
        let key = KEYS.es256.public_jwk();
        assert!(
            parsed
                .verify(key, ASYMMETRIC, Typ::Is(sd_jwt_vc::TYP))
                .is_err()
        );
    }
    let (credential, binding) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines: Vec<String> = credential
        .lines()
        .take(MOST + 1)
        .map(str::to_owned)
        .collect();
    // A later disclosure may stand in an earlier one: from the end, each digest is known when it is asked for.
    let mut disclosures = Vec::new();
    for position in (1..lines.len()).rev() {
        let encoded = base64url(&lines[position]);
        let digest = base64url(digest(&SHA256, encoded.as_bytes()));
        let name = format!("${}", position - 1);
        for line in &mut lines[..position] {
            *line = line.replace(&name, &digest);
        }
        disclosures.insert(0, encoded);
    }
    let Some(payload) = lines.first().and_then(|line| object(line)) else {
        return;
    };
    let payload = completed(
        payload,
        json!({ "iss": ISSUER, "vct": "https://gateway.example/vct/Identity", "iat": NOW - 60, "exp": NOW + 60,
                "cnf": { "jwk": KEYS.holder.public_jwk().bare_key().to_value() } }),
    );
    let header = Map::from_iter([("typ".to_owned(), json!(sd_jwt_vc::TYP))]);
    let Some(jwt) = signed(&KEYS.es256, header, &payload) else {
        return;
    };
    let parts: Vec<&str> = std::iter::once(jwt.as_str())
        .chain(disclosures.iter().map(String::as_str))
        .chain([""])
        .collect();
    let presented = parts.join("~");
    let binding = key_binding(binding, &presented).unwrap_or_default();
    let Ok(parsed) = SdJwt::parse(&format!("{presented}{binding}")) else {
        return;
    };
    let foreign = KEYS.foreign.public_jwk();
    assert!(
        parsed
            .verify(foreign, ASYMMETRIC, Typ::Is(sd_jwt_vc::TYP))
            .is_err()
    );
    let Ok(verified) = parsed.verify(KEYS.es256.public_jwk(), ASYMMETRIC, Typ::Is(sd_jwt_vc::TYP))
    else {
        return;
    };
    nothing_of_the_mechanism_is_left(&payload, &verified, disclosures.len());
    bound_to_the_request(&verified, &binding);

    let all = parsed
        .present_all()
        .expect("what verifies can be presented");
    let again = SdJwt::parse(all.as_str()).expect("a presentation can be read");
    assert_eq!(again.claims_of_held().as_ref(), Ok(verified.claims()));

    let Ok((credential, _)) =
        Credential::verify(&parsed, KEYS.es256.public_jwk(), ASYMMETRIC, now(), SKEW)
    else {
        return;
    };
    assert_eq!(
        Some(credential.issuer.as_str()),
        payload.get("iss").and_then(Value::as_str)
    );
    for name in NOT_DISCLOSABLE {
        // [SV-02] What everyone must see is what the issuer wrote in the open.
        assert_eq!(
            verified.claims().contains_key(name),
            payload.contains_key(name),
            "{name}"
        );
    }
    assert!(
        credential.validity.expires_at.is_none_or(|at| at > now()),
        "an expired credential"
    );
}

fn nothing_of_the_mechanism_is_left(
    payload: &Map<String, Value>,
    verified: &VerifiedSdJwt,
    disclosures: usize,
) {
    let claims = Value::Object(verified.claims().clone());
    assert!(
        !names(&claims, &["_sd", "..."]),
        "a digest is left among the claims"
    );
    assert!(claims.get("_sd_alg").is_none());
    assert_eq!(
        verified.disclosed().len(),
        disclosures,
        "a disclosure has no place"
    );
    for (name, value) in payload.iter().filter(|(name, _)| !name.starts_with("_sd")) {
        if !value.is_object() && !value.is_array() {
            assert_eq!(
                claims.get(name),
                Some(value),
                "a disclosure took the place of a claim"
            );
        }
    }
}

fn key_binding(text: &str, presented: &str) -> Option<String> {
    let hash = base64url(digest(&SHA256, presented.as_bytes()));
    let [header, claims] = fields(text.as_bytes())?;
    let header = completed(object(header)?, json!({ "typ": KEY_BINDING_TYP }));
    let claims = object(&claims.replace("$HASH", &hash))?;
    let usual = json!({ "aud": AUDIENCE, "nonce": NONCE, "iat": NOW, "sd_hash": hash });
    signed(&KEYS.holder, header, &completed(claims, usual))
}

fn bound_to_the_request(verified: &VerifiedSdJwt, binding: &str) {
    let expected = PresentationExpectation {
        audience: AUDIENCE,
        nonce: NONCE,
        algorithms: ASYMMETRIC,
        now: now(),
        max_age: MAX_AGE,
        skew: SKEW,
    };
    let Ok(bound) = verified.check_key_binding(&expected) else {
        return;
    };
    assert!(
        bound.holder.same_key(KEYS.holder.public_jwk()),
        "bound to another key"
    );
    let parsed = standards::jose::jws::parse(binding).expect("there is a key binding");
    let claims = parsed.unverified_claims();
    assert_eq!(claims["nonce"], NONCE);
    assert!(claims["aud"] == AUDIENCE || claims["aud"] == json!([AUDIENCE]));
    assert!(bound.issued_at >= now() - MAX_AGE && bound.issued_at <= now() + SKEW);
}

/// SEC-14, SEC-16, SEC-22. Fields: the header, the claims, the claims' `vc` where it is to have more than the usual.
pub(super) fn jwt_vc(data: &[u8]) {
    let Some([header, claims, document]) = fields(data) else {
        return;
    };
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(parsed) = ParsedCredential::parse(text)
    {
        assert!(
            parsed
                .verify(KEYS.es256.public_jwk(), ASYMMETRIC, now(), SKEW)
                .is_err()
        );
    }
    let (Some(header), Some(claims)) = (object(header), object(claims)) else {
        return;
    };
    let claims = credential_claims(claims, object(document).unwrap_or_default());
    let Some(token) = signed(&KEYS.es256, header, &claims) else {
        return;
    };
    let Ok(parsed) = ParsedCredential::parse(&token) else {
        return;
    };
    assert_eq!(
        claims.get("iss").and_then(Value::as_str),
        Some(parsed.issuer())
    );
    assert!(
        parsed
            .verify(KEYS.foreign.public_jwk(), ASYMMETRIC, now(), SKEW)
            .is_err()
    );
    let Ok(credential) = parsed.verify(KEYS.es256.public_jwk(), ASYMMETRIC, now(), SKEW) else {
        return;
    };
    assert!(
        credential.validity.expires_at.is_none_or(|at| at > now()),
        "an expired credential"
    );
    assert!(
        claims.get("vp").is_none(),
        "a presentation was taken for a credential"
    );
    assert!(!credential.types.is_empty());
    let _ = credential.holder_key();
    // What was understood says the same when it is signed again. (An issuer may have any name here, and not every name can
    // stand before the key's.)
    let again = wait(credential.sign(&KEYS.es256, "#key"));
    let again = ParsedCredential::parse(&again.expect("a credential can be signed"));
    let again = again.expect("a credential can be read again").verify(
        KEYS.es256.public_jwk(),
        ASYMMETRIC,
        now(),
        SKEW,
    );
    assert_eq!(again.as_ref(), Ok(&credential));
}

fn credential_claims(
    claims: Map<String, Value>,
    document: Map<String, Value>,
) -> Map<String, Value> {
    let document = completed(
        document,
        json!({ "@context": [CONTEXT], "type": [BASE_TYPE, "Identity"],
                "credentialSubject": { "ID-LegalSurname": "Taylor" } }),
    );
    let usual = json!({ "iss": ISSUER, "sub": did_of(&KEYS.holder), "iat": NOW - 60, "nbf": NOW - 60,
                        "exp": NOW + 60, "jti": "urn:uuid:7d5e7ad0-51a0-4b56-b5f7-bdb5b07e1d31", "vc": document });
    completed(claims, usual)
}

/// SEC-14, SEC-17. Fields: the header, the claims, the claims' `vp`. The credential in it is a good one. Only what the
/// holder signed for this verifier and this request is taken.
pub(super) fn jwt_vp(data: &[u8]) {
    let Some([header, claims, document]) = fields(data) else {
        return;
    };
    let credential = credential_claims(Map::new(), Map::new());
    let Some(credential) = signed(&KEYS.es256, Map::new(), &credential) else {
        return;
    };
    let verified = ParsedCredential::parse(&credential)
        .and_then(|parsed| parsed.verify(KEYS.es256.public_jwk(), ASYMMETRIC, now(), SKEW))
        .expect("the usual credential is good");
    let expected = PresentationExpectation {
        audience: AUDIENCE,
        nonce: NONCE,
        algorithms: ASYMMETRIC,
        now: now(),
        max_age: MAX_AGE,
        skew: SKEW,
    };
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(parsed) = ParsedPresentation::parse(text)
    {
        assert!(parsed.check(&verified, &expected).is_err());
    }
    let (Some(header), Some(claims)) = (object(header), object(claims)) else {
        return;
    };
    let document = completed(
        object(&document.replace("$CREDENTIAL", &credential)).unwrap_or_default(),
        json!({ "@context": [CONTEXT], "type": ["VerifiablePresentation"], "verifiableCredential": [credential] }),
    );
    let usual = json!({ "iss": did_of(&KEYS.holder), "aud": AUDIENCE, "nonce": NONCE, "iat": NOW, "exp": NOW + 60,
                        "vp": document });
    let claims = completed(claims, usual);
    for (key, is_holder) in [(&KEYS.holder, true), (&KEYS.foreign, false)] {
        let Some(token) = signed(key, header.clone(), &claims) else {
            return;
        };
        let Ok(parsed) = ParsedPresentation::parse(&token) else {
            return;
        };
        let Ok(binding) = parsed.check(&verified, &expected) else {
            continue;
        };
        assert!(is_holder, "a presentation by another than the holder");
        assert!(binding.holder.same_key(KEYS.holder.public_jwk()));
        assert_eq!(claims["nonce"], NONCE);
        assert!(claims["aud"] == AUDIENCE || claims["aud"] == json!([AUDIENCE]));
        assert!(claims.get("vc").is_none());
        assert!(binding.issued_at >= now() - MAX_AGE && binding.issued_at <= now() + SKEW);
        assert_eq!(key.algorithm(), Algorithm::ES256);
    }
}
