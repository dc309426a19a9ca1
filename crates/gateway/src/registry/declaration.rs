//! What an operator declares: a file of the form that the configuration file has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Entry, Key, Kind, Secrets};
use crate::config::{ConfigError, OrganisationConfig, RelyingPartyConfig};
use crate::organisation::catalogue::CredentialType;

/// The content of `lanyard apply -f FILE`. Unknown keys are refused, so that a misspelling cannot pass for a setting.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Credential types of the operator's own, or in the place of those in the box.
    #[serde(default)]
    pub credential_types: Vec<CredentialType>,
    /// Tenants, each with its relying parties.
    #[serde(default)]
    pub organisations: Vec<OrganisationConfig>,
}

impl Declaration {
    /// Reads the file's text; `file` is what errors call it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::of_toml(file, text, &error))
    }

    /// The declared things, with the secrets read from where they are.
    pub(super) fn entries(&self) -> Result<BTreeMap<Key, Entry>, ConfigError> {
        let mut entries = BTreeMap::new();
        let mut put = |kind: Kind, name: &str, entry: Entry| {
            let before = entries.insert((kind, name.to_owned()), entry);
            match before {
                None => Ok(()),
                Some(_) => Err(ConfigError::value(
                    format!("{} {name}", kind.name()),
                    "it stands twice in this declaration",
                )),
            }
        };
        for one in &self.credential_types {
            put(Kind::CredentialType, &one.name, Entry::of_type(one)?)?;
        }
        for organisation in &self.organisations {
            let entry = Entry::of_organisation(organisation)?;
            put(Kind::Organisation, &organisation.id, entry)?;
            for party in &organisation.relying_parties {
                let entry = Entry::of_party(&organisation.id, party)?;
                put(Kind::RelyingParty, &party.client_id, entry)?;
            }
        }
        Ok(entries)
    }
}

impl Entry {
    /// Of a credential type.
    pub(crate) fn of_type(one: &CredentialType) -> Result<Self, ConfigError> {
        Ok(Self {
            organisation: None,
            body: body(one)?,
            secrets: Secrets::default(),
        })
    }

    /// Of a tenant, without its relying parties.
    pub(crate) fn of_organisation(one: &OrganisationConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            organisation: Some(one.id.clone()),
            body: body(one)?,
            secrets: Secrets::default(),
        })
    }

    /// What is said of a relying party, without its secrets.
    pub(crate) fn body_of_party(one: &RelyingPartyConfig) -> Result<Value, ConfigError> {
        body(one)
    }

    /// Of a relying party, with its secrets read from where they are.
    pub(crate) fn of_party(owner: &str, one: &RelyingPartyConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            organisation: Some(owner.to_owned()),
            body: body(one)?,
            secrets: secrets(one)?,
        })
    }
}

fn secrets(party: &RelyingPartyConfig) -> Result<Secrets, ConfigError> {
    let webhook = party.webhook.iter().flat_map(|webhook| &webhook.secrets);
    Ok(Secrets {
        signing_key: party
            .signing_key
            .as_ref()
            .map(crate::config::Secret::read)
            .transpose()?,
        webhook: webhook
            .map(crate::config::Secret::read)
            .collect::<Result<_, _>>()?,
    })
}

/// As JSON, with nothing said of what is left out: two declarations that mean the same are the same text.
fn body(declared: &impl Serialize) -> Result<Value, ConfigError> {
    let value = serde_json::to_value(declared);
    let value = value.map_err(|error| ConfigError::value("declaration", error.to_string()))?;
    Ok(without_empty(value))
}

fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let said = members
                .into_iter()
                .map(|(name, value)| (name, without_empty(value)));
            let is_empty = |value: &Value| match value {
                Value::Null => true,
                Value::Object(members) => members.is_empty(),
                _ => false,
            };
            Value::Object(said.filter(|(_, value)| !is_empty(value)).collect())
        }
        other => other,
    }
}
