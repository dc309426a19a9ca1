//! `/admin/v1/holds`, `/admin/v1/retention`: what must stay although its time is over, and what would go.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use store::{Statement, StoreError};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Custody;
use crate::admin::{Code, Operator, Problem, Problems, Right, Routes, Told, Why};
use crate::app::{App, Parts};
use crate::audit::{Act, Entry};
use crate::retention::holds::{self, Hold, Subject};
use crate::retention::{Due, plan};
use crate::timeline;

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::HoldsRead, routes!(list))
        .with(Right::HoldsChange, routes!(place))
        .with(Right::HoldsChange, routes!(lift))
        .with(Right::HoldsRead, routes!(would_go))
}

/// Holds.
#[derive(Serialize, ToSchema)]
struct Holds {
    /// The oldest first.
    holds: Vec<Hold>,
}

/// What is held, and why
#[utoipa::path(
    get,
    path = "/admin/v1/holds",
    tag = "Retention",
    responses((status = 200, description = "Those that one may see", body = Holds), Problems)
)]
async fn list(State(app): State<App>, by: Operator) -> Result<Json<Holds>, Problem> {
    let holds = holds::find(&app.store, by.organisation()).await?;
    Ok(Json(Holds { holds }))
}

/// What is to be held.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "organisation": "anytown", "reason": "inquiry 17" }))]
struct NewHold {
    /// Everything of an organisation, by its id.
    #[serde(default)]
    #[schema(nullable = false)]
    organisation: Option<String>,
    /// Or one interaction, by its reference, `request_uri` or serial number.
    #[serde(default)]
    #[schema(nullable = false)]
    interaction: Option<String>,
    /// Why: an inquiry's number, who asked for it. No employee's name belongs here.
    reason: String,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(nullable = false)]
    ticket: Option<String>,
}

/// What is to be let go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "organisation": "anytown", "reason": "inquiry 17 is over" }))]
struct Lifting {
    /// Everything of an organisation, by its id.
    #[serde(default)]
    #[schema(nullable = false)]
    organisation: Option<String>,
    /// Or one interaction, by its reference, `request_uri` or serial number.
    #[serde(default)]
    #[schema(nullable = false)]
    interaction: Option<String>,
    /// Why.
    reason: String,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(nullable = false)]
    ticket: Option<String>,
}

/// What somebody wants of a hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Placed,
    Lifted,
}

/// What is meant and whose it is, and how the audit names it.
struct Meant {
    subject: Subject,
    organisation: String,
    named: String,
}

async fn meant(
    app: &Parts,
    by: &Operator,
    (organisation, interaction): (Option<String>, Option<String>),
    wanted: Wanted,
) -> Result<Meant, Problem> {
    match (organisation, interaction) {
        (Some(id), None) => {
            // The hold on an organisation that was removed since is lifted by whoever sees the whole gateway.
            let may_be_gone = wanted == Wanted::Lifted && by.organisation().is_none();
            let is_known = app.organisations.find(&id).is_some() || may_be_gone;
            if !by.sees(Some(id.as_str())) || !is_known || id.contains(char::is_control) {
                return Err(Code::NotFound.into());
            }
            Ok(Meant {
                subject: Subject::Organisation(id.clone()),
                organisation: id.clone(),
                named: id,
            })
        }
        (None, Some(text)) => {
            if text.contains(char::is_control) {
                return Err(Code::NotFound.into());
            }
            let found = timeline::one(&app.store, &text, by.organisation()).await?;
            let one = found.ok_or(Code::NotFound)?;
            Ok(Meant {
                subject: Subject::Interaction(one.id),
                organisation: one.organisation,
                named: one.reference,
            })
        }
        _ => Err(Problem::field(
            "organisation",
            "name it, or an `interaction`, and not both",
        )),
    }
}

impl Meant {
    fn entry(&self, act: Act, by: &Operator, app: &Parts) -> Entry {
        let object = (self.subject.kind(), self.named.as_str());
        Entry::new(by.actor(), act, object, app.now()).organisation(Some(&self.organisation))
    }
}

/// Keep an organisation's or one interaction's traces until the hold is lifted
#[utoipa::path(
    post,
    path = "/admin/v1/holds",
    tag = "Retention",
    request_body = NewHold,
    responses((status = 204, description = "It is held; one that stood has the new reason"), Problems)
)]
async fn place(
    State(app): State<App>,
    by: Operator,
    Told(new): Told<NewHold>,
) -> Result<StatusCode, Problem> {
    let why = Why::said(Some(new.reason.clone()), new.ticket)?;
    let subject = (new.organisation, new.interaction);
    let meant = meant(&app, &by, subject, Wanted::Placed).await?;
    let actor = by.actor().to_string();
    let placer = holds::Placer {
        actor: &actor,
        within: by.organisation(),
    };
    let hold = holds::place(&meant.subject, &new.reason, placer, app.now());
    let entry = why.told(meant.entry(Act::HoldPlaced, &by, &app));
    written(&app, hold, entry).await
}

/// Let what was held go at its time
#[utoipa::path(
    post,
    path = "/admin/v1/holds/lift",
    tag = "Retention",
    request_body = Lifting,
    responses((status = 204, description = "It is held no more"), Problems)
)]
async fn lift(
    State(app): State<App>,
    by: Operator,
    Told(lifting): Told<Lifting>,
) -> Result<StatusCode, Problem> {
    let why = Why::said(Some(lifting.reason), lifting.ticket)?;
    let subject = (lifting.organisation, lifting.interaction);
    let meant = meant(&app, &by, subject, Wanted::Lifted).await?;
    if !holds::stands(&app.store, &meant.subject).await? {
        return Err(Code::NotFound.into());
    }
    let entry = why.told(meant.entry(Act::HoldLifted, &by, &app));
    let lift = holds::lift(&meant.subject, by.organisation());
    written(&app, lift, entry).await
}

/// Does it, with its entry in the audit; what whoever sees everything placed is not for others to change.
async fn written(app: &Parts, change: Statement, entry: Entry) -> Result<StatusCode, Problem> {
    match app.store.write([change, entry.into()]).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Unmet { .. }) => Err(Code::HoldElsewhere.into()),
        Err(error) => Err(error.into()),
    }
}

/// What would go now.
#[derive(Serialize, ToSchema)]
struct RetentionPlan {
    /// By rule.
    rules: Vec<Due>,
}

/// What retention would remove now, and what a hold keeps. Nothing is changed
#[utoipa::path(
    get,
    path = "/admin/v1/retention/plan",
    tag = "Retention",
    responses((status = 200, description = "By rule", body = RetentionPlan), Problems)
)]
async fn would_go(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    by: Operator,
) -> Result<Json<RetentionPlan>, Problem> {
    // The rules are the whole gateway's: whoever sees one organisation only does not learn how much the others have.
    if by.organisation().is_some() {
        return Err(Code::NotFound.into());
    }
    let rules = plan(&app.store, app.now(), custody.kept_for).await?;
    Ok(Json(RetentionPlan { rules }))
}
