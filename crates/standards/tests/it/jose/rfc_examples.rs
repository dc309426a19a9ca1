//! The examples that the standards print.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use standards::base64url;
use standards::jose::jws::{self, Compact, Typ, VerifyError};
use standards::jose::{Algorithm, HmacKey, Jwk};

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const UNTYPED: Typ<'_> = Typ::AbsentOr(&["JWT"]);

/// The text with one bit of its last part changed.
fn with_another_signature(text: &str) -> String {
    let (input, signature) = text.rsplit_once('.').unwrap();
    let mut bytes = base64url::decode(signature).unwrap();
    bytes[5] ^= 1;
    format!("{input}.{}", base64url::encode(bytes))
}

#[test]
fn rfc_7515_a_1_hs256() {
    let token = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    let key =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let key = HmacKey::from_bytes(&base64url::decode(key).unwrap()).unwrap();
    let verified = jws::parse(&token)
        .unwrap()
        .verify_hmac(&key, &[Algorithm::HS256], Typ::Is("JWT"))
        .unwrap();
    assert_eq!(verified.claims()["iss"], "joe");
    assert_eq!(verified.claims()["exp"], 1_300_819_380);
    let changed = jws::parse(&with_another_signature(&token)).unwrap();
    let refused = changed
        .verify_hmac(&key, &[Algorithm::HS256], Typ::Is("JWT"))
        .unwrap_err();
    assert_eq!(refused, VerifyError::Signature);
}

#[test]
fn rfc_7515_a_2_rs256() {
    let key = Jwk::parse(&json!({"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})).unwrap();
    let token = format!(
        "eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let verified = jws::parse(&token)
        .unwrap()
        .verify(&key, &[Algorithm::RS256], UNTYPED)
        .unwrap();
    assert_eq!(verified.claims()["http://example.com/is_root"], true);
    let changed = jws::parse(&with_another_signature(&token)).unwrap();
    assert_eq!(
        changed
            .verify(&key, &[Algorithm::RS256], UNTYPED)
            .unwrap_err(),
        VerifyError::Signature
    );
}

#[test]
fn rfc_7515_a_3_es256() {
    let key = Jwk::parse(&json!({"kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}))
    .unwrap();
    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    assert!(
        jws::parse(&token)
            .unwrap()
            .verify(&key, &[Algorithm::ES256], UNTYPED)
            .is_ok()
    );
    let changed = jws::parse(&with_another_signature(&token)).unwrap();
    assert_eq!(
        changed
            .verify(&key, &[Algorithm::ES256], UNTYPED)
            .unwrap_err(),
        VerifyError::Signature
    );
}

#[test]
fn rfc_8037_a_ed25519() {
    let key = Jwk::parse(&json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})).unwrap();
    assert_eq!(
        key.thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let signed = Compact::parse_within(text, 1000).unwrap();
    let content = signed.verify(&key, &[Algorithm::EdDSA], UNTYPED).unwrap();
    assert_eq!(content, b"Example of Ed25519 signing");
    let changed = Compact::parse_within(&with_another_signature(text), 1000).unwrap();
    assert_eq!(
        changed
            .verify(&key, &[Algorithm::EdDSA], UNTYPED)
            .unwrap_err(),
        VerifyError::Signature
    );
}

#[test]
fn rfc_7517_a_1_public_keys_and_the_thumbprint_of_rfc_7638() {
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "use": "enc", "kid": "1"});
    let rsa = json!({"kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    let set = standards::jose::JwkSet::parse(&json!({"keys": [ec, rsa]})).unwrap();
    assert_eq!(set.find("1").unwrap().key_use(), Some("enc"));
    let key = set.find("2011-04-29").unwrap();
    assert_eq!(key.alg(), Some("RS256"));
    assert_eq!(
        key.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(
        set.to_value(),
        json!({"keys": [ec, rsa]}),
        "what was read is what is written"
    );
}
