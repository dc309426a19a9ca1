//! Tenants: their relying parties, issuer identities, keys and trust lists.

pub mod catalogue;
pub mod client_keys;
pub mod dialect;
pub mod expiry;
pub mod relying_party;
pub mod webhook;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use standards::jose::Signer;
use url::Url;

use crate::config::{Config, ConfigError, OrganisationConfig};
use crate::keys::{KeyError, KeyStore};
use crate::registry::secrets::ClientSecret;
use catalogue::{Catalogue, CredentialType};
use dialect::Dialect;
use expiry::ExpiryFrom;
pub use relying_party::RelyingParty;
use webhook::Webhook;

/// The keys of one organisation, one for each purpose, so that nothing signed for one can pass for another
/// (SEC-14).
#[derive(Clone)]
pub struct OrganisationKeys {
    /// Signs credentials.
    pub credentials: Arc<dyn Signer>,
    /// Signs status lists.
    pub status: Arc<dyn Signer>,
    /// Signs request objects.
    pub requests: Arc<dyn Signer>,
}

impl OrganisationKeys {
    /// Reads them.
    pub fn open(keys: &KeyStore, organisation: &str) -> Result<Self, KeyError> {
        let [credentials, status, requests] = key_names(organisation);
        Ok(Self {
            credentials: Arc::new(keys.signing_key(&credentials)?),
            status: Arc::new(keys.signing_key(&status)?),
            requests: Arc::new(keys.signing_key(&requests)?),
        })
    }
}

/// What an organisation's keys are called: for credentials, for status lists, for request objects.
pub fn key_names(organisation: &str) -> [String; 3] {
    ["credentials", "status", "requests"].map(|purpose| format!("{organisation}.{purpose}"))
}

/// A tenant with everything that is derived from its configuration.
pub struct Organisation {
    /// Short name in addresses.
    pub id: String,
    /// What pages and wallets call it.
    pub name: String,
    /// Its issuer identity: `did:web` below the gateway's host (rulings 12).
    pub did: String,
    /// Its OpenID4VCI credential issuer identifier (rulings 11).
    pub credential_issuer: String,
    /// Its keys.
    pub keys: OrganisationKeys,
    issues: HashSet<String>,
    trust: HashMap<String, HashSet<String>>,
}

impl Organisation {
    /// Whether it may issue that type.
    pub fn may_issue(&self, credential_type: &str) -> bool {
        self.issues.contains(credential_type)
    }

    /// Whether it takes credentials of that type from that issuer. Default: no.
    pub fn trusts(&self, credential_type: &str, issuer: &str) -> bool {
        self.trust
            .get(credential_type)
            .is_some_and(|issuers| issuers.contains(issuer))
    }

    /// The id of one of its keys as headers name it: a DID URL in its DID document.
    pub fn key_id(&self, key: &Arc<dyn Signer>) -> String {
        format!(
            "{}#{}",
            self.did,
            key.public_jwk().kid().unwrap_or_default()
        )
    }

    /// The verifier's client id towards wallets (rulings 12).
    pub fn verifier_client_id(&self) -> String {
        format!("decentralized_identifier:{}", self.did)
    }
}

/// Everyone who may use this gateway, and every credential type.
pub struct Organisations {
    /// The credential types.
    pub catalogue: Catalogue,
    by_id: BTreeMap<String, Arc<Organisation>>,
    by_client: HashMap<String, Arc<RelyingParty>>,
}

impl Organisations {
    /// Checks the configuration; asks for an organisation's keys by its id. `secrets` are those that the gateway made,
    /// by client id.
    pub fn load(
        config: &Config,
        catalogue: Catalogue,
        secrets: &HashMap<String, Vec<ClientSecret>>,
        keys: &dyn Fn(&str) -> Result<OrganisationKeys, KeyError>,
    ) -> Result<Self, ConfigError> {
        let mut by_id = BTreeMap::new();
        let mut by_client = HashMap::new();
        for entry in &config.organisations {
            let organisation = Arc::new(organisation(config, &catalogue, keys, entry)?);
            if by_id
                .insert(entry.id.clone(), organisation.clone())
                .is_some()
            {
                return Err(ConfigError::value(
                    format!("organisations.{}", entry.id),
                    "this id stands twice",
                ));
            }
            for party in &entry.relying_parties {
                let made = secrets.get(&party.client_id).map_or(&[][..], Vec::as_slice);
                let party = RelyingParty::load(&organisation, party, made, config)?;
                refuse_short_lives(&party, &catalogue)?;
                let client_id = party.client_id.clone();
                if by_client
                    .insert(client_id.clone(), Arc::new(party))
                    .is_some()
                {
                    return Err(ConfigError::value(
                        format!("client_id {client_id}"),
                        "stands twice",
                    ));
                }
            }
        }
        Ok(Self {
            catalogue,
            by_id,
            by_client,
        })
    }

