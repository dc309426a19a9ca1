//! `/admin/v1/organisations`: tenants, with their issuer identities and trust lists.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::super::{Entry, Key, Kind, wire};
use super::versions::{self, Versions};
use super::{
    DeclaredIn, change, check_tenants_change, find, invalid, problem, registered, shown,
    whole_gateway,
};
use crate::Gateway;
use crate::admin::{Code, Operator, Problem, Problems, Right, Routes, Told, Why, field};
use crate::config::OrganisationConfig;
use crate::config::place::Place;
use crate::operate::{Declared, chain_fault};
use crate::organisation::Identity;
use crate::organisation::certificates::Chain;

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::RegistryRead, routes!(list))
        .with(Right::RegistryChange, routes!(create))
        .with(Right::RegistryRead, routes!(look))
        .with(Right::RegistryChange, routes!(alter))
        .with(Right::RegistryRead, routes!(look_back))
        .with(Right::RegistryChange, routes!(trust))
        .with(Right::RegistryChange, routes!(remove))
}

/// A tenant.
#[derive(Serialize, ToSchema)]
struct Organisation {
    /// Its id.
    #[schema(example = "newtown")]
    id: String,
    /// What wallets and pages call it.
    #[schema(example = "Newtown NHS Trust")]
    name: String,
    /// Where it is declared.
    declared_in: DeclaredIn,
    /// Its version in the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Under which names it issues.
    issuer: Issuer,
    /// What it may issue.
    issues: Vec<String>,
    /// Whose credentials count for it, by type. What is not listed does not count.
    trust: Vec<Trust>,
    /// The client ids of its relying parties.
    relying_parties: Vec<String>,
    /// The certificate chains of its keys, in the order in which they are declared.
    certificate_chains: Vec<CertificateChain>,
    /// All that is declared of it: what a change is made to.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    declared: Value,
}

/// A certificate chain, as it stands now.
#[derive(Serialize, ToSchema)]
struct CertificateChain {
    /// The id of the key that it is of.
    key: String,
    /// How many certificates it has.
    certificates: usize,
    /// When the last of them begins to hold.
    #[schema(value_type = String, format = DateTime)]
    holds_from: Timestamp,
    /// When the first of them ends.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// Whole days that it holds; less than nothing where it has ended.
    days_left: i64,
    /// Whether it goes with what its key signs: of several of one key, the one that holds longest does.
    in_use: bool,
    /// What is wrong with it, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fault: Option<String>,
}

/// An issuer identity.
#[derive(Serialize, ToSchema)]
#[allow(clippy::struct_field_names)] // as on the wire
struct Issuer {
    /// The DID that it issues under.
    #[schema(example = "did:web:credentials.example.org:issuers:newtown")]
    did: String,
    /// The DID that it has in any case: what was issued under it holds when it gets a domain of its own.
    path_did: String,
    /// Where wallets find what it issues.
    credential_issuer: String,
}

/// Which issuers count for one credential type.
#[derive(Serialize, ToSchema)]
struct Trust {
    /// The type.
    credential_type: String,
    /// `did:web:…` or credential issuer addresses.
    issuers: Vec<String>,
}

/// Organisations.
#[derive(Serialize, ToSchema)]
struct Organisations {
    /// By id.
    organisations: Vec<Organisation>,
}

fn read(declared: &Declared) -> Result<OrganisationConfig, Problem> {
    OrganisationConfig::deserialize(&declared.body).map_err(|_| Code::Internal.into())
}

impl Organisation {
    fn of(gateway: &Gateway, one: &Declared, all: &[Declared]) -> Result<Self, Problem> {
        let config = read(one)?;
        let identity = Identity::of(gateway.config(), &config);
        let identity = identity.map_err(|_| Code::Internal)?;
        let parties = all.iter().filter(|other| {
            other.kind == Kind::RelyingParty && other.organisation.as_deref() == Some(&one.name)
        });
        let certificate_chains = CertificateChain::all(gateway, &config)?;
        Ok(Self {
            id: config.id,
            name: config.name,
            declared_in: DeclaredIn::of(one),
            version: one.version,
            issuer: Issuer {
                did: identity.did,
                path_did: identity.path_did,
                credential_issuer: identity.credential_issuer,
            },
            issues: config.issues,
            trust: config
                .trust
                .into_iter()
                .map(|row| Trust {
                    credential_type: row.credential_type,
                    issuers: row.issuers,
                })
                .collect(),
            relying_parties: parties.map(|party| party.name.clone()).collect(),
            certificate_chains,
            declared: shown(&one.body),
        })
    }
}

