//! An organisation's tenant of Microsoft Entra Verified ID: what the configuration file says of it, checked.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::catalogue::CredentialType;
use crate::config::{ConfigError, Secret};

/// `[[entra]]`: one organisation's tenant. It stands in the configuration file only, since its secret does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntraConfig {
    /// The id of the organisation, declared in this file or in the registry.
    pub organisation: String,
    /// The directory (tenant) id.
    pub tenant: Uuid,
    /// The application (client) id of the app registration.
    pub client_id: Uuid,
    /// The app registration's client secret.
    pub client_secret: Secret,
    /// The DID of the tenant's authority, which asks: `did:web:…`.
    pub authority: String,
    /// Where access tokens are given: `https://login.microsoftonline.com`.
    #[serde(default = "login")]
    pub login: Url,
    /// Where the Request Service is: `https://verifiedid.did.msidentity.com`.
    #[serde(default = "service")]
    pub service: Url,
    /// The credential types that are asked for in Authenticator; every other stays with the open protocols.
    pub credential_types: Vec<EntraTypeConfig>,
}

/// A credential type of ours, and what the tenant calls it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntraTypeConfig {
    /// Our name, as in scopes.
    pub name: String,
    /// The type in the tenant's contract, letter by letter; left out, it is our name.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// The output claim of the contract that holds an attribute, where it is not called as the attribute is.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
}

fn microsoft(host: &str) -> Url {
    let address = format!("https://{host}");
    address.parse().expect("the address of a host is a URL")
}

fn login() -> Url {
    microsoft("login.microsoftonline.com")
}

fn service() -> Url {
    microsoft("verifiedid.did.msidentity.com")
}

impl EntraConfig {
    fn fault(&self, key: &str, reason: impl Into<String>) -> ConfigError {
        let key = format!("entra of organisation {}: {key}", self.organisation);
        ConfigError::value(key, reason)
    }

    /// Whether what it names is there. `known` finds a credential type.
    pub(super) fn check<'a>(
        &self,
        organisation_is_known: bool,
        known: impl Fn(&str) -> Option<&'a CredentialType>,
    ) -> Result<(), ConfigError> {
        if !organisation_is_known {
            let reason = "there is no such organisation: declare it first, or take this entry out";
            return Err(self.fault("organisation", reason));
        }
        for entry in &self.credential_types {
            let name = &entry.name;
            let Some(known) = known(name) else {
                let reason = format!("there is no credential type {name}");
                return Err(self.fault("credential_types", reason));
            };
            let has =
                |attribute: &String| known.attributes.iter().any(|one| one.name == *attribute);
            if let Some(unknown) = entry.claims.keys().find(|attribute| !has(attribute)) {
                let reason = format!("{unknown} is no attribute of {name}");
                return Err(self.fault("credential_types.claims", reason));
            }
        }
        Ok(())
    }
}

/// A tenant, ready to be asked.
pub struct Tenant {
    /// The directory id.
    pub id: Uuid,
    /// The application id.
    pub client_id: Uuid,
    /// The application's secret.
    pub client_secret: Zeroizing<String>,
    /// The DID that asks.
    pub authority: String,
    /// Where an access token is given.
    pub token_endpoint: Url,
    /// Where a presentation request is made.
    pub requests: Url,
    types: BTreeMap<String, EntraType>,
}

/// What the tenant calls a credential type and its attributes.
#[derive(Debug, Clone)]
pub struct EntraType {
    /// The type in the contract.
    pub kind: String,
    claims: BTreeMap<String, String>,
}

impl From<EntraTypeConfig> for EntraType {
    fn from(entry: EntraTypeConfig) -> Self {
        Self {
            kind: entry.kind.unwrap_or(entry.name),
            claims: entry.claims,
        }
    }
}

impl EntraType {
    /// The output claim that holds that attribute.
    pub fn claim<'a>(&'a self, attribute: &'a str) -> &'a str {
        self.claims.get(attribute).map_or(attribute, String::as_str)
    }
}

