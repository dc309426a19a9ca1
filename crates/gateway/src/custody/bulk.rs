//! `/admin/v1/bulk-revocations`: serial numbers are uploaded and counted, two persons agree, and the gateway revokes at a pace.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{Statement, StoreError};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::admin::{
    Approved, Checked, Code, Operator, Problem, Problems, Right, Routes, Told, TwoPersonAct, Why,
    field,
};
use crate::app::{App, Parts};
use crate::audit::{Act, Entry};
use crate::random::Random;
use crate::revoke::bulk::{self, Counts, Order, Progress};
use crate::revoke::jobs::{self, Job, Stage};
use crate::revoke::serials::Serials;
use crate::status::Reason;

/// The largest upload: some 50,000 serial numbers. More is the command's at the machine.
const LARGEST: usize = 2 * 1024 * 1024;
/// Jobs in one answer.
const MOST: u32 = 100;
/// Revocations a second unless something else is said.
const PACE: u32 = 50;
/// The most revocations a second.
const FASTEST: u32 = 1000;

pub(super) fn routes() -> Routes {
    let upload = Routes::new()
        .with(Right::CredentialsRevoke, routes!(upload))
        .reading(LARGEST);
    Routes::new()
        .and(upload)
        .with(Right::CredentialsRead, routes!(list))
        .with(Right::CredentialsRead, routes!(look))
        .with(Right::CredentialsRevoke, routes!(pause))
        .with(Right::CredentialsRevoke, routes!(resume))
        .with(Right::CredentialsRevoke, routes!(stop))
        .with(Right::CredentialsRevoke, routes!(change_pace))
}

/// An id that a person can read out.
pub(super) fn new_id(random: &Random) -> String {
    format!("job-{}", random.reference().to_ascii_lowercase())
}

/// Many serial numbers, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "organisation": "anytown", "reason": "left-employment", "ticket": "INC-1042",
    "serial_numbers": "serial_number\n3f0c1c1e-52f4-4b6f-9b2f-6f3a0a9f8d10\n"
}))]
struct Upload {
    /// The organisation that issued them; your own, if you are confined to one.
    #[serde(default)]
    #[schema(nullable = false)]
    organisation: Option<String>,
    /// Their type, where only one may be meant: what is of another counts as unknown.
    #[serde(default)]
    #[schema(nullable = false)]
    credential_type: Option<String>,
    /// Why, from the closed list.
    reason: Reason,
    /// A note for the operator. No employee's name belongs here.
    #[serde(default)]
    #[schema(nullable = false)]
    note: Option<String>,
    /// Where it was decided.
    ticket: String,
    /// Revocations a second, 1 to 1000; 50 if left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pace: Option<u32>,
    /// The file: one serial number a line, or CSV with the column `serial_number`. At most 2 MiB.
    serial_numbers: String,
}

/// How credentials stand.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkRevocationCounts)]
struct Standing {
    /// These would be revoked, suspended ones among them.
    in_force: u64,
    /// These have expired: they would be revoked, too, and were good for nothing any more.
    expired: u64,
    /// These are revoked.
    already_revoked: u64,
    /// No credentials of this organisation and type, whatever else they may be.
    unknown: u64,
}

/// How far a job has come.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkRevocationProgress)]
struct Done {
    /// Lines whose turn has not come.
    waiting: u64,
    /// Credentials that this job revoked.
    revoked: u64,
    /// Credentials that were revoked before.
    already_revoked: u64,
    /// Lines that name no credential of the organisation and type.
    unknown: u64,
}

/// A revocation of many, and how it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkRevocationNow)]
struct Now {
    /// What was asked for.
    job: Job,
    /// How the credentials of its lines stand now: what it would do. Before it is begun only.
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<Standing>,
    /// How far it has come.
    progress: Done,
    /// What to do where it stands still: of a job of the command line, on which nothing else works.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
    /// Lines that named a serial number which another had named already. After the upload only.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeated: Option<usize>,
}

/// Jobs.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkRevocations)]
struct Jobs {
    /// The newest first.
    jobs: Vec<Job>,
}

