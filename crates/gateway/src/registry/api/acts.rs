//! What two persons do to what is live: other redirect addresses of a relying party, another key, another way to prove itself,
//! another address for its events; one more issuer that an organisation trusts.
//!
//! Each is a change of one registered thing from the version that was looked at when it was proposed: [`Meant`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Statement;
use zeroize::Zeroizing;

use super::super::{Entry, Key, Kind, Plan, RegistryError, carry_out, wire};
use super::relying_parties::altered;
use super::{check_tenants_change, find, invalid, problem, registered};
use crate::Gateway;
use crate::admin::{Approved, Checked, Code, Operator, Problem, Right, TwoPersonAct};
use crate::app::App;
use crate::config::ConfigError;
use crate::operate::Declared;

/// Members of a relying party that are shown to nobody.
const HIDDEN: [&str; 2] = ["signing_key", "client_secret_sha256"];

/// One registered thing that an operator means to change.
struct Meant<'a> {
    gateway: &'a Gateway,
    operator: &'a Operator,
    key: Key,
}

impl<'a> Meant<'a> {
    fn new(gateway: &'a Gateway, operator: &'a Operator, kind: Kind, name: &str) -> Self {
        let key = (kind, name.to_owned());
        Self {
            gateway,
            operator,
            key,
        }
    }

    /// The thing as it stands, where the operator may see it, and its version, where the registry has it.
    async fn find(&self) -> Result<(Declared, i64), Problem> {
        let declared = find(self.gateway, self.operator, self.key.0, &self.key.1).await?;
        let version = registered(&declared, None)?;
        Ok((declared, version))
    }

    /// The plan to bring it to what `make` says, checked with everything else.
    async fn plan(
        &self,
        make: impl FnOnce(&Entry) -> Result<Entry, ConfigError>,
    ) -> Result<Plan, Problem> {
        let (operator, name) = (self.operator, self.key.1.as_str());
        let told = |error| problem(error, operator, name);
        let registry = self.gateway.registered().await.map_err(told)?;
        let entry = registry.find(self.key.0, name);
        let entry = make(entry.ok_or(Code::ChangedMeanwhile)?);
        let entry = entry.map_err(|error| invalid(&error, operator, name))?;
        let plan = self.gateway.plan_with(|registered| {
            Ok::<_, RegistryError>(Plan::of_one(registered, &self.key, Some(&entry)))
        });
        plan.await.map_err(told)
    }

    /// The statements of that plan, where it starts from the version that was looked at when it was proposed.
    async fn carry_out(
        &self,
        (app, approved): (&App, &Approved),
        version: i64,
        make: impl FnOnce(&Entry) -> Result<Entry, ConfigError>,
    ) -> Result<Vec<Statement>, Problem> {
        let plan = self.plan(make).await?;
        // The statement asks for the version once more.
        let same = plan.changes.iter().all(|change| change.version == version);
        if plan.is_empty() || !same {
            return Err(Code::ChangedMeanwhile.into());
        }
        carry_out(&plan, &app.seal, approved.by(), approved.at)
            .map_err(|error| problem(error, self.operator, &self.key.1))
    }
}

/// Gives a relying party other redirect addresses.
pub(super) struct RedirectUris(pub(super) Gateway);

/// The addresses as they are to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redirects {
    relying_party: String,
    redirect_uris: Vec<String>,
}

/// And as they were.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptRedirects {
    relying_party: String,
    redirect_uris: Vec<String>,
    from: Value,
    version: i64,
}

fn with_redirects(entry: &Entry, redirect_uris: &[String]) -> Result<Entry, ConfigError> {
    altered(entry, serde_json::json!({ "redirect_uris": redirect_uris }))
}

impl TwoPersonAct for RedirectUris {
    const CODE: &'static str = "relying-party-redirect-change";
    const SENTENCE: &'static str = "Give a relying party other redirect addresses. `detail`: `relying_party`, its client id; `redirect_uris`, all of them \
         as they are to be";
    const RIGHT: Right = Right::RegistryChange;
    type Asked = Redirects;
    type Kept = KeptRedirects;

