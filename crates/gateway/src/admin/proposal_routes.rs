//! `/admin/v1/proposals`: propose, look, approve, decline.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::StoreError;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::act::{Acts, AnyAct, Approved};
use super::caller::Operator;
use super::problem::{Code, Problem, Problems};
use super::proposal::{self, Kept, WAITS};
use super::read::{Asked, Told, Why, field};
use super::role::Right;
use super::routes::Routes;
use crate::app::App;
use crate::audit::{Act, Entry};

/// The most proposals in one answer.
const MOST: u32 = 200;

/// The routes.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .with(Right::ProposalsRead, routes!(list))
        .with(Right::ProposalsMake, routes!(propose))
        .with(Right::ProposalsRead, routes!(look))
        .with(Right::ProposalsDecide, routes!(approve))
        .with(Right::ProposalsDecide, routes!(decline))
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Proposed {
    /// The act, by its code; the description lists them.
    #[schema(example = "operator-role-change")]
    act: String,
    /// What the act is done to and how: another object for each act.
    #[schema(value_type = std::collections::BTreeMap<String, Value>, example = json!({ "operator": "op-k7q2-9mfd", "role": "viewer" }))]
    detail: Value,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// A proposal.
#[derive(Serialize, ToSchema)]
struct Proposal {
    /// Its id.
    #[schema(example = "pr-4x7m-0qkz")]
    id: String,
    /// The act.
    act: String,
    /// Whose it is; absent: the whole gateway's.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// What it is done to.
    object: String,
    /// How.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    detail: Value,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<String>,
    /// `open`, `approved`, `declined` or `expired`.
    state: String,
    /// Who proposed it.
    proposed_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    proposed_at: jiff::Timestamp,
    /// Until when somebody else may approve it.
    #[schema(value_type = String, format = DateTime)]
    expires_at: jiff::Timestamp,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<jiff::Timestamp>,
    /// Why, in the words of whoever decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision_reason: Option<String>,
}

impl Proposal {
    fn of(kept: Kept, now: jiff::Timestamp) -> Self {
        Self {
            state: kept.state_at(now).to_owned(),
            id: kept.id,
            act: kept.act,
            organisation: kept.organisation,
            object: kept.object,
            detail: kept.detail,
            reason: kept.reason,
            ticket: kept.ticket,
            proposed_by: kept.proposed_by,
            proposed_at: kept.proposed_at,
            expires_at: kept.expires_at,
            decided_by: kept.decided_by,
            decided_at: kept.decided_at,
            decision_reason: kept.decision_reason,
        }
    }
}

/// Proposals.
#[derive(Serialize, ToSchema)]
struct Proposals {
    /// The newest first.
    proposals: Vec<Proposal>,
}

/// Which ones.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `open`, `approved`, `declined` or `expired` only.
    state: Option<String>,
}

/// What is proposed, and what became of it
#[utoipa::path(
    get,
    path = "/admin/v1/proposals",
    tag = "Proposals",
    params(Which),
    responses((status = 200, description = "At most 200", body = Proposals), Problems)
)]
async fn list(
    State(app): State<App>,
    operator: Operator,
    Asked(which): Asked<Which>,
) -> Result<Json<Proposals>, Problem> {
    let now = app.now();
    let found = proposal::list(&app, &operator, which.state.as_deref(), MOST).await?;
    let proposals = found
        .into_iter()
        .map(|kept| Proposal::of(kept, now))
        .collect();
    Ok(Json(Proposals { proposals }))
}

/// Propose what a second person must approve
#[utoipa::path(
    post,
    path = "/admin/v1/proposals",
    tag = "Proposals",
    request_body = Proposed,
    responses((status = 201, description = "It waits for a second person, for seven days", body = Proposal), Problems)
)]
async fn propose(
    State(app): State<App>,
    Extension(acts): Extension<Arc<Acts>>,
    operator: Operator,
    Told(proposed): Told<Proposed>,
) -> Result<(StatusCode, Json<Proposal>), Problem> {
    for (name, text) in [("reason", &proposed.reason), ("ticket", &proposed.ticket)] {
        text.as_deref().map(|text| field(name, text)).transpose()?;
    }
    let unknown = || Problem::field("act", "there is no such act; the description lists them");
    let act = acts.of_code(&proposed.act).ok_or_else(unknown)?;
    operator.must(act.right())?;
    let checked = act.check_detail(&app, &operator, &proposed.detail).await?;
    let now = app.now();
    let (kind, object) = checked.object;
    let kept = Kept {
        id: format!("pr-{}", app.random.reference().to_ascii_lowercase()),
        act: act.code().to_owned(),
        organisation: checked.organisation,
        object: format!("{kind}:{object}"),
        detail: checked.kept,
        reason: proposed.reason,
        ticket: proposed.ticket,
        proposed_by: operator.id.clone(),
        person: operator.person.clone(),
        proposed_at: now,
        expires_at: now + WAITS,
        state: "open".to_owned(),
        decided_by: None,
        decided_at: None,
        decision_reason: None,
    };
    let entry = told(&operator, Act::ProposalMade, &kept, now)
        .reason(kept.reason.as_deref())
        .id("object", &kept.object);
    app.store
        .write([proposal::insert(&kept, operator.role), entry.into()])
        .await?;
    Ok((StatusCode::CREATED, Json(Proposal::of(kept, now))))
}

