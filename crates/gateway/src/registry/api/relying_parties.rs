//! `/admin/v1/relying-parties`: the systems that use the gateway in an organisation's name.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::super::{Entry, Key, Kind, Secrets, wire};
use super::organisations::Alteration;
use super::versions::{self, Versions};
use super::{DeclaredIn, change, check_tenants_change, find, invalid, problem, registered, shown};
use crate::Gateway;
use crate::admin::{Asked, Code, Operator, Problem, Problems, Right, Routes, Told, Why};
use crate::config::RelyingPartyConfig;
use crate::operate::Declared;
use crate::organisation::RelyingParty as Loaded;
use crate::organisation::dialect::Dialect;
use crate::organisation::relying_party::DraftKeys;

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::RegistryRead, routes!(list))
        .with(Right::RegistryChange, routes!(create))
        .with(Right::RegistryRead, routes!(look))
        .with(Right::RegistryChange, routes!(alter))
        .with(Right::RegistryRead, routes!(look_back))
        .with(Right::RegistryChange, routes!(remove))
}

/// A system that uses the gateway.
#[derive(Serialize, ToSchema)]
struct RelyingParty {
    /// Its client id.
    #[schema(example = "newtown-staff")]
    client_id: String,
    /// What pages call it.
    #[schema(example = "Newtown staff services")]
    name: String,
    /// The organisation that it acts for.
    #[schema(example = "newtown")]
    organisation: String,
    /// Where it is declared.
    declared_in: DeclaredIn,
    /// Its version in the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Which contract it speaks: `plain`, `v2`, `v1-a` or `v1-b`.
    dialect: Value,
    /// Where it finds the gateway.
    addresses: Addresses,
    /// Where browsers may be sent back to, byte for byte. Of who is live, they change when two persons agree.
    redirect_uris: Vec<String>,
    /// Whether it can prove itself now.
    live: bool,
    /// What checks its drafts: `none`, `shared-key` or `own-keys`.
    draft_keys: &'static str,
    /// All that is declared of it, without secrets: what a change is made to.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    declared: Value,
}

/// Where a relying party finds the gateway, by the contract that it speaks.
#[derive(Serialize, ToSchema)]
struct Addresses {
    /// Who signs its ID tokens.
    issuer: String,
    /// Its discovery document.
    discovery: String,
    /// Where it pushes its requests.
    pushed_authorization_request_endpoint: String,
    /// Where it sends browsers.
    authorization_endpoint: String,
    /// Where it collects tokens.
    token_endpoint: String,
}

impl Addresses {
    fn of(base: &str, dialect: Dialect) -> Self {
        let endpoint = |name: &str| format!("{base}{}/{name}", dialect.endpoints());
        let discovery = dialect.discovery();
        Self {
            issuer: format!("{base}{}", dialect.rules().issuer_path),
            discovery: format!("{base}{discovery}/.well-known/openid-configuration"),
            pushed_authorization_request_endpoint: endpoint("par"),
            authorization_endpoint: endpoint("authorize"),
            token_endpoint: endpoint("token"),
        }
    }
}

/// Relying parties.
#[derive(Serialize, ToSchema)]
struct RelyingParties {
    /// By client id.
    relying_parties: Vec<RelyingParty>,
}

impl RelyingParty {
    fn of(gateway: &Gateway, one: &Declared) -> Result<Self, Problem> {
        let config = RelyingPartyConfig::deserialize(&one.body).map_err(|_| Code::Internal)?;
        let app = gateway.app();
        let loaded = app.organisations.relying_party(&one.name);
        let is_live = |party: &Loaded| !party.has_secrets() || party.has_live_secret(app.now());
        Ok(Self {
            client_id: config.client_id,
            name: config.name,
            organisation: one.organisation.clone().unwrap_or_default(),
            declared_in: DeclaredIn::of(one),
            version: one.version,
            dialect: one.body["dialect"].clone(),
            addresses: Addresses::of(&app.base, config.dialect),
            redirect_uris: config.redirect_uris,
            live: loaded.is_some_and(|party| is_live(party)),
            draft_keys: match loaded.map(|party| &party.draft_keys) {
                Some(DraftKeys::Shared(_)) => "shared-key",
                Some(DraftKeys::Own(_)) => "own-keys",
                Some(DraftKeys::None) | None => "none",
            },
            declared: shown(&one.body),
        })
    }
}

