//! What is declared, wherever it stands, and which changes of it take two persons.

use std::collections::BTreeSet;

use serde_json::Value;
use store::{Statement, StoreError};

use crate::Gateway;
use crate::registry::{Entry, Kind, Plan, RegistryError, Version};

/// One declared thing.
#[derive(Clone)]
pub(crate) struct Declared {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its name.
    pub(crate) name: String,
    /// Whose it is; none of a credential type.
    pub(crate) organisation: Option<String>,
    /// What is said of it, without secrets.
    pub(crate) body: Value,
    /// Its version in the registry; none where it stands in the configuration file, or in the box.
    pub(crate) version: Option<i64>,
}

impl Declared {
    fn of(kind: Kind, name: &str, entry: Entry, version: Option<i64>) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            organisation: entry.organisation,
            body: entry.body,
            version,
        }
    }
}

impl Gateway {
    /// Everything that is declared, by kind and name: in the registry, in the configuration file, in the box.
    pub(crate) async fn declared(&self) -> Result<Vec<Declared>, RegistryError> {
        let registered = self.registered().await?;
        let mut all: Vec<Declared> = registered
            .iter()
            .map(|((kind, name), entry, version)| {
                Declared::of(*kind, name, entry.clone(), Some(version))
            })
            .collect();
        for one in self.base.catalogue().iter() {
            // What is registered takes the place of what is in the box.
            if registered.find(Kind::CredentialType, &one.name).is_none() {
                let entry = Entry::of_type(one)?;
                all.push(Declared::of(Kind::CredentialType, &one.name, entry, None));
            }
        }
        for one in &self.base.config.organisations {
            let entry = Entry::of_organisation(one)?;
            all.push(Declared::of(Kind::Organisation, &one.id, entry, None));
            for party in &one.relying_parties {
                // What is secret of it stays where it is: nothing is read here.
                let body = Entry::body_of_party(party)?;
                all.push(Declared {
                    kind: Kind::RelyingParty,
                    name: party.client_id.clone(),
                    organisation: Some(one.id.clone()),
                    body,
                    version: None,
                });
            }
        }
        all.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
        Ok(all)
    }

    /// One declared thing.
    pub(crate) async fn find_declared(
        &self,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Declared>, RegistryError> {
        let all = self.declared().await?.into_iter();
        let mut found = all.filter(|one| one.kind == kind && one.name == name);
        Ok(found.next())
    }

    /// The relying parties of a plan whose browsers it would send elsewhere although somebody relies on them: two persons
    /// must agree on that (assurance and operations 3.4).
    ///
    /// Live is, or was, whoever could ever prove itself under that client id. What was removed counts, too: otherwise one
    /// person would take a relying party out and put it back with another address.
    pub(crate) async fn takes_two_persons(
        &self,
        plan: &Plan,
    ) -> Result<Vec<String>, RegistryError> {
        let mut found = Vec::new();
        for change in &plan.changes {
            let (kind, client_id) = &change.key;
            let (Kind::RelyingParty, Some(to)) = (*kind, &change.to) else {
                continue;
            };
            let versions = self.history(*kind, client_id).await?;
            let before = versions.iter().find(|version| version.body.is_object());
            let moves = before.is_some_and(|before| addresses(&before.body) != addresses(&to.body));
            if moves && (versions.iter().any(proves_itself) || self.had_secret(client_id).await?) {
                found.push(client_id.clone());
            }
        }
        Ok(found)
    }

    async fn had_secret(&self, client_id: &str) -> Result<bool, StoreError> {
        let select =
            Statement::new("SELECT COUNT(*) AS count FROM client_secrets WHERE client_id = $1");
        let row = self
            .live
            .now()
            .store
            .read_one(select.bind(client_id))
            .await?;
        row.map_or(Ok(false), |row| Ok(row.integer("count")? > 0))
    }
}

/// Whether a relying party had, in that version, a way to prove itself beside the secrets that the gateway makes.
fn proves_itself(version: &Version) -> bool {
    let digests = version
        .body
        .get("client_secret_sha256")
        .and_then(Value::as_array);
    digests.is_some_and(|digests| !digests.is_empty())
        || version.body["token_endpoint_auth_method"] == "private_key_jwt"
}

fn addresses(body: &Value) -> BTreeSet<&str> {
    let listed = body["redirect_uris"].as_array().into_iter().flatten();
    listed.filter_map(Value::as_str).collect()
}
