//! `/admin/v1/keys`: which there are, and how one takes the place of another.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use standards::jose::Algorithm;
use store::{Statement, StoreError};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Custody;
use super::key_refusals::refused;
use crate::admin::{Asked, Code, Operator, Problem, Problems, Right, Routes, Told, Why};
use crate::app::{App, Parts};
use crate::keys::acts::{Act, Acts, Change, PUBLISHED_AFTER, PUBLISHED_BEFORE};
use crate::keys::rows::KeyRow;
use crate::keys::signed;
use crate::keys::{GATEWAY, KeyPurpose, Place, State as KeyState};

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::KeysRead, routes!(list))
        .with(Right::KeysRead, routes!(look))
        .with(Right::KeysChange, routes!(create))
        .with(Right::KeysChange, routes!(rotate))
        .with(Right::KeysChange, routes!(activate))
        .with(Right::KeysChange, routes!(retire))
}

/// A signing key. The private half is never told.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningKey)]
struct Key {
    /// Its id: the thumbprint of its public half.
    #[schema(example = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")]
    id: String,
    /// Where one key signs and others come before and after it.
    #[schema(example = "anytown.credentials")]
    place: String,
    /// Whose it is; absent: the gateway's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// What it signs.
    purpose: &'static str,
    /// What it signs with.
    algorithm: String,
    /// `next`, `active`, `verify-only`, `removed` or `compromised`.
    state: &'static str,
    /// Since when it has been published.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it began to sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    activated_at: Option<Timestamp>,
    /// When it stopped signing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
    /// When it was removed or found compromised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// How many days it has been in its state.
    days_in_state: i64,
    /// The documents that name it; none where it is not published.
    published_in: Vec<String>,
    /// From when on a next key may sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    may_sign_from: Option<Timestamp>,
    /// Until when a verify-only key stays published at least; absent where it stays for ever, as the audit's do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    published_until: Option<Timestamp>,
    /// How many credentials in force still verify with it, counted up to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_in_force: Option<i64>,
    /// `true`: there are more than were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_or_more: Option<bool>,
    /// When its certificate chain ends, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    certificate_ends_at: Option<Timestamp>,
    /// How many whole days its certificate chain holds yet; less than nothing where it has ended and is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_days_left: Option<i64>,
}

/// Keys.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningKeys)]
struct Keys {
    /// By place, and within one the oldest first.
    keys: Vec<Key>,
}

/// What became of keys.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningKeyChanges)]
pub(super) struct Changes {
    /// Each in its new state.
    pub(super) changes: Vec<Changed>,
}

/// What became of one key.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningKeyChange)]
pub(super) struct Changed {
    /// Its id.
    pub(super) key: String,
    /// Its place.
    pub(super) place: String,
    /// Its state from now on.
    pub(super) state: &'static str,
}

impl From<Vec<Change>> for Changes {
    fn from(changes: Vec<Change>) -> Self {
        let changed = changes.into_iter().map(|change| Changed {
            key: change.kid,
            place: change.place.to_string(),
            state: change.to.name(),
        });
        Self {
            changes: changed.collect(),
        }
    }
}

/// Whose a place is; `None`: the gateway's own.
pub(super) fn owner(place: &Place) -> Option<&str> {
    Some(place.owner.as_str()).filter(|owner| *owner != GATEWAY)
}

/// The keys as they stand.
pub(super) async fn acts(app: &Parts, custody: &Custody) -> Result<Acts, StoreError> {
    Acts::read(&app.store, &custody.holder, app.now()).await
}

/// A key that the operator may see.
pub(super) fn find<'a>(
    acts: &'a Acts,
    operator: &Operator,
    kid: &str,
) -> Result<&'a KeyRow, Problem> {
    let key = acts.find(kid).map_err(refused)?;
    if operator.sees(owner(&key.place)) {
        Ok(key)
    } else {
        Err(Code::NotFound.into())
    }
}

/// The addresses of the documents that name a key: none where it is not published.
pub(super) fn documents(app: &Parts, key: &KeyRow) -> Vec<String> {
    if !key.state.is_published() {
        return Vec::new();
    }
    let place = &key.place;
    let organisation = app.organisations.find(&place.owner);
    let paths = match place.purpose {
        KeyPurpose::IdTokenRs256 => vec![
            "/jwks".to_owned(),
            "/oidc/.well-known/openid-configuration/jwks".to_owned(),
            "/v2.0/.well-known/openid-configuration/jwks".to_owned(),
        ],
        KeyPurpose::IdTokenEs256 | KeyPurpose::IdTokenEdDsa => vec!["/jwks".to_owned()],
        // Whoever checks the audit has the key store.
        KeyPurpose::Audit => Vec::new(),
        KeyPurpose::Credentials | KeyPurpose::Status => vec![
            format!("/issuers/{}/did.json", place.owner),
            format!("/.well-known/jwt-vc-issuer/issuers/{}", place.owner),
        ],
        KeyPurpose::Requests => vec![format!("/issuers/{}/did.json", place.owner)],
    };
    let mut documents: Vec<String> = paths.iter().map(|path| app.url(path)).collect();
    if let Some(host) = organisation.and_then(|one| one.did_host.as_ref()) {
        documents.push(format!("https://{host}/.well-known/did.json"));
    }
    documents
}

