//! The gateway's configuration: one TOML file; secrets come from files or the environment, never from
//! the file itself. Unknown keys are refused. Every key is documented here once.

mod admin;
pub mod place;
mod secret;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

pub use admin::AdminConfig;
use place::Place;
pub use secret::Secret;

use crate::keys::KeyError;
use crate::limits::{LimitsConfig, OwnLimits};
use crate::metrics::{AvailabilityConfig, MetricsConfig};
use crate::organisation::brand::BrandConfig;
use crate::organisation::catalogue::CatalogueError;
use crate::organisation::certificates::Chain;
use crate::organisation::dialect::Dialect;
use crate::organisation::entra::EntraConfig;
use crate::organisation::relying_party::{AuthMethod, IdTokenAlgorithm};
use crate::outbound::FetchError;
use traces::TracesConfig;

/// Everything that `lanyard gateway --config FILE` reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address that browsers, wallets and relying parties use: `https://`, no path.
    pub public_url: Url,
    /// `production`, unless it says `development`: then every organisation's id and client id ends with `-development`,
    /// and so does the first label of a domain of its own (`did`); what is issued counts in no production environment.
    #[serde(default)]
    pub environment: Environment,
    /// Where to listen.
    pub listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://…`; or `env:NAME` when the address holds a password.
    pub database: String,
    /// The folder of the encrypted private keys.
    pub keys: PathBuf,
    /// Opens the private keys.
    pub key_passphrase: Secret,
    /// Earlier passphrases, which open a key, too, while the passphrase is being changed.
    #[serde(default)]
    pub earlier_key_passphrases: Vec<Secret>,
    /// A PKCS #11 token in which new keys are made, instead of in the folder.
    #[serde(default)]
    pub pkcs11: Option<TokenConfig>,
    /// A domain of which each organisation has a part: its DID is then `did:web:ID.DOMAIN` and no path below
    /// `public_url`. Every such name must lead to this gateway. Without it: a path.
    #[serde(default)]
    pub did_domain: Option<String>,
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
    /// How long the serial numbers of an upload stay that nobody proposes to revoke, in days.
    #[serde(default = "seven")]
    pub upload_retention_days: u32,
    /// How long entries of the audit stay, in days: six years, as the NHS Records Management Code has it for HR, unless
    /// the operator's own schedule says otherwise.
    #[serde(default = "six_years")]
    pub audit_retention_days: u32,
    /// Where operators and their programs administer the gateway. Without it nobody does but whoever has this file.
    #[serde(default)]
    pub admin: Option<AdminConfig>,
    /// Certificate chain (PEM), when the gateway ends TLS itself.
    #[serde(default)]
    pub tls_certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[serde(default)]
    pub tls_key: Option<PathBuf>,
    /// The operator's own name and colours for the pages.
    #[serde(default)]
    pub brand: Option<PathBuf>,
    /// Behind a reverse proxy: the header in which it says whom it took a request from, such as `x-forwarded-for`.
    /// The last value counts. Without it the address is that of the connection, and no header is believed.
    #[serde(default)]
    pub address_header: Option<String>,
    /// How much anybody may ask: rates, sizes, connections.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Who may read the figures.
    #[serde(default)]
    pub metrics: MetricsConfig,
    /// What load balancers and the public status page are told.
    #[serde(default)]
    pub availability: AvailabilityConfig,
    /// Who is told how long requests took, part by part.
    #[serde(default)]
    pub traces: TracesConfig,
    /// Who uses this gateway, beside those in its registry (`lanyard apply`).
    #[serde(default)]
    pub organisations: Vec<OrganisationConfig>,
    /// Organisations whose people have Microsoft Authenticator: their tenants of Entra Verified ID.
    #[serde(default)]
    pub entra: Vec<EntraConfig>,
}

/// A hardware security module, or what looks like one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The module's library, such as `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The user's PIN.
    pub pin: Secret,
}

/// How long what stays, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Traces of what has ended.
    pub days: u32,
    /// Serial numbers that were uploaded and that nobody proposed to revoke.
    pub upload_days: u32,
}

/// What a gateway is for. (DW-83)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Real people's credentials.
    #[default]
    Production,
    /// For trying and testing, with invented people.
    Development,
}

impl Environment {
    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// Whether an organisation's id or a client id belongs here.
    pub fn admits(self, id: &str) -> bool {
        id.ends_with("-development") == (self == Self::Development)
    }
}

const fn thirty() -> u32 {
    30
}

const fn seven() -> u32 {
    7
}

const fn six_years() -> u32 {
    2192
}

