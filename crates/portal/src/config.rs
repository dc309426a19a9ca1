//! The portal's configuration: one TOML file; secrets come from files or the environment. Unknown keys are refused.
//! Every key is documented here once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use connector::{Policy, SecretSource};
use serde::Deserialize;
use traces::TracesConfig;
use url::Url;

use crate::applies::RuleConfig;
pub use connector::config::{AccessTokenConfig, GatewayConfig, MailConfig, NotifyConfig};

/// Everything that `lanyard portal --config FILE` reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address that browsers use: `https://`, no path. The gateway sends them back to `/callback` under it.
    pub public_url: Url,
    /// Where to listen.
    pub listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://…`; or `env:NAME` when the address holds a password.
    pub database: String,
    /// The organisation's name, as pages and mails say it.
    pub organisation: String,
    /// The gateway, and who this portal is to it.
    pub gateway: GatewayConfig,
    /// When an identity counts as the employee's.
    #[serde(default)]
    pub identity: IdentityConfig,
    /// Whether a newer credential of a record revokes the older one.
    #[serde(default = "yes")]
    pub supersede: bool,
    /// How employees are told that a credential is cancelled. Without it nobody is.
    #[serde(default)]
    pub mail: Option<MailConfig>,
    /// The organisation's own OpenID provider, where employees log in.
    #[serde(default)]
    pub log_in: Option<LogInConfig>,
    /// A file of employees and their records, taken in at each start: what is there already stays as it is.
    #[serde(default)]
    pub staff: Option<PathBuf>,
    /// Employees and records from another system: a CSV file or a view of its database.
    #[serde(default)]
    pub records: Option<RecordsConfig>,
    /// Whom the staff passport applies to, and to which records: all of these rules hold. Without any, to everybody
    /// whose `applicable` is not `no`.
    #[serde(default)]
    pub applies: Vec<RuleConfig>,
    /// The operator's own name and colours for the pages.
    #[serde(default)]
    pub brand: Option<PathBuf>,
    /// The pages' texts in a second language, as a Fluent catalogue called after it: `cy.ftl`. For whom the record says
    /// that language, and before logging in for whose browser wants it.
    #[serde(default)]
    pub catalogue: Option<PathBuf>,
    /// How long it is kept who did and saw what.
    #[serde(default)]
    pub audit: AuditConfig,
    /// Whether `/hr`, where anybody may change records, is there. On loopback addresses only.
    #[serde(default)]
    pub hr_page: bool,
    /// The ids of the employees who are of HR: logged in, they see whom somebody has to tell and what has not arrived. Of
    /// records they see nothing, and can change nothing.
    #[serde(default)]
    pub hr_staff: Vec<String>,
    /// The header in which a reverse proxy says whom it took a request from, e.g. `x-forwarded-for`; its last value
    /// counts. Without it attempts to log in count for whoever holds the connection, this machine excepted.
    #[serde(default)]
    pub address_header: Option<String>,
    /// Minutes without activity until a session ends.
    #[serde(default = "half_an_hour")]
    pub idle_minutes: u16,
    /// Hours after which a session ends in any case.
    #[serde(default = "half_a_day")]
    pub session_hours: u16,
    /// Who is told how long requests took, part by part.
    #[serde(default)]
    pub traces: TracesConfig,
    /// Certificate chain (PEM), when the portal ends TLS itself.
    #[serde(default)]
    pub tls_certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[serde(default)]
    pub tls_key: Option<PathBuf>,
}

/// When an identity counts as the employee's.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// `exact`, or `fuzzy` where a written policy allows it.
    pub policy: Policy,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            policy: Policy::Exact,
        }
    }
}

/// The organisation's own OpenID provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogInConfig {
    /// Its issuer, letter by letter as its discovery document has it: a slash at the end counts.
    pub issuer: String,
    /// What the button calls it: 'Log in with …'.
    pub name: String,
    /// This portal's id there. Its redirect URI is `/login/callback` under `public_url`, and where people come back to
    /// from logging out there, `/login`.
    pub client_id: String,
    /// Its secret there.
    pub client_secret: SecretSource,
    /// The claim of the ID token that names the employee, e.g. `email`. It has to be one that people cannot choose
    /// themselves there.
    pub claim: String,
    /// What that claim is here: `id`, `username` or `email`.
    pub column: PersonColumn,
    /// What is asked for besides `openid`.
    #[serde(default = "profile_and_email")]
    pub scopes: Vec<String>,
    /// Authentication context classes, one of which the ID token must name; any will do where there is none.
    #[serde(default)]
    pub acr: Vec<String>,
    /// Methods that the ID token must name, all of them, e.g. `["mfa"]`.
    #[serde(default)]
    pub amr: Vec<String>,
    /// Whether employees can log in by a password of the portal's own too.
    #[serde(default = "yes")]
    pub passwords: bool,
    /// A certificate authority (PEM) to trust besides the machine's own.
    #[serde(default)]
    pub certificate_authority: Option<PathBuf>,
}

