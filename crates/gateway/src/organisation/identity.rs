//! Under which names an organisation issues: its `did:web`, in one of three ways, and its credential issuer.

use std::collections::HashSet;

use standards::did::{Did, web};
use url::Url;

use crate::config::{Config, ConfigError, OrganisationConfig};

/// The names of an organisation.
pub struct Identity {
    /// The DID that it issues under.
    pub did: String,
    /// The DID that is a path below the gateway's host.
    pub path_did: String,
    /// Host and port of a DID that is a whole domain.
    pub did_host: Option<String>,
    /// Its credential issuer identifier.
    pub credential_issuer: String,
}

impl Identity {
    /// By what the configuration says: the organisation's own domain, or its part of the one for all, or a path.
    pub fn of(config: &Config, entry: &OrganisationConfig) -> Result<Self, ConfigError> {
        let path_did = did_of(&config.public_url, &entry.id)?;
        let whole_domain = match (&entry.did, &config.did_domain) {
            (Some(did), _) => Some((format!("organisations.{}.did", entry.id), did.clone())),
            (None, Some(domain)) => {
                let host = format!("{}.{}", entry.id, domain.replace(':', "%3A"));
                Some(("did_domain".to_owned(), format!("did:web:{host}")))
            }
            (None, None) => None,
        };
        let (did, did_host) = match whole_domain {
            None => (path_did.clone(), None),
            Some((key, did)) => {
                let host = host_of(&key, &did)?;
                (did, Some(host))
            }
        };
        Ok(Self {
            did,
            path_did,
            did_host,
            credential_issuer: issuer_of(&config.public_url, &entry.id),
        })
    }

    /// Every name that credentials of it may bear as their issuer.
    pub fn forms(&self) -> [String; 3] {
        [&self.did, &self.path_did, &self.credential_issuer].map(Clone::clone)
    }
}

/// Where in an issuer's name the organisation's id stands, as [`Identity`] writes it: read back, of our own names and of
/// others'.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IdIn {
    /// The id; where it is the first label of a host that belongs to somebody else, whatever they call that.
    pub(crate) id: String,
    /// The domain that the id is a part of, with its port; none where it is the end of a path below `issuers`.
    pub(crate) domain: Option<String>,
}

impl IdIn {
    /// None of a name that has no host.
    pub(crate) fn of(issuer: &str) -> Option<Self> {
        let below = issuer.rsplit_once(":issuers:");
        if let Some((_, id)) = below.or(issuer.rsplit_once("/issuers/")) {
            let (id, domain) = (id.to_owned(), None);
            return Some(Self { id, domain });
        }
        let document = Did::parse(issuer).and_then(|did| web::document_url(&did));
        let host = if let Ok(place) = document {
            place.authority()
        } else {
            let url = Url::parse(issuer).ok()?;
            let port = url.port().map(|port| format!(":{port}"));
            url.host_str()?.to_owned() + &port.unwrap_or_default()
        };
        let (id, domain) = host.split_once('.').unwrap_or((host.as_str(), ""));
        let (id, domain) = (id.to_owned(), Some(domain.to_owned()));
        Some(Self { id, domain })
    }
}

/// Host and port where the document of a DID that is a whole domain is asked for.
fn host_of(key: &str, did: &str) -> Result<String, ConfigError> {
    let fault = || {
        let reason = format!(
            "{did} is no whole domain as a DID: write it in lower case, such as did:web:staff.trust.example, without a path"
        );
        ConfigError::value(key, reason)
    };
    let place = Did::parse(did)
        .and_then(|did| web::document_url(&did))
        .map_err(|_| fault())?;
    let host = place.authority();
    // A second spelling of a DID is another DID, and its document would be found by nobody.
    let spelt = format!("did:web:{}", host.replace(':', "%3A"));
    let whole = place.path() == "/.well-known/did.json" && spelt == did;
    whole.then_some(host).ok_or_else(fault)
}

/// Two organisations of one domain would sign with one another's names.
pub(super) fn refuse_shared_hosts(config: &Config) -> Result<(), ConfigError> {
    let mut hosts = HashSet::new();
    for entry in &config.organisations {
        if let Some(host) = Identity::of(config, entry)?.did_host
            && !hosts.insert(host.clone())
        {
            return Err(ConfigError::value(
                format!("organisations.{}.did", entry.id),
                format!("another organisation has the domain {host} already"),
            ));
        }
    }
    Ok(())
}

/// The DID of an organisation as a path: `did:web:HOST:issuers:ID`, the port percent-encoded.
pub fn did_of(public_url: &Url, id: &str) -> Result<String, ConfigError> {
    web::from_base_url(public_url, &["issuers", id])
        .map(|did| did.to_string())
        .map_err(|error| ConfigError::value("public_url", error.to_string()))
}

/// The credential issuer identifier of an organisation.
pub fn issuer_of(public_url: &Url, id: &str) -> String {
    format!("{}/issuers/{id}", public_url.as_str().trim_end_matches('/'))
}
