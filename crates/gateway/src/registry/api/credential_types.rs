//! `/admin/v1/credential-types`: what organisations may issue and ask for, with each version that it had.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::super::{Entry, Key, Kind, wire};
use super::versions::{self, Versions};
use super::{DeclaredIn, change, invalid, problem, registered, whole_gateway};
use crate::Gateway;
use crate::admin::{Code, Operator, Problem, Problems, Right, Routes, Told, Why};
use crate::config::OrganisationConfig;
use crate::operate::Declared;
use crate::organisation::catalogue::{Attribute, CredentialType as Type};

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::RegistryRead, routes!(list))
        .with(Right::RegistryRead, routes!(look))
        .with(Right::RegistryChange, routes!(upload))
        .with(Right::RegistryRead, routes!(look_back))
        .with(Right::RegistryChange, routes!(remove))
}

/// What organisations may issue and ask for.
#[derive(Serialize, ToSchema)]
struct CredentialType {
    /// Its name.
    #[schema(example = "ManualHandling")]
    name: String,
    /// What pages and wallets call it.
    #[schema(example = "Manual handling training")]
    label: String,
    /// Where it is declared.
    declared_in: DeclaredIn,
    /// Its version in the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// The forms that it comes in, the preferred one first.
    formats: Vec<&'static str>,
    /// The longest that a credential of it may be valid, in days.
    valid_for_days: u32,
    /// Its attributes, in the order in which pages show them.
    attributes: Vec<TypeAttribute>,
    /// The organisations that may issue it, of those that one may see.
    issued_by: Vec<String>,
    /// Where everybody finds its JSON Schema.
    schema_address: String,
    /// The JSON Schema (draft 2020-12).
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    schema: Value,
    /// All that is declared of it.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    declared: Value,
}

/// One attribute of a credential type.
#[derive(Serialize, ToSchema)]
struct TypeAttribute {
    /// Its name in the credential.
    #[schema(example = "MH-Level")]
    name: String,
    /// What pages call it.
    #[schema(example = "Level")]
    label: String,
    /// What its text must look like: `text`, `date`, `date-or-date-time`, `number`, `uuid`.
    #[schema(value_type = String)]
    kind: crate::organisation::catalogue::Kind,
    /// Whether nothing is issued without it.
    mandatory: bool,
    /// The only values allowed, if there are such.
    one_of: Vec<String>,
    /// Where its name is known from: `sourced`, or `assumed`.
    provenance: &'static str,
}

impl TypeAttribute {
    fn of(one: Attribute) -> Self {
        Self {
            provenance: one.source.provenance(),
            name: one.name,
            label: one.label,
            kind: one.kind,
            mandatory: one.mandatory,
            one_of: one.one_of,
        }
    }
}

/// Credential types.
#[derive(Serialize, ToSchema)]
struct CredentialTypes {
    /// By name.
    credential_types: Vec<CredentialType>,
}

/// Who of one organisation sees a type: who issues it, or takes it from others.
fn is_visible(name: &str, organisations: &[OrganisationConfig], operator: &Operator) -> bool {
    operator.organisation().is_none()
        || organisations.iter().any(|one| {
            let takes = |row: &crate::config::TrustConfig| row.credential_type == name;
            one.issues.iter().any(|issued| issued == name) || one.trust.iter().any(takes)
        })
}

/// The types and the organisations that the operator may see.
async fn seen(
    gateway: &Gateway,
    operator: &Operator,
) -> Result<(Vec<Declared>, Vec<OrganisationConfig>), Problem> {
    let all = gateway.declared().await;
    let all = all.map_err(|error| problem(error, operator, ""))?;
    let theirs = all
        .iter()
        .filter(|one| one.kind == Kind::Organisation && operator.sees(one.organisation.as_deref()));
    let organisations = theirs
        .map(|one| OrganisationConfig::deserialize(&one.body).map_err(|_| Code::Internal.into()))
        .collect::<Result<Vec<_>, Problem>>()?;
    let types = all.into_iter().filter(|one| {
        one.kind == Kind::CredentialType && is_visible(&one.name, &organisations, operator)
    });
    Ok((types.collect(), organisations))
}

fn view(
    gateway: &Gateway,
    one: &Declared,
    organisations: &[OrganisationConfig],
) -> Result<CredentialType, Problem> {
    let mut of = Type::deserialize(&one.body).map_err(|_| Code::Internal)?;
    of.version = one.version;
    let base = &gateway.app().base;
    let issuers = organisations
        .iter()
        .filter(|organisation| organisation.issues.contains(&of.name));
    Ok(CredentialType {
        schema_address: of.schema_address(base),
        schema: of.schema(base),
        issued_by: issuers
            .map(|organisation| organisation.id.clone())
            .collect(),
        declared_in: DeclaredIn::of(one),
        version: one.version,
        formats: of.formats.iter().map(|format| format.name()).collect(),
        valid_for_days: of.valid_for_days,
        name: of.name,
        label: of.label,
        attributes: of.attributes.into_iter().map(TypeAttribute::of).collect(),
        declared: one.body.clone(),
    })
}

