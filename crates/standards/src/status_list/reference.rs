//! The credential's pointer into a list [TS-01].

use serde_json::{Map, Value, json};
use url::Url;

/// `status.status_list` of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReference {
    /// The index in the list.
    pub index: u64,
    /// Where the list is; also the `sub` of its token.
    pub uri: String,
}

/// Why a credential's status cannot be looked up. Fails closed: such a credential is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// A `status` without `status_list`: a mechanism that we do not know.
    #[error("the credential's status is by a mechanism that is not supported")]
    Mechanism,
    /// No non-negative index, or no http(s) URL.
    #[error("the credential's status_list must have a non-negative idx and an https uri")]
    Malformed,
}

impl StatusReference {
    /// Reads the claim `status`; `None` when the credential has none.
    pub fn parse(claims: &Map<String, Value>) -> Result<Option<Self>, ReferenceError> {
        let Some(status) = claims.get("status") else {
            return Ok(None);
        };
        let reference = status.get("status_list").ok_or(ReferenceError::Mechanism)?;
        let index = reference
            .get("idx")
            .and_then(Value::as_u64)
            .ok_or(ReferenceError::Malformed)?;
        let uri = reference
            .get("uri")
            .and_then(Value::as_str)
            .ok_or(ReferenceError::Malformed)?;
        let url = Url::parse(uri).map_err(|_| ReferenceError::Malformed)?;
        if !matches!(url.scheme(), "https" | "http") || url.fragment().is_some() {
            return Err(ReferenceError::Malformed);
        }
        Ok(Some(Self {
            index,
            uri: uri.to_owned(),
        }))
    }

    /// The claim `status`.
    pub fn to_value(&self) -> Value {
        json!({ "status_list": { "idx": self.index, "uri": self.uri } })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(value: &Value) -> Result<Option<StatusReference>, ReferenceError> {
        StatusReference::parse(value.as_object().unwrap())
    }

    #[test]
    fn ts_01_a_reference_reads_back() {
        let reference = StatusReference {
            index: 412,
            uri: "https://example.com/statuslists/1".into(),
        };
        assert_eq!(
            parse(&json!({ "status": reference.to_value() })),
            Ok(Some(reference))
        );
        assert_eq!(parse(&json!({})), Ok(None));
    }

    #[test]
    fn a_status_that_cannot_be_looked_up_is_an_error_and_not_no_status() {
        assert_eq!(
            parse(&json!({"status": {"other": {}}})),
            Err(ReferenceError::Mechanism)
        );
        assert_eq!(
            parse(&json!({"status": "valid"})),
            Err(ReferenceError::Mechanism)
        );
        for list in [
            json!({"idx": -1, "uri": "https://a.example"}),
            json!({"idx": "1", "uri": "https://a.example"}),
            json!({"idx": 1.5, "uri": "https://a.example"}),
            json!({"idx": 1}),
            json!({"idx": 1, "uri": "file:///etc/passwd"}),
            json!({"uri": "https://a.example"}),
            json!([]),
        ] {
            assert_eq!(
                parse(&json!({"status": {"status_list": list}})),
                Err(ReferenceError::Malformed),
                "{list}"
            );
        }
    }
}
