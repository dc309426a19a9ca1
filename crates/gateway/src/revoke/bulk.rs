//! Many credentials revoked for one reason: a durable job. What was asked for stands in the database before the first
//! revocation; each revocation is kept with its line in one batch, so that a job goes on after a crash where it stopped and
//! nothing is counted twice. Two processes at one job do no harm: each line has one outcome, each credential one revocation.

use std::num::NonZeroU32;

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use standards::base64url;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::jobs::Stage;
use super::operator::{self, Standing, Target};
use super::serials::Serials;
use crate::status::{self, Cause, Reason};
use store::{Row, Statement, Store, StoreError};

/// Lines in one batch when a job is written down, and serial numbers in one question.
const LINES: usize = 250;
/// Revocations under way at once: they share the database's commits.
const AT_ONCE: usize = 16;

/// What is to be revoked, and why.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The organisation that issued them.
    pub organisation: &'a str,
    /// Their type, where only one may be meant: a credential of another then counts as unknown.
    pub credential_type: Option<&'a str>,
    /// Why.
    pub reason: Reason,
    /// A note for the operator.
    pub note: &'a str,
    /// Where it was decided.
    pub ticket: &'a str,
    /// Revocations a second.
    pub pace: NonZeroU32,
}

/// How the credentials of a file stand, before anything is changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// These would be revoked, suspended ones among them.
    pub in_force: u64,
    /// These have expired: they would be revoked, too, and were good for nothing any more.
    pub expired: u64,
    /// These are.
    pub already_revoked: u64,
    /// No credentials of this organisation and type, whatever else they may be (SEC-27).
    pub unknown: u64,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub stage: Stage,
    /// Lines whose turn has not come.
    pub waiting: u64,
    /// Credentials that this job revoked.
    pub revoked: u64,
    /// Credentials that were revoked before.
    pub already_revoked: u64,
    /// Lines that name no credential of the organisation and type.
    pub unknown: u64,
    /// When it was done, if it is.
    pub finished_at: Option<Timestamp>,
}

/// Why a job cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// No such job of this organisation.
    #[error("there is no such job of this organisation")]
    NotFound,
    /// A program with other reasons than this one's wrote it.
    #[error("the job's reason is none that this program knows")]
    Reason,
    /// The database.
    #[error("the job could not be read or stored; begin it again: it goes on where it stopped")]
    Store(#[from] StoreError),
}

impl JobError {
    /// A stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "job-unknown",
            Self::Reason => "job-of-another-program",
            Self::Store(_) => "not-stored",
        }
    }
}

/// A dry run: changes nothing.
pub async fn count(
    store: &Store,
    organisation: &str,
    credential_type: Option<&str>,
    serials: &Serials,
    now: Timestamp,
) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    let numbers: Vec<&Uuid> = serials.numbers.iter().collect();
    for some in numbers.chunks(LINES) {
        let places: Vec<String> = (2..some.len() + 2)
            .map(|place| format!("${place}"))
            .collect();
        let select = Statement::new(format!(
            "SELECT credential_type, revoked_at, expires_at FROM credentials WHERE organisation = $1 AND serial_number IN ({})",
            places.join(", ")
        ));
        let select = some
            .iter()
            .fold(select.bind(organisation), |select, number| {
                select.bind(number.to_string())
            });
        let mut unknown = some.len() as u64;
        for row in store.read(select).await? {
            let its_type = row.text("credential_type")?;
            if credential_type.is_some_and(|wanted| wanted != its_type) {
                continue;
            }
            unknown -= 1;
            let expires_at = row.optional_timestamp("expires_at")?;
            match row.optional_integer("revoked_at")? {
                None if expires_at.is_some_and(|at| at <= now) => counts.expired += 1,
                None => counts.in_force += 1,
                Some(_) => counts.already_revoked += 1,
            }
        }
        counts.unknown += unknown;
    }
    Ok(counts)
}

