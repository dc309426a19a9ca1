//! What the gateway's operator hands to a relying party, and how that relying party speaks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use standards::jose::HmacKey;
use standards::jose::hmac_key::HmacKeyError;
use url::Url;

use crate::secret::Secret;

/// Everything a connector needs to know about its gateway and itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The gateway's base address, e.g. `https://credentials.example.nhs.uk`.
    pub gateway: Url,
    /// Which contract the gateway knows this relying party by.
    pub dialect: Dialect,
    /// Whether authorization requests are pushed.
    pub push: Push,
    /// The relying party's id.
    pub client_id: String,
    /// The relying party's secret.
    pub client_secret: ClientSecret,
    /// The key that signs drafts of credentials. A relying party that never issues needs none.
    pub signing_key: Option<SigningKey>,
    /// The organisation on whose behalf credentials are issued and revoked.
    pub organisation_id: String,
    /// Where the gateway sends the browser back to, registered there exactly so.
    pub redirect_uri: Url,
}

/// Which of the gateway's contracts a relying party speaks. They differ in addresses, in the
/// issuer's name and in one or two texts; there is one way through the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// The first contract, as public client A speaks it: issuer `BASE/oidc`.
    V1A,
    /// The first contract as public client B speaks it.
    V1B,
    /// The second contract: issuer `BASE`, one set of endpoints under `/v2.0`.
    V2,
    /// OpenID Connect as its own standards have it, without the contracts' habits.
    Plain,
}

impl Dialect {
    pub(crate) fn is_v1(self) -> bool {
        matches!(self, Self::V1A | Self::V1B)
    }

    /// Where the discovery document is, and the issuer that it must name. The second contract's
    /// document sits under `/v2.0` and yet names the base as issuer: so the pair is stated here
    /// and not derived one from the other as [OIDC Discovery 4.3] has it.
    pub(crate) fn discovery(self, gateway: &Url) -> (String, String) {
        let base = gateway.as_str().trim_end_matches('/');
        let document = ".well-known/openid-configuration";
        match self {
            Self::V1A | Self::V1B => (format!("{base}/oidc/{document}"), format!("{base}/oidc")),
            Self::V2 => (format!("{base}/v2.0/{document}"), base.to_owned()),
            Self::Plain => (format!("{base}/{document}"), base.to_owned()),
        }
    }

    /// The scope that asks to issue `credential_type`. The first contract sends no `openid`.
    pub(crate) fn issue_scope(self, credential_type: &str) -> String {
        if self.is_v1() {
            format!("issue.{credential_type}")
        } else {
            format!("openid issue.{credential_type}")
        }
    }
}

/// Whether an authorization request for verifying is pushed first [RFC 9126]. Issuing always is:
/// a draft holds personal values and does not belong in an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Push {
    /// Push every request.
    #[default]
    Always,
    /// Send the request for verifying through the browser's address line.
    WhenIssuing,
}

/// The secret by which the gateway knows the relying party. Its Debug cannot print it.
#[derive(Clone, Debug)]
pub struct ClientSecret(Secret);

impl ClientSecret {
    /// Take over a secret given by the gateway's operator.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Secret::new(secret.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The key shared with the gateway that signs drafts. Its Debug cannot print it.
#[derive(Clone)]
pub struct SigningKey(Arc<HmacKey>);

impl SigningKey {
    /// Take over a key as the gateway's operator gives it, in base64.
    pub fn from_base64(text: &str) -> Result<Self, HmacKeyError> {
        HmacKey::parse(text.trim()).map(|key| Self(Arc::new(key)))
    }

    pub(crate) fn key(&self) -> &HmacKey {
        &self.0
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}
