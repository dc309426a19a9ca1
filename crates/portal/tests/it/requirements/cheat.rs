//! What a gateway may answer that nobody may believe: its own ID token with one thing wrong in it. What has a signature is
//! signed again with the gateway's own key, so that nothing else is wrong with it.

use std::path::Path;

use gateway::keys::{KeyStore, SANDBOX_PASSPHRASE};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use standards::jose::hmac_key::HmacKey;
use standards::jose::jws::{self, ProtectedHeader};
use standards::jose::{Algorithm, SoftwareKey};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// The only thing that is wrong with the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Nothing is: the instrument itself, whose tokens are believed.
    Nothing,
    Signature,
    /// `alg` is `none`, and there is no signature.
    Algorithm,
    Issuer,
    NoIssuer,
    Audience,
    Expiry,
    Nonce,
    NoNonce,
}

impl Wrong {
    /// Everything that can be.
    pub(crate) const ALL: [Self; 8] = [
        Self::Signature,
        Self::Algorithm,
        Self::Issuer,
        Self::NoIssuer,
        Self::Audience,
        Self::Expiry,
        Self::Nonce,
        Self::NoNonce,
    ];

    /// What the token endpoint answers, with such a token in it.
    pub(crate) fn put_into(self, answer: &str, key: &SoftwareKey) -> String {
        let again = |spoil: &dyn Fn(&mut Map<String, Value>)| signed_again(answer, key, spoil);
        let says = |name: &str, value: Value| {
            again(&|claims| {
                claims.insert(name.to_owned(), value.clone());
            })
        };
        let lacks = |name: &str| {
            again(&|claims| {
                assert!(claims.remove(name).is_some());
            })
        };
        match self {
            Self::Nothing => again(&|_| ()),
            Self::Signature => with_token(answer, other_signature),
            Self::Algorithm => with_token(answer, unsigned),
            Self::Issuer => says("iss", json!("https://another.example")),
            Self::NoIssuer => lacks("iss"),
            Self::Audience => says("aud", json!("another")),
            Self::Expiry => says("exp", json!(Timestamp::now().as_second() - 3600)),
            Self::Nonce => says("nonce", json!("another")),
            Self::NoNonce => lacks("nonce"),
        }
    }
}

/// DW-46: the unique identifier of the identity, not there, empty, or not one.
pub(crate) const IDENTIFIERS: [Option<&str>; 3] = [None, Some("not-a-guid"), Some("")];

/// What the token endpoint answers, with this unique identifier in the identity.
pub(crate) fn with_identifier(answer: &str, key: &SoftwareKey, identifier: Option<&str>) -> String {
    signed_again(answer, key, |claims| {
        const NAME: &str = "Identity.UniqueIdentifier";
        assert!(claims.remove(NAME).is_some());
        claims.extend(identifier.map(|identifier| (NAME.to_owned(), identifier.into())));
    })
}

/// What is pushed, with its draft signed by another key than the one that was provided.
pub(crate) fn signed_with(key: &HmacKey, form: &str) -> String {
    let mut other = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(form.as_bytes()) {
        if name == "id_token_hint" {
            let claims = jws::parse(&value).unwrap().unverified_claims().clone();
            let header = ProtectedHeader::typ("JWT");
            let hint = jws::sign_hmac(key, Algorithm::HS256, header, &claims).unwrap();
            other.append_pair(&name, &hint);
        } else {
            other.append_pair(&name, &value);
        }
    }
    other.finish()
}

/// The key that a sandbox's gateway signs its ID tokens with, from the folder of its keys.
pub(crate) fn id_token_key(keys: &Path) -> SoftwareKey {
    let passphrase = Zeroizing::new(SANDBOX_PASSPHRASE.to_owned());
    let keys = KeyStore::open(keys, passphrase, false).unwrap();
    keys.signing_key("id-token-rs256").unwrap()
}

/// The token says something else, under a good signature.
fn signed_again(
    answer: &str,
    key: &SoftwareKey,
    spoil: impl Fn(&mut Map<String, Value>),
) -> String {
    with_token(answer, |token| {
        let mut claims = jws::parse(token).unwrap().unverified_claims().clone();
        spoil(&mut claims);
        jws::sign_now(key, ProtectedHeader::typ("JWT"), &claims).unwrap()
    })
}

fn unsigned(token: &str) -> String {
    let content = token.split('.').nth(1).unwrap();
    // {"alg":"none"}
    format!("eyJhbGciOiJub25lIn0.{content}.")
}

fn other_signature(token: &str) -> String {
    let (content, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{content}.{first}{}", &signature[1..])
}

/// The answer of a token endpoint with another ID token in it. One that has none, such as to a wallet, is left as it is.
fn with_token(answer: &str, make: impl Fn(&str) -> String) -> String {
    let Ok(mut answer) = serde_json::from_str::<Value>(answer) else {
        return answer.to_owned();
    };
    if let Some(token) = answer["id_token"].as_str() {
        answer["id_token"] = make(token).into();
    }
    answer.to_string()
}
