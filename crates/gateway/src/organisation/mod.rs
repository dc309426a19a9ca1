//! Tenants: their relying parties, issuer identities and trust lists.

pub mod brand;
pub mod catalogue;
pub mod certificates;
pub mod client_keys;
mod client_secret;
pub mod declared;
pub mod dialect;
pub mod entra;
pub mod expiry;
mod identity;
pub mod relying_party;
pub mod schema;
pub mod webhook;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use standards::jose::Signer;

use crate::config::{Config, ConfigError, OrganisationConfig};
use crate::outbound::{Hosts, Outbound};
use catalogue::{Catalogue, CredentialType};
pub use client_secret::ClientSecret;
use dialect::Dialect;
use expiry::ExpiryFrom;
pub(crate) use identity::IdIn;
pub use identity::{Identity, did_of, issuer_of};
pub use relying_party::RelyingParty;
use webhook::Webhook;

/// A tenant with everything that is derived from its configuration.
pub struct Organisation {
    /// Short name in addresses.
    pub id: String,
    /// What pages and wallets call it.
    pub name: String,
    /// Its issuer identity: a `did:web` (rulings 12).
    pub did: String,
    /// The `did:web` below the gateway's host, which it has in any case: what was issued under it holds when the
    /// organisation gets a domain of its own.
    pub path_did: String,
    /// Host and port where the document of its DID is asked for, if the DID is a whole domain.
    pub did_host: Option<String>,
    /// Its OpenID4VCI credential issuer identifier (rulings 11).
    pub credential_issuer: String,
    /// How its people see the pages, where it has a brand of its own.
    pub brand: Option<Arc<ui::Brand>>,
    /// Whether it is declared in the registry, and may be removed while this process runs.
    pub registered: bool,
    /// Its tenant of Microsoft Entra Verified ID, where it has one.
    pub entra: Option<Arc<entra::Tenant>>,
    fetch_hosts: Option<Arc<Hosts>>,
    chains: Vec<certificates::Chain>,
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

    /// The types that it may issue, in order.
    pub fn issued_types(&self) -> Vec<&str> {
        let mut types: Vec<&str> = self.issues.iter().map(String::as_str).collect();
        types.sort_unstable();
        types
    }

    /// Its trust list, in order: each credential type, with every name of every issuer that counts for it.
    pub fn trust_list(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let rows = self.trust.iter();
        rows.filter(|(_, issuers)| !issuers.is_empty())
            .map(|(credential_type, issuers)| {
                let names = issuers.iter().map(String::as_str);
                (credential_type.as_str(), names.collect())
            })
            .collect()
    }

    /// The DIDs on its trust list for that type, in order.
    pub fn trusted_dids(&self, credential_type: &str) -> Vec<&str> {
        let issuers = self.trust.get(credential_type).into_iter().flatten();
        let dids = issuers.filter(|issuer| issuer.starts_with("did:"));
        let mut dids: Vec<&str> = dids.map(String::as_str).collect();
        dids.sort_unstable();
        dids
    }

    /// The id of one of its keys as headers name it: a DID URL in its DID document.
    pub fn key_id(&self, key: &Arc<dyn Signer>) -> String {
        format!(
            "{}#{}",
            self.did,
            key.public_jwk().kid().unwrap_or_default()
        )
    }

    /// Its DIDs: the one that it signs under, and the path where that is another.
    pub fn dids(&self) -> impl Iterator<Item = &str> {
        let path = Some(self.path_did.as_str()).filter(|path| *path != self.did);
        std::iter::once(self.did.as_str()).chain(path)
    }