/// A tenant: it owns relying parties, an issuer identity and a trust list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationConfig {
    /// Short name in addresses and in the DID: lower-case letters, digits, hyphens.
    pub id: String,
    /// What wallets and pages call it.
    pub name: String,
    /// A domain of its own as its DID, `did:web:staff.trust.example`, which must lead to this gateway. Without it:
    /// by `did_domain`, or a path.
    #[serde(default)]
    pub did: Option<String>,
    /// The credential types that it may issue.
    pub issues: Vec<String>,
    /// Whose credentials count, for which type. What is not listed does not count.
    #[serde(default)]
    pub trust: Vec<TrustConfig>,
    /// The hosts that it may name for what the gateway fetches and posts: a name, or `*.` and a name for all below it.
    /// Without it: any on the public internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch_hosts: Option<Vec<String>>,
    /// How its people see the gateway's pages.
    #[serde(default)]
    pub brand: Option<BrandConfig>,
    /// X.509 certificate chains for its keys of credentials and of status lists, each `{ file = … }` or PEM: the key's own
    /// certificate first, without the root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificate_chains: Vec<Place<Chain>>,
    /// The systems that use the gateway in its name.
    #[serde(default, skip_serializing)]
    pub relying_parties: Vec<RelyingPartyConfig>,
    /// Whether it is declared in the registry, and not in the configuration file.
    #[serde(skip)]
    pub registered: bool,
}

impl OrganisationConfig {
    /// Takes an issuer into the trust list, where it is not there.
    pub(crate) fn trusts(&mut self, credential_type: &str, issuer: &str) {
        let mut rows = self.trust.iter_mut();
        match rows.find(|row| row.credential_type == credential_type) {
            None => self.trust.push(TrustConfig {
                credential_type: credential_type.to_owned(),
                issuers: vec![issuer.to_owned()],
            }),
            Some(row) if row.issuers.iter().all(|known| known != issuer) => {
                row.issuers.push(issuer.to_owned());
            }
            Some(_) => {}
        }
    }

    /// Takes it out.
    pub(crate) fn trusts_no_more(&mut self, credential_type: &str, issuer: &str) {
        let rows = self.trust.iter_mut();
        for row in rows.filter(|row| row.credential_type == credential_type) {
            row.issuers.retain(|known| known != issuer);
        }
        self.trust.retain(|row| !row.issuers.is_empty());
    }
}

/// Which issuers count for one credential type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// The type.
    pub credential_type: String,
    /// `did:web:…` or credential issuer addresses. An organisation of this gateway is named by its DID and
    /// counts in both of its forms.
    pub issuers: Vec<String>,
}

/// A system registered with the gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelyingPartyConfig {
    /// What pages call it; never taken from a request.
    pub name: String,
    /// OAuth client id.
    pub client_id: String,
    /// How it proves who it is: `client_secret_basic`, `client_secret_post` or `private_key_jwt`. Left out: a
    /// secret, in the header or in the form. The older contracts know secrets in the form (or either) only.
    #[serde(default)]
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// SHA-256 of the client secret, in hexadecimal. During a change of secrets, two.
    #[serde(default)]
    pub client_secret_sha256: Vec<String>,
    /// Base64 of the key that signs drafts, at least 32 bytes. Not needed by who only verifies.
    #[serde(default, skip_serializing)]
    pub signing_key: Option<Secret>,
    /// Its public keys, a JWK set as JSON text or as a table: they check `private_key_jwt` and, in the place of
    /// `signing_key`, its drafts. `plain` clients only.
    #[serde(default)]
    pub jwks: Option<serde_json::Value>,
    /// Where it publishes those keys instead: an https address.
    #[serde(default)]
    pub jwks_uri: Option<Url>,
    /// What its ID tokens are signed with: `ES256` (left out), `EdDSA` or `RS256` for `plain` clients; the older
    /// contracts know `RS256` only.
    #[serde(default)]
    pub id_token_signed_response_alg: Option<IdTokenAlgorithm>,
    /// Where browsers may be sent back to, byte for byte.
    pub redirect_uris: Vec<String>,
    /// The `error` that it hears when the person said no. Another than `access_denied` is for clients of the first
    /// contract only.
    #[serde(default)]
    pub cancel_error: CancelError,
    /// Which contract it speaks.
    pub dialect: Dialect,
    /// Whether it must push every authorization request, so that none travels through a browser's address line
    /// [RFC 9126 6].
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// Limits of its own, instead of those of `[limits.client]`.
    #[serde(default)]
    pub limits: OwnLimits,
    /// Where it is told of events, if it is.
    #[serde(default)]
    pub webhook: Option<WebhookConfig>,
    /// `page`: before a wallet is issued what this relying party ordered, its holder types over a PIN from the page.
    #[serde(default)]
    pub transaction_code: TransactionCodeRule,
    /// How many digits that PIN has: 4 to 6.
    #[serde(default = "four")]
    pub transaction_code_length: u8,
    /// Whether the registry declares it: the gateway then makes its secrets, and there may be none yet.
    #[serde(skip)]
    pub registered: bool,
}

/// Whether a wallet must send a transaction code to be issued a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionCodeRule {
    /// The offer is enough.
    #[default]
    None,
    /// The digits that stand on the page of the browser that began.
    Page,
}

