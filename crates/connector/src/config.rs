//! What a host's configuration file says of the gateway, in one shape for every host: the sidecar reads it, and so may any
//! program that links the connector.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use crate::{ClientSecret, Dialect, HttpOptions, Push, SecretSource, Settings, SigningKey};

/// How base64 of any key begins that a sandbox made (`sandbox-…`): refused outside one.
const SANDBOX_KEY: &str = "c2FuZGJveC";

/// A pushed request, the wallet's interaction, what is on its way then and its code, at a gateway of this version, in
/// seconds.
pub const SAFE_JOURNEY_SECONDS: u32 = 46 * 60;
/// Longer than the connector waits for an answer, in seconds.
pub const SAFE_ANSWER_SECONDS: u32 = 45;

/// A value that cannot be meant so. The sentence names the key, and never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct ConfigError {
    /// Which key of the file.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ConfigError {
    // What says why is at its end here: it is taken by value for the callers' sake.
    #[allow(clippy::needless_pass_by_value)]
    /// A fault of that key.
    pub fn new(key: impl Into<String>, reason: impl ToString) -> Self {
        Self {
            key: key.into(),
            reason: reason.to_string(),
        }
    }
}

/// The gateway, and who this host is to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// Its address.
    pub url: Url,
    /// The contract that it knows this host by: `v2`, `v1-a`, `v1-b` or `plain`.
    pub dialect: Dialect,
    /// This host's id there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretSource,
    /// The key that signs what is to be issued, in base64.
    pub signing_key: SecretSource,
    /// The organisation in whose name credentials are issued.
    pub organisation_id: String,
    /// A certificate authority (PEM) to trust besides the machine's own.
    #[serde(default)]
    pub certificate_authority: Option<PathBuf>,
    /// Seconds after which a journey is certain to be over at the gateway. The default holds for every gateway of
    /// this version; with less, what a person adds late is revoked although they did nothing wrong.
    #[serde(default = "a_journey")]
    pub journey_seconds: u32,
    /// Seconds after which whoever waited for the gateway's answer is taken for dead. The default is right for all;
    /// with less, an answer that comes late is not waited for.
    #[serde(default = "an_answer")]
    pub answer_seconds: u32,
}

fn a_journey() -> u32 {
    48 * 60
}

fn an_answer() -> u32 {
    SAFE_ANSWER_SECONDS
}

impl GatewayConfig {
    /// How the connector speaks to this gateway. Browsers come back to `redirect_uri`. A sandbox's keys are refused
    /// outside a sandbox.
    pub fn settings(&self, redirect_uri: Url, sandbox: bool) -> Result<Settings, ConfigError> {
        for (key, value, safe) in [
            ("answer_seconds", self.answer_seconds, SAFE_ANSWER_SECONDS),
            (
                "journey_seconds",
                self.journey_seconds,
                SAFE_JOURNEY_SECONDS,
            ),
        ] {
            if value == 0 {
                let key = format!("gateway.{key}");
                return Err(ConfigError::new(key, "it must be 1 at least"));
            }
            if value < safe {
                tracing::warn!(key, value, safe, "shorter than is safe with every gateway");
            }
        }
        let key = secret("gateway.signing_key", &self.signing_key)?;
        if !sandbox && key.starts_with(SANDBOX_KEY) {
            let reason = "this is a sandbox's key; ask the gateway's operator for one of your own";
            return Err(ConfigError::new("gateway.signing_key", reason));
        }
        let signing_key = SigningKey::from_base64(&key)
            .map_err(|error| ConfigError::new("gateway.signing_key", error))?;
        let client_secret = secret("gateway.client_secret", &self.client_secret)?;
        Ok(Settings {
            gateway: self.url.clone(),
            dialect: self.dialect,
            push: Push::default(),
            client_id: self.client_id.clone(),
            client_secret: ClientSecret::new(client_secret.as_str()),
            signing_key: Some(signing_key),
            organisation_id: self.organisation_id.clone(),
            redirect_uri,
        })
    }

    /// How requests are made, with the certificate authority that the file names.
    pub fn http_options(&self) -> Result<HttpOptions, ConfigError> {
        let read = |file: &PathBuf| {
            std::fs::read(file).map_err(|error| {
                let reason = format!("{} cannot be read: {error}", file.display());
                ConfigError::new("gateway.certificate_authority", reason)
            })
        };
        Ok(HttpOptions {
            certificate_authority: self.certificate_authority.as_ref().map(read).transpose()?,
            ..HttpOptions::default()
        })
    }
}

/// A secret from where its source says.
pub fn secret(key: &str, source: &SecretSource) -> Result<Zeroizing<String>, ConfigError> {
    source.read().map_err(|error| ConfigError::new(key, error))
}
