//! The JSON Schema of a credential type (draft 2020-12), made from its declaration: the same attributes, kinds, lists and
//! rules that drafts are checked against.

use serde_json::{Map, Value, json};

use super::catalogue::{Attribute, CredentialType, Kind, LONGEST, Source};

/// The dialect that the schemas are written in.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What `credentialSchema` calls a schema that describes a whole credential [VC JSON Schema 2.1].
const WHOLE: &str = "JsonSchema";

impl CredentialType {
    /// Where the schema of a whole credential is: of a registered type, that of this very version, which stays as it is.
    pub fn schema_address(&self, base: &str) -> String {
        let version = self.version.map(|version| format!("/versions/{version}"));
        let version = version.unwrap_or_default();
        format!("{base}/credential-types/{}{version}/schema", self.name)
    }

    /// Where the schema of its attributes alone is.
    pub fn claims_schema_address(&self, base: &str) -> String {
        format!("{base}/credential-types/{}/claims-schema", self.name)
    }

    /// `credentialSchema` of a credential of this type [VCDM 1.1 5.4].
    pub fn credential_schema(&self, base: &str) -> Value {
        json!({ "id": self.schema_address(base), "type": WHOLE })
    }

    /// The schema of a whole credential in W3C form.
    pub fn schema(&self, base: &str) -> Value {
        let mandatory = self.attributes.iter().filter(|one| one.mandatory);
        let mandatory: Vec<&str> = mandatory.map(|one| one.name.as_str()).collect();
        json!({
            "$schema": DIALECT,
            "$id": self.schema_address(base),
            "title": self.label,
            "type": "object",
            "properties": {
                "type": { "type": "array", "contains": { "const": self.name } },
                "credentialSubject": {
                    "type": "object", "properties": self.properties(), "required": mandatory,
                },
            },
            "required": ["type", "credentialSubject"],
        })
    }

    /// The schema of its attributes alone, each of which the holder of an SD-JWT VC may keep back.
    pub fn claims_schema(&self, base: &str) -> Value {
        json!({
            "$schema": DIALECT,
            "$id": self.claims_schema_address(base),
            "title": self.label,
            "type": "object",
            "properties": self.properties(),
        })
    }

    fn properties(&self) -> Map<String, Value> {
        let attributes = self.attributes.iter();
        attributes
            .map(|attribute| (attribute.name.clone(), attribute.schema()))
            .collect()
    }
}

impl Attribute {
    /// What its text must be: everything in a credential is a text (gateway contract 3.1).
    fn schema(&self) -> Value {
        let mut schema = json!({
            "type": "string", "title": self.label, "x-provenance": self.source.provenance(),
        });
        let rule = match self.kind {
            _ if !self.one_of.is_empty() => json!({ "enum": self.one_of }),
            // An empty text counts as absent, and does not come to stand in a credential.
            Kind::Text => json!({ "minLength": 1, "maxLength": LONGEST }),
            Kind::Date => json!({ "format": "date" }),
            Kind::DateOrDateTime => {
                json!({ "anyOf": [{ "format": "date" }, { "format": "date-time" }] })
            }
            Kind::Number => json!({ "pattern": "^[0-9]{1,18}$" }),
            Kind::Uuid => json!({ "format": "uuid" }),
        };
        if let (Some(schema), Value::Object(rule)) = (schema.as_object_mut(), rule) {
            schema.extend(rule);
        }
        schema
    }
}

impl Source {
    /// Whether the attribute is known from outside, or our own choice.
    pub const fn provenance(self) -> &'static str {
        match self {
            Self::Wire | Self::Label => "sourced",
            Self::Assumed => "assumed",
        }
    }
}
