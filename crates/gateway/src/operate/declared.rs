//! What is declared, wherever it stands, and which changes of it take two persons.

use std::collections::BTreeSet;

use serde_json::Value;
use store::{Statement, StoreError};

use crate::Gateway;
use crate::registry::{Entry, Key, Kind, Plan, RegistryError, Version};

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

/// What two persons agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarded {
    /// Where a relying party's browsers are sent.
    Redirects,
    /// What a relying party proves itself by, or where its events go.
    Proof,
    /// One more issuer that an organisation trusts.
    Trust,
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

    /// What of a plan two persons must agree on, since somebody relies on it: where browsers are sent, what a relying party
    /// proves itself by, where its events go, whom its organisation trusts (assurance and operations 3.4).
    ///
    /// Live is, or was, whoever could ever prove itself under that client id. What was removed counts, too: otherwise one
    /// person would take a relying party out and put it back with another address.
    pub(crate) async fn takes_two_persons(
        &self,
        plan: &Plan,
    ) -> Result<Vec<(Key, Guarded)>, RegistryError> {
        let mut found = Vec::new();
        for change in &plan.changes {
            let guarded = match (change.key.0, &change.to) {
                (Kind::RelyingParty, Some(to)) => self.guarded_of_party(&change.key.1, to).await?,
                (Kind::Organisation, Some(to)) => {
                    self.guarded_of_organisation(&change.key.1, to).await?
                }
                _ => None,
            };
            found.extend(guarded.map(|guarded| (change.key.clone(), guarded)));
        }
        Ok(found)
    }

    /// What of a plan two persons must agree on when it is carried out through the admin API. Whoever has the machine does it alone,
    /// and is told of it before.
    ///
    /// # Errors
    ///
    /// The database, and what in it cannot be read.
    pub async fn for_two_persons(&self, plan: &Plan) -> Result<Vec<Key>, RegistryError> {
        let found = self.takes_two_persons(plan).await?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }

    /// The relying parties of a plan that never had a secret.
    pub(crate) async fn without_secret(&self, plan: &Plan) -> Result<Vec<String>, RegistryError> {
        let mut found = Vec::new();
        for change in &plan.changes {
            let (kind, client_id) = &change.key;
            if *kind == Kind::RelyingParty && !self.had_secret(client_id).await? {
                found.push(client_id.clone());
            }
        }
        Ok(found)
    }

    async fn guarded_of_party(
        &self,
        client_id: &str,
        to: &Entry,
    ) -> Result<Option<Guarded>, RegistryError> {
        let versions = self.history(Kind::RelyingParty, client_id).await?;
        let Some(before) = versions.iter().find(|version| version.body.is_object()) else {
            return Ok(None);
        };
        let (from, body) = (&before.body, &to.body);
        let registered = self.registered().await?;
        let known = registered.find(Kind::RelyingParty, client_id);
        // Whether a key that was taken out is the one that is put back nobody knows any more.
        let same_key = known.map_or(!to.has_signing_key(), |known| {
            known.has_the_signing_key_of(to)
        });
        let digests = |body| -> BTreeSet<_> { listed(body, "client_secret_sha256").collect() };
        let proves_the_same = same_key
            && ["token_endpoint_auth_method", "jwks", "jwks_uri"]
                .iter()
                .all(|member| from.get(*member) == body.get(*member))
            && digests(body).is_subset(&digests(from))
            && from.pointer("/webhook/url") == body.pointer("/webhook/url");
        let addresses = |body| -> BTreeSet<_> { listed(body, "redirect_uris").collect() };
        let guarded = match (proves_the_same, addresses(from) == addresses(body)) {
            (true, true) => return Ok(None),
            (true, false) => Guarded::Redirects,
            (false, _) => Guarded::Proof,
        };
        let is_live = versions.iter().any(proves_itself) || self.had_secret(client_id).await?;
        Ok(is_live.then_some(guarded))
    }

    async fn guarded_of_organisation(
        &self,
        id: &str,
        to: &Entry,
    ) -> Result<Option<Guarded>, RegistryError> {
        let versions = self.history(Kind::Organisation, id).await?;
        let Some(before) = versions.iter().find(|version| version.body.is_object()) else {
            return Ok(None);
        };
        if trusted(&to.body).is_subset(&trusted(&before.body)) {
            return Ok(None);
        }
        let select = Statement::new(
            "SELECT DISTINCT name FROM registry_history WHERE kind = $1 AND organisation = $2",
        );
        let select = select.bind(Kind::RelyingParty.name()).bind(id);
        for row in self.live.now().store.read(select).await? {
            let client_id = row.text("name")?;
            let versions = self.history(Kind::RelyingParty, client_id).await?;
            if versions.iter().any(proves_itself) || self.had_secret(client_id).await? {
                return Ok(Some(Guarded::Trust));
            }
        }
        Ok(None)
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

fn listed<'a>(body: &'a Value, member: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let listed = body.get(member).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str)
}

/// Whom an organisation trusts for what.
fn trusted(body: &Value) -> BTreeSet<(&str, &str)> {
    let rows = body.get("trust").and_then(Value::as_array);
    let rows = rows.into_iter().flatten();
    let each = rows.flat_map(|row| {
        let of = row["credential_type"].as_str().unwrap_or_default();
        listed(row, "issuers").map(move |issuer| (of, issuer))
    });
    each.collect()
}
