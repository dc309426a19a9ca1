//! What a gateway is made from and what stays while it runs; and from it, with what is registered, who may use it.
//!
//! The same checks hold whether something is declared in the configuration file or in the registry, and whether it is
//! there at the start, changed while the gateway runs, or only planned.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use standards::did::{self, Did};
use url::Url;

use crate::config::{Config, ConfigError, Environment, Secret};
use crate::keys::{self, KeyHolder, KeyStore, TokenStore};
use crate::organisation::catalogue::Catalogue;
use crate::organisation::client_keys::ClientKeys;
use crate::organisation::{IdIn, Organisation, Organisations};
use crate::outbound::{FetchError, Outbound};
use crate::registry::secrets::ClientSecret;
use crate::registry::{Registered, RegistryError};
use crate::seal::Seal;
use store::Store;

/// Begins every secret that a sandbox makes, so that none of them is ever accepted elsewhere.
pub const SANDBOX_SECRET_PREFIX: &str = "sandbox-";

/// The parts that no change of the registry touches.
pub(crate) struct Base {
    pub(crate) config: Config,
    pub(crate) keys: Arc<dyn KeyHolder>,
    /// The gateway's own name and colours.
    pub(crate) brand: Arc<ui::Brand>,
    catalogue: Catalogue,
    outbound: Outbound,
    sandbox: bool,
}

/// What the database says of who may use the gateway.
pub(crate) struct Known {
    pub(crate) registered: Registered,
    pub(crate) secrets: HashMap<String, Vec<ClientSecret>>,
}

impl Known {
    pub(crate) async fn read(store: &Store, seal: &Seal) -> Result<Self, RegistryError> {
        Ok(Self {
            registered: crate::registry::read(store, seal).await?,
            secrets: crate::registry::secrets::read(store).await?,
        })
    }
}

impl Base {
    /// Checks what the configuration says by itself.
    pub(crate) fn new(
        config: &Config,
        outbound: Outbound,
        sandbox: bool,
    ) -> Result<Self, ConfigError> {
        let catalogue = match &config.credential_types {
            Some(folder) => Catalogue::open(folder)?,
            None => Catalogue::built_in()?,
        };
        if !sandbox {
            refuse_sandbox_storage_secret(config)?;
        }
        let keys = key_store(config, sandbox)?;
        let brand = match &config.brand {
            Some(file) => ui::Brand::open(file)
                .map_err(|error| ConfigError::value("brand", error.to_string()))?,
            None => ui::Brand::neutral("Staff passport"),
        };
        Ok(Self {
            config: config.clone(),
            keys,
            brand: Arc::new(brand),
            catalogue,
            outbound,
            sandbox,
        })
    }

    /// The credential types of the box or of the operator's folder, without what is registered.
    pub(crate) const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Who may use the gateway.
    pub(crate) fn organisations(&self, known: &Known) -> Result<Organisations, RegistryError> {
        let catalogue = known.registered.catalogue(&self.catalogue)?;
        let config = known.registered.complete(&self.config)?;
        if !self.sandbox {
            refuse_sandbox_secrets(&config)?;
            check_environment(&config)?;
        }
        let organisations = Organisations::load(&config, catalogue, &known.secrets, &self.brand)?;
        for (client_id, webhook) in organisations.webhooks() {
            self.outbound.check(&webhook.url).map_err(|error| {
                let key = format!("relying party {client_id}: webhook.url");
                ConfigError::value(key, error.to_string())
            })?;
        }
        check_hosts(&organisations, &self.outbound)?;
        for (organisation, tenant) in organisations.entra_tenants() {
            for (key, url) in [
                ("login", &tenant.token_endpoint),
                ("service", &tenant.requests),
            ] {
                self.outbound.check(url).map_err(|error| {
                    let key = format!("entra of organisation {organisation}: {key}");
                    ConfigError::value(key, error.to_string())
                })?;
            }
        }
        Ok(organisations)
    }

    /// The same at its start, when everything that the configuration file says of Entra has to be there.
    pub(crate) fn organisations_at_start(
        &self,
        known: &Known,
    ) -> Result<Organisations, RegistryError> {
        let organisations = self.organisations(known)?;
        organisations.check_entra(&self.config.entra)?;
        Ok(organisations)
    }
}

/// What an organisation, or a relying party of its own, names is at a host that it may name. (decision 0044)
fn check_hosts(organisations: &Organisations, outbound: &Outbound) -> Result<(), ConfigError> {
    let check = |organisation: &Organisation, key: String, url: &Url| {
        match organisation.outbound(outbound).check(url) {
            Err(reason @ FetchError::HostNotAllowed(_)) => Err(ConfigError::Host { key, reason }),
            // Whatever else may be wrong with it is asked where it is read, and when it is called.
            _ => Ok(()),
        }
    };
    for party in organisations.relying_parties() {
        let keys = party.own_keys().and_then(ClientKeys::address);
        let webhook = party.webhook.as_ref().map(|webhook| &webhook.url);
        for (member, url) in [("jwks_uri", keys), ("webhook.url", webhook)] {
            let key = format!("relying party {}: {member}", party.client_id);
            url.map_or(Ok(()), |url| check(&party.organisation, key, url))?;
        }
    }
    for organisation in organisations.iter() {
        let issuers = organisation.trusted_issuers();
        // Our own organisations' keys are at hand.
        for issuer in issuers.filter(|issuer| organisations.find_issuer(issuer).is_none()) {
            let did = Did::parse(issuer)
                .and_then(|did| did::web::document_url(&did)?.with_scheme("https"));
            if let Some(url) = did.ok().or_else(|| Url::parse(issuer).ok()) {
                let key = format!("organisations.{}: trust {issuer}", organisation.id);
                check(organisation, key, &url)?;
            }
        }
    }
    Ok(())
}