    /// The organisation with that id.
    pub fn find(&self, id: &str) -> Option<&Arc<Organisation>> {
        self.by_id.get(id)
    }

    /// The organisation of this gateway that has that DID or is that credential issuer.
    pub fn find_issuer(&self, issuer: &str) -> Option<&Arc<Organisation>> {
        self.by_id
            .values()
            .find(|o| o.did == issuer || o.credential_issuer == issuer)
    }

    /// The relying party with that client id.
    pub fn relying_party(&self, client_id: &str) -> Option<&Arc<RelyingParty>> {
        self.by_client.get(client_id)
    }

    /// The relying parties that are told of events, with where.
    pub fn webhooks(&self) -> impl Iterator<Item = (&str, &Webhook)> {
        self.by_client
            .values()
            .filter_map(|party| Some((party.client_id.as_str(), party.webhook.as_ref()?)))
    }

    /// Every relying party, in no particular order.
    pub fn relying_parties(&self) -> impl Iterator<Item = &Arc<RelyingParty>> {
        self.by_client.values()
    }

    /// The credential type of that name.
    pub fn credential_type(&self, name: &str) -> Option<&CredentialType> {
        self.catalogue.find(name)
    }

    /// Every organisation, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Organisation>> {
        self.by_id.values()
    }
}

/// A client whose drafts end within the hour must not have its credentials end with them (gateway contract U8).
fn refuse_short_lives(party: &RelyingParty, catalogue: &Catalogue) -> Result<(), ConfigError> {
    let short = |of: &&CredentialType| {
        party.dialect == Dialect::V1B
            && party.organisation.may_issue(&of.name)
            && of.expiry_from == Some(ExpiryFrom::HintExp)
    };
    match catalogue.iter().find(short) {
        None => Ok(()),
        Some(of) => Err(ConfigError::value(
            format!("credential type {}: expiry_from", of.name),
            format!(
                "the drafts of {} (v1-b) end after an hour, and its credentials would with them; use attribute",
                party.client_id
            ),
        )),
    }
}

/// The DID of an organisation: `did:web:HOST:issuers:ID`, the port percent-encoded.
pub fn did_of(public_url: &Url, id: &str) -> Result<String, ConfigError> {
    standards::did::web::from_base_url(public_url, &["issuers", id])
        .map(|did| did.to_string())
        .map_err(|error| ConfigError::value("public_url", error.to_string()))
}

fn organisation(
    config: &Config,
    catalogue: &Catalogue,
    keys: &dyn Fn(&str) -> Result<OrganisationKeys, KeyError>,
    entry: &OrganisationConfig,
) -> Result<Organisation, ConfigError> {
    let key = |name: &str| format!("organisations.{}.{name}", entry.id);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if entry.id.is_empty() || entry.id.len() > 40 || !entry.id.chars().all(plain) {
        return Err(ConfigError::value(
            key("id"),
            "use lower-case letters, digits and hyphens, at most 40",
        ));
    }
    let known = |name: &String| catalogue.find(name).is_some();
    if let Some(unknown) = entry.issues.iter().find(|name| !known(name)) {
        return Err(ConfigError::value(
            key("issues"),
            format!("there is no credential type {unknown}"),
        ));
    }
    let mut trust: HashMap<String, HashSet<String>> = HashMap::new();
    for row in &entry.trust {
        if !known(&row.credential_type) {
            return Err(ConfigError::value(
                key("trust"),
                format!("there is no credential type {}", row.credential_type),
            ));
        }
        let issuers = trust.entry(row.credential_type.clone()).or_default();
        for issuer in &row.issuers {
            issuers.insert(issuer.clone());
            // One of our own counts in both of its forms, whichever was written.
            for other in &config.organisations {
                let (did, address) = (
                    did_of(&config.public_url, &other.id)?,
                    issuer_of(&config.public_url, &other.id),
                );
                if *issuer == did || *issuer == address {
                    issuers.extend([did, address]);
                }
            }
        }
    }
    Ok(Organisation {
        id: entry.id.clone(),
        name: entry.name.clone(),
        did: did_of(&config.public_url, &entry.id)?,
        credential_issuer: issuer_of(&config.public_url, &entry.id),
        keys: keys(&entry.id)?,
        issues: entry.issues.iter().cloned().collect(),
        trust,
    })
}

/// The credential issuer identifier of an organisation.
pub fn issuer_of(public_url: &Url, id: &str) -> String {
    format!("{}/issuers/{id}", public_url.as_str().trim_end_matches('/'))
}