async fn view_one(
    gateway: &Gateway,
    operator: &Operator,
    name: &str,
) -> Result<Json<CredentialType>, Problem> {
    let (types, organisations) = seen(gateway, operator).await?;
    let found = types.iter().find(|one| one.name == name);
    view(gateway, found.ok_or(Code::NotFound)?, &organisations).map(Json)
}

/// Which credential types there are
#[utoipa::path(
    get,
    path = "/admin/v1/credential-types",
    tag = "Registry",
    responses((status = 200, description = "All that one may see", body = CredentialTypes), Problems)
)]
async fn list(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
) -> Result<Json<CredentialTypes>, Problem> {
    let (types, organisations) = seen(&gateway, &operator).await?;
    let credential_types = types
        .iter()
        .map(|one| view(&gateway, one, &organisations))
        .collect::<Result<_, _>>()?;
    Ok(Json(CredentialTypes { credential_types }))
}

/// One credential type, with its JSON Schema
#[utoipa::path(
    get,
    path = "/admin/v1/credential-types/{credential_type}",
    tag = "Registry",
    params(("credential_type" = String, Path, description = "Its name")),
    responses((status = 200, description = "It", body = CredentialType), Problems)
)]
async fn look(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(name): Path<String>,
) -> Result<Json<CredentialType>, Problem> {
    view_one(&gateway, &operator, &name).await
}

/// A whole type, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UploadedType {
    /// Of the form of a credential type's file, or of `[[credential_types]]`.
    #[schema(value_type = std::collections::BTreeMap<String, Value>, example = json!({
        "name": "ManualHandling", "label": "Manual handling training", "formats": ["jwt_vc_json"], "valid_for_days": 365,
        "attributes": [
            { "name": "MH-Level", "label": "Level", "kind": "number", "mandatory": true, "source": "assumed" },
            { "name": "UniqueIdentifier", "label": "Staff passport unique identifier", "kind": "uuid", "mandatory": true, "source": "wire" }
        ]
    }))]
    declared: Value,
    /// The version that you saw, 0 for none: where it is another one by now, nothing is done.
    #[serde(default)]
    #[schema(nullable = false)]
    version: Option<i64>,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// Declare a credential type, in the place of what has its name. The same again changes nothing
#[utoipa::path(
    put,
    path = "/admin/v1/credential-types/{credential_type}",
    tag = "Registry",
    params(("credential_type" = String, Path, description = "Its name")),
    request_body = UploadedType,
    responses((status = 200, description = "It, as it is now", body = CredentialType), Problems)
)]
async fn upload(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(name): Path<String>,
    Told(upload): Told<UploadedType>,
) -> Result<Json<CredentialType>, Problem> {
    let why = Why::said(upload.reason, upload.ticket)?;
    // A type is everybody's, whoever issues it.
    whole_gateway(&operator)?;
    let said = |error| invalid(&error, &operator, &name);
    let of = wire::credential_type(upload.declared).map_err(said)?;
    if of.name != name {
        let reason = "it is the name in the address";
        return Err(Problem::field("declared.name", reason));
    }
    let entry = Entry::of_type(&of).map_err(said)?;
    let known = gateway.find_declared(Kind::CredentialType, &name).await;
    let known = known.map_err(|error| problem(error, &operator, &name))?;
    let version = known.and_then(|known| known.version).unwrap_or(0);
    if upload.version.is_some_and(|seen| seen != version) {
        return Err(Code::ChangedMeanwhile.into());
    }
    let key: Key = (Kind::CredentialType, name);
    change(&gateway, (&operator, &why), &key, Some(&entry), version).await?;
    view_one(&gateway, &operator, &key.1).await
}

/// The versions that a credential type had
#[utoipa::path(
    get,
    path = "/admin/v1/credential-types/{credential_type}/versions",
    tag = "Registry",
    params(("credential_type" = String, Path, description = "Its name")),
    responses((status = 200, description = "All of them", body = Versions), Problems)
)]
async fn look_back(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(name): Path<String>,
) -> Result<Json<Versions>, Problem> {
    let (types, _) = seen(&gateway, &operator).await?;
    if !types.iter().any(|one| one.name == name) {
        return Err(Code::NotFound.into());
    }
    let found = versions::find(&gateway, &operator, Kind::CredentialType, &name).await?;
    Ok(Json(found))
}

/// Remove a registered credential type of which nothing is in force. One in the box has its name again from then on
#[utoipa::path(
    post,
    path = "/admin/v1/credential-types/{credential_type}/remove",
    tag = "Registry",
    params(("credential_type" = String, Path, description = "Its name")),
    request_body = Why,
    responses((status = 204, description = "It is removed"), Problems)
)]
async fn remove(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(name): Path<String>,
    Told(why): Told<Why>,
) -> Result<StatusCode, Problem> {
    why.check()?;
    whole_gateway(&operator)?;
    let declared = super::find(&gateway, &operator, Kind::CredentialType, &name).await?;
    let version = registered(&declared, None)?;
    let key = (Kind::CredentialType, name);
    change(&gateway, (&operator, &why), &key, None, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
