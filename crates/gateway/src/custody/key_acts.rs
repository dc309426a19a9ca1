//! A key that goes for good: removed by two persons, or found compromised and taken out at once by one, since that must not
//! wait. What the latter means is told before.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use store::{Statement, StoreError};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Custody;
use super::key_refusals::refused;
use super::keys::{Changed, Changes, acts, documents, entries, find, owner};
use crate::admin::{
    Approved, Checked, Code, Operator, Problem, Problems, Right, Routes, Told, TwoPersonAct, Why,
    field,
};
use crate::app::App;
use crate::audit::{Act as Audited, Entry};
use crate::keys::acts::Acts;
use crate::keys::rows::KeyRow;
use crate::keys::{KeyHolder, KeyPurpose, State as KeyState, signed};
use crate::revoke::bulk::Order;
use crate::revoke::jobs::{self, OfKey};
use crate::status::Reason;

/// Revocations a second of a job that a compromised key leaves.
const PACE: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);

pub(super) fn routes() -> Routes {
    Routes::new()
        .with(Right::KeysRead, routes!(plan))
        .with(Right::KeysChange, routes!(compromise))
}

/// Removes a key.
pub(super) struct Remove {
    pub(super) holder: Arc<dyn KeyHolder>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    key: String,
    #[serde(default)]
    force: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeptRemoval {
    key: String,
    force: bool,
    #[serde(default)]
    place: String,
    /// The credentials in force that die with the key: what the second person agrees to.
    #[serde(default)]
    in_force: i64,
}

impl Remove {
    /// The key, and the act as things stand.
    async fn act(
        &self,
        app: &App,
        operator: &Operator,
        (kid, force): (&str, bool),
    ) -> Result<(KeyRow, crate::keys::acts::Act), Problem> {
        let acts = Acts::read(&app.store, &self.holder, app.now()).await?;
        let key = find(&acts, operator, kid)?;
        let act = acts.remove(&app.store, &key.kid, force).await;
        let act = act.map_err(refused)?;
        if act.changes().is_empty() {
            return Err(Problem::with(Code::KeyState, "The key is gone already."));
        }
        Ok((key.clone(), act))
    }
}

impl TwoPersonAct for Remove {
    const CODE: &'static str = "key-remove";
    const SENTENCE: &'static str = "Take a key that does not sign out of every document and destroy it. `detail`: `key`, its id; `force`, although \
         credentials in force need it, or it stopped signing less than a day ago";
    const RIGHT: Right = Right::KeysChange;
    type Asked = Removal;
    type Kept = KeptRemoval;

    async fn check(
        &self,
        app: &App,
        operator: &Operator,
        removal: Removal,
    ) -> Result<Checked<KeptRemoval>, Problem> {
        let asked = (removal.key.as_str(), removal.force);
        let (key, _) = self.act(app, operator, asked).await?;
        let in_force = in_force(app, &key).await?;
        Ok(Checked {
            organisation: owner(&key.place).map(str::to_owned),
            object: ("signing-key", key.kid.clone()),
            kept: KeptRemoval {
                place: key.place.to_string(),
                key: key.kid,
                force: removal.force,
                in_force,
            },
        })
    }

