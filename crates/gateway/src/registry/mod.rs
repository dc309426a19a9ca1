//! Who may use the gateway and for what, changeable while it runs: organisations, relying parties and credential types
//! that an operator declares (`lanyard apply`), beside those of the configuration file.
//!
//! A declaration has the very form of the configuration file. What is kept is one row for each declared thing: its body
//! as JSON without secrets, its secrets sealed, a version. A change is planned first — what would be added, changed,
//! removed, line by line — and carried out in one batch that holds only if nobody changed anything meanwhile. Every
//! process then reads the registry anew ([`revision`](crate::revision)).

mod api;
mod by_name;
mod declaration;
mod diff;
pub mod onboarding;
mod plan;
mod rows;
mod schemas;
pub mod secrets;
mod wire;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

pub(crate) use api::{acts, routes};
pub use declaration::Declaration;
pub use diff::Difference;
pub use plan::{Act, Change, Plan};
pub use rows::Version;
pub(crate) use rows::{carry_out, count_in_force, find_history, find_names, read, read_each};
pub(crate) use schemas::router;
pub use wire::to_wire;

use crate::config::{Config, ConfigError, OrganisationConfig, RelyingPartyConfig, Secret};
use crate::organisation::catalogue::{Catalogue, CredentialType};
use store::StoreError;

/// What can be declared, in the order in which one thing needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What can be issued.
    CredentialType,
    /// A tenant.
    Organisation,
    /// A system that acts for a tenant.
    RelyingParty,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::CredentialType, Self::Organisation, Self::RelyingParty];

    /// Its name in the table and in plans.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CredentialType => "credential-type",
            Self::Organisation => "organisation",
            Self::RelyingParty => "relying-party",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The column of `credentials` that names it, if one does.
    pub(crate) const fn of_credentials(self) -> Option<&'static str> {
        match self {
            Self::CredentialType => Some("credential_type"),
            Self::Organisation => Some("organisation"),
            Self::RelyingParty => None,
        }
    }
}

/// Names one declared thing: an organisation by its id, a relying party by its client id, a type by its name.
pub type Key = (Kind, String);

/// One declared thing.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// Whose it is: of a relying party, its organisation; none of a credential type.
    pub organisation: Option<String>,
    /// The declaration as JSON, without what it leaves out and without secrets.
    pub body: Value,
    pub(crate) secrets: Secrets,
}

impl Entry {
    /// Whether drafts are signed with a key that the gateway knows.
    pub(crate) fn has_signing_key(&self) -> bool {
        self.secrets.signing_key.is_some()
    }

    /// Whether that is the same key, or neither has one.
    pub(crate) fn has_the_signing_key_of(&self, other: &Self) -> bool {
        self.secrets.signing_key == other.secrets.signing_key
    }
}

/// A relying party's secrets that the gateway itself must know.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Secrets {
    signing_key: Option<Zeroizing<String>>,
    webhook: Vec<Zeroizing<String>>,
}

/// Their form before they are sealed.
#[derive(Serialize, Deserialize)]
struct OpenSecrets {
    signing_key: Option<String>,
    webhook: Vec<String>,
}

impl Secrets {
    fn is_empty(&self) -> bool {
        self.signing_key.is_none() && self.webhook.is_empty()
    }

    fn to_json(&self) -> serde_json::Result<Zeroizing<Vec<u8>>> {
        let open = OpenSecrets {
            signing_key: self.signing_key.as_deref().cloned(),
            webhook: self
                .webhook
                .iter()
                .map(|secret| secret.to_string())
                .collect(),
        };
        serde_json::to_vec(&open).map(Zeroizing::new)
    }

    fn from_json(text: &[u8]) -> serde_json::Result<Self> {
        let open: OpenSecrets = serde_json::from_slice(text)?;
        Ok(Self {
            signing_key: open.signing_key.map(Zeroizing::new),
            webhook: open.webhook.into_iter().map(Zeroizing::new).collect(),
        })
    }
}

