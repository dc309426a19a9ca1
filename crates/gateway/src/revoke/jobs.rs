//! A revocation of many as two persons want it: serial numbers are uploaded and counted, another person approves, and then
//! the gateway's processes work on it at its pace, however many they are.

use std::num::NonZeroU32;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::Serialize;
use store::{Row, Statement, Store, StoreError};
use uuid::Uuid;

use super::bulk::{self, Counts, JobError, Order};
use super::serials::Serials;
use crate::app::App;
use crate::audit::{Act, Actor, Entry};
use crate::live::Live;
use crate::status::Reason;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = BulkRevocationStage)]
pub enum Stage {
    /// Uploaded and counted; nothing is revoked before a second person approves.
    Counted,
    /// Lines are worked on.
    Running,
    /// It waits to be resumed.
    Paused,
    /// Every line has its outcome.
    Finished,
    /// It was stopped for good; what was revoked before stays so.
    Stopped,
}

impl Stage {
    const ALL: [Self; 5] = [
        Self::Counted,
        Self::Running,
        Self::Paused,
        Self::Finished,
        Self::Stopped,
    ];

    /// Its name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// A job as it was written down.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = BulkRevocation)]
pub struct Job {
    /// Its id.
    #[schema(example = "job-4x7m-0qkz")]
    pub id: String,
    /// Whose credentials.
    pub organisation: String,
    /// Of one type only, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_type: Option<String>,
    /// Why, as a code of the closed list.
    pub reason: String,
    /// The note for the operator.
    pub note: String,
    /// Where it was decided.
    pub ticket: String,
    /// Revocations a second.
    pub pace: i64,
    /// Where it stands.
    pub stage: Stage,
    /// Who uploaded it; absent: the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploaded_by: Option<String>,
    /// The approved proposal that began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// Since when it is there.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, organisation, credential_type, code, reason, ticket, pace, stage, uploaded_by, proposal, created_at, \
                       finished_at";

impl Job {
    /// `None`: a newer program's.
    fn read(row: &Row) -> Result<Option<Self>, StoreError> {
        let Some(stage) = Stage::parse(row.text("stage")?) else {
            return Ok(None);
        };
        let optional = |column| {
            row.optional_text(column)
                .map(|text| text.map(str::to_owned))
        };
        Ok(Some(Self {
            id: row.text("id")?.to_owned(),
            organisation: row.text("organisation")?.to_owned(),
            credential_type: optional("credential_type")?,
            reason: row.text("code")?.to_owned(),
            note: row.text("reason")?.to_owned(),
            ticket: row.text("ticket")?.to_owned(),
            pace: row.integer("pace")?,
            stage,
            uploaded_by: optional("uploaded_by")?,
            proposal: optional("proposal")?,
            created_at: row.timestamp("created_at")?,
            finished_at: row.optional_timestamp("finished_at")?,
        }))
    }
}

/// The stage of a job whose lines are being written: nobody finds it, proposes it or works on it. What was broken off stays one, and
/// is ended with what nobody proposed, so that its lines do not lie there for ever.
const UPLOADING: &str = "uploading";

/// Writes down what is to be revoked, and revokes nothing. `also` is kept with the job.
pub async fn upload(
    store: &Store,
    (id, by): (&str, &str),
    order: &Order<'_>,
    serials: &Serials,
    also: Vec<Statement>,
    now: Timestamp,
) -> Result<(), StoreError> {
    store
        .write([insert((id, by), order, UPLOADING, now)])
        .await?;
    bulk::write_lines(store, id, order.organisation, serials).await?;
    // A job that is counted has all its lines: if its time was over meanwhile, some may be gone, and it is none.
    let counted = "UPDATE revocation_jobs SET stage = $1 WHERE id = $2 AND stage = $3";
    let counted = Statement::new(counted)
        .bind(Stage::Counted.name())
        .bind(id)
        .bind(UPLOADING)
        .must_change(1);
    let batch = std::iter::once(counted).chain(also);
    store.write(batch).await.map(drop)
}

/// The row of a job whose lines are there, or are written in the same batch.
pub fn counted(job: (&str, &str), order: &Order<'_>, now: Timestamp) -> Statement {
    insert(job, order, Stage::Counted.name(), now)
}

fn insert((id, by): (&str, &str), order: &Order<'_>, stage: &str, now: Timestamp) -> Statement {
    let insert = Statement::new(
        "INSERT INTO revocation_jobs (id, organisation, credential_type, code, reason, ticket, pace, stage, created_at, \
         uploaded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    );
    insert
        .bind(id)
        .bind(order.organisation)
        .bind(order.credential_type)
        .bind(order.reason.code())
        .bind(order.note)
        .bind(order.ticket)
        .bind(order.pace.get())
        .bind(stage)
        .bind(now)
        .bind(by)
}

/// The newest jobs, of one organisation where one is named.
pub async fn list(
    store: &Store,
    organisation: Option<&str>,
    most: u32,
) -> Result<Vec<Job>, StoreError> {
    let select = Statement::new(format!(
        "SELECT {COLUMNS} FROM revocation_jobs WHERE (CAST($1 AS TEXT) IS NULL OR organisation = $1) \
         ORDER BY created_at DESC, id LIMIT $2"
    ));
    let rows = store.read(select.bind(organisation).bind(most)).await?;
    let jobs = rows.iter().map(Job::read);
    jobs.filter_map(Result::transpose).collect()
}

/// One job, of that organisation where one is named.
pub async fn find(
    store: &Store,
    id: &str,
    organisation: Option<&str>,
) -> Result<Option<Job>, StoreError> {
    let select = Statement::new(format!(
        "SELECT {COLUMNS} FROM revocation_jobs WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR organisation = $2)"
    ));
    let row = store.read_one(select.bind(id).bind(organisation)).await?;
    row.as_ref().map(Job::read).transpose().map(Option::flatten)
}

/// The job of what a compromised key signed.
pub enum OfKey {
    /// It is there, and not done with.
    There(String),
    /// There is none yet, or those that were have ended: the next has this id.
    New(String),
}

/// Finds the job of what a compromised key signed. Its id is made of the key's, so that whoever says twice that the key is
/// compromised has one job, and two persons agree once. After one that has ended there may be another.
pub async fn of_key(store: &Store, kid: &str) -> Result<OfKey, StoreError> {
    for number in 0_u32.. {
        let text = format!("{kid}\n{number}");
        let digest = digest(&SHA256, text.as_bytes());
        let id = format!("job-{}", hex::encode(&digest.as_ref()[..8]));
        match find(store, &id, None).await? {
            None => return Ok(OfKey::New(id)),
            Some(job) if job.finished_at.is_none() => return Ok(OfKey::There(id)),
            Some(_) => {}
        }
    }
    Err(StoreError::Corrupt("a key has no end of jobs".into()))
}

/// How the credentials of a job's lines stand now: what it would do, or has yet to do.
pub async fn count(store: &Store, job: &Job, now: Timestamp) -> Result<Counts, StoreError> {
    let select = Statement::new(
        "SELECT COUNT(*) AS lines, COUNT(c.serial_number) AS known, COUNT(c.revoked_at) AS revoked, \
         COUNT(CASE WHEN c.revoked_at IS NULL AND c.expires_at <= $4 THEN 1 END) AS expired \
         FROM revocation_job_lines l LEFT JOIN credentials c ON c.serial_number = l.serial_number \
         AND c.organisation = $1 AND (CAST($2 AS TEXT) IS NULL OR c.credential_type = $2) WHERE l.job = $3",
    );
    let select = select
        .bind(job.organisation.as_str())
        .bind(job.credential_type.as_deref())
        .bind(job.id.as_str())
        .bind(now);
    let Some(row) = store.read_one(select).await? else {
        return Ok(Counts::default());
    };
    let number = |column| row.integer(column).map(i64::unsigned_abs);
    let (lines, known, revoked) = (number("lines")?, number("known")?, number("revoked")?);
    let expired = number("expired")?;
    Ok(Counts {
        in_force: known - revoked - expired,
        expired,
        already_revoked: revoked,
        unknown: lines - known,
    })
}

/// Begins a job that was counted: the approval of that proposal.
pub fn begin(id: &str, proposal: &str) -> Statement {
    let update = "UPDATE revocation_jobs SET stage = 'running', proposal = $1 WHERE id = $2 AND stage = 'counted'";
    Statement::new(update)
        .bind(proposal)
        .bind(id)
        .must_change(1)
}

/// Brings a job from one stage to another, if it is there still.
pub fn change(id: &str, from: Stage, to: Stage, now: Timestamp) -> Statement {
    let ended = (to == Stage::Stopped).then_some(now);
    let update =
        "UPDATE revocation_jobs SET stage = $1, finished_at = $2 WHERE id = $3 AND stage = $4";
    Statement::new(update)
        .bind(to.name())
        .bind(ended)
        .bind(id)
        .bind(from.name())
        .must_change(1)
}

/// Gives a job that has not ended another pace.
pub fn set_pace(id: &str, pace: NonZeroU32) -> Statement {
    let update = "UPDATE revocation_jobs SET pace = $1 WHERE id = $2 AND finished_at IS NULL";
    Statement::new(update)
        .bind(pace.get())
        .bind(id)
        .must_change(1)
}

/// Works on what was approved, a second's worth in each second, until the future is dropped.
pub(crate) async fn run(live: &Live) {
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if let Err(error) = round(&live.now()).await {
            tracing::error!(%error, "a revocation of many does not go on; the next second tries again");
        }
    }
}

/// One second of every job that runs and was approved.
pub(crate) async fn round(app: &App) -> Result<(), JobError> {
    let running = "SELECT id, organisation, code, proposal FROM revocation_jobs WHERE stage = 'running' AND proposal IS NOT NULL";
    for row in app.store.read(Statement::new(running)).await? {
        let (id, organisation) = (row.text("id")?, row.text("organisation")?);
        // A newer program's reason is its own to work on.
        let Some(reason) = Reason::from_code(row.text("code")?) else {
            continue;
        };
        let proposal = row.text("proposal")?;
        let now = app.now();
        // Of several processes one has this second: together they keep to the pace.
        let take = "UPDATE revocation_jobs SET stepped_at = $1 WHERE id = $2 AND stage = 'running' \
                    AND (stepped_at IS NULL OR stepped_at < $3)";
        let take = Statement::new(take).bind(now).bind(id).bind(now);
        let taken = app.store.write([take]).await?;
        if taken.first().is_none_or(|outcome| outcome.changed == 0) {
            continue;
        }
        let told = |serial_number: Uuid| {
            let serial_number = serial_number.to_string();
            let credential = ("credential", serial_number.as_str());
            let entry = Entry::new(Actor::Gateway, Act::CredentialRevoked, credential, now)
                .organisation(Some(organisation))
                .with("reason", reason.code())
                .id("job", id)
                .id("proposal", proposal);
            vec![entry.into()]
        };
        if bulk::step(&app.store, organisation, id, told, now).await? {
            tracing::info!(job = id, "a revocation of many is finished");
        }
        app.lists.changed();
    }
    Ok(())
}