/// The command line works on its jobs itself, and may be gone.
fn advice(job: &Job) -> Option<&'static str> {
    match job.stage {
        Stage::Running if job.uploaded_by.is_none() => Some(
            "The command line began this, and nothing else works on it. Where it stands still, run the command again: the \
             same file, organisation, type, reason and ticket. It goes on where it stopped.",
        ),
        Stage::Paused if job.uploaded_by.is_none() => {
            Some("The command line began this: resume it here, and then run the command again.")
        }
        _ => None,
    }
}

async fn told(app: &Parts, job: Job, repeated: Option<usize>) -> Result<Now, Problem> {
    let dry_run = match job.stage {
        Stage::Counted => Some(jobs::count(&app.store, &job, app.now()).await?),
        _ => None,
    };
    let progress = bulk::progress(&app.store, &job.organisation, &job.id).await?;
    let Progress {
        waiting,
        revoked,
        already_revoked,
        unknown,
        ..
    } = progress.ok_or(Code::NotFound)?;
    let standing = |counts: Counts| Standing {
        in_force: counts.in_force,
        expired: counts.expired,
        already_revoked: counts.already_revoked,
        unknown: counts.unknown,
    };
    Ok(Now {
        advice: advice(&job),
        job,
        dry_run: dry_run.map(standing),
        progress: Done {
            waiting,
            revoked,
            already_revoked,
            unknown,
        },
        repeated,
    })
}

async fn find(app: &Parts, by: &Operator, id: &str) -> Result<Job, Problem> {
    let job = jobs::find(&app.store, id, by.organisation()).await?;
    job.ok_or(Code::NotFound.into())
}

fn pace(pace: Option<u32>) -> Result<NonZeroU32, Problem> {
    let pace = pace.unwrap_or(PACE);
    NonZeroU32::new(pace)
        .filter(|pace| pace.get() <= FASTEST)
        .ok_or_else(|| Problem::field("pace", "it is a number from 1 to 1000"))
}

/// Upload serial numbers that are to be revoked: they are counted, and nothing is revoked
#[utoipa::path(
    post,
    path = "/admin/v1/bulk-revocations",
    tag = "Credentials",
    request_body = Upload,
    responses((status = 201, description = "Counted; `bulk-revocation` proposes it", body = Now), Problems)
)]
async fn upload(
    State(app): State<App>,
    by: Operator,
    Told(upload): Told<Upload>,
) -> Result<(StatusCode, Json<Now>), Problem> {
    let organisation = upload.organisation.as_deref().or(by.organisation());
    let organisation = organisation.ok_or_else(|| {
        Problem::field(
            "organisation",
            "say which, since you look after all of them",
        )
    })?;
    if !by.sees(Some(organisation)) || app.organisations.find(organisation).is_none() {
        return Err(Code::NotFound.into());
    }
    field("ticket", &upload.ticket)?;
    for (name, text) in [
        ("note", &upload.note),
        ("credential_type", &upload.credential_type),
    ] {
        text.as_deref().map(|text| field(name, text)).transpose()?;
    }
    let pace = pace(upload.pace)?;
    let serials = Serials::parse(upload.serial_numbers.as_bytes())
        .map_err(|error| Problem::field("serial_numbers", &error.to_string()))?;
    let (organisation, repeated) = (organisation.to_owned(), serials.repeated);
    let (parts, operator) = (Arc::clone(&app), by.clone());
    // In a task of its own: a caller who hangs up, or is told that it takes too long, ends their waiting and not the writing.
    let writing = tokio::spawn(async move {
        let order = Order {
            organisation: &organisation,
            credential_type: upload.credential_type.as_deref(),
            reason: upload.reason,
            note: upload.note.as_deref().unwrap_or_default(),
            ticket: &upload.ticket,
            pace,
        };
        let (id, now) = (new_id(&parts.random), parts.now());
        let (job, lines) = (("job", id.as_str()), serials.numbers.len());
        let entry = Entry::new(operator.actor(), Act::BulkRevocationCounted, job, now)
            .organisation(Some(&organisation))
            .with("reason", upload.reason.code())
            .number("serial-numbers", lines.try_into().unwrap_or(i64::MAX))
            .ticket(Some(&upload.ticket));
        let (by, also) = ((id.as_str(), operator.id.as_str()), vec![entry.into()]);
        jobs::upload(&parts.store, by, &order, &serials, also, now).await?;
        Ok::<_, StoreError>(id)
    });
    let id = writing.await.map_err(|_| Code::Internal)??;
    let now = told(&app, find(&app, &by, &id).await?, Some(repeated)).await?;
    Ok((StatusCode::CREATED, Json(now)))
}

