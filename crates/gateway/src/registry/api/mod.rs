//! `/admin/v1/organisations`, `relying-parties`, `credential-types` and `registry`: what `lanyard apply` and `lanyard client` do
//! on the machine, for operators with a token. There is one set of checks for both.

mod acts;
mod checklist;
mod client_secrets;
mod credential_types;
mod organisations;
mod plans;
mod relying_parties;
mod versions;

use serde_json::Value;

use super::{Entry, Key, Kind, Plan, RegistryError};
use crate::Gateway;
use crate::admin::{Acts, Code, Operator, Problem, Routes, TwoPersonAct as _, Why};
use crate::config::ConfigError;
use crate::operate::{Declared, Guarded};

/// The routes of this slice.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .and(organisations::routes())
        .and(relying_parties::routes())
        .and(client_secrets::routes())
        .and(checklist::routes())
        .and(credential_types::routes())
        .and(plans::routes())
}

/// Adds what takes two persons.
pub(crate) fn acts(acts: Acts, gateway: &Gateway) -> Acts {
    acts.with(acts::RedirectUris(gateway.clone()))
        .with(acts::Change(gateway.clone()))
        .with(acts::Trust(gateway.clone()))
}

/// Where something is declared.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum DeclaredIn {
    /// Here: it can be changed here.
    Registry,
    /// In the gateway's configuration, or in the box: what is registered under the same name takes the place of a
    /// credential type; anything else is changed there.
    Configuration,
}

impl DeclaredIn {
    const fn of(declared: &Declared) -> Self {
        match declared.version {
            Some(_) => Self::Registry,
            None => Self::Configuration,
        }
    }
}

/// What is wrong, about the thing of that name. Of whoever sees one organisation only, what is wrong elsewhere stays with
/// those who see that.
fn problem(error: RegistryError, operator: &Operator, about: &str) -> Problem {
    match error {
        RegistryError::Declared(ConfigError::Keys(error)) => {
            tracing::error!(%error, "the keys of what is declared could not be made");
            Code::KeyUnusable.into()
        }
        RegistryError::Declared(error) => invalid(&error, operator, about),
        RegistryError::Overtaken => Code::ChangedMeanwhile.into(),
        RegistryError::InForce { .. } => Problem::with(Code::StillInUse, sentence(&error)),
        RegistryError::ClientUnknown(_) | RegistryError::SecretUnknown(..) => Code::NotFound.into(),
        RegistryError::NoSecret(_) => Code::WithoutSecret.into(),
        RegistryError::LastSecret(_) => Code::LastSecret.into(),
        RegistryError::Store(error) => error.into(),
        RegistryError::Unreadable(..) => {
            tracing::error!(%error, "the registry cannot be read");
            Code::Internal.into()
        }
    }
}

fn invalid(error: &ConfigError, operator: &Operator, about: &str) -> Problem {
    let mine = match error {
        ConfigError::Value { key, .. } | ConfigError::Host { key, .. } => {
            operator.organisation().is_none() || names(key, about) || !names_another(key)
        }
        ConfigError::Catalogue(_) => true,
        _ => false,
    };
    if mine {
        let code = match error {
            ConfigError::Host { .. } => Code::HostNotAllowed,
            _ => Code::DeclarationInvalid,
        };
        return Problem::with(code, sentence(error));
    }
    tracing::warn!(%error, "a declaration does not hold together with what else there is");
    let reason =
        "It does not hold together with what else there is: ask an operator of the whole gateway.";
    Problem::with(Code::DeclarationInvalid, reason)
}

/// Whether a key of the configuration is about the thing of that name.
fn names(key: &str, about: &str) -> bool {
    let words = key.split([' ', ':', '.']);
    words.into_iter().any(|word| word == about)
}

/// Whether it is about a thing that has a name at all.
fn names_another(key: &str) -> bool {
    [
        "organisations.",
        "organisation ",
        "relying party ",
        "client_id ",
        "trusted issuer ",
    ]
    .iter()
    .any(|begin| key.starts_with(begin))
}

/// An error of ours as a sentence.
fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{text}{end}")
}

/// One declared thing that the operator may see.
async fn find(
    gateway: &Gateway,
    operator: &Operator,
    kind: Kind,
    name: &str,
) -> Result<Declared, Problem> {
    let found = gateway.find_declared(kind, name).await;
    let found = found.map_err(|error| problem(error, operator, name))?;
    let visible = found.filter(|one| operator.sees(one.organisation.as_deref()));
    visible.ok_or(Code::NotFound.into())
}