fn four() -> u8 {
    4
}

/// The OAuth error code of an interaction that the person cancelled (gateway contract U3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelError {
    /// The standard's.
    #[default]
    AccessDenied,
    /// The one that a deployed client of the first contract may look for.
    UserCancelled,
}

impl RelyingPartyConfig {
    /// A relying party of which no more is said: every other key as if a file left it out.
    pub fn new(client_id: impl Into<String>, name: impl Into<String>, dialect: Dialect) -> Self {
        Self {
            name: name.into(),
            client_id: client_id.into(),
            token_endpoint_auth_method: None,
            client_secret_sha256: Vec::new(),
            signing_key: None,
            jwks: None,
            jwks_uri: None,
            id_token_signed_response_alg: None,
            redirect_uris: Vec::new(),
            webhook: None,
            cancel_error: CancelError::default(),
            dialect,
            require_pushed_authorization_requests: false,
            limits: OwnLimits::default(),
            transaction_code: TransactionCodeRule::None,
            transaction_code_length: four(),
            registered: false,
        }
    }
}

/// Where a relying party is told of events.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// The address that events are posted to: `https://`, on the public internet.
    pub url: Url,
    /// What signs them: `whsec_` and the base64 of 24 to 64 random bytes. During a change of secrets, two.
    #[serde(default, skip_serializing)]
    pub secrets: Vec<Secret>,
}

/// Why the gateway does not start. The sentences name the fields.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("the configuration file {file} cannot be read: {reason}")]
    File { file: String, reason: String },
    /// The file does not say what it should. The line itself is not quoted: somebody may have written a secret
    /// into it, and what stops a start stands in logs.
    #[error("the configuration file {file}, line {line}: {reason}")]
    Format {
        file: String,
        line: usize,
        reason: String,
    },
    /// A secret is not where the configuration says.
    #[error("the secret {place} cannot be read: {reason}")]
    Secret { place: String, reason: String },
    /// A value is not allowed.
    #[error("{key}: {reason}")]
    Value { key: String, reason: String },
    /// An organisation names a host that it may not name.
    #[error("{key}: {reason}")]
    Host { key: String, reason: FetchError },
    /// Credential types. The sentence tells its cause, which is therefore not told once more as a source.
    #[error("{0}")]
    Catalogue(CatalogueError),
    /// Private keys; the same.
    #[error("{0}")]
    Keys(KeyError),
}

impl From<CatalogueError> for ConfigError {
    fn from(error: CatalogueError) -> Self {
        Self::Catalogue(error)
    }
}

impl From<KeyError> for ConfigError {
    fn from(error: KeyError) -> Self {
        Self::Keys(error)
    }
}

impl ConfigError {
    /// What is wrong with a file's text, by its line.
    pub(crate) fn of_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        Self::Format {
            file: file.to_owned(),
            line: error.span().map_or(1, |span| line_of(text, span.start)),
            reason: error.message().to_owned(),
        }
    }

    pub(crate) fn value(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Value {
            key: key.into(),
            reason: reason.into(),
        }
    }
}

impl Config {
    /// How long what stays.
    pub const fn kept_for(&self) -> Lengths {
        Lengths {
            days: self.retention_days,
            upload_days: self.upload_retention_days,
        }
    }

    /// A sandbox's, with its database and keys in that folder: every other key as if a file left it out. Outside a
    /// sandbox no gateway starts with it.
    pub fn sandboxed(public_url: Url, folder: &Path, storage_secret: &str) -> Self {
        let held = |secret: &str| Secret::Held(Zeroizing::new(secret.to_owned()));
        Self {
            public_url,
            environment: Environment::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database: format!("sqlite:{}", folder.join("gateway.db").display()),
            keys: folder.join("keys"),
            key_passphrase: held(crate::keys::SANDBOX_PASSPHRASE),
            earlier_key_passphrases: Vec::new(),
            pkcs11: None,
            did_domain: None,
            storage_secret: held(storage_secret),
            earlier_storage_secrets: Vec::new(),
            credential_types: None,
            retention_days: thirty(),
            upload_retention_days: seven(),
            audit_retention_days: six_years(),
            admin: None,
            tls_certificate: None,
            tls_key: None,
            brand: None,
            address_header: None,
            limits: LimitsConfig::default(),
            metrics: MetricsConfig::default(),
            availability: AvailabilityConfig::default(),
            traces: TracesConfig::default(),
            organisations: Vec::new(),
            entra: Vec::new(),
        }
    }

    /// Reads and parses the file. Values are checked when the gateway is composed.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError::File {
            file: file.display().to_string(),
            reason: error.to_string(),
        })?;
        toml::from_str(&text)
            .map_err(|error| ConfigError::of_toml(&file.display().to_string(), &text, &error))
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

/// The number of the line in which that byte stands.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|b| *b == b'\n').count()
}

#[cfg(test)]
mod tests;
