//! Sets of public keys, as issuers publish them. [RFC 7517 5]

use serde_json::{Value, json};

use super::jws::Header;
use super::{Jwk, jwk::JwkError};

/// A set with more keys than this is nobody's honest key set.
const MAX_KEYS: usize = 100;

/// Why a set was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkSetError {
    /// No `keys` array.
    #[error("a JWK set is a JSON object with an array `keys`")]
    Malformed,
    /// Too many keys.
    #[error("a JWK set of more than {MAX_KEYS} keys is refused")]
    TooManyKeys,
    /// A private or shared key lies open: nothing signed with this set can be believed.
    #[error("the JWK set gives a secret key away")]
    Secret,
}

/// Public keys of one owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

impl JwkSet {
    /// A set of these keys.
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
        }
    }

    /// Reads a set. Keys of a kind this house does not know, or unsound ones, are left out, as the
    /// standard asks [RFC 7517 5]; a set that shows a secret is refused whole.
    pub fn parse(value: &Value) -> Result<Self, JwkSetError> {
        let listed = value
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(JwkSetError::Malformed)?;
        if listed.len() > MAX_KEYS {
            return Err(JwkSetError::TooManyKeys);
        }
        let mut keys = Vec::with_capacity(listed.len());
        for item in listed {
            match Jwk::parse(item) {
                Ok(key) => keys.push(key),
                Err(JwkError::Secret(_)) => return Err(JwkSetError::Secret),
                Err(_) => {}
            }
        }
        Ok(Self { keys })
    }

    /// The set as JSON.
    pub fn to_value(&self) -> Value {
        json!({"keys": self.keys.iter().map(Jwk::to_value).collect::<Vec<_>>()})
    }

    /// The keys.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The one key of this id. Two keys of one id are no answer: which of them was meant is a guess.
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        only(self.keys.iter().filter(|key| key.kid() == Some(kid)))
    }

    /// The key that a token with this header was signed with: by its `kid`, or, where the header
    /// names none, the only key of the set that fits the algorithm and is for signatures.
    pub fn find_for(&self, header: &Header) -> Option<&Jwk> {
        match header.kid() {
            Some(kid) => self.find(kid),
            None => only(
                self.keys
                    .iter()
                    .filter(|key| key.key_type().fits(header.alg()) && key.may_verify()),
            ),
        }
    }
}

fn only<'a>(mut keys: impl Iterator<Item = &'a Jwk>) -> Option<&'a Jwk> {
    let first = keys.next()?;
    keys.next().is_none().then_some(first)
}
