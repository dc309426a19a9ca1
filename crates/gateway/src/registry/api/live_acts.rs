//! What two persons do to what is live: another key, another way to prove itself, another address for its events; one more
//! issuer that an organisation trusts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Statement;
use zeroize::Zeroizing;

use super::super::{Entry, Key, Kind, Plan, RegistryError, carry_out, wire};
use super::relying_parties::altered;
use super::{find, invalid, problem, registered};
use crate::Gateway;
use crate::admin::{
    Approved, Checked, Code, Operator, Pending, Problem, Right, TwoPersonAct, detail,
};
use crate::app::App;
use crate::audit::By;

/// The first act, by its code.
pub(super) const CHANGE: &str = "relying-party-change";
/// The second.
pub(super) const TRUST: &str = "organisation-trust-add";

/// Members of a relying party that are shown to nobody.
const HIDDEN: [&str; 2] = ["signing_key", "client_secret_sha256"];

/// Changes a relying party that is live, in whatever.
pub(super) struct Change(pub(super) Gateway);

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedChange {
    relying_party: String,
    change: Value,
}

/// What is kept of it.
#[derive(Deserialize)]
struct KeptChange {
    relying_party: String,
    version: i64,
    /// The whole change with its secrets, sealed: whoever may read proposals reads this.
    sealed: String,
}

/// The plan to bring one thing to that, checked with everything else.
async fn plan_of(
    gateway: &Gateway,
    operator: &Operator,
    key: &Key,
    make: impl FnOnce(&Entry) -> Result<Entry, crate::config::ConfigError>,
) -> Result<Plan, Problem> {
    let told = |error| problem(error, operator, &key.1);
    let registry = gateway.registered().await.map_err(told)?;
    let entry = registry.find(key.0, &key.1).ok_or(Code::ChangedMeanwhile)?;
    let entry = make(entry).map_err(|error| invalid(&error, operator, &key.1))?;
    let plan = gateway.plan_with(|registered| {
        Ok::<_, RegistryError>(Plan::of_one(registered, key, Some(&entry)))
    });
    plan.await.map_err(told)
}

/// The statements, where the plan starts from the version that was proposed of.
fn statements(
    app: &App,
    approved: &Approved,
    key: &Key,
    (plan, version): (&Plan, i64),
) -> Result<Vec<Statement>, Problem> {
    // What was proposed was proposed of that version; the statement asks for it once more.
    let same = plan.changes.iter().all(|change| change.version == version);
    if plan.is_empty() || !same {
        return Err(Code::ChangedMeanwhile.into());
    }
    let by = By {
        reason: approved.reason.as_deref(),
        ticket: approved.ticket.as_deref(),
        proposal: Some(&approved.proposal),
        ..approved.by.actor().into()
    };
    carry_out(plan, &app.seal, by, approved.at)
        .map_err(|error| problem(error, &approved.by, &key.1))
}

