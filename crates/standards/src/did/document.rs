//! DID documents: which keys speak for a DID, and for what. [DID Core 5]

use serde_json::{Value, json};

use super::{Did, DidError, DidUrl, key};
use crate::jose::Jwk;
use crate::jose::jwk::JwkError;
use crate::json::{self, JsonError};

/// A document with more keys than this is nobody's honest document.
const MAX_METHODS: usize = 100;

/// What a key may be used for in the name of the DID. [DID Core 5.3]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relationship {
    /// Issuing: credentials and other statements.
    AssertionMethod,
    /// Presenting oneself: presentations and request objects.
    Authentication,
}

impl Relationship {
    /// Both.
    pub const ALL: &[Self] = &[Self::AssertionMethod, Self::Authentication];

    /// The member of the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AssertionMethod => "assertionMethod",
            Self::Authentication => "authentication",
        }
    }
}

/// Why a document, or a key of it, was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON as it should be.
    #[error("the DID document: {0}")]
    Json(JsonError),
    /// A member is missing or has the wrong form.
    #[error("the DID document's member {0:?} is missing or malformed")]
    Member(&'static str),
    /// The document of another DID.
    #[error("the DID document is of another DID")]
    AnotherDid,
    /// The key id is no DID URL.
    #[error("the key id: {0}")]
    Kid(DidError),
    /// The key id is of another DID, or the key is controlled by another.
    #[error("the key belongs to another controller")]
    AnotherController,
    /// No such key in the document.
    #[error("the DID document has no key of this id")]
    UnknownKey,
    /// Two keys of one id.
    #[error("the DID document has two keys of this id")]
    AmbiguousKey,
    /// The key is there, but not for this.
    #[error("the DID document does not list the key under {}", .0.as_str())]
    NotForThis(Relationship),
    /// A verification method of a kind not supported.
    #[error("the verification method type of the key is not supported")]
    UnsupportedMethod,
    /// The key itself.
    #[error("the key in the DID document: {0}")]
    Key(JwkError),
}

impl DocumentError {
    /// The stable code of the refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Member(_) | Self::AnotherDid => "did-document-invalid",
            Self::Kid(_) => "key-id-invalid",
            Self::AnotherController => "key-of-another-controller",
            Self::UnknownKey | Self::AmbiguousKey => "key-unknown",
            Self::NotForThis(_) => "key-not-for-this",
            Self::UnsupportedMethod | Self::Key(_) => "key-unsupported",
        }
    }
}

/// One key of a document.
#[derive(Clone, Debug)]
struct Method {
    id: DidUrl,
    controller: Did,
    key: Result<Jwk, DocumentError>,
    relationships: Vec<Relationship>,
}

/// A DID document that was found to be the document of its DID.
#[derive(Clone, Debug)]
pub struct Document {
    id: Did,
    also_known_as: Vec<String>,
    methods: Vec<Method>,
}

impl Document {
    /// Reads the document that was fetched for this DID.
    pub fn parse(text: &[u8], of: &Did) -> Result<Self, DocumentError> {
        Self::from_value(&json::parse(text).map_err(DocumentError::Json)?, of)
    }

    /// The same, from JSON already read.
    pub fn from_value(value: &Value, of: &Did) -> Result<Self, DocumentError> {
        // [DID Core 5.1.1] The document's own word on whose it is decides whether it is the right one.
        let id = value
            .get("id")
            .and_then(Value::as_str)
            .ok_or(DocumentError::Member("id"))?;
        if id != of.as_str() {
            return Err(DocumentError::AnotherDid);
        }
        let mut document = Self {
            id: of.clone(),
            also_known_as: texts(value, "alsoKnownAs")?,
            methods: Vec::new(),
        };
        for method in array(value, "verificationMethod")? {
            document.insert(method, None)?;
        }
        for relationship in Relationship::ALL {
            for entry in array(value, relationship.as_str())? {
                match entry {
                    // [DID Core 5.3] A reference to a key above, or a key that is for this alone.
                    Value::String(reference) => document.refer(reference, *relationship)?,
                    embedded => document.insert(embedded, Some(*relationship))?,
                }
            }
        }
        Ok(document)
    }

    /// The document of a DID that is a key.
    pub(super) fn of_one_key(id: DidUrl, key: Jwk, relationships: &[Relationship]) -> Self {
        let did = id.did().clone();
        let method = Method {
            id,
            controller: did.clone(),
            key: Ok(key),
            relationships: relationships.to_vec(),
        };
        Self {
            id: did,
            also_known_as: Vec::new(),
            methods: vec![method],
        }
    }