impl CertificateChain {
    fn all(gateway: &Gateway, config: &OrganisationConfig) -> Result<Vec<Self>, Problem> {
        let (app, read) = (gateway.app(), config.certificate_chains.iter());
        let now = app.now();
        let chains: Result<Vec<Chain>, _> = read.map(Place::read).collect();
        let chains: Vec<_> = chains
            .map_err(|_| Code::Internal)?
            .into_iter()
            .map(|chain| (chain_fault(&app, &config.id, &chain, now), chain))
            .collect();
        let of_key = |kid: &str| {
            let good = chains.iter().filter(|(fault, _)| fault.is_none());
            let of_key = good.filter(|(_, chain)| chain.kid == kid);
            of_key.max_by_key(|(_, chain)| chain.ends)
        };
        let told = chains.iter().map(|one| {
            let (fault, chain) = one;
            Self {
                key: chain.kid.clone(),
                certificates: chain.x5c().len(),
                holds_from: chain.begins,
                ends_at: chain.ends,
                days_left: chain.days_left(now),
                in_use: of_key(&chain.kid).is_some_and(|best| std::ptr::eq(best, one)),
                fault: fault.as_ref().map(ToString::to_string),
            }
        });
        Ok(told.collect())
    }
}

async fn seen(gateway: &Gateway, operator: &Operator) -> Result<Vec<Declared>, Problem> {
    let all = gateway.declared().await;
    let all = all
        .map_err(|error| problem(error, operator, ""))?
        .into_iter();
    Ok(all
        .filter(|one| operator.sees(one.organisation.as_deref()))
        .collect())
}

async fn view(
    gateway: &Gateway,
    operator: &Operator,
    id: &str,
) -> Result<Json<Organisation>, Problem> {
    let all = seen(gateway, operator).await?;
    let found = all
        .iter()
        .find(|one| one.kind == Kind::Organisation && one.name == id);
    Ok(Json(Organisation::of(
        gateway,
        found.ok_or(Code::NotFound)?,
        &all,
    )?))
}

/// Who the organisations are
#[utoipa::path(
    get,
    path = "/admin/v1/organisations",
    tag = "Registry",
    responses((status = 200, description = "All that one may see", body = Organisations), Problems)
)]
async fn list(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
) -> Result<Json<Organisations>, Problem> {
    let all = seen(&gateway, &operator).await?;
    let found = all.iter().filter(|one| one.kind == Kind::Organisation);
    let organisations = found
        .map(|one| Organisation::of(&gateway, one, &all))
        .collect::<Result<_, _>>()?;
    Ok(Json(Organisations { organisations }))
}

/// What is declared, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganisation {
    /// Of the form of `[[organisations]]` in the configuration file, without its relying parties.
    #[schema(value_type = std::collections::BTreeMap<String, Value>, example = json!({ "id": "newtown", "name": "Newtown NHS Trust", "issues": [] }))]
    declared: Value,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// Declare an organisation. The same again changes nothing
#[utoipa::path(
    post,
    path = "/admin/v1/organisations",
    tag = "Registry",
    request_body = NewOrganisation,
    responses((status = 201, description = "It is there, with its keys", body = Organisation), Problems)
)]
async fn create(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Told(new): Told<NewOrganisation>,
) -> Result<(StatusCode, Json<Organisation>), Problem> {
    let why = Why::said(new.reason, new.ticket)?;
    whole_gateway(&operator)?;
    let said = |error| invalid(&error, &operator, "");
    let config = wire::organisation(new.declared).map_err(said)?;
    if !config.relying_parties.is_empty() {
        let reason = "declare them with `POST /admin/v1/relying-parties`, or all at once with `registry/plan`";
        return Err(Problem::field("declared.relying_parties", reason));
    }
    let entry = Entry::of_organisation(&config).map_err(said)?;
    let known = gateway.find_declared(Kind::Organisation, &config.id).await;
    let known = known.map_err(|error| problem(error, &operator, &config.id))?;
    if known
        .as_ref()
        .is_some_and(|known| known.version.is_none() || known.body != entry.body)
    {
        return Err(Code::NameTaken.into());
    }
    let key: Key = (Kind::Organisation, config.id);
    if known.is_none() {
        change(&gateway, (&operator, &why), &key, Some(&entry), 0).await?;
    }
    Ok((
        StatusCode::CREATED,
        view(&gateway, &operator, &key.1).await?,
    ))
}

/// One organisation: what it may issue and under which names, whom it trusts
#[utoipa::path(
    get,
    path = "/admin/v1/organisations/{organisation}",
    tag = "Registry",
    params(("organisation" = String, Path, description = "Its id")),
    responses((status = 200, description = "It", body = Organisation), Problems)
)]
async fn look(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Json<Organisation>, Problem> {
    view(&gateway, &operator, &id).await
}

/// What changes, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Alteration {
    /// Members of `declared` as they are to be; `null` takes one out, lists are replaced whole [RFC 7396].
    #[schema(value_type = std::collections::BTreeMap<String, Value>, example = json!({ "name": "Newtown Hospitals" }))]
    pub(super) change: Value,
    /// The version that you saw: where it is another one by now, nothing is done.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(super) version: Option<i64>,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(super) reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    pub(super) ticket: Option<String>,
}

impl Alteration {
    /// What is to change, which version was seen, and why.
    pub(super) fn checked(self) -> Result<(Value, Option<i64>, Why), Problem> {
        if !self.change.is_object() {
            return Err(Problem::field("change", "it is an object"));
        }
        let why = Why::said(self.reason, self.ticket)?;
        Ok((self.change, self.version, why))
    }
}