async fn view(
    gateway: &Gateway,
    operator: &Operator,
    client_id: &str,
) -> Result<Json<RelyingParty>, Problem> {
    let declared = find(gateway, operator, Kind::RelyingParty, client_id).await?;
    Ok(Json(RelyingParty::of(gateway, &declared)?))
}

/// Which ones.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Of this organisation only.
    organisation: Option<String>,
}

/// Who the relying parties are
#[utoipa::path(
    get,
    path = "/admin/v1/relying-parties",
    tag = "Registry",
    params(Which),
    responses((status = 200, description = "All that one may see", body = RelyingParties), Problems)
)]
async fn list(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Asked(which): Asked<Which>,
) -> Result<Json<RelyingParties>, Problem> {
    let all = gateway.declared().await;
    let all = all.map_err(|error| problem(error, &operator, ""))?;
    let found = all.iter().filter(|one| {
        one.kind == Kind::RelyingParty
            && operator.sees(one.organisation.as_deref())
            && (which.organisation.is_none() || which.organisation == one.organisation)
    });
    let relying_parties = found
        .map(|one| RelyingParty::of(&gateway, one))
        .collect::<Result<_, _>>()?;
    Ok(Json(RelyingParties { relying_parties }))
}

/// What is declared, of which organisation, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRelyingParty {
    /// The organisation that it acts for, by its id.
    #[schema(example = "newtown")]
    organisation: String,
    /// Of the form of `[[organisations.relying_parties]]` in the configuration file, with each secret itself in the place of
    /// where it is kept.
    #[schema(value_type = std::collections::BTreeMap<String, Value>, example = json!({ "client_id": "newtown-staff", "name": "Newtown staff services", "dialect": "plain", "redirect_uris": ["https://staff.newtown.example/callback"] }))]
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

/// Declare a relying party. The same again changes nothing
#[utoipa::path(
    post,
    path = "/admin/v1/relying-parties",
    tag = "Registry",
    request_body = NewRelyingParty,
    responses((status = 201, description = "It is there, and has no secret yet", body = RelyingParty), Problems)
)]
async fn create(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Told(new): Told<NewRelyingParty>,
) -> Result<(StatusCode, Json<RelyingParty>), Problem> {
    let why = Why::said(new.reason, new.ticket)?;
    let owner = find(&gateway, &operator, Kind::Organisation, &new.organisation).await?;
    let said = |error| invalid(&error, &operator, &owner.name);
    let config = wire::relying_party(new.declared, &Secrets::default()).map_err(said)?;
    let entry = Entry::of_party(&owner.name, &config).map_err(said)?;
    check_tenants_change(&operator, Kind::RelyingParty, &Value::Null, &entry.body)?;
    let key: Key = (Kind::RelyingParty, config.client_id);
    let unread = |error| problem(error, &operator, &key.1);
    let known = gateway.find_declared(Kind::RelyingParty, &key.1).await;
    if let Some(known) = known.map_err(unread)? {
        // Somebody else's and one's own are told apart by nothing.
        let registered = gateway.registered().await.map_err(unread)?;
        let same =
            known.version.is_some() && registered.find(Kind::RelyingParty, &key.1) == Some(&entry);
        if !same {
            return Err(Code::NameTaken.into());
        }
    } else {
        if owner.version.is_none() {
            let reason =
                "Its organisation stands in the gateway's configuration file: declare it there.";
            return Err(Problem::with(Code::InConfigurationFile, reason));
        }
        change(&gateway, (&operator, &why), &key, Some(&entry), 0).await?;
    }
    Ok((
        StatusCode::CREATED,
        view(&gateway, &operator, &key.1).await?,
    ))
}