async fn told(app: &Parts, key: &KeyRow, now: Timestamp) -> Result<Key, StoreError> {
    let since = match key.state {
        KeyState::Next => None,
        KeyState::Active => key.activated_at,
        KeyState::VerifyOnly => key.retired_at,
        KeyState::Removed | KeyState::Compromised => key.ended_at,
    };
    let since = since.unwrap_or(key.created_at);
    let is_needed =
        key.state == KeyState::VerifyOnly && key.place.purpose == KeyPurpose::Credentials;
    // Looked at by whoever opens the first page: not all of many millions.
    let in_force = if is_needed {
        Some(signed::count_in_force(&app.store, key, now).await?)
    } else {
        None
    };
    let issuer = app.organisations.find(&key.place.owner);
    let chain = issuer.and_then(|issuer| issuer.latest_chain_of(&key.kid));
    let goes = key.state == KeyState::VerifyOnly && key.place.purpose != KeyPurpose::Audit;
    Ok(Key {
        id: key.kid.clone(),
        place: key.place.to_string(),
        organisation: owner(&key.place).map(str::to_owned),
        purpose: key.place.purpose.name(),
        algorithm: key.algorithm.to_string(),
        state: key.state.name(),
        created_at: key.created_at,
        activated_at: key.activated_at,
        retired_at: key.retired_at,
        ended_at: key.ended_at,
        days_in_state: now.duration_since(since).as_hours() / 24,
        published_in: documents(app, key),
        may_sign_from: (key.state == KeyState::Next).then(|| key.created_at + PUBLISHED_BEFORE),
        published_until: goes.then(|| key.retired_at.unwrap_or(key.created_at) + PUBLISHED_AFTER),
        credentials_in_force: in_force.map(|rough| rough.number),
        credentials_or_more: in_force
            .map(|rough| rough.or_more)
            .filter(|or_more| *or_more),
        certificate_ends_at: chain.map(|chain| chain.ends),
        certificate_days_left: chain.map(|chain| chain.days_left(now)),
    })
}

/// Which keys.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `true`: those that are gone, too.
    all: Option<bool>,
}

/// Which signing keys there are, and what each may do
#[utoipa::path(
    get,
    path = "/admin/v1/keys",
    tag = "Keys",
    params(Which),
    responses((status = 200, description = "Those that one may see", body = Keys), Problems)
)]
async fn list(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    operator: Operator,
    Asked(which): Asked<Which>,
) -> Result<Json<Keys>, Problem> {
    let acts = acts(&app, &custody).await?;
    let all = which.all.unwrap_or(false);
    let mut shown: Vec<&KeyRow> = acts
        .rows()
        .iter()
        .filter(|key| operator.sees(owner(&key.place)) && (all || key.state.is_published()))
        .collect();
    shown.sort_by_cached_key(|key| (key.place.to_string(), key.created_at));
    let mut keys = Vec::new();
    for key in shown {
        keys.push(told(&app, key, app.now()).await?);
    }
    Ok(Json(Keys { keys }))
}