impl Tenant {
    /// The tenant of that organisation, if one is configured.
    pub(super) fn of(
        entries: &[EntraConfig],
        organisation: &str,
    ) -> Result<Option<Self>, ConfigError> {
        let mut own = entries
            .iter()
            .filter(|one| one.organisation == organisation);
        let Some(entry) = own.next() else {
            return Ok(None);
        };
        if own.next().is_some() {
            return Err(entry.fault("organisation", "it stands twice"));
        }
        // The only method that the service has for issuers and verifiers.
        if !entry.authority.starts_with("did:web:") {
            return Err(entry.fault("authority", "it must be the authority's DID, did:web:…"));
        }
        if entry.credential_types.is_empty() {
            let reason = "name at least one: nothing else would be asked for in Authenticator";
            return Err(entry.fault("credential_types", reason));
        }
        let mut types = BTreeMap::new();
        for one in &entry.credential_types {
            let kind = EntraType::from(one.clone());
            if kind.kind.is_empty() || kind.claims.values().any(String::is_empty) {
                return Err(entry.fault("credential_types", "a name must not be empty"));
            }
            // Two attributes of one claim: one of them would say what the other means.
            let mut named: Vec<&String> = kind.claims.values().collect();
            named.sort_unstable();
            if named.windows(2).any(|pair| pair[0] == pair[1]) {
                let reason = "a claim can hold one attribute only";
                return Err(entry.fault("credential_types.claims", reason));
            }
            if types.insert(one.name.clone(), kind).is_some() {
                let reason = format!("{} stands twice", one.name);
                return Err(entry.fault("credential_types", reason));
            }
        }
        Ok(Some(Self {
            id: entry.tenant,
            client_id: entry.client_id,
            client_secret: entry.client_secret.read()?,
            authority: entry.authority.clone(),
            token_endpoint: below(entry, "login", &entry.login, &token_path(entry.tenant))?,
            requests: below(entry, "service", &entry.service, REQUESTS)?,
            types,
        }))
    }

    /// What it calls that type, if the type is asked for in Authenticator.
    pub fn find_type(&self, name: &str) -> Option<&EntraType> {
        self.types.get(name)
    }
}

const REQUESTS: &str = "/v1.0/verifiableCredentials/createPresentationRequest";

fn token_path(tenant: Uuid) -> String {
    format!("/{tenant}/oauth2/v2.0/token")
}

fn below(entry: &EntraConfig, key: &str, base: &Url, path: &str) -> Result<Url, ConfigError> {
    if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
        return Err(entry.fault(key, "it must be scheme and host only"));
    }
    let joined = base.join(path);
    joined.map_err(|error| entry.fault(key, error.to_string()))
}

/// Its secret is in it.
impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenant({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::catalogue::UNIQUE_IDENTIFIER;
    use super::*;

    fn read(change: (&str, &str)) -> Result<Option<Tenant>, String> {
        let text = "organisation = \"anytown\"\n\
             tenant = \"6b1c8e5e-0f4d-4b0a-9a57-1d2f3c4b5a69\"\n\
             client_id = \"0f8fad5b-d9cb-469f-a165-70867728950e\"\n\
             client_secret = { env = \"PATH\" }\n\
             authority = \"did:web:id.example\"\n\
             [[credential_types]]\n\
             name = \"Identity\"\n\
             type = \"StaffIdentity\"\n\
             claims = { ID-BirthDate = \"dateOfBirth\" }\n";
        let text = text.replace(change.0, change.1);
        let entry: EntraConfig = toml::from_str(&text).map_err(|error| error.to_string())?;
        Tenant::of(&[entry], "anytown").map_err(|error| error.to_string())
    }

    #[test]
    fn a_tenant_is_asked_at_microsofts_addresses_unless_others_are_named() {
        let tenant = read(("", "")).unwrap().unwrap();
        assert_eq!(
            tenant.token_endpoint.as_str(),
            "https://login.microsoftonline.com/6b1c8e5e-0f4d-4b0a-9a57-1d2f3c4b5a69/oauth2/v2.0/token"
        );
        assert_eq!(
            tenant.requests.as_str(),
            "https://verifiedid.did.msidentity.com/v1.0/verifiableCredentials/createPresentationRequest"
        );
        let kind = tenant.find_type("Identity").unwrap();
        assert_eq!(kind.kind, "StaffIdentity");
        assert_eq!(kind.claim("ID-BirthDate"), "dateOfBirth");
        assert_eq!(kind.claim(UNIQUE_IDENTIFIER), UNIQUE_IDENTIFIER);
        assert!(tenant.find_type("FireSafety").is_none());
    }

    #[test]
    fn what_cannot_be_asked_is_refused_with_its_key() {
        for (change, key) in [
            (("did:web:id.example", "did:ion:x"), "authority"),
            (("6b1c8e5e-0f4d", "anytown"), "tenant"),
            (("\"StaffIdentity\"", "\"\""), "credential_types"),
            (
                ("\"dateOfBirth\"", "\"a\", ID-LegalSurname = \"a\""),
                "claims",
            ),
            (
                (
                    "[[credential",
                    "service = \"https://x.example/a\"\n[[credential",
                ),
                "service",
            ),
            (("[[credential", "secret = 7\n[[credential"), "secret"),
        ] {
            let refused = read(change).err().unwrap();
            assert!(refused.contains(key), "{refused}");
        }
        assert!(!format!("{:?}", read(("", ""))).contains("bin"));
    }
}