/// Opens the folder of keys.
pub(crate) fn key_store(config: &Config, sandbox: bool) -> Result<Arc<dyn KeyHolder>, ConfigError> {
    let keys = key_files(config, sandbox)?;
    let Some(token) = &config.pkcs11 else {
        return Ok(Arc::new(keys));
    };
    let keys = TokenStore::open(&token.module, &token.token, &token.pin.read()?, keys)?;
    if !sandbox {
        let place = format!("in the token {}", token.token);
        for marked in keys.marked(config.environment.name())? {
            check_mark("pkcs11", &place, &marked, config.environment)?;
        }
    }
    Ok(Arc::new(keys))
}

/// Its files alone, without a token.
pub(crate) fn key_files(config: &Config, sandbox: bool) -> Result<KeyStore, ConfigError> {
    let earlier = config.earlier_key_passphrases.iter();
    let earlier = earlier.map(Secret::read).collect::<Result<Vec<_>, _>>()?;
    let keys = KeyStore::open(&config.keys, config.key_passphrase.read()?, !sandbox)?;
    let keys = keys.opening_with(earlier)?;
    if !sandbox {
        mark(&config.keys, config.environment)?;
    }
    Ok(keys)
}

/// The name of the file that says which environment a folder of keys is for.
const MARK: &str = "environment";

/// A folder of keys is for one environment: what development signed never counts in production, whoever copies its keys.
fn mark(folder: &Path, environment: Environment) -> Result<(), ConfigError> {
    let path = folder.join(MARK);
    // Whole or not at all: processes that start together read each other's.
    if !path.exists() {
        keys::create_file(&path, format!("{}\n", environment.name()).as_bytes())?;
    }
    let marked = std::fs::read_to_string(&path)
        .map_err(|error| ConfigError::value("keys", format!("{}: {error}", path.display())))?;
    let place = format!("in {}", folder.display());
    check_mark("keys", &place, marked.trim(), environment)
}

/// Keys of another environment's are for nobody here, wherever they are.
fn check_mark(
    key: &str,
    place: &str,
    marked: &str,
    environment: Environment,
) -> Result<(), ConfigError> {
    if marked == environment.name() {
        return Ok(());
    }
    let ours = environment.name();
    let reason =
        format!("the keys {place} are for {marked}, and this gateway's environment is {ours}");
    Err(ConfigError::value(key, reason))
}

/// (DW-83) The environment is part of the names that others know: of issuers and of client ids. (decision 0055)
fn check_environment(config: &Config) -> Result<(), ConfigError> {
    let environment = config.environment;
    let check = |named: String, id: &str| {
        if environment.admits(id) {
            return Ok(());
        }
        let reason = match environment {
            Environment::Production => {
                format!("{id} belongs to a development environment; this gateway is for production")
            }
            Environment::Development => {
                format!(
                    "{id} must end with -development: this gateway's environment is development"
                )
            }
        };
        Err(ConfigError::value(named, reason))
    };
    for organisation in &config.organisations {
        let id = &organisation.id;
        check(format!("organisation {id}"), id)?;
        for party in &organisation.relying_parties {
            check(format!("client_id {}", party.client_id), &party.client_id)?;
        }
        // Others tell by its name alone where an issuer belongs: one with a domain of its own says it, too.
        if let Some(own) = organisation.did.as_deref().and_then(IdIn::of) {
            check(format!("organisations.{id}.did"), &own.id)?;
        }
        for issuer in organisation.trust.iter().flat_map(|row| &row.issuers) {
            let Some(IdIn { id, domain }) = IdIn::of(issuer) else {
                continue;
            };
            // An issuer elsewhere that is no gateway calls its host what it likes, and belongs to development only if it
            // says so. Below our own domain for all every name is an id.
            let may_be_anybodys = domain.is_some() && domain != config.did_domain;
            if may_be_anybodys && environment == Environment::Development {
                continue;
            }
            check(format!("trusted issuer {issuer}"), &id)?;
        }
    }
    Ok(())
}

const SANDBOX_SECRET: &str = "this is a sandbox's secret; make one of your own";

/// A sandbox's secrets lie in a file of anybody's working folder: they are marked, and refused elsewhere (SEC-37).
fn refuse_sandbox_storage_secret(config: &Config) -> Result<(), ConfigError> {
    let secret = config.storage_secret.read()?;
    if secret.starts_with(SANDBOX_SECRET_PREFIX) {
        return Err(ConfigError::value("storage_secret", SANDBOX_SECRET));
    }
    Ok(())
}

fn refuse_sandbox_secrets(config: &Config) -> Result<(), ConfigError> {
    let parties = config.organisations.iter();
    for party in parties.flat_map(|organisation| &organisation.relying_parties) {
        let refuse = |key: &str| {
            let key = format!("relying party {}: {key}", party.client_id);
            Err(ConfigError::value(key, SANDBOX_SECRET))
        };
        if let Some(key) = &party.signing_key {
            let key = base64::engine::general_purpose::STANDARD.decode(key.read()?.as_bytes());
            if key.is_ok_and(|key| key.starts_with(SANDBOX_SECRET_PREFIX.as_bytes())) {
                return refuse("signing_key");
            }
        }
        for secret in party.webhook.iter().flat_map(|webhook| &webhook.secrets) {
            let secret = standards::webhook::decode(&secret.read()?);
            if secret.is_some_and(|bytes| bytes.starts_with(SANDBOX_SECRET_PREFIX.as_bytes())) {
                return refuse("webhook.secrets");
            }
        }
    }
    Ok(())
}
