//! The sidecar's configuration: one TOML file; secrets come from files or the environment. Unknown keys are refused. Every
//! key is documented here once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use connector::config::{ConfigError, GatewayConfig, MailConfig, secret};
use connector::{Policy, SecretSource};
use serde::Deserialize;
use traces::TracesConfig;
use url::Url;

use crate::events::WebhookConfig;
use crate::key::ApiKeyConfig;

/// Everything that `lanyard connector --config FILE` reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen: on this machine, or elsewhere with TLS.
    pub listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://…`; or `env:NAME` when the address holds a password.
    pub database: String,
    /// The organisation's name, as mails say it.
    pub organisation: String,
    /// The portal's own address to which the gateway sends browsers back, as it is registered there.
    pub redirect_uri: Url,
    /// The portal's bare address, the only link in a mail. Without it mails have none.
    #[serde(default)]
    pub home: Option<Url>,
    /// The gateway, and who this system is to it.
    pub gateway: GatewayConfig,
    /// Who may call. `lanyard connector key` makes one. With `client_ca` there may be none.
    #[serde(default)]
    pub api_keys: Vec<ApiKeyConfig>,
    /// When an identity counts as the employee's: `exact`, or `fuzzy` where a written policy allows it.
    #[serde(default)]
    pub policy: Policy,
    /// Hours for which a verified identity counts at most, whatever becomes of the session.
    #[serde(default = "half_a_day")]
    pub session_hours: u16,
    /// Whether a newer credential of a record revokes the older one.
    #[serde(default = "yes")]
    pub supersede: bool,
    /// How employees are told that a credential is cancelled. Without it nobody is.
    #[serde(default)]
    pub mail: Option<MailConfig>,
    /// Where to tell of events. Without it they can be listed only.
    #[serde(default)]
    pub webhook: Option<WebhookConfig>,
    /// Who is told how long requests took, part by part.
    #[serde(default)]
    pub traces: TracesConfig,
    /// Certificate chain (PEM), for TLS.
    #[serde(default)]
    pub tls_certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[serde(default)]
    pub tls_key: Option<PathBuf>,
    /// The authority (PEM) whose certificates callers must show: mutual TLS.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

fn half_a_day() -> u16 {
    12
}

fn yes() -> bool {
    true
}

impl Config {
    /// Reads and parses the file. Values are checked when the sidecar is composed. A line that is wrong is told by its
    /// number and not quoted: somebody may have written a secret into it.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| {
            ConfigError::new(name.clone(), format!("it cannot be read: {error}"))
        })?;
        toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.bytes().take(start);
            let line = 1 + before.filter(|byte| *byte == b'\n').count();
            ConfigError::new(format!("{name}, line {line}"), error.message())
        })
    }

    pub(crate) fn check(&self, sandbox: bool) -> Result<(), ConfigError> {
        let tls = match (&self.tls_certificate, &self.tls_key) {
            (Some(_), Some(_)) => true,
            (None, None) => false,
            _ => {
                let reason = "tls_certificate and tls_key belong together";
                return Err(ConfigError::new("tls_key", reason));
            }
        };
        if !tls && !self.listen.ip().is_loopback() {
            let reason = "without tls_certificate and tls_key it must be on this machine: keys and names would go in clear";
            return Err(ConfigError::new("listen", reason));
        }
        if self.client_ca.is_some() && !tls {
            let reason = "it needs tls_certificate and tls_key";
            return Err(ConfigError::new("client_ca", reason));
        }
        if self.api_keys.is_empty() && self.client_ca.is_none() {
            let reason = "name one at least (`lanyard connector key` makes one), or a client_ca";
            return Err(ConfigError::new("api_keys", reason));
        }
        if self.redirect_uri.scheme() != "https" && !sandbox {
            let reason = "it must begin with https://";
            return Err(ConfigError::new("redirect_uri", reason));
        }
        if self.session_hours == 0 {
            return Err(ConfigError::new("session_hours", "it must be 1 at least"));
        }
        Ok(())
    }

    /// The database's address, from the environment where the file says so.
    pub(crate) fn database_address(&self) -> Result<String, ConfigError> {
        let Some(name) = self.database.strip_prefix("env:") else {
            return Ok(self.database.clone());
        };
        let address = secret("database", &SecretSource::Env(name.to_owned()))?;
        Ok(address.to_string())
    }
}
