//! Authorization server metadata (RFC 8414) as far as credential issuance needs it, and where metadata lies.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// What an authorization server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// Its identifier.
    pub issuer: String,
    /// Where tokens are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Where a browser begins; a server for pre-authorized codes alone has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// The grant types; absent means `authorization_code` and `implicit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types_supported: Option<Vec<String>>,
    /// Mandatory in RFC 8414 even where nothing uses it.
    #[serde(default)]
    pub response_types_supported: Vec<String>,
    /// How clients prove who they are at the token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// [VCI 12.3] Whether a pre-authorized code is taken from a wallet that names no client id.
    #[serde(
        default,
        rename = "pre-authorized_grant_anonymous_access_supported",
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_authorized_grant_anonymous_access_supported: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Why a metadata document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not JSON, or not of the standard's shape.
    #[error("the metadata is not well formed: {0}")]
    Shape(String),
    /// [RFC 8414 3.3, VCI 12.2.3] The document must name exactly the identifier it was fetched for.
    #[error("the metadata names another issuer than the one it was asked for")]
    Issuer,
    /// An identifier that has a query, a fragment, or is no http(s) URL.
    #[error("the identifier must be an https URL without query and fragment")]
    Identifier,
    /// A rule of the standard that the document breaks.
    #[error("the metadata breaks a rule: {0}")]
    Rule(&'static str),
}

impl AuthorizationServerMetadata {
    /// Reads the document fetched for `issuer`.
    pub fn parse(body: &[u8], issuer: &str) -> Result<Self, MetadataError> {
        let value =
            crate::json::parse(body).map_err(|error| MetadataError::Shape(error.to_string()))?;
        let metadata =
            Self::deserialize(value).map_err(|error| MetadataError::Shape(error.to_string()))?;
        if metadata.issuer != issuer {
            return Err(MetadataError::Issuer);
        }
        Ok(metadata)
    }
}

/// [RFC 8414 3.1, VCI 12.2.2, SV-03] Where the metadata of an identifier lies: `/.well-known/NAME` goes
/// between the host and the path.
pub fn well_known_url(identifier: &str, name: &str) -> Result<Url, MetadataError> {
    let url = Url::parse(identifier).map_err(|_| MetadataError::Identifier)?;
    let plain = matches!(url.scheme(), "https" | "http")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain {
        return Err(MetadataError::Identifier);
    }
    let mut located = url.clone();
    located.set_path(&format!(
        "/.well-known/{name}{}",
        url.path().trim_end_matches('/')
    ));
    Ok(located)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn vci_01_the_well_known_segment_goes_between_host_and_path() {
        for (identifier, expected) in [
            (
                "https://issuer.example",
                "https://issuer.example/.well-known/openid-credential-issuer",
            ),
            (
                "https://issuer.example/",
                "https://issuer.example/.well-known/openid-credential-issuer",
            ),
            (
                "https://issuer.example/a/b",
                "https://issuer.example/.well-known/openid-credential-issuer/a/b",
            ),
            (
                "http://localhost:8400/issuers/x",
                "http://localhost:8400/.well-known/openid-credential-issuer/issuers/x",
            ),
        ] {
            assert_eq!(
                well_known_url(identifier, "openid-credential-issuer")
                    .unwrap()
                    .as_str(),
                expected
            );
        }
        for identifier in [
            "https://a.example?x",
            "https://a.example#x",
            "https://u@a.example",
            "did:web:a",
            "",
            "ftp://a",
        ] {
            assert_eq!(
                well_known_url(identifier, "x"),
                Err(MetadataError::Identifier),
                "{identifier}"
            );
        }
    }

    #[test]
    fn a_document_for_another_issuer_is_refused() {
        let body = br#"{"issuer":"https://a.example","response_types_supported":[],"x":1}"#;
        assert!(AuthorizationServerMetadata::parse(body, "https://a.example").is_ok());
        assert_eq!(
            AuthorizationServerMetadata::parse(body, "https://a.example/"),
            Err(MetadataError::Issuer)
        );
        let twice = br#"{"issuer":"https://b.example","issuer":"https://a.example"}"#;
        assert!(matches!(
            AuthorizationServerMetadata::parse(twice, "https://a.example"),
            Err(MetadataError::Shape(_))
        ));
    }
}
