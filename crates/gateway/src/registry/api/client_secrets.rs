//! `/admin/v1/relying-parties/{relying_party}/secrets`: made here, shown once, ended here.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::super::secrets::{ClientSecret as Kept, OVERLAP};
use super::super::{Kind, RegistryError};
use super::{find, problem};
use crate::Gateway;
use crate::admin::{Code, Once, Operator, Problem, Problems, Right, Routes, Told, Why};

/// The longest overlap, in days.
const MOST_DAYS: u32 = 400;

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::RegistryRead, routes!(list))
        .with(Right::RegistryChange, routes!(make))
        .with(Right::RegistryChange, routes!(end))
}

/// A client secret as it is kept, without what proves anything.
#[derive(Serialize, ToSchema)]
struct ClientSecret {
    /// Its id.
    #[schema(example = "3f9a0c11d2e4")]
    id: String,
    /// Whether it counts.
    live: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// How old it is, in whole days.
    age_days: i64,
    /// When somebody last used it, within a minute; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// From when on it counts no more, if that is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
}

impl ClientSecret {
    fn of(kept: &Kept, now: Timestamp) -> Self {
        Self {
            id: kept.id.clone(),
            live: kept.is_live(now),
            made_at: kept.created_at,
            age_days: now.duration_since(kept.created_at).as_hours() / 24,
            last_used_at: kept.last_used_at,
            ends_at: kept.ends_at,
        }
    }
}

/// Client secrets.
#[derive(Serialize, ToSchema)]
struct ClientSecrets {
    /// The oldest first; ended ones as well. One whose digest stands in the configuration file is not among them.
    secrets: Vec<ClientSecret>,
}

/// Looks whether the relying party is there to see, and whether this process knows it already.
async fn visible(gateway: &Gateway, operator: &Operator, client_id: &str) -> Result<(), Problem> {
    find(gateway, operator, Kind::RelyingParty, client_id).await?;
    if gateway
        .app()
        .organisations
        .relying_party(client_id)
        .is_none()
    {
        // Another process declared it within this second.
        let followed = gateway.follow_once().await;
        followed.map_err(|error| problem(error, operator, client_id))?;
    }
    Ok(())
}

/// A relying party's secrets
#[utoipa::path(
    get,
    path = "/admin/v1/relying-parties/{relying_party}/secrets",
    tag = "Registry",
    params(("relying_party" = String, Path, description = "Its client id")),
    responses((status = 200, description = "All that the gateway made", body = ClientSecrets), Problems)
)]
async fn list(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(client_id): Path<String>,
) -> Result<Json<ClientSecrets>, Problem> {
    visible(&gateway, &operator, &client_id).await?;
    let kept = gateway.client_secrets(&client_id).await;
    let kept = kept.map_err(|error| problem(error, &operator, &client_id))?;
    let now = gateway.now();
    let secrets = kept.iter().map(|one| ClientSecret::of(one, now)).collect();
    Ok(Json(ClientSecrets { secrets }))
}

/// What becomes of the others, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    /// Whether the others end: rotation. Otherwise they go on.
    #[serde(default)]
    rotate: bool,
    /// When rotating, how many days the others go on working: 0 to 400; 14 if left out.
    #[serde(default)]
    #[schema(example = 14, nullable = false)]
    overlap_days: Option<u32>,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
    /// A mark of your choice: sent again, nothing is made again. 16 to 64 letters, digits, hyphens and underscores.
    #[serde(default)]
    #[schema(nullable = false)]
    once: Option<String>,
}

impl NewSecret {
    fn overlap(&self) -> Result<Option<SignedDuration>, Problem> {
        match (self.rotate, self.overlap_days) {
            (false, None) => Ok(None),
            (false, Some(_)) => Err(Problem::field(
                "overlap_days",
                "it is for `rotate`: otherwise the others go on",
            )),
            (true, None) => Ok(Some(OVERLAP)),
            (true, Some(days)) if days <= MOST_DAYS => {
                Ok(Some(SignedDuration::from_hours(24 * i64::from(days))))
            }
            (true, Some(_)) => Err(Problem::field(
                "overlap_days",
                "it is a number from 0 to 400",
            )),
        }
    }
}

/// A secret that was just made.
#[derive(Serialize, ToSchema)]
struct MadeSecret {
    /// The secret: shown now, and never again.
    secret: String,
    /// Its id.
    #[schema(example = "3f9a0c11d2e4")]
    id: String,
    /// When the others end, where they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    others_end_at: Option<Timestamp>,
}

/// Make a secret. Several may live at once, so that they change without an outage
#[utoipa::path(
    post,
    path = "/admin/v1/relying-parties/{relying_party}/secrets",
    tag = "Registry",
    params(("relying_party" = String, Path, description = "Its client id")),
    request_body = NewSecret,
    responses((status = 201, description = "It is shown this once", body = MadeSecret), Problems)
)]
async fn make(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path(client_id): Path<String>,
    Told(asked): Told<NewSecret>,
) -> Result<(StatusCode, Json<MadeSecret>), Problem> {
    let overlap = asked.overlap()?;
    let why = Why::said(asked.reason, asked.ticket)?;
    visible(&gateway, &operator, &client_id).await?;
    let once = Once::said(asked.once.as_deref(), &operator)?;
    once.check(&gateway.app().store).await?;
    let spend = once.spend(gateway.now());
    let made = gateway.make_client_secret_with(&client_id, overlap, why.by(&operator), spend);
    let made = made.await.map_err(|error| match error {
        RegistryError::Store(error) => once.refused(error),
        error => problem(error, &operator, &client_id),
    })?;
    let answer = MadeSecret {
        secret: made.text.to_string(),
        id: made.id,
        others_end_at: overlap.map(|overlap| gateway.now() + overlap),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// End a secret now. The last one that lives is refused; one that has ended stays so
#[utoipa::path(
    post,
    path = "/admin/v1/relying-parties/{relying_party}/secrets/{secret}/end",
    tag = "Registry",
    params(
        ("relying_party" = String, Path, description = "Its client id"),
        ("secret" = String, Path, description = "The secret's id")
    ),
    request_body = Why,
    responses((status = 204, description = "It proves nothing any more"), Problems)
)]
async fn end(
    Extension(gateway): Extension<Gateway>,
    operator: Operator,
    Path((client_id, secret)): Path<(String, String)>,
    Told(why): Told<Why>,
) -> Result<StatusCode, Problem> {
    why.check()?;
    visible(&gateway, &operator, &client_id).await?;
    let told = |error: RegistryError| problem(error, &operator, &client_id);
    let kept = gateway.client_secrets(&client_id).await.map_err(told)?;
    let known = kept.iter().find(|one| one.id == secret);
    if known.ok_or(Code::NotFound)?.is_live(gateway.now()) {
        let by = why.by(&operator);
        let ended = gateway.end_client_secret(&client_id, &secret, by).await;
        ended.map_err(told)?;
    }
    Ok(StatusCode::NO_CONTENT)
}