    async fn check(
        &self,
        _: &App,
        operator: &Operator,
        asked: Redirects,
    ) -> Result<Checked<KeptRedirects>, Problem> {
        let meant = Meant::new(&self.0, operator, Kind::RelyingParty, &asked.relying_party);
        let (declared, version) = meant.find().await?;
        let make = |entry: &Entry| with_redirects(entry, &asked.redirect_uris);
        if meant.plan(make).await?.is_empty() {
            let reason = "they are the relying party's already";
            return Err(Problem::field("detail.redirect_uris", reason));
        }
        Ok(Checked {
            organisation: declared.organisation,
            object: ("relying-party", meant.key.1),
            kept: KeptRedirects {
                relying_party: asked.relying_party,
                redirect_uris: asked.redirect_uris,
                from: declared.body["redirect_uris"].clone(),
                version,
            },
        })
    }

    async fn carry_out(
        &self,
        app: &App,
        approved: &Approved,
        kept: KeptRedirects,
    ) -> Result<Vec<Statement>, Problem> {
        let by = &approved.by;
        let meant = Meant::new(&self.0, by, Kind::RelyingParty, &kept.relying_party);
        let make = |entry: &Entry| with_redirects(entry, &kept.redirect_uris);
        meant.carry_out((app, approved), kept.version, make).await
    }
}

/// Changes a relying party that is live, in whatever.
pub(super) struct Change(pub(super) Gateway);

/// What is to be changed of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedChange {
    relying_party: String,
    change: Value,
}

/// What of that anybody may read, and the whole.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptChange {
    relying_party: String,
    #[serde(default)]
    change: Value,
    #[serde(default)]
    lines: Vec<String>,
    version: i64,
    /// The whole change with its secrets, sealed: whoever may read proposals reads this.
    sealed: String,
}

/// Where the change of one relying party is sealed for: it opens for no other.
fn place(client_id: &str) -> String {
    format!("proposals/{}/{client_id}", Change::CODE)
}

/// The change without what is shown to nobody.
fn shown(change: &Value) -> Value {
    let mut shown = change.clone();
    if let Some(members) = shown.as_object_mut() {
        members.retain(|name, _| !HIDDEN.contains(&name.as_str()));
        if let Some(webhook) = members.get_mut("webhook").and_then(Value::as_object_mut) {
            webhook.remove("secrets");
        }
    }
    shown
}

impl TwoPersonAct for Change {
    const CODE: &'static str = "relying-party-change";
    const SENTENCE: &'static str = "Change a relying party that is live: its keys, its way to prove itself, the address of its events, or anything else. \
         `detail`: `relying_party`, its client id; `change`, members as for `PATCH`";
    const RIGHT: Right = Right::RegistryChange;
    type Asked = AskedChange;
    type Kept = KeptChange;

    async fn check(
        &self,
        app: &App,
        operator: &Operator,
        asked: AskedChange,
    ) -> Result<Checked<KeptChange>, Problem> {
        let meant = Meant::new(&self.0, operator, Kind::RelyingParty, &asked.relying_party);
        let (declared, version) = meant.find().await?;
        if !asked.change.is_object() {
            return Err(Problem::field("detail.change", "it is an object"));
        }
        if asked.change.get("client_id").is_some() {
            let reason = "a client id stays as it is";
            return Err(Problem::field("detail.change", reason));
        }
        let make = |entry: &Entry| altered(entry, asked.change.clone());
        let plan = meant.plan(make).await?;
        let Some(first) = plan.changes.into_iter().next() else {
            let reason = "the relying party is like that already";
            return Err(Problem::field("detail.change", reason));
        };
        if let Some(to) = &first.to {
            check_tenants_change(operator, meant.key.0, &declared.body, &to.body)?;
        }
        let open = Zeroizing::new(asked.change.to_string());
        let sealed = app.seal.seal(&place(&meant.key.1), open.as_bytes());
        let sealed = sealed.map_err(|error| {
            tracing::error!(%error, "a proposal could not be kept");
            Problem::from(Code::Internal)
        })?;
        Ok(Checked {
            organisation: declared.organisation,
            object: ("relying-party", meant.key.1),
            kept: KeptChange {
                relying_party: asked.relying_party,
                change: shown(&asked.change),
                lines: first.lines,
                version,
                sealed: STANDARD.encode(sealed),
            },
        })
    }

