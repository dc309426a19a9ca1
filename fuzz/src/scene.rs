//! What the targets share: one moment, one set of keys, and how an input is cut into its fields.

use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use standards::jose::jwe::DecryptionKey;
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, HmacKey, Signer, SoftwareKey};

/// What the gateway accepts.
pub(crate) const ASYMMETRIC: &[Algorithm] = Algorithm::ASYMMETRIC;
pub(crate) const SKEW: SignedDuration = SignedDuration::from_secs(60);
pub(crate) const MAX_AGE: SignedDuration = SignedDuration::from_secs(300);
/// For whom every message of the targets ought to be.
pub(crate) const AUDIENCE: &str = "https://gateway.example/issuers/anytown";
/// What every message of the targets ought to answer.
pub(crate) const NONCE: &str = "fresh-nonce";
pub(crate) const ISSUER: &str = "did:web:gateway.example:issuers:anytown";

/// Keys made for this run alone: nothing in a corpus can be signed with one.
pub(crate) struct Keys {
    pub(crate) es256: SoftwareKey,
    pub(crate) eddsa: SoftwareKey,
    pub(crate) rs256: SoftwareKey,
    /// Of whoever attacks.
    pub(crate) foreign: SoftwareKey,
    pub(crate) holder: SoftwareKey,
    pub(crate) shared: HmacKey,
    pub(crate) decryption: DecryptionKey,
}

pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let key = |algorithm| SoftwareKey::generate(algorithm).expect("a key can be made");
    Keys {
        es256: key(Algorithm::ES256),
        eddsa: key(Algorithm::EdDSA),
        rs256: key(Algorithm::RS256),
        foreign: key(Algorithm::ES256),
        holder: key(Algorithm::ES256),
        shared: HmacKey::generate().expect("a key can be made"),
        decryption: DecryptionKey::generate().expect("a key can be made"),
    }
});

/// 22 November 2026, in the afternoon.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a time of this century")
}

pub(crate) const NOW: i64 = 1_795_363_200;

/// The input as text, cut at line ends into that many fields; the last takes the rest, missing ones are empty.
pub(crate) fn fields<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    let mut lines = std::str::from_utf8(data).ok()?.splitn(N, '\n');
    Some(std::array::from_fn(|_| lines.next().unwrap_or_default()))
}

/// A field that is a JSON object.
pub(crate) fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// The object with these members where it does not say otherwise; a member that it has as `"-"` is left out, so that
/// an input can ask for a message without it.
pub(crate) fn completed(members: Map<String, Value>, usual: Value) -> Map<String, Value> {
    let Value::Object(mut all) = usual else {
        return members;
    };
    all.extend(members);
    all.retain(|_, value| value != "-");
    all
}

/// A header with these further parameters, signed as it should be.
pub(crate) fn signed(
    key: &SoftwareKey,
    header: Map<String, Value>,
    claims: &Map<String, Value>,
) -> Option<String> {
    let header = header.into_iter().fold(
        ProtectedHeader::untyped().without_kid(),
        |all, (name, value)| all.member(&name, value),
    );
    jws::sign_now(key, header, claims).ok()
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn did_of(key: &SoftwareKey) -> String {
    standards::did::jwk::encode(&key.public_jwk().bare_key()).to_string()
}

/// Whether any object within has a member of one of these names.
pub(crate) fn names(value: &Value, wanted: &[&str]) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| wanted.contains(&name.as_str()) || names(value, wanted)),
        Value::Array(elements) => elements.iter().any(|element| names(element, wanted)),
        _ => false,
    }
}

/// Signing with a key in memory is ready at once.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a key in memory makes nobody wait"),
    }
}
