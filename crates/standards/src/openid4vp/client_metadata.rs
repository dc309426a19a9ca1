//! What a verifier tells about itself in the request: formats, and the key to encrypt the answer to
//! [VP 5.1, 8.3, 11; VP-05]. Never used to prove identity.

use serde_json::{Map, Value, json};

use crate::dcql::Format;
use crate::jose::jwe::ContentEncryption;
use crate::jose::jwk::KeyType;
use crate::jose::{Algorithm, Jwk, JwkSet};

/// `client_metadata` of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientMetadata {
    /// Keys for this request, each with `kid` and `alg`.
    pub jwks: Option<JwkSet>,
    /// Content encryptions the verifier takes, by name; absent means A128GCM.
    pub encrypted_response_enc_values_supported: Option<Vec<String>>,
    /// Formats and their algorithms.
    pub vp_formats_supported: Map<String, Value>,
    /// Other members (`client_name`, `logo_uri`), which wallets may ignore.
    pub other: Map<String, Value>,
}

/// Why client metadata is refused or does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientMetadataError {
    /// Not of the standard's shape.
    #[error("client_metadata is malformed at {0}")]
    Malformed(&'static str),
    /// An encrypted answer is asked for, but there is no key that we can encrypt to.
    #[error("client_metadata has no ECDH-ES key on P-256 to encrypt the answer to")]
    NoEncryptionKey,
    /// None of the content encryptions is one of ours.
    #[error("client_metadata offers neither A128GCM nor A256GCM")]
    NoContentEncryption,
}

impl ClientMetadata {
    /// Metadata for an answer encrypted to that key, in the formats of this house.
    pub fn new(encryption_key: Option<Jwk>, algorithms: &[Algorithm]) -> Self {
        let names: Vec<&str> = algorithms.iter().map(|alg| alg.as_str()).collect();
        let mut formats = Map::new();
        formats.insert(
            Format::JwtVcJson.as_str().into(),
            json!({ "alg_values": names }),
        );
        formats.insert(
            Format::DcSdJwt.as_str().into(),
            json!({ "sd-jwt_alg_values": names, "kb-jwt_alg_values": names }),
        );
        let encryptions = ContentEncryption::ALL
            .iter()
            .map(|enc| enc.as_str().to_owned())
            .collect();
        Self {
            // [VP 5.1] Without encryption the list of encryptions should be absent.
            encrypted_response_enc_values_supported: encryption_key
                .is_some()
                .then_some(encryptions),
            jwks: encryption_key.map(|key| JwkSet::new([key])),
            vp_formats_supported: formats,
            other: Map::new(),
        }
    }

    /// Reads the object.
    pub fn parse(value: &Value) -> Result<Self, ClientMetadataError> {
        let malformed = ClientMetadataError::Malformed;
        let mut other = value
            .as_object()
            .ok_or(malformed("client_metadata"))?
            .clone();
        let jwks = other
            .remove("jwks")
            .map(|set| JwkSet::parse(&set))
            .transpose();
        let encryptions = match other.remove("encrypted_response_enc_values_supported") {
            None => None,
            Some(list) => {
                let place = "encrypted_response_enc_values_supported";
                let list = list
                    .as_array()
                    .filter(|list| !list.is_empty())
                    .ok_or(malformed(place))?
                    .clone();
                let names: Option<Vec<String>> = list
                    .iter()
                    .map(|name| name.as_str().map(str::to_owned))
                    .collect();
                Some(names.ok_or(malformed(place))?)
            }
        };
        let formats = match other.remove("vp_formats_supported") {
            None => Map::new(),
            Some(Value::Object(formats)) => formats,
            Some(_) => return Err(malformed("vp_formats_supported")),
        };
        Ok(Self {
            jwks: jwks.map_err(|_| malformed("jwks"))?,
            encrypted_response_enc_values_supported: encryptions,
            vp_formats_supported: formats,
            other,
        })
    }

    /// The object.
    pub fn to_value(&self) -> Value {
        let mut members = self.other.clone();
        if let Some(jwks) = &self.jwks {
            members.insert("jwks".into(), jwks.to_value());
        }
        if let Some(names) = &self.encrypted_response_enc_values_supported {
            members.insert(
                "encrypted_response_enc_values_supported".into(),
                json!(names),
            );
        }
        members.insert(
            "vp_formats_supported".into(),
            Value::Object(self.vp_formats_supported.clone()),
        );
        Value::Object(members)
    }

    /// Wallet: which key and content encryption to use for the answer [VP 8.3].
    pub fn encryption(&self) -> Result<(&Jwk, ContentEncryption), ClientMetadataError> {
        let keys = self.jwks.as_ref().map(JwkSet::keys).unwrap_or_default();
        let key = keys
            .iter()
            .find(|key| {
                key.key_type() == KeyType::P256
                    && key.alg() == Some("ECDH-ES")
                    && key.key_use().is_none_or(|key_use| key_use == "enc")
            })
            .ok_or(ClientMetadataError::NoEncryptionKey)?;
        let enc = match &self.encrypted_response_enc_values_supported {
            None => ContentEncryption::A128GCM,
            Some(names) => names
                .iter()
                .find_map(|name| ContentEncryption::parse(name))
                .ok_or(ClientMetadataError::NoContentEncryption)?,
        };
        Ok((key, enc))
    }
}