/// The name of the job that this order for this file makes: the same order for the same file is the same job, so that it is
/// begun once however often it is asked for.
#[must_use]
pub fn id(order: &Order<'_>, serials: &Serials) -> String {
    let mut context = Context::new(&SHA256);
    for text in [
        order.organisation,
        order.credential_type.unwrap_or_default(),
        order.reason.code(),
        order.ticket,
    ] {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    for number in &serials.numbers {
        context.update(number.as_bytes());
    }
    format!(
        "job_{}",
        base64url::encode(&context.finish().as_ref()[..16])
    )
}

/// Writes a job down, unless it is there, and gives its name. `also` is kept with it, once; and again where credentials have
/// been issued since whose serial numbers were unknown to it: they have their turn then. A job that waits to be resumed, or was
/// stopped, stays as it is.
pub async fn begin(
    store: &Store,
    order: &Order<'_>,
    serials: &Serials,
    also: Vec<Statement>,
    now: Timestamp,
) -> Result<String, StoreError> {
    let id = id(order, serials);
    let known = Statement::new("SELECT id FROM revocation_jobs WHERE id = $1");
    if store.read_one(known.bind(id.as_str())).await?.is_some() {
        reopen(store, &id, also).await?;
        return Ok(id);
    }
    // Lines first: a job that is there has them all. What a crash in between leaves lying is found again under the same name.
    write_lines(store, &id, order.organisation, serials).await?;
    let job = Statement::new(
        "INSERT INTO revocation_jobs (id, organisation, credential_type, code, reason, ticket, pace, stage, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8)",
    );
    let job = job
        .bind(id.as_str())
        .bind(order.organisation)
        .bind(order.credential_type)
        .bind(order.reason.code())
        .bind(order.note)
        .bind(order.ticket)
        .bind(order.pace.get())
        .bind(now);
    match store.write(std::iter::once(job).chain(also)).await {
        // Another process began the same.
        Ok(_) | Err(StoreError::Duplicate { statement: 0 }) => Ok(id),
        Err(error) => Err(error),
    }
}

/// Lines of a job that name a credential and did not when it was their turn.
const ISSUED_SINCE: &str = "job = $1 AND outcome = 'unknown' AND EXISTS (SELECT 1 FROM revocation_jobs j JOIN credentials c \
     ON c.organisation = j.organisation AND (j.credential_type IS NULL OR c.credential_type = j.credential_type) \
     WHERE j.id = revocation_job_lines.job AND j.stage IN ('running', 'finished') \
     AND c.serial_number = revocation_job_lines.serial_number)";

/// Gives a job's lines that were unknown, and are credentials by now, their turn again. `also` is kept with that.
async fn reopen(store: &Store, job: &str, also: Vec<Statement>) -> Result<(), StoreError> {
    loop {
        let count =
            format!("SELECT COUNT(*) AS lines FROM revocation_job_lines WHERE {ISSUED_SINCE}");
        let row = store.read_one(Statement::new(count).bind(job)).await?;
        let lines = row.map_or(Ok(0), |row| row.integer("lines"))?;
        if lines == 0 {
            return Ok(());
        }
        // The job's row first: whoever finishes it in this moment waits, or is waited for.
        let goes_on = "UPDATE revocation_jobs SET stage = 'running', finished_at = NULL WHERE id = $1 \
                       AND stage IN ('running', 'finished')";
        let waiting = format!(
            "UPDATE revocation_job_lines SET outcome = NULL, done_at = NULL WHERE {ISSUED_SINCE}"
        );
        let batch = [
            Statement::new(goes_on).bind(job).must_change(1),
            Statement::new(waiting)
                .bind(job)
                .must_change(lines.unsigned_abs()),
        ];
        match store.write(batch.into_iter().chain(also.clone())).await {
            // Somebody did the same, stopped it, or issued one more: look again.
            Err(StoreError::Unmet { statement: 0 | 1 }) => {}
            other => return other.map(drop),
        }
    }
}

/// Writes the lines of a job, as many of them as are not there.
pub(super) async fn write_lines(
    store: &Store,
    job: &str,
    organisation: &str,
    serials: &Serials,
) -> Result<(), StoreError> {
    let numbers: Vec<&Uuid> = serials.numbers.iter().collect();
    for some in numbers.chunks(LINES) {
        let line = |number: &&Uuid| {
            Statement::new(
                "INSERT INTO revocation_job_lines (job, organisation, serial_number) VALUES ($1, $2, $3) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(job)
            .bind(organisation)
            .bind(number.to_string())
        };
        store.write(some.iter().map(line)).await?;
    }
    Ok(())
}

/// How far a job has come; `None` where the organisation has no such job.
pub async fn progress(
    store: &Store,
    organisation: &str,
    job: &str,
) -> Result<Option<Progress>, StoreError> {
    let Some(row) = find(store, organisation, job).await? else {
        return Ok(None);
    };
    let count = Statement::new(
        "SELECT COALESCE(outcome, 'waiting') AS outcome, COUNT(*) AS lines FROM revocation_job_lines \
         WHERE job = $1 GROUP BY outcome",
    );
    let stage = Stage::parse(row.text("stage")?).ok_or_else(|| {
        StoreError::Corrupt("a job is at a stage that this version does not know".into())
    })?;
    let mut progress = Progress {
        stage,
        waiting: 0,
        revoked: 0,
        already_revoked: 0,
        unknown: 0,
        finished_at: row.optional_timestamp("finished_at")?,
    };
    for row in store.read(count.bind(job)).await? {
        let lines = row.integer("lines")?.unsigned_abs();
        match row.text("outcome")? {
            "revoked" => progress.revoked = lines,
            "already-revoked" => progress.already_revoked = lines,
            "unknown" => progress.unknown = lines,
            _ => progress.waiting = lines,
        }
    }
    Ok(Some(progress))
}

/// Does as many lines of a job as its pace allows for one second; whoever calls waits out the second. Answers whether it is
/// done. `also` gives the statements that are kept with each revocation.
pub async fn step(
    store: &Store,
    organisation: &str,
    job: &str,
    also: impl Fn(Uuid) -> Vec<Statement>,
    now: Timestamp,
) -> Result<bool, JobError> {
    let row = find(store, organisation, job)
        .await?
        .ok_or(JobError::NotFound)?;
    if row.optional_timestamp("finished_at")?.is_some() {
        return Ok(true);
    }
    // What waits for its second person, or for being resumed, is not worked on by anybody.
    if row.text("stage")? != Stage::Running.name() {
        return Ok(false);
    }
    let order = Running::read(&row)?;
    let due = Statement::new(
        "SELECT serial_number FROM revocation_job_lines WHERE job = $1 AND outcome IS NULL \
         ORDER BY serial_number LIMIT $2",
    );
    let due = store.read(due.bind(job).bind(order.pace)).await?;
    let mut tasks = JoinSet::new();
    for row in &due {
        let serial_number = Uuid::try_parse(row.text("serial_number")?).unwrap_or_default();
        if tasks.len() >= AT_ONCE {
            joined(&mut tasks).await?;
        }
        let (store, order, also) = (store.clone(), order.clone(), also(serial_number));
        let job = job.to_owned();
        tasks.spawn(async move { order.revoke(&store, &job, serial_number, also, now).await });
    }
    while !tasks.is_empty() {
        joined(&mut tasks).await?;
    }
    // Its row is held first: a line that has its turn again in this moment is seen.
    let hold = Statement::new("UPDATE revocation_jobs SET stage = stage WHERE id = $1").bind(job);
    let finish = Statement::new(
        "UPDATE revocation_jobs SET stage = 'finished', finished_at = $1 WHERE id = $2 AND finished_at IS NULL AND \
         NOT EXISTS (SELECT 1 FROM revocation_job_lines WHERE job = $3 AND outcome IS NULL)",
    );
    let finish = finish.bind(now).bind(job).bind(job);
    let done = store.write([hold, finish]).await?;
    Ok(done.last().is_some_and(|outcome| outcome.changed == 1))
}

async fn joined(tasks: &mut JoinSet<Result<(), StoreError>>) -> Result<(), StoreError> {
    match tasks.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(_)) => Err(StoreError::Closed),
        None => Ok(()),
    }
}