    async fn carry_out(
        &self,
        app: &App,
        approved: &Approved,
        kept: KeptRemoval,
    ) -> Result<Vec<Statement>, Problem> {
        let asked = (kept.key.as_str(), kept.force);
        let (key, act) = self.act(app, &approved.by, asked).await?;
        // More than the second person saw is not what they agreed to. Fewer is.
        if in_force(app, &key).await? > kept.in_force {
            return Err(Code::ChangedMeanwhile.into());
        }
        let changes = act.changes().iter();
        let told: Vec<Statement> = changes
            .map(|change| change.entry(approved.by(), approved.at).into())
            .collect();
        // The private half goes when a process hears of it, a second later.
        Ok(act.statements().into_iter().chain(told).collect())
    }
}

/// How many credentials in force a key signed.
async fn in_force(app: &App, key: &KeyRow) -> Result<i64, Problem> {
    if key.place.purpose != KeyPurpose::Credentials {
        return Ok(0);
    }
    let signed = signed::find_signed(&app.store, key, app.now()).await?;
    Ok(signed.iter().map(|of_type| of_type.in_force).sum())
}

/// What it would mean that a key is compromised. Nothing is changed.
#[derive(Serialize, ToSchema)]
struct CompromisePlan {
    /// The key.
    key: String,
    /// Its place.
    place: String,
    /// Its state.
    state: &'static str,
    /// The key that signs from then on; absent: another is made, or this one does not sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Whether another is made, since none waits.
    makes_another: bool,
    /// The documents that are published anew, without it.
    documents: Vec<String>,
    /// The credentials that it signed, by type; of a key that signed more than 10,000 the newest of them, so that nobody waits.
    signed: Vec<SignedOfType>,
    /// How many of them are in force: refused from then on, and yet to be revoked by two persons.
    in_force: i64,
    /// Whether it signed more than these: then each number is the least that there are.
    or_more: bool,
    /// What the act must be told, so that nobody does what they have not seen: it stands for the key, its state, the key that
    /// signs then, and the documents. Not for the numbers: a key that signs goes on while you read, and the act must not wait.
    #[schema(example = "9f2c41d07b3e8a65")]
    plan: String,
}

/// What a key signed of one type.
#[derive(Serialize, ToSchema)]
struct SignedOfType {
    /// The type.
    credential_type: String,
    /// All of them.
    issued: i64,
    /// Neither revoked nor at their end.
    in_force: i64,
}

/// The key that waits to take its place; none where it does not sign.
fn next<'a>(acts: &'a Acts, key: &KeyRow) -> Option<&'a KeyRow> {
    let signs = key.state == KeyState::Active;
    acts.in_place(&key.place, KeyState::Next).filter(|_| signs)
}

/// Names what was seen: the key, its state, the key that comes after it, and the documents.
fn seen(app: &App, key: &KeyRow, next: Option<&KeyRow>) -> String {
    // One that is made then signs as this one does.
    let next = next.map_or(key.algorithm.as_str(), |next| next.kid.as_str());
    let documents = documents(app, key).join("\n");
    let text = format!("{}\n{}\n{next}\n{documents}", key.kid, key.state.name());
    hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..8])
}

/// Before saying that a key is compromised: what that would mean
#[utoipa::path(
    get,
    path = "/admin/v1/keys/{key}/compromise",
    tag = "Keys",
    params(("key" = String, Path, description = "Its id")),
    responses((status = 200, description = "Nothing is changed", body = CompromisePlan), Problems)
)]
async fn plan(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Json<CompromisePlan>, Problem> {
    let acts = acts(&app, &custody).await?;
    let key = find(&acts, &operator, &id)?;
    let next = next(&acts, key);
    let (signed, or_more) = if key.place.purpose == KeyPurpose::Credentials {
        signed::find_newest_signed(&app.store, key, app.now()).await?
    } else {
        (Vec::new(), false)
    };
    Ok(Json(CompromisePlan {
        key: key.kid.clone(),
        place: key.place.to_string(),
        state: key.state.name(),
        next: next.map(|next| next.kid.clone()),
        makes_another: key.state == KeyState::Active && next.is_none(),
        documents: documents(&app, key),
        in_force: signed.iter().map(|of_type| of_type.in_force).sum(),
        or_more,
        signed: signed
            .into_iter()
            .map(|of_type| SignedOfType {
                credential_type: of_type.credential_type,
                issued: of_type.issued,
                in_force: of_type.in_force,
            })
            .collect(),
        plan: seen(&app, key, next),
    }))
}

/// That a key is compromised.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Compromise {
    /// `plan` of the plan that you saw.
    #[schema(example = "9f2c41d07b3e8a65")]
    plan: String,
    /// Why. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[schema(example = "INC-1042")]
    ticket: String,
}

/// What was done about a compromised key.
#[derive(Serialize, ToSchema)]
struct Compromised {
    /// Each key in its new state.
    changes: Vec<Changed>,
    /// The credentials in force that it signed, written down to be revoked: propose `bulk-revocation` with this id. Absent
    /// where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
}

