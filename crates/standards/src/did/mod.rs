//! Decentralized identifiers: `did:web`, `did:jwk`, `did:key`. [DID Core 1.0]

pub mod document;
pub mod jwk;
pub mod key;
pub mod web;

use std::fmt;

use crate::jose::jwk::JwkError;
use crate::json::JsonError;

pub use document::{Document, Relationship};

/// A DID longer than this is nobody's: a `did:jwk` of an RSA key has about 3,000 characters.
const MAX_LENGTH: usize = 8 * 1024;

/// Why a text is no DID, or a DID has no key here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DidError {
    /// Not the syntax of a DID.
    #[error("this is not a DID")]
    Syntax,
    /// Not a DID followed by a fragment.
    #[error("this is not a DID with a fragment that names a key")]
    UrlSyntax,
    /// A method that is not spoken here, or not by this function.
    #[error("the DID method is not supported here")]
    Method,
    /// An address that `did:web` does not allow: an IP address, user information, or an empty segment.
    #[error("a did:web names a host and path segments, without IP address, user or empty segment")]
    WebAddress,
    /// The bytes in the DID are not in the encoding that its method wants.
    #[error("the key in the DID is not encoded as its method wants")]
    Encoding,
    /// A kind of key that is not supported.
    #[error("the key type in the DID is not supported")]
    KeyType,
    /// The JSON in a `did:jwk`.
    #[error("the key in the DID: {0}")]
    Json(JsonError),
    /// The key in the DID is unsound.
    #[error("the key in the DID: {0}")]
    Key(JwkError),
}

/// A DID, without path, query or fragment. [DID Core 3.1]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Did(String);

impl Did {
    /// Reads a DID.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let (method, id) = text
            .strip_prefix("did:")
            .and_then(|rest| rest.split_once(':'))
            .ok_or(DidError::Syntax)?;
        let method_is_sound = !method.is_empty()
            && method
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if text.len() > MAX_LENGTH
            || !method_is_sound
            || id.is_empty()
            || id.ends_with(':')
            || !is_id(id)
        {
            return Err(DidError::Syntax);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The method: `web`, `jwk`, `key`, or another.
    pub fn method(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }

    /// What follows the method.
    pub(crate) fn method_specific_id(&self) -> &str {
        self.0.splitn(3, ':').nth(2).unwrap_or_default()
    }

    fn of_method(&self, method: &str) -> Result<&str, DidError> {
        if self.method() == method {
            Ok(self.method_specific_id())
        } else {
            Err(DidError::Method)
        }
    }
}

/// Letters, digits, `.`, `-`, `_`, `:` and percent-encoded bytes.
fn is_id(id: &str) -> bool {
    let mut bytes = id.bytes();
    while let Some(byte) = bytes.next() {
        let sound = match byte {
            b'%' => [bytes.next(), bytes.next()]
                .iter()
                .all(|hex| hex.is_some_and(|hex| hex.is_ascii_hexdigit())),
            b'.' | b'-' | b'_' | b':' => true,
            other => other.is_ascii_alphanumeric(),
        };
        if !sound {
            return false;
        }
    }
    true
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Did({})", self.0)
    }
}

impl std::str::FromStr for Did {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        Self::parse(text)
    }
}

impl serde::Serialize for Did {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Did {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A DID with a fragment: the address of one key of one controller. [DID Core 3.2]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DidUrl {
    did: Did,
    fragment: String,
}

impl DidUrl {
    /// Reads a whole DID URL such as `did:web:example.org#key-1`; path and query are refused.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let (did, fragment) = text.split_once('#').ok_or(DidError::UrlSyntax)?;
        Ok(Self {
            did: Did::parse(did)?,
            fragment: sound_fragment(fragment)?,
        })
    }

    /// Reads a DID URL that may leave its DID out, as `#key-1` does within the document of `base`.
    pub fn parse_relative_to(base: &Did, text: &str) -> Result<Self, DidError> {
        match text.strip_prefix('#') {
            Some(fragment) => Ok(Self {
                did: base.clone(),
                fragment: sound_fragment(fragment)?,
            }),
            None => Self::parse(text),
        }
    }

    /// Whose key it is.
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// What follows the `#`.
    pub fn fragment(&self) -> &str {
        &self.fragment
    }
}

impl fmt::Display for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.did, self.fragment)
    }
}

fn sound_fragment(fragment: &str) -> Result<String, DidError> {
    let sound = !fragment.is_empty()
        && fragment.len() <= MAX_LENGTH
        && fragment.bytes().all(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>' | b'\\')
        });
    if sound {
        Ok(fragment.to_owned())
    } else {
        Err(DidError::UrlSyntax)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_did_has_a_method_and_an_id() {
        let did = Did::parse("did:web:example.org%3A8400:a:b").unwrap();
        assert_eq!(did.method(), "web");
        assert_eq!(did.method_specific_id(), "example.org%3A8400:a:b");
    }

    #[test]
    fn other_texts_are_no_dids() {
        for text in [
            "",
            "did",
            "did:",
            "did:web",
            "did:web:",
            "did::x",
            "did:Web:x",
            "DID:web:x",
            "did:web:x:",
            "did:web:x/y",
            "did:web:x?y",
            "did:web:x#y",
            "did:web:x y",
            "did:web:x%3",
            "did:web:x%zz",
            "did:web:ä",
            " did:web:x",
        ] {
            assert_eq!(Did::parse(text), Err(DidError::Syntax), "{text:?}");
        }
        assert_eq!(
            Did::parse(&format!("did:web:{}", "a".repeat(MAX_LENGTH))),
            Err(DidError::Syntax)
        );
    }

    #[test]
    fn a_did_url_names_one_key_and_may_be_relative_only_within_a_document() {
        let base = Did::parse("did:web:example.org").unwrap();
        let whole = DidUrl::parse("did:web:example.org#key-1").unwrap();
        assert_eq!(DidUrl::parse_relative_to(&base, "#key-1").unwrap(), whole);
        assert_eq!(whole.to_string(), "did:web:example.org#key-1");
        assert_eq!(DidUrl::parse("#key-1"), Err(DidError::Syntax));
        assert_eq!(
            DidUrl::parse("did:web:example.org"),
            Err(DidError::UrlSyntax)
        );
        assert_eq!(
            DidUrl::parse("did:web:example.org#"),
            Err(DidError::UrlSyntax)
        );
        assert_eq!(
            DidUrl::parse("did:web:example.org#a#b"),
            Err(DidError::UrlSyntax)
        );
        assert_eq!(
            DidUrl::parse("did:web:example.org/path#a"),
            Err(DidError::Syntax)
        );
        assert_eq!(
            DidUrl::parse_relative_to(&base, "key-1"),
            Err(DidError::UrlSyntax)
        );
    }
}
