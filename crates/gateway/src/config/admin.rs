//! Where operators and their programs administer the gateway.

use std::net::SocketAddr;

use serde::Deserialize;
use url::Url;

use super::{Config, ConfigError};

/// The shortest time that entries of the audit stay, in days.
const LEAST_AUDIT_DAYS: u32 = 30;

/// The listener of the admin API. It is never the public one (SEC-13).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminConfig {
    /// Where to listen: 127.0.0.1 or another loopback address, or any other with the gateway's own TLS certificate.
    pub listen: SocketAddr,
    /// Whether the operators' pages are served there as well, at `/console`.
    #[serde(default = "yes")]
    pub console: bool,
    /// Where browsers reach the console, where that is not this listener itself: `https://` and a host, of a proxy of your
    /// own that ends TLS and leads here. It decides whether the console's cookies are bound to https.
    #[serde(default)]
    pub public_url: Option<Url>,
}

impl AdminConfig {
    /// Whether browsers reach the console over https: what the address in their address bar says, whatever this
    /// listener speaks. The one function that decides on the console's cookies (rulings 17).
    #[must_use]
    pub fn is_https(&self) -> bool {
        let public = self.public_url.as_ref();
        public.map_or(self.has_tls(), |url| url.scheme() == "https")
    }

    /// Whether this listener speaks TLS: not on this machine, whose address no certificate names.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        !self.listen.ip().is_loopback()
    }
}

const fn yes() -> bool {
    true
}

impl Config {
    /// A token must not travel through a network in the open, nor the admin API stand where everybody is served.
    pub(crate) fn check_admin(&self) -> Result<(), ConfigError> {
        if self.audit_retention_days < LEAST_AUDIT_DAYS {
            let reason = "an audit that is gone within a month proves nothing: at least 30";
            return Err(ConfigError::value("audit_retention_days", reason));
        }
        let Some(admin) = &self.admin else {
            return Ok(());
        };
        if let Some(url) = &admin.public_url {
            let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            if url.scheme() != "https" || !is_origin || !url.username().is_empty() {
                let reason = "it must be https:// and a host only, such as https://console.example; over http leave it out";
                return Err(ConfigError::value("admin.public_url", reason));
            }
        }
        let reason = if admin.listen == self.listen && admin.listen.port() != 0 {
            "it must be another address than the public one"
        } else if !admin.listen.ip().is_loopback() && self.tls_certificate.is_none() {
            "only a loopback address may do without TLS: set tls_certificate and tls_key, or listen on 127.0.0.1"
        } else {
            return Ok(());
        };
        Err(ConfigError::value("admin.listen", reason))
    }
}
