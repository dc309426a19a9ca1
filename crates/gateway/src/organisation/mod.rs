//! Tenants: their relying parties, issuer identities, keys and trust lists.

pub mod catalogue;
pub mod dialect;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use standards::jose::{HmacKey, Signer};
use standards::oauth::RedirectUri;
use subtle::ConstantTimeEq;
use url::Url;

use crate::config::{Config, ConfigError, OrganisationConfig, RelyingPartyConfig};
use crate::keys::KeyStore;
use crate::limits::ClientLimits;
use catalogue::{Catalogue, CredentialType};
use dialect::{Dialect, Rules};

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

/// A system that may use the gateway.
pub struct RelyingParty {
    /// What pages call it.
    pub name: String,
    /// OAuth client id.
    pub client_id: String,
    /// The organisation that it acts for.
    pub organisation: Arc<Organisation>,
    /// Which contract it speaks.
    pub dialect: Dialect,
    /// Checks the signature of its drafts. Who only verifies has none.
    pub signing_key: Option<HmacKey>,
    /// Takes no authorization request but a pushed one [RFC 9126 6].
    pub pushes_only: bool,
    /// How much it may ask.
    pub limits: ClientLimits,
    redirect_uris: Vec<RedirectUri>,
    secrets: Vec<[u8; 32]>,
}

impl RelyingParty {
    /// The rules of its dialect.
    pub fn rules(&self) -> &'static Rules {
        self.dialect.rules()
    }

    /// Compares a secret with those registered, in constant time (rulings 23).
    pub fn knows(&self, secret: &str) -> bool {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
        let equal = self
            .secrets
            .iter()
            .fold(subtle::Choice::from(0), |equal, known| {
                equal | known.ct_eq(digest.as_ref())
            });
        equal.into()
    }

    /// The registered redirect URI that is `sent`, byte for byte (SEC-02).
    pub fn redirect_uri(&self, sent: &str) -> Option<&RedirectUri> {
        self.redirect_uris
            .iter()
            .find(|registered| registered.as_str() == sent)
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
    /// Checks the configuration and loads the keys. Missing keys are an error unless `create_keys`.
    pub fn load(
        config: &Config,
        catalogue: Catalogue,
        keys: &KeyStore,
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
                let party = relying_party(&organisation, party, &config.limits.client)?;
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

    /// The credential type of that name.
    pub fn credential_type(&self, name: &str) -> Option<&CredentialType> {
        self.catalogue.find(name)
    }

    /// Every organisation, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Organisation>> {
        self.by_id.values()
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
    keys: &KeyStore,
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
        keys: OrganisationKeys {
            credentials: Arc::new(keys.signing_key(&format!("{}.credentials", entry.id))?),
            status: Arc::new(keys.signing_key(&format!("{}.status", entry.id))?),
            requests: Arc::new(keys.signing_key(&format!("{}.requests", entry.id))?),
        },
        issues: entry.issues.iter().cloned().collect(),
        trust,
    })
}

/// The credential issuer identifier of an organisation.
pub fn issuer_of(public_url: &Url, id: &str) -> String {
    format!("{}/issuers/{id}", public_url.as_str().trim_end_matches('/'))
}

fn relying_party(
    organisation: &Arc<Organisation>,
    entry: &RelyingPartyConfig,
    limits: &ClientLimits,
) -> Result<RelyingParty, ConfigError> {
    let key = |name: &str| format!("relying party {}: {name}", entry.client_id);
    if entry.client_id.is_empty()
        || !entry
            .client_id
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b':')
    {
        return Err(ConfigError::value(
            key("client_id"),
            "use printable ASCII without spaces and colons",
        ));
    }
    if entry.redirect_uris.is_empty() {
        return Err(ConfigError::value(
            key("redirect_uris"),
            "name at least one",
        ));
    }
    let redirect_uris = entry.redirect_uris.iter().map(|uri| {
        RedirectUri::parse(uri)
            .map_err(|error| ConfigError::value(key("redirect_uris"), format!("{uri}: {error}")))
    });
    let secrets = entry.client_secret_sha256.iter().map(|digest| {
        let mut bytes = [0; 32];
        hex::decode_to_slice(digest, &mut bytes).map_err(|_| {
            ConfigError::value(key("client_secret_sha256"), "use 64 hexadecimal digits")
        })?;
        Ok::<[u8; 32], ConfigError>(bytes)
    });
    let signing_key = entry
        .signing_key
        .as_ref()
        .map(|secret| {
            HmacKey::parse(&secret.read()?)
                .map_err(|error| ConfigError::value(key("signing_key"), error.to_string()))
        })
        .transpose()?;
    Ok(RelyingParty {
        name: entry.name.clone(),
        client_id: entry.client_id.clone(),
        organisation: organisation.clone(),
        dialect: entry.dialect,
        signing_key,
        pushes_only: entry.require_pushed_authorization_requests,
        limits: limits.with(&entry.limits),
        redirect_uris: redirect_uris.collect::<Result<_, _>>()?,
        secrets: secrets.collect::<Result<_, _>>()?,
    })
}