/// One signing key
#[utoipa::path(
    get,
    path = "/admin/v1/keys/{key}",
    tag = "Keys",
    params(("key" = String, Path, description = "Its id")),
    responses((status = 200, description = "It", body = Key), Problems)
)]
async fn look(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Json<Key>, Problem> {
    let acts = acts(&app, &custody).await?;
    let key = find(&acts, &operator, &id)?;
    Ok(Json(told(&app, key, app.now()).await?))
}

/// A place, and which key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// `ORGANISATION.credentials`, `.status` or `.requests`; `id-token-rs256`, `id-token-es256`, `id-token-eddsa` or `audit`.
    #[schema(example = "anytown.credentials")]
    place: String,
    /// What it signs with, if not with what the place usually does.
    #[serde(default)]
    #[schema(example = "ES256", nullable = false)]
    algorithm: Option<String>,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// Make the next key of a place: it is published and does not sign yet
#[utoipa::path(
    post,
    path = "/admin/v1/keys",
    tag = "Keys",
    request_body = NewKey,
    responses((status = 200, description = "It is there; the first of a place signs at once", body = Changes), Problems)
)]
async fn create(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    operator: Operator,
    Told(new): Told<NewKey>,
) -> Result<Json<Changes>, Problem> {
    let place = place(&app, &operator, &new.place)?;
    let unknown = || Problem::field("algorithm", "it is ES256, ES384, EdDSA or RS256");
    let algorithm = match &new.algorithm {
        Some(name) => Algorithm::parse(name).ok_or_else(unknown)?,
        None => place.purpose.algorithm(),
    };
    let why = Why::said(new.reason, new.ticket)?;
    let acts = acts(&app, &custody).await?;
    let act = acts.create(&place, algorithm).await.map_err(refused)?;
    keep(&app, &custody, &operator, act, &why).await
}

/// A place, and when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// As for a new key.
    #[schema(example = "anytown.credentials")]
    place: String,
    /// Without waiting for seven days: whoever keeps a copy refuses what the new key signs until it is renewed.
    #[serde(default)]
    at_once: bool,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// The next step of changing the key of a place: make the next one, or let it sign
#[utoipa::path(
    post,
    path = "/admin/v1/keys/rotate",
    tag = "Keys",
    request_body = Rotation,
    responses((status = 200, description = "What changed", body = Changes), Problems)
)]
async fn rotate(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    operator: Operator,
    Told(rotation): Told<Rotation>,
) -> Result<Json<Changes>, Problem> {
    let place = place(&app, &operator, &rotation.place)?;
    let why = Why::said(rotation.reason, rotation.ticket)?;
    let acts = acts(&app, &custody).await?;
    let act = acts.rotate(&place, rotation.at_once).await;
    keep(&app, &custody, &operator, act.map_err(refused)?, &why).await
}

/// When.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct When {
    /// Without waiting for seven days.
    #[serde(default)]
    at_once: bool,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// Let a next key sign. The one before it goes on verifying
#[utoipa::path(
    post,
    path = "/admin/v1/keys/{key}/activate",
    tag = "Keys",
    params(("key" = String, Path, description = "Its id")),
    request_body = When,
    responses((status = 200, description = "What changed", body = Changes), Problems)
)]
async fn activate(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    operator: Operator,
    Path(id): Path<String>,
    Told(when): Told<When>,
) -> Result<Json<Changes>, Problem> {
    let why = Why::said(when.reason, when.ticket)?;
    let acts = acts(&app, &custody).await?;
    let key = find(&acts, &operator, &id)?;
    let act = acts.activate(&key.kid, when.at_once).map_err(refused)?;
    keep(&app, &custody, &operator, act, &why).await
}

/// Let a key sign no more: the next one takes its place, and it goes on verifying
#[utoipa::path(
    post,
    path = "/admin/v1/keys/{key}/verify-only",
    tag = "Keys",
    params(("key" = String, Path, description = "Its id")),
    request_body = When,
    responses((status = 200, description = "What changed", body = Changes), Problems)
)]
async fn retire(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    operator: Operator,
    Path(id): Path<String>,
    Told(when): Told<When>,
) -> Result<Json<Changes>, Problem> {
    let why = Why::said(when.reason, when.ticket)?;
    let acts = acts(&app, &custody).await?;
    let key = find(&acts, &operator, &id)?;
    let act = acts.retire(&key.kid, when.at_once).map_err(refused)?;
    keep(&app, &custody, &operator, act, &why).await
}

fn place(app: &Parts, operator: &Operator, name: &str) -> Result<Place, Problem> {
    let place = Place::parse(name).filter(|place| {
        let owner = owner(place);
        operator.sees(owner) && owner.is_none_or(|id| app.organisations.find(id).is_some())
    });
    place.ok_or(Code::NotFound.into())
}

/// The entries of the audit that belong into the batch of an act.
pub(super) fn entries(act: &Act, operator: &Operator, why: &Why, now: Timestamp) -> Vec<Statement> {
    let entry = |change: &Change| change.entry(why.by(operator), now).into();
    act.changes().iter().map(entry).collect()
}

/// Does it, with its entries in the audit.
pub(super) async fn keep(
    app: &Parts,
    custody: &Custody,
    operator: &Operator,
    act: Act,
    why: &Why,
) -> Result<Json<Changes>, Problem> {
    let entries = entries(&act, operator, why, app.now());
    let kept = act.keep(&app.store, &custody.holder, entries).await;
    Ok(Json(kept.map_err(refused)?.into()))
}