/// Where the change of one relying party is sealed for: it opens for no other.
fn place(client_id: &str) -> String {
    format!("proposals/{CHANGE}/{client_id}")
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
    fn code(&self) -> &'static str {
        CHANGE
    }

    fn sentence(&self) -> &'static str {
        "Change a relying party that is live: its keys, its way to prove itself, the address of its events, or anything else. \
         `detail`: `relying_party`, its client id; `change`, members as for `PATCH`"
    }

    fn right(&self) -> Right {
        Right::RegistryChange
    }

    fn check<'a>(
        &'a self,
        app: &'a App,
        operator: &'a Operator,
        asked: &'a Value,
    ) -> Pending<'a, Checked> {
        Box::pin(async move {
            let asked: AskedChange = detail(asked)?;
            let key: Key = (Kind::RelyingParty, asked.relying_party);
            let declared = find(&self.0, operator, key.0, &key.1).await?;
            let version = registered(&declared, None)?;
            if !asked.change.is_object() {
                return Err(Problem::field("detail.change", "it is an object"));
            }
            if asked.change.get("client_id").is_some() {
                let reason = "a client id stays as it is";
                return Err(Problem::field("detail.change", reason));
            }
            let make = |entry: &Entry| altered(entry, asked.change.clone());
            let plan = plan_of(&self.0, operator, &key, make).await?;
            let Some(first) = plan.changes.first() else {
                let reason = "the relying party is like that already";
                return Err(Problem::field("detail.change", reason));
            };
            let open = Zeroizing::new(asked.change.to_string());
            let sealed = app.seal.seal(&place(&key.1), open.as_bytes());
            let sealed = sealed.map_err(|error| {
                tracing::error!(%error, "a proposal could not be kept");
                Problem::from(Code::Internal)
            })?;
            Ok(Checked {
                organisation: declared.organisation,
                detail: json!({
                    "relying_party": key.1, "change": shown(&asked.change), "lines": first.lines,
                    "version": version, "sealed": STANDARD.encode(sealed),
                }),
                object: ("relying-party", key.1),
            })
        })
    }

    fn carry_out<'a>(
        &'a self,
        app: &'a App,
        approved: &'a Approved,
    ) -> Pending<'a, Vec<Statement>> {
        Box::pin(async move {
            let kept: KeptChange = detail(&approved.detail)?;
            let key: Key = (Kind::RelyingParty, kept.relying_party);
            let sealed = STANDARD
                .decode(&kept.sealed)
                .map_err(|_| Code::ChangedMeanwhile)?;
            // The storage secret with which it was sealed may be gone by now: it is proposed anew.
            let open = app.seal.open(&place(&key.1), &sealed);
            let open = Zeroizing::new(open.map_err(|_| Code::ChangedMeanwhile)?);
            let change: Value =
                serde_json::from_slice(&open).map_err(|_| Code::ChangedMeanwhile)?;
            let make = |entry: &Entry| altered(entry, change);
            let plan = plan_of(&self.0, &approved.by, &key, make).await?;
            statements(app, approved, &key, (&plan, kept.version))
        })
    }
}

/// Takes one more issuer into an organisation's trust list.
pub(super) struct Trust(pub(super) Gateway);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneMore {
    organisation: String,
    credential_type: String,
    issuer: String,
    /// The version that was looked at when that was proposed.
    #[serde(default)]
    version: Option<i64>,
}

impl OneMore {
    fn key(&self) -> Key {
        (Kind::Organisation, self.organisation.clone())
    }

    /// The organisation with it.
    fn made(&self, entry: &Entry) -> Result<Entry, crate::config::ConfigError> {
        let mut config = wire::organisation(entry.body.clone())?;
        config.trusts(&self.credential_type, &self.issuer);
        Entry::of_organisation(&config)
    }
}

impl TwoPersonAct for Trust {
    fn code(&self) -> &'static str {
        TRUST
    }

    fn sentence(&self) -> &'static str {
        "Take one more issuer into the trust list of an organisation whose relying party is live. `detail`: `organisation`, its \
         id; `credential_type`; `issuer`, its DID or credential issuer address"
    }

    fn right(&self) -> Right {
        Right::RegistryChange
    }

    fn check<'a>(
        &'a self,
        _: &'a App,
        operator: &'a Operator,
        asked: &'a Value,
    ) -> Pending<'a, Checked> {
        Box::pin(async move {
            let asked: OneMore = detail(asked)?;
            let key = asked.key();
            let declared = find(&self.0, operator, key.0, &key.1).await?;
            let version = registered(&declared, None)?;
            let plan = plan_of(&self.0, operator, &key, |entry| asked.made(entry)).await?;
            if plan.is_empty() {
                return Err(Problem::field("detail.issuer", "it is trusted already"));
            }
            Ok(Checked {
                organisation: Some(key.1.clone()),
                detail: json!({
                    "organisation": asked.organisation, "credential_type": asked.credential_type,
                    "issuer": asked.issuer, "version": version,
                }),
                object: ("organisation", key.1),
            })
        })
    }

    fn carry_out<'a>(
        &'a self,
        app: &'a App,
        approved: &'a Approved,
    ) -> Pending<'a, Vec<Statement>> {
        Box::pin(async move {
            let asked: OneMore = detail(&approved.detail)?;
            let key = asked.key();
            let version = asked.version.ok_or(Code::ChangedMeanwhile)?;
            let plan = plan_of(&self.0, &approved.by, &key, |entry| asked.made(entry)).await?;
            statements(app, approved, &key, (&plan, version))
        })
    }
}
