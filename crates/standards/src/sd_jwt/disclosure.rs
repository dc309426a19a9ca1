//! One disclosure: salt, name (for an object's member) and value [RFC 9901 4.2].

use std::fmt;

use serde_json::{Value, json};

use super::{RESERVED, hash};
use crate::base64url;

/// A disclosure, as sent and as read. Debug does not print the value.
#[derive(Clone, PartialEq)]
pub struct Disclosure {
    encoded: String,
    name: Option<String>,
    value: Value,
}

/// Why a disclosure is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// Not base64url of a JSON array.
    #[error("a disclosure is not base64url of a JSON array")]
    Encoding,
    /// Neither two nor three elements.
    #[error("a disclosure must have two or three elements")]
    Arity,
    /// Salt or name is no text.
    #[error("a disclosure's salt and name must be texts")]
    Type,
    /// A name that would be read as structure.
    #[error("a disclosure must not name a claim _sd or ...")]
    ReservedName,
}

impl Disclosure {
    /// A disclosure of an object's member with a fresh 128-bit salt [SD-04].
    pub fn member(salt: [u8; 16], name: &str, value: Value) -> Self {
        let text = json!([base64url::encode(salt), name, value]).to_string();
        Self {
            encoded: base64url::encode(text),
            name: Some(name.to_owned()),
            value,
        }
    }

    /// A disclosure of an array's element with a fresh 128-bit salt.
    pub fn element(salt: [u8; 16], value: Value) -> Self {
        let text = json!([base64url::encode(salt), value]).to_string();
        Self {
            encoded: base64url::encode(text),
            name: None,
            value,
        }
    }

    /// Reads a disclosure as received.
    pub fn parse(encoded: &str) -> Result<Self, DisclosureError> {
        let bytes = base64url::decode(encoded).map_err(|_| DisclosureError::Encoding)?;
        let parsed = crate::json::parse(&bytes).map_err(|_| DisclosureError::Encoding)?;
        let Value::Array(elements) = parsed else {
            return Err(DisclosureError::Encoding);
        };
        let mut elements = elements.into_iter();
        let all = [
            elements.next(),
            elements.next(),
            elements.next(),
            elements.next(),
        ];
        let (salt, name, value) = match all {
            [Some(salt), Some(name), Some(value), None] => (salt, Some(name), value),
            [Some(salt), Some(value), None, None] => (salt, None, value),
            _ => return Err(DisclosureError::Arity),
        };
        let name = match name {
            None => None,
            Some(Value::String(name)) => Some(name),
            Some(_) => return Err(DisclosureError::Type),
        };
        if !salt.is_string() {
            return Err(DisclosureError::Type);
        }
        if name.as_deref().is_some_and(|name| RESERVED.contains(&name)) {
            return Err(DisclosureError::ReservedName);
        }
        Ok(Self {
            encoded: encoded.to_owned(),
            name,
            value,
        })
    }

    /// The text as it travels.
    pub fn as_str(&self) -> &str {
        &self.encoded
    }

    /// The member's name; `None` for an array's element.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The value, in which further digests may be.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The digest that stands for it in the token: over the text as received, never over a re-encoding.
    pub fn digest(&self) -> String {
        hash(&self.encoded)
    }
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disclosure")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