async fn find(store: &Store, organisation: &str, job: &str) -> Result<Option<Row>, StoreError> {
    let select = Statement::new(
        "SELECT organisation, credential_type, code, reason, ticket, pace, stage, finished_at FROM revocation_jobs \
         WHERE id = $1 AND organisation = $2",
    );
    store.read_one(select.bind(job).bind(organisation)).await
}

/// A job as it was written down: what holds is what was asked for at the beginning.
#[derive(Clone)]
struct Running {
    organisation: String,
    credential_type: Option<String>,
    reason: Reason,
    note: String,
    pace: i64,
}

impl Running {
    fn read(row: &Row) -> Result<Self, JobError> {
        let (note, ticket) = (row.text("reason")?, row.text("ticket")?);
        Ok(Self {
            organisation: row.text("organisation")?.to_owned(),
            credential_type: row.optional_text("credential_type")?.map(str::to_owned),
            reason: Reason::from_code(row.text("code")?).ok_or(JobError::Reason)?,
            note: format!("{note} ({ticket})").trim().to_owned(),
            pace: row.integer("pace")?,
        })
    }

    /// Revokes one credential and writes down what came of it, in one batch.
    async fn revoke(
        &self,
        store: &Store,
        job: &str,
        serial_number: Uuid,
        also: Vec<Statement>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let serial = serial_number.to_string();
        let organisation = self.organisation.as_str();
        let target = Target {
            organisation,
            serial_number,
            credential_type: self.credential_type.as_deref(),
        };
        let became = |outcome: &'static str| {
            let line = Statement::new(
                "UPDATE revocation_job_lines SET outcome = $1, done_at = $2 \
                 WHERE job = $3 AND serial_number = $4 AND outcome IS NULL",
            );
            line.bind(outcome).bind(now).bind(job).bind(serial.as_str())
        };
        match operator::find(store, target).await? {
            None => return store.write([became("unknown")]).await.map(drop),
            Some(Standing::Revoked) => {
                return store.write([became("already-revoked")]).await.map(drop);
            }
            Some(Standing::InForce | Standing::Suspended) => {}
        }
        let cause = Cause::Operator(self.reason, &self.note);
        let revoke = status::revoke_statements(organisation, serial_number, cause, now);
        let mut batch = status::only_first(revoke);
        batch.push(became("revoked").must_change(1));
        batch.extend(also);
        match store.write(batch).await {
            // Somebody else was first: revoked either by another, or by another process at this job, which says so itself.
            Err(StoreError::Unmet { .. }) => {
                store.write([became("already-revoked")]).await.map(drop)
            }
            other => other.map(drop),
        }
    }
}
