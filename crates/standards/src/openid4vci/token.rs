//! The token endpoint of the pre-authorized code flow [VCI 6].

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::PRE_AUTHORIZED_CODE;
use crate::oauth::{ErrorCode, Form};

/// A pre-authorized code: a bearer secret, so its Debug does not print it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct PreAuthorizedCode(Zeroizing<String>);

impl PreAuthorizedCode {
    /// The code itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for PreAuthorizedCode {
    fn from(code: String) -> Self {
        Self(Zeroizing::new(code))
    }
}

impl From<PreAuthorizedCode> for String {
    fn from(code: PreAuthorizedCode) -> Self {
        code.0.to_string()
    }
}

impl PartialEq for PreAuthorizedCode {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for PreAuthorizedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreAuthorizedCode(…)")
    }
}

/// A wallet's token request.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRequest {
    /// The code from the offer.
    pub pre_authorized_code: PreAuthorizedCode,
    /// The transaction code that the person typed, kept as a secret.
    pub tx_code: Option<PreAuthorizedCode>,
    /// Absent when the wallet is anonymous.
    pub client_id: Option<String>,
    /// Which configurations the wallet wants a token for; absent means those of the offer.
    pub authorization_details: Option<Vec<AuthorizationDetail>>,
}

/// [VCI 5.1.1] One object of `authorization_details`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationDetail {
    /// `openid_credential`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The configuration.
    pub credential_configuration_id: String,
    /// In the response: what to ask for at the credential endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_identifiers: Option<Vec<String>>,
}

/// Why a token request is refused before any code is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRequestError {
    /// A parameter is missing.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// Another grant type.
    #[error("the grant type is not supported")]
    GrantType,
    /// Not the JSON array that RFC 9396 gives, or of another type than `openid_credential`.
    #[error("authorization_details is not an array of openid_credential objects")]
    AuthorizationDetails,
}

impl TokenRequestError {
    /// The code on the wire.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Missing(_) => ErrorCode::InvalidRequest,
            // [RFC 9396 5]
            Self::AuthorizationDetails => ErrorCode::InvalidAuthorizationDetails,
            Self::GrantType => ErrorCode::UnsupportedGrantType,
        }
    }
}

impl TokenRequest {
    /// Reads the form of a token request with the pre-authorized code grant.
    pub fn parse(form: &Form) -> Result<Self, TokenRequestError> {
        match form.find("grant_type") {
            None => return Err(TokenRequestError::Missing("grant_type")),
            Some(PRE_AUTHORIZED_CODE) => {}
            Some(_) => return Err(TokenRequestError::GrantType),
        }
        let code = form
            .find("pre-authorized_code")
            .ok_or(TokenRequestError::Missing("pre-authorized_code"))?;
        let details = form
            .find("authorization_details")
            .map(authorization_details)
            .transpose()?;
        Ok(Self {
            pre_authorized_code: code.to_owned().into(),
            tx_code: form.find("tx_code").map(|code| code.to_owned().into()),
            client_id: form.find("client_id").map(str::to_owned),
            authorization_details: details,
        })
    }

    /// The form that a wallet sends.
    pub fn to_form(&self) -> String {
        let details = self
            .authorization_details
            .as_ref()
            .map(|d| serde_json::to_string(d).unwrap_or_default());
        let mut pairs = vec![
            ("grant_type", PRE_AUTHORIZED_CODE),
            ("pre-authorized_code", self.pre_authorized_code.reveal()),
        ];
        pairs.extend(self.tx_code.as_ref().map(|code| ("tx_code", code.reveal())));
        pairs.extend(self.client_id.as_deref().map(|id| ("client_id", id)));
        pairs.extend(
            details
                .as_deref()
                .map(|details| ("authorization_details", details)),
        );
        crate::oauth::form::encode(pairs)
    }
}

fn authorization_details(text: &str) -> Result<Vec<AuthorizationDetail>, TokenRequestError> {
    let value =
        crate::json::parse(text.as_bytes()).map_err(|_| TokenRequestError::AuthorizationDetails)?;
    let details = Vec::<AuthorizationDetail>::deserialize(value)
        .map_err(|_| TokenRequestError::AuthorizationDetails)?;
    if details.is_empty()
        || details
            .iter()
            .any(|detail| detail.kind != "openid_credential")
    {
        return Err(TokenRequestError::AuthorizationDetails);
    }
    Ok(details)
}

/// The token endpoint's answer. Debug does not print the token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The token.
    pub access_token: String,
    /// `Bearer` or `DPoP`.
    pub token_type: String,
    /// Its life in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// What was granted, when the request had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Vec<AuthorizationDetail>>,
}

impl TokenResponse {
    /// Reads the answer; unknown members are ignored.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let value = crate::json::parse(body).map_err(|error| error.to_string())?;
        Self::deserialize(value).map_err(|error| error.to_string())
    }

    /// The answer as JSON.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The identifiers to use for that configuration, when the server gave some.
    pub fn credential_identifiers(&self, configuration_id: &str) -> &[String] {
        self.authorization_details
            .iter()
            .flatten()
            .find(|detail| detail.credential_configuration_id == configuration_id)
            .and_then(|detail| detail.credential_identifiers.as_deref())
            .unwrap_or_default()
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