/// Everything that is declared, as it stands in the database.
#[derive(Clone, Default)]
pub struct Registered {
    entries: BTreeMap<Key, (Entry, i64)>,
    /// The registry's number, read before the entries: what is decided by them holds while it is the same.
    revision: i64,
}

/// Why the registry could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// What is declared does not hold together, or not with the configuration file.
    #[error(transparent)]
    Declared(#[from] ConfigError),
    /// A row is not what this program writes, or does not open with the storage secrets.
    #[error("the registry's {kind} {name} cannot be read: {reason}", kind = .0.name(), name = .1, reason = .2)]
    Unreadable(Kind, String, &'static str),
    /// Somebody else changed the registry between plan and act. Nothing was kept.
    #[error("the registry has changed since this plan was made; plan again")]
    Overtaken,
    /// What would be removed still counts somewhere.
    #[error("{kind} {name} cannot be removed: {count} of its credentials are in force; revoke them first", kind = .kind.name())]
    InForce {
        /// What would be removed.
        kind: Kind,
        /// Its name.
        name: String,
        /// How many credentials of it are in force.
        count: i64,
    },
    /// There is no relying party of that client id.
    #[error("there is no relying party {0}")]
    ClientUnknown(String),
    /// It authenticates in another way.
    #[error("the relying party {0} authenticates with a key of its own and has no secret")]
    NoSecret(String),
    /// There is no such secret, or it has ended.
    #[error("the relying party {0} has no live secret {1}")]
    SecretUnknown(String, String),
    /// The last one that lives is not ended: its relying party would be locked out.
    #[error("{0} has no other live secret; make a new one first (`lanyard client secret rotate`)")]
    LastSecret(String),
    /// The database.
    #[error("the registry could not be read or written: {0}")]
    Store(#[from] StoreError),
}

impl RegistryError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Declared(ConfigError::Host { .. }) => "host-not-allowed",
            Self::Declared(_) => "declaration-invalid",
            Self::Unreadable(..) => "registry-unreadable",
            Self::Overtaken => "registry-changed",
            Self::InForce { .. } => "credentials-in-force",
            Self::ClientUnknown(_) => "relying-party-unknown",
            Self::NoSecret(_) => "relying-party-without-secret",
            Self::SecretUnknown(..) => "secret-unknown",
            Self::LastSecret(_) => "last-secret",
            Self::Store(_) => "database-unavailable",
        }
    }
}