/// Employees and records from another system, which says how things are: what it no longer says is over.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsConfig {
    /// A CSV file, read at each start and whenever it has changed.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// The other system's database instead, as `database` is written; only read.
    #[serde(default)]
    pub database: Option<String>,
    /// The view in it that has the columns of the CSV file.
    #[serde(default)]
    pub view: Option<String>,
    /// How often it is looked at.
    #[serde(default = "a_quarter")]
    pub every_minutes: u16,
    /// The share of the employees, and of the records, that may vanish at once: more is taken for a mistake.
    #[serde(default = "a_tenth")]
    pub removals: f64,
    /// The share of the employees, and of the records, that may be changed, ended or gone at once, where it is more than
    /// 50: more is taken for a mistake.
    #[serde(default = "a_fifth")]
    pub changes: f64,
}

fn a_quarter() -> u16 {
    15
}

fn a_tenth() -> f64 {
    crate::feed::A_TENTH
}

fn a_fifth() -> f64 {
    crate::feed::A_FIFTH
}

/// How long it is kept who did and saw what.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// Days, 1 at least.
    pub keep_days: u16,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { keep_days: 365 }
    }
}

/// By what an employee is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonColumn {
    /// The key, for ever.
    Id,
    /// What they log in with.
    Username,
    /// Where they are written to. Whoever shares an address with another is not found by it.
    Email,
}

fn profile_and_email() -> Vec<String> {
    vec!["profile".to_owned(), "email".to_owned()]
}

fn yes() -> bool {
    true
}

/// Screens 3.5.
fn half_an_hour() -> u16 {
    30
}

fn half_a_day() -> u16 {
    12
}

/// Why the portal does not start. The sentences name the fields.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("the file {file} cannot be read: {reason}")]
    File { file: String, reason: String },
    /// A file does not say what it should. The line itself is not quoted: somebody may have written a secret into it.
    #[error("the file {file}, line {line}: {reason}")]
    Format {
        file: String,
        line: usize,
        reason: String,
    },
    /// A value is not allowed.
    #[error("{key}: {reason}")]
    Value { key: String, reason: String },
}

impl From<connector::config::ConfigError> for ConfigError {
    fn from(error: connector::config::ConfigError) -> Self {
        Self::Value {
            key: error.key,
            reason: error.reason,
        }
    }
}

impl ConfigError {
    // What says why is at its end here: it is taken by value for the callers' sake.
    #[allow(clippy::needless_pass_by_value)]
    pub(crate) fn value(key: impl Into<String>, reason: impl ToString) -> Self {
        Self::Value {
            key: key.into(),
            reason: reason.to_string(),
        }
    }
}

impl Config {
    /// Reads and parses the file. Values are checked when the portal is composed.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        read_toml(file)
    }

    /// The database's address, from the environment where the file says so.
    pub(crate) fn database_address(&self) -> Result<String, ConfigError> {
        database_address("database", &self.database)
    }
}

/// The address under this key, from the environment where the file says so.
pub(crate) fn database_address(key: &str, text: &str) -> Result<String, ConfigError> {
    let Some(name) = text.strip_prefix("env:") else {
        return Ok(text.to_owned());
    };
    let address = SecretSource::Env(name.to_owned()).read();
    address
        .map(|address| address.to_string())
        .map_err(|error| ConfigError::value(key, error))
}

/// A secret, from where the file says that it is.
pub(crate) fn read_secret(
    key: &str,
    secret: &SecretSource,
) -> Result<zeroize::Zeroizing<String>, ConfigError> {
    secret
        .read()
        .map_err(|error| ConfigError::value(key, error))
}

/// A file of certificates, where there is one.
pub(crate) fn read_pem(file: Option<&Path>) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(file) = file else {
        return Ok(None);
    };
    let read = std::fs::read(file);
    read.map(Some).map_err(|error| ConfigError::File {
        file: file.display().to_string(),
        reason: error.to_string(),
    })
}

/// A TOML file of this type.
pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|error| ConfigError::File {
        file: file.display().to_string(),
        reason: error.to_string(),
    })?;
    toml::from_str(&text).map_err(|error| ConfigError::Format {
        file: file.display().to_string(),
        line: error.span().map_or(1, |span| line_of(&text, span.start)),
        reason: error.message().to_owned(),
    })
}

/// The number of the line in which that byte stands.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|b| *b == b'\n').count()
}
