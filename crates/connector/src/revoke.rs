//! Revoking a credential by its serial number.

use reqwest::StatusCode;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use crate::Connector;
use crate::fault::{Endpoint, GatewayFault};
use crate::http::Request;

/// A credential to be revoked.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// Its type, without `issue.`.
    pub credential_type: String,
    /// Its serial number.
    pub serial_number: Uuid,
    /// Why, in words.
    pub reason: String,
}

impl Revocation {
    /// Revoke the credential of this type and serial number, for this reason.
    pub fn new(
        credential_type: impl Into<String>,
        serial_number: Uuid,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            credential_type: credential_type.into(),
            serial_number,
            reason: reason.into(),
        }
    }
}

/// Why a credential is not known to be revoked. Keep it as it was, tell nobody, try again where
/// that can help: revoking twice is the same as revoking once.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// The gateway has no such credential of this organisation.
    #[error("the gateway knows no such credential of this organisation")]
    NotFound,
    /// The gateway did not do it, or did not say so.
    #[error(transparent)]
    Gateway(#[from] GatewayFault),
}

impl RevokeError {
    /// Whether trying again later can help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Gateway(fault) if fault.is_temporary())
    }
}

impl Connector {
    /// Revoke a credential. Done when this says so; safe to repeat.
    pub async fn revoke(&self, revocation: &Revocation) -> Result<(), RevokeError> {
        let endpoint = Endpoint::Revocation;
        let base = self.settings.gateway.as_str().trim_end_matches('/');
        let address = Url::parse(&format!("{base}/Revocation/revokecredential")).map_err(|_| {
            GatewayFault::AgainstContract {
                endpoint,
                what: "its address cannot be made",
            }
        })?;
        let answer = self
            .http
            .send(
                Request::post_json(
                    address,
                    &json!({
                        "client_id": self.settings.client_id,
                        "client_secret": self.settings.client_secret.expose(),
                        "OrganisationId": self.settings.organisation_id,
                        "CredentialTemplateName": revocation.credential_type,
                        "SerialNumber": revocation.serial_number.to_string(),
                        "RevocationReason": revocation.reason,
                    }),
                )
                .called("revoke a credential"),
            )
            .await
            .map_err(|source| GatewayFault::Unreachable { endpoint, source })?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(RevokeError::NotFound);
        }
        answer.when(StatusCode::NO_CONTENT, endpoint)?;
        Ok(())
    }
}
