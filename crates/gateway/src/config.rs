//! The gateway's configuration: one TOML file; secrets come from files or the environment, never from
//! the file itself. Unknown keys are refused. Every key is documented here once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use crate::organisation::dialect::Dialect;

/// Everything that `lanyard gateway --config FILE` reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address that browsers, wallets and relying parties use: `https://`, no path.
    pub public_url: Url,
    /// Where to listen.
    pub listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://…`; or `env:NAME` when the address holds a password.
    pub database: String,
    /// The folder of the encrypted private keys.
    pub keys: PathBuf,
    /// Opens the private keys.
    pub key_passphrase: Secret,
    /// Encrypts personal values in the database; at least 32 bytes of text.
    pub storage_secret: Secret,
    /// Earlier storage secrets, tried in order when reading.
    #[serde(default)]
    pub earlier_storage_secrets: Vec<Secret>,
    /// A folder of credential type files, instead of the types in the box.
    #[serde(default)]
    pub credential_types: Option<PathBuf>,
    /// How long the traces of ended interactions stay, in days. No personal value is among them.
    #[serde(default = "thirty")]
    pub retention_days: u32,
    /// Certificate chain (PEM), when the gateway ends TLS itself.
    #[serde(default)]
    pub tls_certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[serde(default)]
    pub tls_key: Option<PathBuf>,
    /// The operator's own name and colours for the pages.
    #[serde(default)]
    pub brand: Option<PathBuf>,
    /// Who uses this gateway.
    pub organisations: Vec<OrganisationConfig>,
}

fn thirty() -> u32 {
    30
}

/// A tenant: it owns relying parties, an issuer identity and a trust list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationConfig {
    /// Short name in addresses and in the DID: lower-case letters, digits, hyphens.
    pub id: String,
    /// What wallets and pages call it.
    pub name: String,
    /// The credential types that it may issue.
    pub issues: Vec<String>,
    /// Whose credentials count, for which type. What is not listed does not count.
    #[serde(default)]
    pub trust: Vec<TrustConfig>,
    /// The systems that use the gateway in its name.
    pub relying_parties: Vec<RelyingPartyConfig>,
}

/// Which issuers count for one credential type.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// The type.
    pub credential_type: String,
    /// `did:web:…` or credential issuer addresses. An organisation of this gateway is named by its DID and
    /// counts in both of its forms.
    pub issuers: Vec<String>,
}

/// A system registered with the gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelyingPartyConfig {
    /// What pages call it; never taken from a request.
    pub name: String,
    /// OAuth client id.
    pub client_id: String,
    /// SHA-256 of the client secret, in hexadecimal. During a change of secrets, two.
    pub client_secret_sha256: Vec<String>,
    /// Base64 of the key that signs drafts, at least 32 bytes.
    pub signing_key: Secret,
    /// Where browsers may be sent back to, byte for byte.
    pub redirect_uris: Vec<String>,
    /// Which contract it speaks.
    pub dialect: Dialect,
}

/// Where a secret is kept.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Secret {
    /// In a file; a line end at its end does not count.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
    /// Held by the program that composes the gateway. A file cannot say this.
    #[serde(skip)]
    Held(Zeroizing<String>),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "Secret(file {})", path.display()),
            Self::Env(name) => write!(f, "Secret(env {name})"),
            Self::Held(_) => f.write_str("Secret(…)"),
        }
    }
}

/// Why the gateway does not start. The sentences name the fields.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("the configuration file {file} cannot be read: {source}")]
    File {
        file: String,
        source: std::io::Error,
    },
    /// The file does not say what it should. The message names line and key.
    #[error("the configuration file {file}: {source}")]
    Format {
        file: String,
        source: Box<toml::de::Error>,
    },
    /// A secret is not where the configuration says.
    #[error("the secret {place} cannot be read: {reason}")]
    Secret { place: String, reason: String },
    /// A value is not allowed.
    #[error("{key}: {reason}")]
    Value { key: String, reason: String },
    /// Credential types.
    #[error(transparent)]
    Catalogue(#[from] crate::organisation::catalogue::CatalogueError),
    /// Private keys.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeyError),
}

impl ConfigError {
    pub(crate) fn value(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Value {
            key: key.into(),
            reason: reason.into(),
        }
    }
}

impl Config {
    /// Reads and parses the file. Values are checked when the gateway is composed.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|source| ConfigError::File {
            file: file.display().to_string(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| ConfigError::Format {
            file: file.display().to_string(),
            source: Box::new(source),
        })
    }

    /// The database's address, from the environment where the file says so.
    pub fn database_address(&self) -> Result<String, ConfigError> {
        match self.database.strip_prefix("env:") {
            None => Ok(self.database.clone()),
            Some(name) => Secret::Env(name.to_owned())
                .read()
                .map(|address| address.to_string()),
        }
    }
}

impl Secret {
    /// The secret's text.
    pub fn read(&self) -> Result<Zeroizing<String>, ConfigError> {
        let fault = |reason: String| ConfigError::Secret {
            place: format!("{self:?}"),
            reason,
        };
        let text = match self {
            Self::File(path) => Zeroizing::new(
                std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?,
            ),
            Self::Env(name) => {
                Zeroizing::new(std::env::var(name).map_err(|error| fault(error.to_string()))?)
            }
            Self::Held(text) => text.clone(),
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(fault("it is empty".into()));
        }
        Ok(Zeroizing::new(text.to_owned()))
    }
}