impl Registered {
    /// Every declared thing with its version, by kind and name.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Entry, i64)> {
        self.entries
            .iter()
            .map(|(key, (entry, version))| (key, entry, *version))
    }

    /// One declared thing.
    pub fn find(&self, kind: Kind, name: &str) -> Option<&Entry> {
        let found = self.entries.get(&(kind, name.to_owned()));
        found.map(|(entry, _)| entry)
    }

    /// What it would be after a plan.
    #[must_use]
    pub fn after(&self, plan: &Plan) -> Self {
        let mut entries = self.entries.clone();
        for change in &plan.changes {
            match &change.to {
                Some(to) => entries.insert(change.key.clone(), (to.clone(), change.version)),
                None => entries.remove(&change.key),
            };
        }
        Self {
            entries,
            revision: self.revision,
        }
    }

    /// Whether the organisation of each relying party is there, in the registry or in the configuration file.
    pub(crate) fn is_whole(&self, config: &Config) -> bool {
        self.entries.iter().all(|((kind, _), (entry, _))| {
            let owner = entry.organisation.as_deref().unwrap_or_default();
            *kind != Kind::RelyingParty
                || self.find(Kind::Organisation, owner).is_some()
                || config.organisations.iter().any(|one| one.id == owner)
        })
    }

    /// The same, with what could not be read as it was in force last. What never was stays away, and with an organisation
    /// its relying parties.
    pub(crate) fn completed(mut self, faults: &[(Key, rows::Unread)], last: &Self) -> Self {
        for (key, _) in faults {
            if let Some(before) = last.entries.get(key) {
                self.entries.insert(key.clone(), before.clone());
            }
        }
        let away = faults.iter().map(|(key, _)| key);
        let away =
            away.filter(|key| key.0 == Kind::Organisation && !last.entries.contains_key(*key));
        for (_, organisation) in away {
            let of_it = |entry: &Entry| entry.organisation.as_ref() == Some(organisation);
            let is_party = |kind: &Kind| *kind == Kind::RelyingParty;
            self.entries
                .retain(|(kind, _), (entry, _)| !(is_party(kind) && of_it(entry)));
        }
        self
    }

    /// What was in force, but for what is declared no more.
    pub(crate) fn without_what_is_gone(mut self, found: &Self) -> Self {
        self.entries
            .retain(|key, _| found.entries.contains_key(key));
        self
    }

    /// The credential types that count: those of the catalogue, and what is declared here.
    pub fn catalogue(&self, catalogue: &Catalogue) -> Result<Catalogue, RegistryError> {
        let types = self
            .iter()
            .filter(|(key, ..)| key.0 == Kind::CredentialType);
        let types = types.map(|(key, entry, version)| {
            let mut one: CredentialType = read_body(key, entry)?;
            one.version = Some(version);
            Ok(one)
        });
        let types = types.collect::<Result<Vec<_>, RegistryError>>()?;
        catalogue
            .with(types)
            .map_err(|error| RegistryError::Declared(error.into()))
    }

    /// The configuration as it counts: its own organisations, and those declared here. An id stands in one of them.
    pub fn complete(&self, config: &Config) -> Result<Config, RegistryError> {
        let mut config = config.clone();
        for (key, entry, _) in self.iter() {
            match key.0 {
                Kind::CredentialType => {}
                Kind::Organisation => {
                    if config.organisations.iter().any(|one| one.id == key.1) {
                        return Err(twice("organisation", &key.1));
                    }
                    let mut organisation: OrganisationConfig = read_body(key, entry)?;
                    organisation.registered = true;
                    config.organisations.push(organisation);
                }
                Kind::RelyingParty => {
                    let party = party(key, entry)?;
                    let owner = entry.organisation.as_deref().unwrap_or_default();
                    let owner = config.organisations.iter_mut().find(|one| one.id == owner);
                    let Some(OrganisationConfig {
                        relying_parties, ..
                    }) = owner
                    else {
                        return Err(RegistryError::Unreadable(
                            key.0,
                            key.1.clone(),
                            "its organisation is not there",
                        ));
                    };
                    relying_parties.push(party);
                }
            }
        }
        Ok(config)
    }
}

fn twice(what: &str, name: &str) -> RegistryError {
    RegistryError::Declared(ConfigError::value(
        format!("{what} {name}"),
        "it stands in the configuration file, too: take it out of one of them",
    ))
}

fn read_body<T: serde::de::DeserializeOwned>(key: &Key, entry: &Entry) -> Result<T, RegistryError> {
    serde_json::from_value(entry.body.clone()).map_err(|_| {
        RegistryError::Unreadable(
            key.0,
            key.1.clone(),
            "it is not of the form that is declared",
        )
    })
}

/// An entry of the form that its kind has in this version.
fn of_its_form(key: &Key, entry: Entry) -> Result<Entry, &'static str> {
    let read = match key.0 {
        Kind::CredentialType => read_body::<CredentialType>(key, &entry).map(drop),
        Kind::Organisation => read_body::<OrganisationConfig>(key, &entry).map(drop),
        Kind::RelyingParty => read_body::<RelyingPartyConfig>(key, &entry).map(drop),
    };
    read.map(|()| entry)
        .map_err(|_| "it is not of the form that is declared")
}

/// A relying party with its secrets back in their places.
fn party(key: &Key, entry: &Entry) -> Result<RelyingPartyConfig, RegistryError> {
    let mut party: RelyingPartyConfig = read_body(key, entry)?;
    party.registered = true;
    party.signing_key = entry.secrets.signing_key.clone().map(Secret::Held);
    if let Some(webhook) = &mut party.webhook {
        webhook.secrets = entry
            .secrets
            .webhook
            .iter()
            .cloned()
            .map(Secret::Held)
            .collect();
    }
    Ok(party)
}