/// Revocations of many
#[utoipa::path(
    get,
    path = "/admin/v1/bulk-revocations",
    tag = "Credentials",
    responses((status = 200, description = "At most 100", body = Jobs), Problems)
)]
async fn list(State(app): State<App>, by: Operator) -> Result<Json<Jobs>, Problem> {
    let jobs = jobs::list(&app.store, by.organisation(), MOST).await?;
    Ok(Json(Jobs { jobs }))
}

/// One revocation of many: what it would do, or how far it has come
#[utoipa::path(
    get,
    path = "/admin/v1/bulk-revocations/{job}",
    tag = "Credentials",
    params(("job" = String, Path, description = "Its id")),
    responses((status = 200, description = "It", body = Now), Problems)
)]
async fn look(
    State(app): State<App>,
    by: Operator,
    Path(id): Path<String>,
) -> Result<Json<Now>, Problem> {
    let job = find(&app, &by, &id).await?;
    Ok(Json(told(&app, job, None).await?))
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Grounds {
    /// In your words. No employee's name belongs here: it stands in the audit for years.
    #[serde(default)]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The ticket of your service desk.
    #[serde(default)]
    #[schema(example = "INC-1042", nullable = false)]
    ticket: Option<String>,
}

/// Pause one that runs
#[utoipa::path(
    post,
    path = "/admin/v1/bulk-revocations/{job}/pause",
    tag = "Credentials",
    params(("job" = String, Path, description = "Its id")),
    request_body = Grounds,
    responses((status = 200, description = "It waits", body = Now), Problems)
)]
async fn pause(
    State(app): State<App>,
    by: Operator,
    Path(id): Path<String>,
    Told(grounds): Told<Grounds>,
) -> Result<Json<Now>, Problem> {
    change(&app, &by, &id, grounds, (&[Stage::Running], Stage::Paused)).await
}

/// Go on with one that is paused
#[utoipa::path(
    post,
    path = "/admin/v1/bulk-revocations/{job}/resume",
    tag = "Credentials",
    params(("job" = String, Path, description = "Its id")),
    request_body = Grounds,
    responses((status = 200, description = "It runs", body = Now), Problems)
)]
async fn resume(
    State(app): State<App>,
    by: Operator,
    Path(id): Path<String>,
    Told(grounds): Told<Grounds>,
) -> Result<Json<Now>, Problem> {
    change(&app, &by, &id, grounds, (&[Stage::Paused], Stage::Running)).await
}

/// Stop one for good. What is revoked stays so
#[utoipa::path(
    post,
    path = "/admin/v1/bulk-revocations/{job}/stop",
    tag = "Credentials",
    params(("job" = String, Path, description = "Its id")),
    request_body = Grounds,
    responses((status = 200, description = "It is over", body = Now), Problems)
)]
async fn stop(
    State(app): State<App>,
    by: Operator,
    Path(id): Path<String>,
    Told(grounds): Told<Grounds>,
) -> Result<Json<Now>, Problem> {
    let from = [Stage::Counted, Stage::Running, Stage::Paused];
    change(&app, &by, &id, grounds, (&from, Stage::Stopped)).await
}