/// A key is compromised: it is out of everything at once, and another signs. By one person, since this must not wait
#[utoipa::path(
    post,
    path = "/admin/v1/keys/{key}/compromise",
    tag = "Keys",
    params(("key" = String, Path, description = "Its id")),
    request_body = Compromise,
    responses((status = 200, description = "It is out of everything; said again, what a crash left undone is done", body = Compromised), Problems)
)]
async fn compromise(
    State(app): State<App>,
    Extension(custody): Extension<Custody>,
    operator: Operator,
    Path(id): Path<String>,
    Told(compromise): Told<Compromise>,
) -> Result<Json<Compromised>, Problem> {
    field("ticket", &compromise.ticket)?;
    let why = Why::said(compromise.reason, Some(compromise.ticket.clone()))?;
    let acts = acts(&app, &custody).await?;
    let key = find(&acts, &operator, &id)?;
    if compromise.plan != seen(&app, key, next(&acts, key)) {
        return Err(Code::ChangedMeanwhile.into());
    }
    let act = acts.compromised(&key.kid).await.map_err(refused)?;
    let mut told = entries(&act, &operator, &why, app.now());
    let parties = app.organisations.relying_parties();
    let parties = parties.map(|one| (one.organisation.id.as_str(), one.client_id.as_str()));
    told.extend(act.events(&parties, app.now()));
    let changes = act.keep(&app.store, &custody.holder, told).await;
    let changes = changes.map_err(refused)?;
    if !changes.is_empty() {
        // One person did what otherwise takes two, and more: whoever watches is to ask whether it was meant.
        app.metrics.keys_compromised.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            kid = key.kid,
            place = %key.place,
            operator = operator.id,
            "a signing key is said to be compromised, and out of everything"
        );
    }
    let Changes { changes } = changes.into();
    // After the act: to write many lines down takes its time, and the key must be out at once.
    let (app, key) = (Arc::clone(&app), key.clone());
    // In a task of its own: a caller who hangs up, or is told that it takes too long, ends their waiting and not the writing.
    let writing =
        tokio::spawn(async move { to_revoke(&app, &operator, &key, &compromise.ticket).await });
    let job = writing.await.map_err(|_| Code::Internal)??;
    Ok(Json(Compromised { changes, job }))
}

/// Writes down what the key signed and is in force, to be revoked when two persons have agreed; or finds where it is written
/// down already, and not yet done with. Lines first, list by list: a job that is there has them all. Said again after a crash
/// in between, the same job is made of the lines that are there and those that are missing.
async fn to_revoke(
    app: &App,
    operator: &Operator,
    key: &KeyRow,
    ticket: &str,
) -> Result<Option<String>, Problem> {
    if key.place.purpose != KeyPurpose::Credentials {
        return Ok(None);
    }
    let now = app.now();
    let id = match jobs::of_key(&app.store, &key.kid).await? {
        OfKey::There(id) => return Ok(Some(id)),
        OfKey::New(id) => id,
    };
    let lines = signed::write_lines(&app.store, key, &id, now).await?;
    if lines == 0 {
        return Ok(None);
    }
    let order = Order {
        organisation: &key.place.owner,
        credential_type: None,
        reason: Reason::KeyCompromise,
        note: "",
        ticket,
        pace: PACE,
    };
    let entry = Entry::new(
        operator.actor(),
        Audited::BulkRevocationCounted,
        ("job", &id),
        now,
    )
    .organisation(Some(&key.place.owner))
    .with("reason", Reason::KeyCompromise.code())
    .id("key", &key.kid)
    .number("serial-numbers", lines)
    .ticket(Some(ticket));
    let job = jobs::counted((&id, &operator.id), &order, now);
    match app.store.write([job, entry.into()]).await {
        // Somebody said so in the same moment: theirs is the same.
        Ok(_) | Err(StoreError::Duplicate { .. }) => Ok(Some(id)),
        Err(error) => Err(error.into()),
    }
}