    /// The thumbprint in a key id that is the thumbprint itself or a DID URL of this organisation (SEC-16).
    pub fn thumbprint_of<'a>(&self, key_id: &'a str) -> Option<&'a str> {
        match key_id.split_once('#') {
            None => Some(key_id),
            Some((did, thumbprint)) => self.dids().any(|own| own == did).then_some(thumbprint),
        }
    }

    /// Whether it is the issuer of that name, in any of its forms.
    fn is_issuer(&self, issuer: &str) -> bool {
        self.credential_issuer == issuer || self.dids().any(|did| did == issuer)
    }

    /// The HTTP client, for what this organisation names.
    pub fn outbound<'a>(&self, all: &'a Outbound) -> Cow<'a, Outbound> {
        all.only(self.fetch_hosts.as_ref())
    }

    /// Whose copies it may use: what others' hosts gave is not for an organisation that may not name them.
    pub fn copies(&self) -> Option<String> {
        self.fetch_hosts.as_ref().map(|_| self.id.clone())
    }

    /// Every issuer that it trusts for anything.
    pub fn trusted_issuers(&self) -> impl Iterator<Item = &str> {
        self.trust.values().flatten().map(String::as_str)
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
    /// Checks the configuration. `brand` is the gateway's own; `secrets` are those that the gateway made, by client id.
    pub fn load(
        config: &Config,
        catalogue: Catalogue,
        secrets: &HashMap<String, Vec<ClientSecret>>,
        brand: &ui::Brand,
    ) -> Result<Self, ConfigError> {
        identity::refuse_shared_hosts(config)?;
        let mut by_id = BTreeMap::new();
        let mut by_client = HashMap::new();
        for entry in &config.organisations {
            let organisation = Arc::new(organisation(config, &catalogue, entry, brand)?);
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
        self.by_id.values().find(|one| one.is_issuer(issuer))
    }

    /// The organisation whose DID is that host and port.
    pub fn find_host(&self, host: &str) -> Option<&Arc<Organisation>> {
        self.by_id
            .values()
            .find(|one| one.did_host.as_deref() == Some(host))
    }

    /// What the pages of a tenant's people ask for, by the step of the address that names it.
    pub fn brand_assets(&self, hash: &str) -> Option<&ui::assets::Set> {
        let brands = self.by_id.values().filter_map(|one| one.brand.as_ref());
        brands
            .map(|brand| brand.assets())
            .find(|assets| assets.hash() == hash)
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

    /// The tenants of Microsoft Entra Verified ID, by the id of their organisation.
    pub fn entra_tenants(&self) -> impl Iterator<Item = (&str, &entra::Tenant)> {
        self.by_id
            .values()
            .filter_map(|one| Some((one.id.as_str(), one.entra.as_deref()?)))
    }

    /// Whether everything that the configuration says of Entra is about something that there is. Asked at the start: what
    /// is registered may go while the gateway runs, and takes no other organisation with it.
    pub fn check_entra(&self, entries: &[entra::EntraConfig]) -> Result<(), ConfigError> {
        for entry in entries {
            let known = |name: &str| self.catalogue.find(name);
            entry.check(self.by_id.contains_key(&entry.organisation), known)?;
        }
        Ok(())
    }

    /// Every relying party, in no particular order.
    pub fn relying_parties(&self) -> impl Iterator<Item = &Arc<RelyingParty>> + Clone {
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

fn organisation(
    config: &Config,
    catalogue: &Catalogue,
    entry: &OrganisationConfig,
    brand: &ui::Brand,
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
            // One of our own counts in all of its forms, whichever was written.
            for other in &config.organisations {
                let forms = Identity::of(config, other)?.forms();
                if forms.contains(issuer) {
                    issuers.extend(forms);
                }
            }
        }
    }
    let Identity {
        did,
        path_did,
        did_host,
        credential_issuer,
    } = Identity::of(config, entry)?;
    Ok(Organisation {
        id: entry.id.clone(),
        name: entry.name.clone(),
        did,
        path_did,
        did_host,
        credential_issuer,
        brand: entry
            .brand
            .as_ref()
            .map(|own| own.load((&entry.id, &entry.name), brand))
            .transpose()?,
        registered: entry.registered,
        entra: entra::Tenant::of(&config.entra, &entry.id)?.map(Arc::new),
        fetch_hosts: entry
            .fetch_hosts
            .as_ref()
            .map(|hosts| {
                Hosts::parse(hosts.iter().map(String::as_str))
                    .map_err(|fault| ConfigError::value(key("fetch_hosts"), fault.to_string()))
            })
            .transpose()?
            .map(Arc::new),
        chains: certificates::load(&entry.id, &entry.certificate_chains)?,
        issues: entry.issues.iter().cloned().collect(),
        trust,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::{RelyingPartyConfig, TrustConfig};

    /// What a file declares with that organisation, or why it is none.
    fn declared(
        change: impl FnOnce(&mut OrganisationConfig),
        catalogue: Catalogue,
    ) -> Result<Organisations, String> {
        let base = "https://credentials.example".parse().unwrap();
        let mut config = Config::sandboxed(base, std::path::Path::new("nowhere"), "");
        let entry = "id = \"anytown\"\nname = \"Anytown\"\nissues = [\"Identity\", \"FireSafety\"]";
        let mut entry = toml::from_str(entry).unwrap();
        change(&mut entry);
        config.organisations.push(entry);
        let brand = ui::Brand::default();
        Organisations::load(&config, catalogue, &HashMap::new(), &brand)
            .map_err(|error| error.to_string())
    }

    fn built_in() -> Catalogue {
        Catalogue::built_in().unwrap()
    }

    #[test]
    fn the_id_of_an_organisation_is_short_and_plain() {
        let named = |id: &str| declared(|entry| id.clone_into(&mut entry.id), built_in()).err();
        for id in ["a", "0", "any-town-2", "a".repeat(40).as_str()] {
            assert_eq!(named(id), None);
        }
        for id in ["Anytown", "any_town", "any.town", "a".repeat(41).as_str()] {
            let reason = named(id).expect(id);
            assert!(
                reason.contains("digits and hyphens, at most 40"),
                "{reason}"
            );
        }
    }

    #[test]
    fn a_type_that_there_is_not_is_neither_issued_nor_trusted() {
        let trusting = |credential_type: &str| TrustConfig {
            credential_type: credential_type.to_owned(),
            issuers: vec!["did:web:elsewhere.example".to_owned()],
        };
        let known = declared(|entry| entry.trust.push(trusting("Identity")), built_in());
        assert_eq!(known.err(), None);
        let unknown: [&dyn Fn(&mut OrganisationConfig); 2] = [
            &|entry| entry.issues.push("Handling".to_owned()),
            &|entry| entry.trust.push(trusting("Handling")),
        ];
        for change in unknown {
            let reason = declared(change, built_in()).err().unwrap();
            assert!(reason.contains("no credential type Handling"), "{reason}");
        }
    }

    /// Decision 0044.
    #[test]
    fn an_organisation_that_is_bounded_has_copies_of_its_own() {
        let copies = |hosts: Option<Vec<String>>| {
            let all = declared(|entry| entry.fetch_hosts = hosts, built_in())
                .ok()
                .unwrap();
            all.find("anytown").unwrap().copies()
        };
        assert_eq!(copies(None), None);
        let bounded = copies(Some(vec!["trust.example".to_owned()]));
        assert_eq!(bounded.as_deref(), Some("anytown"));
    }

    /// Gateway contract U8.
    #[test]
    fn no_credential_ends_with_a_draft_of_an_hour() {
        let with = |dialect: Dialect, name: &str, from: Option<ExpiryFrom>| {
            let mut changed = built_in().find(name).unwrap().clone();
            changed.expiry_from = from;
            let party = |entry: &mut OrganisationConfig| {
                let mut party = RelyingPartyConfig::new("staff", "Staff", dialect);
                party.redirect_uris = vec!["https://staff.example/callback".to_owned()];
                party.registered = true;
                entry.relying_parties.push(party);
            };
            declared(party, built_in().with([changed]).unwrap()).err()
        };
        let hint = Some(ExpiryFrom::HintExp);
        let refused = with(Dialect::V1B, "FireSafety", hint).unwrap();
        assert!(refused.contains("the drafts of staff (v1-b)"), "{refused}");
        for (dialect, name, from) in [
            (Dialect::V1A, "FireSafety", hint),
            (Dialect::V1B, "FireSafety", Some(ExpiryFrom::Attribute)),
            (Dialect::V1B, "FireSafety", None),
            (Dialect::V1B, "TrainingPlacement", hint),
        ] {
            assert_eq!(with(dialect, name, from), None);
        }
    }
}