async fn change(
    app: &Parts,
    by: &Operator,
    id: &str,
    grounds: Grounds,
    (from, to): (&[Stage], Stage),
) -> Result<Json<Now>, Problem> {
    let why = Why::said(grounds.reason, grounds.ticket)?;
    let job = find(app, by, id).await?;
    if !from.contains(&job.stage) {
        let detail = format!("It is {}.", job.stage.name());
        return Err(Problem::with(Code::JobState, detail));
    }
    let entry = changed(app, by, &job).with("stage", to.name());
    let update = jobs::change(&job.id, job.stage, to, app.now());
    app.store.write([update, why.told(entry).into()]).await?;
    Ok(Json(told(app, find(app, by, id).await?, None).await?))
}

fn changed(app: &Parts, by: &Operator, job: &Job) -> Entry {
    let object = ("job", job.id.as_str());
    Entry::new(by.actor(), Act::BulkRevocationChanged, object, app.now())
        .organisation(Some(&job.organisation))
}

/// How fast.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pace {
    /// Revocations a second, 1 to 1000.
    #[schema(example = 20)]
    pace: u32,
}

/// Give one that has not ended another pace
#[utoipa::path(
    post,
    path = "/admin/v1/bulk-revocations/{job}/pace",
    tag = "Credentials",
    params(("job" = String, Path, description = "Its id")),
    request_body = Pace,
    responses((status = 200, description = "From the next second on", body = Now), Problems)
)]
async fn change_pace(
    State(app): State<App>,
    by: Operator,
    Path(id): Path<String>,
    Told(asked): Told<Pace>,
) -> Result<Json<Now>, Problem> {
    let pace = pace(Some(asked.pace))?;
    let job = find(&app, &by, &id).await?;
    let entry = changed(&app, &by, &job).number("pace", pace.get().into());
    match app
        .store
        .write([jobs::set_pace(&job.id, pace), entry.into()])
        .await
    {
        Ok(_) => Ok(Json(told(&app, find(&app, &by, &id).await?, None).await?)),
        Err(StoreError::Unmet { .. }) => Err(Problem::with(Code::JobState, "It has ended.")),
        Err(error) => Err(error.into()),
    }
}

/// Begins a revocation that was counted.
pub(super) struct RevokeMany;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Beginning {
    job: String,
}

/// What the second person decides on stands in the proposal itself.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptBeginning {
    job: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    in_force: u64,
    #[serde(default)]
    expired: u64,
    #[serde(default)]
    already_revoked: u64,
    #[serde(default)]
    unknown: u64,
}

impl TwoPersonAct for RevokeMany {
    const CODE: &'static str = "bulk-revocation";
    const SENTENCE: &'static str =
        "Begin a revocation of many that was uploaded and counted. `detail`: `job`, its id";
    const RIGHT: Right = Right::CredentialsRevoke;
    type Asked = Beginning;
    type Kept = KeptBeginning;

    async fn check(
        &self,
        app: &App,
        operator: &Operator,
        asked: Beginning,
    ) -> Result<Checked<KeptBeginning>, Problem> {
        let job = find(app, operator, &asked.job).await?;
        if job.stage != Stage::Counted {
            return Err(Code::JobState.into());
        }
        let counts = jobs::count(&app.store, &job, app.now()).await?;
        Ok(Checked {
            organisation: Some(job.organisation),
            object: ("job", job.id.clone()),
            kept: KeptBeginning {
                job: job.id,
                reason: job.reason,
                in_force: counts.in_force,
                expired: counts.expired,
                already_revoked: counts.already_revoked,
                unknown: counts.unknown,
            },
        })
    }

    async fn carry_out(
        &self,
        app: &App,
        approved: &Approved,
        kept: KeptBeginning,
    ) -> Result<Vec<Statement>, Problem> {
        let job = find(app, &approved.by, &kept.job).await?;
        let counts = jobs::count(&app.store, &job, app.now()).await?;
        let reason = Reason::from_code(&job.reason).ok_or(Code::ChangedMeanwhile)?;
        let entry = approved
            .entry(Act::BulkRevocationBegun, ("job", &job.id))
            .with("reason", reason.code())
            .number("in-force", counts.in_force.try_into().unwrap_or(i64::MAX));
        Ok(vec![jobs::begin(&job.id, &approved.proposal), entry.into()])
    }
}