/// Change an organisation: its name, what it may issue, its domain, its trust list
#[utoipa::path(
    patch,
    path = "/admin/v1/organisations/{organisation}",
    tag = "Registry",
    params(("organisation" = String, Path, description = "Its id")),
    request_body = Alteration,
    responses((status = 200, description = "It, as it is now", body = Organisation), Problems)
)]
async fn alter(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(id): Path<String>,
    Told(alteration): Told<Alteration>,
) -> Result<Json<Organisation>, Problem> {
    let (changed, seen, why) = alteration.checked()?;
    let declared = find(&gateway, &operator, Kind::Organisation, &id).await?;
    let version = registered(&declared, seen)?;
    let mut body = declared.body.clone();
    wire::merge(&mut body, changed);
    put(&gateway, &operator, &why, (&declared, version), body).await?;
    view(&gateway, &operator, &id).await
}

/// Puts another body in the place of an organisation's.
async fn put(
    gateway: &Gateway,
    operator: &Operator,
    why: &Why,
    (declared, version): (&Declared, i64),
    body: Value,
) -> Result<(), Problem> {
    let said = |error| invalid(&error, operator, &declared.name);
    let config = wire::organisation(body).map_err(said)?;
    if config.id != declared.name {
        return Err(Problem::field("change.id", "an id stays as it is"));
    }
    if !config.relying_parties.is_empty() {
        let reason = "each is changed below `/admin/v1/relying-parties`";
        return Err(Problem::field("change.relying_parties", reason));
    }
    let entry = Entry::of_organisation(&config).map_err(said)?;
    check_tenants_change(operator, Kind::Organisation, &declared.body, &entry.body)?;
    let key: Key = (Kind::Organisation, config.id);
    change(gateway, (operator, why), &key, Some(&entry), version).await
}

/// The versions that an organisation had
#[utoipa::path(
    get,
    path = "/admin/v1/organisations/{organisation}/versions",
    tag = "Registry",
    params(("organisation" = String, Path, description = "Its id")),
    responses((status = 200, description = "All of them", body = Versions), Problems)
)]
async fn look_back(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Json<Versions>, Problem> {
    find(&gateway, &operator, Kind::Organisation, &id).await?;
    let found = versions::find(&gateway, &operator, Kind::Organisation, &id).await?;
    Ok(Json(found))
}

/// Whom an organisation is to trust, or no more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TrustChange {
    /// For credentials of this type.
    #[schema(example = "Identity")]
    credential_type: String,
    /// The issuer: its DID, or its credential issuer address.
    #[schema(example = "did:web:credentials.example.org:issuers:identities")]
    issuer: String,
    /// Whether its credentials count.
    trusted: bool,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// Take an issuer into an organisation's trust list, or out of it. The same again changes nothing
#[utoipa::path(
    post,
    path = "/admin/v1/organisations/{organisation}/trust",
    tag = "Registry",
    params(("organisation" = String, Path, description = "Its id")),
    request_body = TrustChange,
    responses((status = 200, description = "The organisation, as it is now", body = Organisation), Problems)
)]
async fn trust(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(id): Path<String>,
    Told(asked): Told<TrustChange>,
) -> Result<Json<Organisation>, Problem> {
    let why = Why::said(asked.reason, asked.ticket)?;
    let issuer = field("issuer", &asked.issuer)?;
    let declared = find(&gateway, &operator, Kind::Organisation, &id).await?;
    let version = registered(&declared, None)?;
    let mut config = read(&declared)?;
    if asked.trusted {
        config.trusts(&asked.credential_type, issuer);
    } else {
        config.trusts_no_more(&asked.credential_type, issuer);
    }
    let mut body = declared.body.clone();
    body["trust"] = json!(config.trust);
    put(&gateway, &operator, &why, (&declared, version), body).await?;
    view(&gateway, &operator, &id).await
}

/// Remove an organisation that has no relying party and no credential in force. Its operators end with it
#[utoipa::path(
    post,
    path = "/admin/v1/organisations/{organisation}/remove",
    tag = "Registry",
    params(("organisation" = String, Path, description = "Its id")),
    request_body = Why,
    responses((status = 204, description = "It is removed"), Problems)
)]
async fn remove(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(id): Path<String>,
    Told(why): Told<Why>,
) -> Result<StatusCode, Problem> {
    why.check()?;
    whole_gateway(&operator)?;
    let declared = find(&gateway, &operator, Kind::Organisation, &id).await?;
    let version = registered(&declared, None)?;
    let all = seen(&gateway, &operator).await?;
    let has_party = all.iter().any(|one| {
        one.kind == Kind::RelyingParty && one.organisation.as_deref() == Some(id.as_str())
    });
    if has_party {
        let reason = "It has relying parties: remove them first.";
        return Err(Problem::with(Code::StillInUse, reason));
    }
    let key = (Kind::Organisation, id);
    change(&gateway, (&operator, &why), &key, None, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
