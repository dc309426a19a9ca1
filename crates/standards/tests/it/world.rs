//! What the credential tests share: one moment, fresh keys, and the specifications' examples.
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use standards::did;
use standards::jose::{Algorithm, Jwk, Signer, SoftwareKey};

pub(crate) const ES256: &[Algorithm] = &[Algorithm::ES256];
pub(crate) const SKEW: SignedDuration = SignedDuration::from_secs(60);
pub(crate) const MAX_AGE: SignedDuration = SignedDuration::from_secs(300);

/// 22 November 2026, in the afternoon.
pub(crate) fn now() -> Timestamp {
    at(1_795_363_200)
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn later(seconds: i64) -> Timestamp {
    at(now().as_second() + seconds)
}

pub(crate) fn key() -> SoftwareKey {
    SoftwareKey::generate(Algorithm::ES256).unwrap()
}

pub(crate) fn public(key: &SoftwareKey) -> Jwk {
    key.public_jwk().clone()
}

/// The did:jwk of a key, and the DID URL that names the key.
pub(crate) fn did_jwk(key: &SoftwareKey) -> (String, String) {
    let did = did::jwk::encode(&public(key).bare_key());
    (did.to_string(), format!("{did}#0"))
}

/// Signing with a software key is ready at once: no runtime is needed to wait for it.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a software key must not make anyone wait"),
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("not an object: {other}"),
    }
}

pub(crate) fn examples(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/openid")
        .join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