/// One proposal
#[utoipa::path(
    get,
    path = "/admin/v1/proposals/{proposal}",
    tag = "Proposals",
    params(("proposal" = String, Path, description = "Its id")),
    responses((status = 200, description = "It", body = Proposal), Problems)
)]
async fn look(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Json<Proposal>, Problem> {
    let kept = proposal::find(&app, &operator, &id).await?;
    Ok(Json(Proposal::of(kept, app.now())))
}

/// Approve: it is done now, once
#[utoipa::path(
    post,
    path = "/admin/v1/proposals/{proposal}/approve",
    tag = "Proposals",
    params(("proposal" = String, Path, description = "Its id")),
    request_body = Why,
    responses((status = 200, description = "It is done", body = Proposal), Problems)
)]
async fn approve(
    State(app): State<App>,
    Extension(acts): Extension<Arc<Acts>>,
    operator: Operator,
    Path(id): Path<String>,
    Told(why): Told<Why>,
) -> Result<Json<Proposal>, Problem> {
    why.check()?;
    let now = app.now();
    let (kept, act) = open(&app, &acts, &operator, &id, now).await?;
    if kept.person == operator.person {
        return Err(Code::SecondPersonNeeded.into());
    }
    let approved = Approved {
        proposal: kept.id.clone(),
        organisation: kept.organisation.clone(),
        reason: kept.reason.clone(),
        ticket: kept.ticket.clone(),
        by: operator.clone(),
        at: now,
    };
    let entry = decided(&operator, Act::ProposalApproved, &kept, &why, now);
    // First, and with the condition: of two approvals at once the second stops here.
    let mut batch = vec![proposal::approve(&id, &operator, &why, now)];
    batch.extend(act.carry_out_detail(&app, &approved, &kept.detail).await?);
    batch.push(entry.into());
    match app.store.write(batch).await {
        Ok(_) => {}
        Err(StoreError::Unmet { statement: 0 }) => {
            proposal::find(&app, &operator, &id)
                .await?
                .must_be_open(now)?;
            return Err(Code::ChangedMeanwhile.into());
        }
        Err(StoreError::Duplicate { .. }) => return Err(Code::ChangedMeanwhile.into()),
        Err(error) => return Err(error.into()),
    }
    tracing::info!(
        proposal = id,
        act = kept.act,
        operator = operator.id,
        "a proposal is approved and done"
    );
    look(State(app), operator, Path(id)).await
}

/// Decline: nothing is done. Whoever proposed it may, too
#[utoipa::path(
    post,
    path = "/admin/v1/proposals/{proposal}/decline",
    tag = "Proposals",
    params(("proposal" = String, Path, description = "Its id")),
    request_body = Why,
    responses((status = 200, description = "It is declined", body = Proposal), Problems)
)]
async fn decline(
    State(app): State<App>,
    Extension(acts): Extension<Arc<Acts>>,
    operator: Operator,
    Path(id): Path<String>,
    Told(why): Told<Why>,
) -> Result<Json<Proposal>, Problem> {
    why.check()?;
    let now = app.now();
    let (kept, _) = open(&app, &acts, &operator, &id, now).await?;
    let entry = decided(&operator, Act::ProposalDeclined, &kept, &why, now);
    match app
        .store
        .write([proposal::decline(&id, &operator, &why, now), entry.into()])
        .await
    {
        Ok(_) => look(State(app), operator, Path(id)).await,
        Err(StoreError::Unmet { .. }) => Err(Code::ProposalDecided.into()),
        Err(error) => Err(error.into()),
    }
}

/// One that still waits, and whose act is the operator's to decide about: by their right, or since it names them or what they
/// answer for.
async fn open<'a>(
    app: &App,
    acts: &'a Acts,
    operator: &Operator,
    id: &str,
    now: jiff::Timestamp,
) -> Result<(Kept, &'a dyn AnyAct), Problem> {
    let kept = proposal::find(app, operator, id).await?;
    let act = acts.of_code(&kept.act).ok_or(Code::NotFound)?;
    let is_theirs =
        act.is_approved_by_whom_it_names() && proposal::names(app, &kept, operator).await?;
    if !is_theirs {
        operator.must(act.right())?;
    }
    kept.must_be_open(now)?;
    Ok((kept, act))
}

fn told(operator: &Operator, act: Act, kept: &Kept, now: jiff::Timestamp) -> Entry {
    Entry::new(operator.actor(), act, ("proposal", &kept.id), now)
        .organisation(kept.organisation.as_deref())
        .id("act", &kept.act)
        .ticket(kept.ticket.as_deref())
}

fn decided(operator: &Operator, act: Act, kept: &Kept, why: &Why, now: jiff::Timestamp) -> Entry {
    let ticket = why.ticket.as_deref().or(kept.ticket.as_deref());
    told(operator, act, kept, now)
        .id("proposed-by", &kept.proposed_by)
        .reason(why.reason.as_deref())
        .ticket(ticket)
}
