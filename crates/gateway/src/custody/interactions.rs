//! `/admin/v1/interactions`: what became of one and why, in three voices; and what fails lately.

use axum::Json;
use axum::extract::{Path, State};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::failures::{self, Failure};
use crate::admin::{Asked, Code, Operator, Problem, Problems, Right, Routes, Told, viewed};
use crate::app::{App, Parts};
use crate::audit::Act;
use crate::timeline::{self, Timeline};

/// How many interactions one question finds at most.
const MOST: usize = 10;
/// How far back failures are counted at most, in hours.
const LONGEST: u32 = 24 * 31;

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::InteractionsRead, routes!(look))
        .with(Right::InteractionsRead, routes!(search))
        .with(Right::InteractionsRead, routes!(count_failures))
}

/// Interactions.
#[derive(Serialize, ToSchema)]
struct Interactions {
    /// The newest first: references are drawn by chance, so that there may be two.
    interactions: Vec<Timeline>,
}

/// What was found, and that the operator is shown it.
async fn found(
    app: &App,
    by: &Operator,
    interactions: Vec<Timeline>,
) -> Result<Json<Interactions>, Problem> {
    if interactions.is_empty() {
        return Err(Code::NotFound.into());
    }
    for one in &interactions {
        let object = ("interaction", one.reference.as_str());
        viewed(app, by, Act::InteractionViewed, object, &one.organisation).await?;
    }
    Ok(Json(Interactions { interactions }))
}

async fn find(app: &Parts, by: &Operator, text: &str) -> Result<Vec<Timeline>, Problem> {
    if text.contains(char::is_control) {
        return Ok(Vec::new());
    }
    Ok(timeline::find(&app.store, text, by.organisation(), app.now()).await?)
}

/// What became of an interaction, by the reference that the employee reads out
#[utoipa::path(
    get,
    path = "/admin/v1/interactions/{interaction}",
    tag = "Interactions",
    params(("interaction" = String, Path, description = "Its reference, in any spelling")),
    responses((status = 200, description = "Each step, and why it came to nothing", body = Interactions), Problems)
)]
async fn look(
    State(app): State<App>,
    by: Operator,
    Path(reference): Path<String>,
) -> Result<Json<Interactions>, Problem> {
    let interactions = find(&app, &by, &reference).await?;
    found(&app, &by, interactions).await
}

/// What is in hand. One of `interaction` and `state`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "interaction": "K7Q2-9MFD" }))]
struct InHand {
    /// A reference, a `request_uri`, a serial number, or the id in a page's address.
    #[serde(default)]
    #[schema(nullable = false)]
    interaction: Option<String>,
    /// The `state` that the relying party chose.
    #[serde(default)]
    #[schema(nullable = false)]
    state: Option<String>,
    /// With `state`: the relying party, where that is known.
    #[serde(default)]
    #[schema(nullable = false)]
    client_id: Option<String>,
}

/// Find an interaction by what is in hand. By POST, since a state and a `request_uri` are nothing for an address
#[utoipa::path(
    post,
    path = "/admin/v1/interactions/find",
    tag = "Interactions",
    request_body = InHand,
    responses((status = 200, description = "At most 10", body = Interactions), Problems)
)]
async fn search(
    State(app): State<App>,
    by: Operator,
    Told(asked): Told<InHand>,
) -> Result<Json<Interactions>, Problem> {
    let interactions = match (&asked.interaction, &asked.state) {
        (Some(text), None) => find(&app, &by, text).await?,
        (None, Some(state)) => of_state(&app, &by, asked.client_id.as_deref(), state).await?,
        _ => {
            let reason = "name it, or a `state`, and not both";
            return Err(Problem::field("interaction", reason));
        }
    };
    found(&app, &by, interactions).await
}

/// The state is kept as a digest that differs from client to client, so that each is asked for.
async fn of_state(
    app: &Parts,
    by: &Operator,
    client_id: Option<&str>,
    state: &str,
) -> Result<Vec<Timeline>, Problem> {
    let mut told = Vec::new();
    for party in app.organisations.relying_parties() {
        let is_meant = client_id.is_none_or(|client_id| party.client_id == client_id);
        if !is_meant || !by.sees(Some(&party.organisation.id)) {
            continue;
        }
        let digest = app.seal.digest_of_chosen(&party.client_id, state);
        told.extend(timeline::find_state(&app.store, &party.client_id, &digest, app.now()).await?);
    }
    // Of the relying party's other life, with another organisation, nobody is told here.
    told.retain(|one| by.sees(Some(&one.organisation)));
    told.sort_by_key(|one| std::cmp::Reverse(one.steps.first().map(|step| step.at)));
    told.truncate(MOST);
    Ok(told)
}

/// Since when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Since {
    /// So many hours, 1 to 744; 24 if left out.
    hours: Option<u32>,
}

/// Failures by cause.
#[derive(Serialize, ToSchema)]
struct Failures {
    /// The most frequent first.
    failures: Vec<Failure>,
}

/// Why interactions failed lately, by cause and relying party
#[utoipa::path(
    get,
    path = "/admin/v1/interactions/failures",
    tag = "Interactions",
    params(Since),
    responses((status = 200, description = "Counts", body = Failures), Problems)
)]
async fn count_failures(
    State(app): State<App>,
    by: Operator,
    Asked(since): Asked<Since>,
) -> Result<Json<Failures>, Problem> {
    let hours = since.hours.unwrap_or(24);
    if !(1..=LONGEST).contains(&hours) {
        return Err(Problem::field("hours", "it is a number from 1 to 744"));
    }
    let from = app.now() - SignedDuration::from_hours(hours.into());
    let failures = failures::count(&app.store, by.organisation(), from, app.now()).await?;
    Ok(Json(Failures { failures }))
}