    async fn carry_out(
        &self,
        app: &App,
        approved: &Approved,
        kept: KeptChange,
    ) -> Result<Vec<Statement>, Problem> {
        let by = &approved.by;
        let meant = Meant::new(&self.0, by, Kind::RelyingParty, &kept.relying_party);
        let sealed = STANDARD
            .decode(&kept.sealed)
            .map_err(|_| Code::ChangedMeanwhile)?;
        // The storage secret with which it was sealed may be gone by now: it is proposed anew.
        let open = app.seal.open(&place(&meant.key.1), &sealed);
        let open = Zeroizing::new(open.map_err(|_| Code::ChangedMeanwhile)?);
        let change: Value = serde_json::from_slice(&open).map_err(|_| Code::ChangedMeanwhile)?;
        let make = |entry: &Entry| altered(entry, change);
        meant.carry_out((app, approved), kept.version, make).await
    }
}

/// Takes one more issuer into an organisation's trust list.
pub(super) struct Trust(pub(super) Gateway);

/// Which.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneMore {
    organisation: String,
    credential_type: String,
    issuer: String,
}

/// Which, and of which version that was proposed.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptOneMore {
    organisation: String,
    credential_type: String,
    issuer: String,
    version: i64,
}

/// The organisation with one more.
fn trusting(entry: &Entry, credential_type: &str, issuer: &str) -> Result<Entry, ConfigError> {
    let mut config = wire::organisation(entry.body.clone())?;
    config.trusts(credential_type, issuer);
    Entry::of_organisation(&config)
}

impl TwoPersonAct for Trust {
    const CODE: &'static str = "organisation-trust-add";
    const SENTENCE: &'static str = "Take one more issuer into the trust list of an organisation whose relying party is live. `detail`: `organisation`, its \
         id; `credential_type`; `issuer`, its DID or credential issuer address";
    const RIGHT: Right = Right::RegistryChange;
    type Asked = OneMore;
    type Kept = KeptOneMore;

    async fn check(
        &self,
        _: &App,
        operator: &Operator,
        asked: OneMore,
    ) -> Result<Checked<KeptOneMore>, Problem> {
        let meant = Meant::new(&self.0, operator, Kind::Organisation, &asked.organisation);
        let (_, version) = meant.find().await?;
        let make = |entry: &Entry| trusting(entry, &asked.credential_type, &asked.issuer);
        if meant.plan(make).await?.is_empty() {
            return Err(Problem::field("detail.issuer", "it is trusted already"));
        }
        Ok(Checked {
            organisation: Some(asked.organisation.clone()),
            object: ("organisation", meant.key.1),
            kept: KeptOneMore {
                organisation: asked.organisation,
                credential_type: asked.credential_type,
                issuer: asked.issuer,
                version,
            },
        })
    }

    async fn carry_out(
        &self,
        app: &App,
        approved: &Approved,
        kept: KeptOneMore,
    ) -> Result<Vec<Statement>, Problem> {
        let by = &approved.by;
        let meant = Meant::new(&self.0, by, Kind::Organisation, &kept.organisation);
        let make = |entry: &Entry| trusting(entry, &kept.credential_type, &kept.issuer);
        meant.carry_out((app, approved), kept.version, make).await
    }
}