    fn insert(
        &mut self,
        value: &Value,
        only_for: Option<Relationship>,
    ) -> Result<(), DocumentError> {
        if self.methods.len() == MAX_METHODS {
            return Err(DocumentError::Member("verificationMethod"));
        }
        let text = |name| {
            value
                .get(name)
                .and_then(Value::as_str)
                .ok_or(DocumentError::Member("verificationMethod"))
        };
        self.methods.push(Method {
            id: DidUrl::parse_relative_to(&self.id, text("id")?).map_err(DocumentError::Kid)?,
            controller: Did::parse(text("controller")?).map_err(DocumentError::Kid)?,
            // A key of a kind we cannot read hurts only who asks for it.
            key: key_of(value, text("type")?),
            relationships: only_for.into_iter().collect(),
        });
        Ok(())
    }

    fn refer(&mut self, reference: &str, relationship: Relationship) -> Result<(), DocumentError> {
        let id = DidUrl::parse_relative_to(&self.id, reference).map_err(DocumentError::Kid)?;
        for method in self.methods.iter_mut().filter(|method| method.id == id) {
            method.relationships.push(relationship);
        }
        Ok(())
    }

    /// Whose document it is.
    pub fn id(&self) -> &Did {
        &self.id
    }

    /// Other names of the same subject; its own claim, to be confirmed at the other end.
    pub fn also_known_as(&self) -> &[String] {
        &self.also_known_as
    }

    /// The key that a token names by `kid`, if it may speak for this DID in this way (SEC-16).
    ///
    /// `kid` is a DID URL, or its fragment with `#` before it.
    pub fn find(&self, kid: &str, relationship: Relationship) -> Result<&Jwk, DocumentError> {
        let id = DidUrl::parse_relative_to(&self.id, kid).map_err(DocumentError::Kid)?;
        if id.did() != &self.id {
            return Err(DocumentError::AnotherController);
        }
        let mut found = self.methods.iter().filter(|method| method.id == id);
        let method = found.next().ok_or(DocumentError::UnknownKey)?;
        if found.next().is_some() {
            return Err(DocumentError::AmbiguousKey);
        }
        if method.controller != self.id {
            return Err(DocumentError::AnotherController);
        }
        if !method.relationships.contains(&relationship) {
            return Err(DocumentError::NotForThis(relationship));
        }
        method.key.as_ref().map_err(Clone::clone)
    }

    /// The document of one of our own DIDs: each key with what it is for, and it is for nothing else (SEC-14).
    /// A key's id is its `kid`, or its thumbprint, as fragment.
    pub fn build(did: &Did, keys: &[(&Jwk, &[Relationship])], also_known_as: &[String]) -> Value {
        let methods: Vec<Value> = keys
            .iter()
            .map(|(key, _)| {
                json!({
                    "id": verification_method_id(did, key),
                    "type": "JsonWebKey2020",
                    "controller": did.as_str(),
                    "publicKeyJwk": key.to_value(),
                })
            })
            .collect();
        let mut document = json!({
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
            "id": did.as_str(),
            "verificationMethod": methods,
        });
        for relationship in Relationship::ALL {
            let listed = keys.iter().filter(|(_, uses)| uses.contains(relationship));
            document[relationship.as_str()] = listed
                .map(|(key, _)| verification_method_id(did, key))
                .collect();
        }
        if !also_known_as.is_empty() {
            document["alsoKnownAs"] = json!(also_known_as);
        }
        document
    }
}

/// The DID URL under which [`Document::build`] lists a key: what a token signed with it has as `kid`.
pub fn verification_method_id(did: &Did, key: &Jwk) -> String {
    format!(
        "{did}#{}",
        key.kid().map_or_else(|| key.thumbprint(), str::to_owned)
    )
}

fn key_of(method: &Value, of_type: &str) -> Result<Jwk, DocumentError> {
    match of_type {
        "JsonWebKey2020" | "JsonWebKey" => {
            let value = method
                .get("publicKeyJwk")
                .ok_or(DocumentError::Member("publicKeyJwk"))?;
            Jwk::parse(value).map_err(DocumentError::Key)
        }
        "Multikey" => {
            let text = method.get("publicKeyMultibase").and_then(Value::as_str);
            match key::from_multibase(text.ok_or(DocumentError::Member("publicKeyMultibase"))?) {
                Ok(key) => Ok(key),
                Err(DidError::Key(why)) => Err(DocumentError::Key(why)),
                Err(_) => Err(DocumentError::UnsupportedMethod),
            }
        }
        _ => Err(DocumentError::UnsupportedMethod),
    }
}

fn array<'a>(value: &'a Value, name: &'static str) -> Result<&'a [Value], DocumentError> {
    match value.get(name) {
        None => Ok(&[]),
        Some(Value::Array(items)) if items.len() <= MAX_METHODS => Ok(items),
        Some(_) => Err(DocumentError::Member(name)),
    }
}

fn texts(value: &Value, name: &'static str) -> Result<Vec<String>, DocumentError> {
    array(value, name)?
        .iter()
        .map(|item| {
            item.as_str()
                .map(str::to_owned)
                .ok_or(DocumentError::Member(name))
        })
        .collect()
}