/// One relying party
#[utoipa::path(
    get,
    path = "/admin/v1/relying-parties/{relying_party}",
    tag = "Registry",
    params(("relying_party" = String, Path, description = "Its client id")),
    responses((status = 200, description = "It", body = RelyingParty), Problems)
)]
async fn look(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(client_id): Path<String>,
) -> Result<Json<RelyingParty>, Problem> {
    view(&gateway, &operator, &client_id).await
}

/// Change a relying party. Another redirect address of one that is live takes two persons: propose it
#[utoipa::path(
    patch,
    path = "/admin/v1/relying-parties/{relying_party}",
    tag = "Registry",
    params(("relying_party" = String, Path, description = "Its client id")),
    request_body = Alteration,
    responses((status = 200, description = "It, as it is now", body = RelyingParty), Problems)
)]
async fn alter(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(client_id): Path<String>,
    Told(alteration): Told<Alteration>,
) -> Result<Json<RelyingParty>, Problem> {
    let (changed, seen, why) = alteration.checked()?;
    let declared = find(&gateway, &operator, Kind::RelyingParty, &client_id).await?;
    let version = registered(&declared, seen)?;
    let registry = gateway.registered().await;
    let registry = registry.map_err(|error| problem(error, &operator, &client_id))?;
    let entry = registry.find(Kind::RelyingParty, &client_id);
    let before = entry.ok_or(Code::ChangedMeanwhile)?;
    let entry = altered(before, changed).map_err(|error| invalid(&error, &operator, &client_id))?;
    check_tenants_change(&operator, Kind::RelyingParty, &before.body, &entry.body)?;
    if entry.body["client_id"] != client_id.as_str() {
        return Err(Problem::field(
            "change.client_id",
            "a client id stays as it is",
        ));
    }
    let key = (Kind::RelyingParty, client_id);
    change(&gateway, (&operator, &why), &key, Some(&entry), version).await?;
    view(&gateway, &operator, &key.1).await
}

/// A registered relying party with these members changed.
pub(super) fn altered(
    entry: &Entry,
    mut changed: Value,
) -> Result<Entry, crate::config::ConfigError> {
    // What is secret is none of the body: it is put aside, or it would be written into it.
    let aside = changed
        .as_object_mut()
        .and_then(|members| members.remove("signing_key"));
    let webhook = changed.get_mut("webhook").and_then(Value::as_object_mut);
    let secrets = webhook.and_then(|members| members.remove("secrets"));
    let mut body = entry.body.clone();
    wire::merge(&mut body, changed);
    if let Some(key) = aside {
        body["signing_key"] = key;
    }
    if let Some(secrets) = secrets {
        body["webhook"]["secrets"] = secrets;
    }
    let config = wire::relying_party(body, &entry.secrets)?;
    Entry::of_party(entry.organisation.as_deref().unwrap_or_default(), &config)
}

/// The versions that a relying party had
#[utoipa::path(
    get,
    path = "/admin/v1/relying-parties/{relying_party}/versions",
    tag = "Registry",
    params(("relying_party" = String, Path, description = "Its client id")),
    responses((status = 200, description = "All of them", body = Versions), Problems)
)]
async fn look_back(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(client_id): Path<String>,
) -> Result<Json<Versions>, Problem> {
    find(&gateway, &operator, Kind::RelyingParty, &client_id).await?;
    let found = versions::find(&gateway, &operator, Kind::RelyingParty, &client_id).await?;
    Ok(Json(found))
}

/// Remove a relying party. Its secrets end, and its checklist begins anew if it ever comes back
#[utoipa::path(
    post,
    path = "/admin/v1/relying-parties/{relying_party}/remove",
    tag = "Registry",
    params(("relying_party" = String, Path, description = "Its client id")),
    request_body = Why,
    responses((status = 204, description = "It is removed"), Problems)
)]
async fn remove(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(client_id): Path<String>,
    Told(why): Told<Why>,
) -> Result<StatusCode, Problem> {
    why.check()?;
    let declared = find(&gateway, &operator, Kind::RelyingParty, &client_id).await?;
    let version = registered(&declared, None)?;
    let key = (Kind::RelyingParty, client_id);
    change(&gateway, (&operator, &why), &key, None, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
