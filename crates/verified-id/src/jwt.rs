//! The two kinds of JWT that are made here: access tokens, which only the maker reads, and requests for Authenticator,
//! signed with ES256.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, UnparsedPublicKey};
use aws_lc_rs::{hmac, signature::EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// An access token.
pub(crate) fn access_token(key: &hmac::Key, claims: &Value) -> String {
    let signed = signed_part(&json!({"alg": "HS256", "typ": "JWT"}), claims);
    let tag = hmac::sign(key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// The claims of an access token that was made with that key.
pub(crate) fn read_access_token(key: &hmac::Key, token: &str) -> Option<Value> {
    let (signed, tag) = token.rsplit_once('.')?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    hmac::verify(key, signed.as_bytes(), &tag).ok()?;
    claims(signed)
}

/// A request for Authenticator; `None` where signing fails.
pub(crate) fn request(key: &EcdsaKeyPair, kid: &str, claims: &Value) -> Option<String> {
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": kid});
    let signed = signed_part(&header, claims);
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
    Some(format!(
        "{signed}.{}",
        URL_SAFE_NO_PAD.encode(signature.as_ref())
    ))
}

/// The claims of a request that was signed with that key.
pub(crate) fn read_request(key: &EcdsaKeyPair, token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key())
        .verify(signed.as_bytes(), &signature)
        .ok()?;
    claims(signed)
}

fn signed_part(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn claims(signed: &str) -> Option<Value> {
    let (_, claims) = signed.split_once('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}