/// Its version, where it stands in the registry and is what the caller saw.
fn registered(declared: &Declared, seen: Option<i64>) -> Result<i64, Problem> {
    let version = declared.version.ok_or(Code::InConfigurationFile)?;
    match seen {
        Some(seen) if seen != version => Err(Code::ChangedMeanwhile.into()),
        _ => Ok(version),
    }
}

/// Only those who run the whole gateway may do this; to others it is not there.
fn whole_gateway(operator: &Operator) -> Result<(), Problem> {
    match operator.organisation() {
        None => Ok(()),
        Some(_) => Err(Code::NotFound.into()),
    }
}

/// Brings one thing to what it is to be, all checked, where it still has the version that was seen.
async fn change(
    gateway: &Gateway,
    (operator, why): (&Operator, &Why),
    key: &Key,
    to: Option<&Entry>,
    seen: i64,
) -> Result<(), Problem> {
    let make = || async {
        let plan = gateway
            .plan_with(|registered| Ok::<_, RegistryError>(Plan::of_one(registered, key, to)))
            .await
            .map_err(|error| problem(error, operator, &key.1))?;
        if plan.changes.iter().any(|change| change.version != seen) {
            return Err(Code::ChangedMeanwhile.into());
        }
        Ok(plan)
    };
    carry_out(gateway, (operator, why), &key.1, make).await
}

/// How often a change is planned before it is given up, where others change the registry in the same moments.
const TRIES: usize = 3;

/// Carries out what `make` plans; where somebody else changed the registry in that moment, what it plans then.
async fn carry_out<F: Future<Output = Result<Plan, Problem>>>(
    gateway: &Gateway,
    (operator, why): (&Operator, &Why),
    about: &str,
    make: impl Fn() -> F,
) -> Result<(), Problem> {
    for _ in 0..TRIES {
        let mut plan = make().await?;
        one_persons(gateway, operator, &mut plan).await?;
        match gateway.apply(&plan, why.by(operator)).await {
            Err(RegistryError::Overtaken) => {}
            done => return done.map_err(|error| problem(error, operator, about)),
        }
    }
    Err(Code::ChangedMeanwhile.into())
}

/// Refuses what two persons must agree on; and has the rest done only while that is so.
async fn one_persons(
    gateway: &Gateway,
    operator: &Operator,
    plan: &mut Plan,
) -> Result<(), Problem> {
    let told = |error| problem(error, operator, "");
    plan.unless_live = gateway.without_secret(plan).await.map_err(told)?;
    let moved = gateway.takes_two_persons(plan).await.map_err(told)?;
    let Some(((kind, name), guarded)) = moved.first() else {
        return Ok(());
    };
    let kind = kind.name().replace('-', " ");
    let what = match guarded {
        Guarded::Redirects => "is or was live: its redirect addresses change",
        Guarded::Proof => {
            "is or was live: its keys, its way to prove itself and the address of its events change"
        }
        Guarded::Trust => "has or had a live relying party: it trusts another issuer",
    };
    let reason = format!(
        "The {kind} {name} {what} when somebody else approves the proposal `{}`. Nothing was changed.",
        act_of(*guarded)
    );
    Err(Problem::with(Code::TwoPersonsNeeded, reason))
}

/// The act by which two persons do it.
const fn act_of(guarded: Guarded) -> &'static str {
    match guarded {
        Guarded::Redirects => acts::RedirectUris::CODE,
        Guarded::Proof => acts::Change::CODE,
        Guarded::Trust => acts::Trust::CODE,
    }
}

/// What is shown of a declared thing: all that is said of it but what somebody could try secrets against.
fn shown(body: &Value) -> Value {
    let mut shown = body.clone();
    if let Some(members) = shown.as_object_mut() {
        members.remove("client_secret_sha256");
    }
    shown
}

/// What is declared of an organisation and its systems and is not its own operators' to change: what it may issue, under which
/// domain, and which hosts it may name; and how much a system may ask, since that is what keeps its neighbours' room.
fn check_tenants_change(
    operator: &Operator,
    kind: Kind,
    from: &Value,
    to: &Value,
) -> Result<(), Problem> {
    if operator.organisation().is_none() {
        return Ok(());
    }
    let others: &[&str] = match kind {
        Kind::Organisation => &["id", "issues", "did", "fetch_hosts"],
        Kind::RelyingParty => &["limits"],
        Kind::CredentialType => &[],
    };
    let mut changed = others
        .iter()
        .filter(|member| from.get(**member) != to.get(**member));
    match changed.next() {
        None => Ok(()),
        Some(member) => Err(Problem::field(
            member,
            "an operator of the whole gateway says this",
        )),
    }
}
